"""Cases and personas as data: all of the course is there, and a wrong file is named with its key and the fix."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot import cases
from bot.errors import ContentError, LearnerError
from bot.parts import Parts, _winnable
from bot.records import Persona, Scenario
from bot.scenarios import Library, build
from bot.session import Session
from tests.conftest import ROOT

CASES = ROOT / "knowledge" / "cases"
MISSING = object()


def checked(library: Library, base: str, change: dict[str, Any]) -> Scenario:
    """A case file with some keys changed (a dotted key goes one level down), read and checked like any other."""
    data = yaml.safe_load((CASES / f"{base}.yaml").read_text(encoding="utf-8"))
    for key, value in change.items():
        *above, last = key.split(".")
        holder = data.setdefault(above[0], {}) if above else data
        if value is MISSING:
            holder.pop(last)
        else:
            holder[last] = value
    path = Path(f"{base}.yaml")
    scenario = build(Scenario, data, path)
    cases.check_scenario(scenario, path.name, library.vocabulary)
    return scenario


def test_all_thirty_nine_cases_are_there(library: Library) -> None:
    assert list(library.scenarios) == [f"SC{n:02d}" for n in range(1, 40)]
    refs = [r for s in library.scenarios.values() for r in (s.outline_ref, *s.extra_refs)]
    assert len(set(refs)) == len(refs), "no two cases claim the same item of the outline"
    assert {s.type for s in library.scenarios.values()} == set(library.rubric["scenario_types"])
    assert library.scenarios["SC08"].audience == library.scenarios["SC20"].audience == 3
    assert [s.id for s in library.scenarios.values() if s.traits.get("crisis_prone", 0) > 0.3] == ["SC30"]


def test_what_a_customer_says_first_is_speech_and_gives_nothing_away(library: Library) -> None:
    for s in library.scenarios.values():
        assert not any(f"（{word}）" in s.opening for word in ("吐槽", "指控", "质问", "诉求")), s.id
        assert "!" not in s.opening and "?" not in s.opening, f"{s.id} mixes in ASCII marks"
        for fact in s.facts.values():
            assert fact not in s.opening + s.title, s.id
            assert "我行" not in fact and "本行" not in fact, f"{s.id}: the customer would not say 我行"


@pytest.mark.parametrize(
    ("base", "change", "says"),
    [
        ("SC01", {"colour": "红"}, "colour 不认识这一项"),
        ("SC01", {"demand": MISSING}, "demand 缺少这一项"),
        ("SC01", {"id": "SC02"}, "与文件名不一致"),
        ("SC01", {"type": "vent"}, "type vent 不存在"),
        ("SC01", {"opening_act": "shout"}, "opening_act 里的 shout"),
        ("SC01", {"opening": "  "}, "opening 是空的"),
        ("SC01", {"facts.who": MISSING}, "facts 缺少 who"),
        ("SC01", {"facts.whom": "他"}, "facts 里的 whom"),
        ("SC01", {"facts.how_long": "—"}, "facts.how_long 没有内容"),
        ("SC01", {"fact_levels": {"who": 3}}, "fact_levels.who 是 3"),
        ("SC01", {"init.A": MISSING}, "init.A 缺少"),
        ("SC01", {"init.A": 150}, "应在 0–100"),
        ("SC01", {"init.Z": 5}, "init 里有不认识的变量"),
        ("SC01", {"init.A": 90}, "没等学员开口就要走"),
        ("SC01", {"traits.patience": 0.5}, "traits 里的 patience"),
        ("SC01", {"traits.face": 1.4}, "traits.face 是 1.4"),
        ("SC01", {"offer": ["P99"]}, "P99 不在政策箱里"),
        ("SC01", {"offer": ["P07"]}, "没有人能批"),
        ("SC01", {"cannot": ["罚息减免（P06）"]}, "互相矛盾"),
        ("SC01", {"cannot": ["阶段性只还利息"]}, "互相矛盾"),
        ("SC01", {"wrong": [{"reply": "嗯。", "code": "pace_fact"}]}, "wrong 第 1 条的 code pace_fact"),
        ("SC01", {"traits.crisis_prone": 0.9}, "补上 safety_note"),
        ("SC01", {"opening_act": "crisis"}, "crisis_prone 就要高于"),
        ("SC30", {"goal": "accept"}, "goal 应写 safe"),
        (
            "SC01",
            {"gates": [{"step": "G1", "act": "vent", "customer": "热！", "pass_when": "接住"}]},
            "只用于 gate_full",
        ),
        ("SC38", {"gates": []}, "G1 到 G5"),
        ("SC39", {"facts": {"who": "他"}}, "facts 应为空"),
    ],
)
def test_a_wrong_case_is_named_with_its_key(base: str, change: dict[str, Any], says: str, library: Library) -> None:
    checked(library, base, {})
    with pytest.raises(ContentError) as caught:
        checked(library, base, change)
    assert str(caught.value).startswith(f"{base}.yaml：") and says in str(caught.value)


@pytest.mark.parametrize(
    ("change", "says"),
    [({"id": "SC39-9"}, "连续编号"), ({"act": "shout"}, "SC39-1 的 act"), ({"explain": False}, "请改一处"),
     ({"wrong": [{"reply": "嗯。", "code": "nothing"}]}, "SC39-1 的 wrong")],
)  # fmt: skip
def test_a_wrong_question_of_a_drill_is_named(change: dict[str, Any], says: str, library: Library) -> None:
    data = yaml.safe_load((CASES / "SC39.yaml").read_text(encoding="utf-8"))["drills"]
    with pytest.raises(ContentError, match=says):
        checked(library, "SC39", {"drills": [{**data[0], **change}, *data[1:]]})


def test_gate_questions_come_in_order(library: Library) -> None:
    gates = yaml.safe_load((CASES / "SC38.yaml").read_text(encoding="utf-8"))["gates"]
    with pytest.raises(ContentError, match="次序"):
        checked(library, "SC38", {"gates": gates[::-1]})


def test_a_case_nobody_can_win_is_refused(library: Library, parts: Parts) -> None:
    hopeless = {"black_agent": 1.0, "openness": 0.0, "suspicion": 1.0, "desperation": 1.0, "irritability": 1.0}
    start = {"A": 87, "G": 100, "S": 90, "X": 100, "T": 0, "H": 0, "C": 0, "D": 100}
    locked = checked(library, "SC33", {"traits": hopeless, "init": start})
    altered = copy.copy(library)
    altered.scenarios = {**library.scenarios, "SC33": locked}
    with pytest.raises(ContentError, match=r"SC33\.yaml：init 与 traits"):
        _winnable(altered, parts.rules)
    altered.scenarios["SC33"] = locked.model_copy(update={"goal": "hold"})
    _winnable(altered, parts.rules)


def test_a_broken_case_stops_the_whole_library(tmp_path: Path) -> None:
    for name in ("knowledge", "prompts"):
        shutil.copytree(ROOT / name, tmp_path / name)
    path = tmp_path / "knowledge" / "cases" / "SC02.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("code: rebut", "code: rebutt"), encoding="utf-8")
    with pytest.raises(ContentError, match=r"SC02\.yaml：wrong 第 2 条"):
        Library(tmp_path)


# ── personas ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("change", "says"),
    [({"traits": {"charm": 1}}, "traits 里的 charm"), ({"traits": {"face": 2}}, "traits.face 是 2"),
     ({"init_shift": {"Q": 1}}, "init_shift 里的 Q"), ({"init_shift": {"A": 60}}, "只改脾气"),
     ({"suits": {"types": ["opera"]}}, "suits.types 里的 opera"), ({"suits": {"not_cases": ["SC77"]}}, "SC77 不存在"),
     ({"suits": {"age": [60, 40]}}, "[最小, 最大]"), ({"suits": {"jobs": ["宇航员"]}}, "没有一个场景能用"),
     ({"mood": "坏"}, "mood 不认识"), ({"id": "someone-else"}, "与文件名不一致")],
)  # fmt: skip
def test_a_wrong_persona_is_named_with_its_key(change: dict[str, Any], says: str, library: Library) -> None:
    path = ROOT / "prompts" / "personas" / "joker.yaml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))

    def load() -> None:
        persona = build(Persona, {**data, **change}, path)
        cases.check_persona(persona, path.name, library.vocabulary, library.scenarios)

    with pytest.raises(ContentError) as caught:
        load()
    assert str(caught.value).startswith("joker.yaml：") and says in str(caught.value)


@pytest.mark.parametrize(
    ("persona", "case", "why"),
    [("elderly", "SC18", "年纪"), ("merchant", "SC17", "职业"), ("ringleader", "SC01", "面对面"),
     ("joker", "SC30", "对不上"), ("agent", "SC29", "对不上"), ("weeping", "SC39-2", "快练")],
)  # fmt: skip
def test_a_persona_that_makes_no_sense_is_refused_at_the_start(persona: str, case: str, why: str, parts: Parts) -> None:
    with pytest.raises(LearnerError, match=why):
        Session.start(parts, case, persona_id=persona, confirmed=True)


def test_a_persona_that_fits_changes_the_start(parts: Parts) -> None:
    plain, fierce = Session.start(parts, "SC36"), Session.start(parts, "SC36", persona_id="hot-tempered")
    assert fierce.opening_mind.values["A"] > plain.opening_mind.values["A"]
    crowd = Session.start(parts, "SC03", persona_id="ringleader")
    assert crowd.opening_mind.audience == 2

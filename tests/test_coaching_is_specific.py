"""No coaching that could stand under any reply: every point rests on the learner's words and names its rule."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot import grading
from bot.appraisal import Appraiser
from bot.parts import Parts
from bot.records import Act, Context, Mind, Turn, TurnGrade, Utterance
from bot.scenarios import Library
from bot.session import Session
from tests.conftest import ROOT
from tests.grading_talks import CALM, GOLD, gold_scenario, gold_turns, read

LABELLED = ROOT / "evals" / "labelled" / "A.jsonl"


def given(reply: str, grade: TurnGrade, library: Library) -> tuple[str, tuple[str, str]]:
    """The coaching text, and the fault and words that it is about."""
    made = grade.coaching
    assert made.evidence and made.evidence in reply, "the learner's own words"
    assert made.evidence in made.point, "the point says which words it means"
    assert library.taxonomy.name(made.code) != made.code and made.basis, "a technique or a rule behind it"
    return made.point, (made.code, made.evidence)


def repeats(found: list[tuple[str, str, tuple[str, str]]]) -> list[str]:
    """Coaching texts given to two replies although fault or words differ."""
    about: dict[str, tuple[str, str]] = {}
    bad = []
    for _, point, subject in found:
        if about.setdefault(point, subject) != subject:
            bad.append(point)
    return bad


@pytest.fixture(scope="module")
def reader(library: Library) -> Appraiser:
    return Appraiser(library)


def judged(reader: Appraiser, library: Library, customer: str, reply: str) -> TurnGrade:
    turn = Turn(
        n=1, customer=customer, reply=reply, appraisal=reader.appraise(reply, Context(customer=customer)),
        mind=Mind(values=CALM | {"A": 70.0}, reason=35.0, mood=-25.0, stage=2, turn=1),
        act=Act(behaviour="complain", customer_act="complain"), answer=Utterance(text="嗯。"),
    )  # fmt: skip
    return grading.grade_turn(turn, (), library)


def test_varied_replies_never_share_a_text(reader: Appraiser, library: Library) -> None:
    rows = [json.loads(line) for line in LABELLED.read_text(encoding="utf-8").splitlines()[::7]][:120]
    found = [(r["r"], *given(r["r"], judged(reader, library, r["c"], r["r"]), library)) for r in rows]
    assert len({f[0] for f in found}) >= 40 and not repeats(found)


def test_one_customer_many_replies(reader: Appraiser, library: Library) -> None:
    customer = library.scenarios["SC01"].opening
    rows = [json.loads(line) for line in LABELLED.read_text(encoding="utf-8").splitlines()[3::11]][:60]
    found = [(r["r"], *given(r["r"], judged(reader, library, customer, r["r"]), library)) for r in rows]
    assert len({f[0] for f in found}) >= 40 and not repeats(found)


def test_gold_dialogues_never_share_a_text(library: Library) -> None:
    found = []
    for path in GOLD:
        gold = read(path)
        turns = gold_turns(gold, library)
        for i, turn in enumerate(turns):
            grade = grading.grade_turn(turn, turns[:i], library, gold_scenario(gold, library))
            found.append((turn.reply, *given(turn.reply, grade, library)))
    assert len(found) > 30 and not repeats(found)


def test_what_to_work_on_is_three_things_at_most_each_with_words_and_a_drill(parts: Parts) -> None:
    session = Session.start(parts, "SC01")
    for line in ("您先冷静。", "规定就是这样，我们也没办法。", "我保证给您全免，您放心。", "再不还就让公安上门抓你"):
        if not session.ended:
            session.say(line)
    report = session.finish()
    assert 1 <= len(report.focus) <= 3
    for item in report.focus:
        assert item.evidence in session.turns[item.turn - 1].reply
        assert item.drill in parts.library.scenarios and item.drill != "SC01" and item.better


def test_compliance_is_two_sided(parts: Parts) -> None:
    session = Session.start(parts, "SC17")
    session.say("您放心，我保证把您的征信记录改了，这事包在我身上。")
    if not session.ended:
        session.say("再不还就让公安上门抓你")
    report = session.finish()
    sides = {s.side for s in report.slips}
    assert sides == {"hard", "soft"}
    for slip in report.slips:
        assert slip.evidence in session.turns[slip.turn - 1].reply and slip.better
        assert slip.rule or slip.level == "anti"


def test_every_code_that_breaks_a_rule_has_a_side(library: Library) -> None:
    sides = library.rubric["two_sided"]
    assert set(library.taxonomy.violations) <= {*sides["hard"], *sides["soft"]}
    assert not set(sides["hard"]) & set(sides["soft"])
    known = {*library.taxonomy.violations, *library.taxonomy.antis}
    assert {*sides["hard"], *sides["soft"]} <= known


def test_peak_and_end_are_explained_with_the_words_that_made_them(parts: Parts) -> None:
    session = Session.start(parts, "SC01")
    session.say("一天八个电话，手机一响心就往下沉，换谁都得急、都得委屈。这口气您先出，我听着。")
    session.say("规定就是这样，我们也没办法。")
    report = session.finish()
    peak, end, felt = report.remembered
    assert f"{report.peak:.0f}" in peak and f"{report.end:.0f}" in end and f"{report.satisfaction:g}" in felt
    assert any(words in peak for words in (t.reply[:4] for t in session.turns)) or "“" in peak
    top = next(m for m in report.moments if m.kind == "peak")
    assert top.mood == report.peak and f"第 {top.turn} 轮" in peak


def test_the_report_of_a_long_talk_is_quick(parts: Parts, tmp_path: Path) -> None:
    import time

    session = Session.start(parts, "SC17")
    while len(session.turns) < 12 and not session.ended:
        session.say(f"您第{len(session.turns) + 1}回跟我说这件事，跑来跑去换谁都累，我听着，您接着说。")
    began = time.perf_counter()
    session.recompute()
    assert time.perf_counter() - began < 1.0

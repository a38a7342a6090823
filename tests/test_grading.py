"""Grading: the six gold dialogues, and every cap, penalty, bonus and fallback by table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot import grading
from bot.errors import LearnerError
from bot.records import Change, Report, Turn, TurnGrade
from bot.scenarios import Library
from tests.grading_talks import GOLD, START_MOODS, gold_scenario, gold_turns, good, read, turn

SLOTS = {"slots": ("what", "how", "when", "how_much")}


def graded(path: Path, library: Library) -> tuple[dict[str, Any], tuple[Turn, ...], Report]:
    gold = read(path)
    turns = gold_turns(gold, library)
    return gold, turns, grading.report(turns, gold_scenario(gold, library), library)


def talk(library: Library, *turns: Turn, **options: Any) -> Report:
    case = options.pop("case", library.scenarios["SC01"])
    return grading.report(turns, case, library, start_mood=-30.0, **options)


def closing(library: Library, n: int, **more: Any) -> Turn:
    return turn(library, n, "那咱们说定：明天上午我回您电话。", ("warm_close", 1.2), act="accept", mood=20, **more)


def whole(library: Library) -> tuple[Turn, ...]:
    """A talk that meets every gate."""
    told = ("need_business", "need_emotional")
    return (
        turn(library, 1, "一天八个电话，谁都急。", ("pace_fact", 1.2), ("pace_emotion", 1.2), A=60, T=30, mood=-20),
        turn(library, 2, "您要的是一句准话。", ("pace_expectation", 1.2), A=50, T=40, mood=-10, more=SLOTS),
        turn(library, 3, "我猜您怕的是没个头，是不是？", ("iceberg_dig", 1.3), act="demand", told=told, A=40, mood=5),
        turn(library, 4, "虽然利息免不了，但是能先缓三个月，批不批要看审核。",
             ("soft_explain", 1.2, "虽然利息免不了，但是能先缓三个月"), ("third_option", 1.3, "能先缓三个月"),
             ("compliant_script", 1.0, "批不批要看审核"), act="demand", told=told, behaviour="accept", A=30, mood=15),
        closing(library, 5, told=told, A=20, T=70),
    )  # fmt: skip


# ── the gold dialogues ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", GOLD, ids=lambda p: p.stem)
def test_gold_totals_and_dimensions(path: Path, library: Library) -> None:
    gold, _, report = graded(path, library)
    expected = gold["expected"]
    assert report.final == pytest.approx(expected["final"], abs=5)
    assert report.grade == expected["grade"]
    assert report.start_mood == pytest.approx(START_MOODS[gold["id"]], abs=0.1)
    assert report.satisfaction == pytest.approx(expected["satisfaction"], abs=2)
    assert grading.cap_codes(report, library) == expected["caps"]
    for code, score in expected["session_dims"].items():
        assert report.dims[code] == pytest.approx(score, abs=1), code


@pytest.mark.parametrize("path", GOLD, ids=lambda p: p.stem)
def test_gold_turn_dimensions(path: Path, library: Library) -> None:
    gold, _, report = graded(path, library)
    pairs = [
        (score, grade.dims[code].score)
        for labelled, grade in zip(gold["turns"], report.turns, strict=True)
        for code, score in labelled["dims"].items()
        if code in grade.dims
    ]
    assert len(pairs) >= 0.75 * sum(len(t["dims"]) for t in gold["turns"])
    assert max(abs(a - b) for a, b in pairs) <= 1
    assert sum(abs(a - b) for a, b in pairs) / len(pairs) <= 0.4


@pytest.mark.parametrize("path", [p for p in GOLD if p.stem in ("GD1", "GD2", "GD3", "BD1")], ids=lambda p: p.stem)
def test_gold_penalties(path: Path, library: Library) -> None:
    gold, _, report = graded(path, library)
    assert [p.points for p in report.penalties] == [points for _, points in gold["expected"]["penalties"]]


def test_every_good_dialogue_beats_every_bad_one(library: Library) -> None:
    reports = {p.stem: graded(p, library)[2] for p in GOLD}
    best = min(r.final for name, r in reports.items() if name.startswith("GD"))
    worst = max(r.final for name, r in reports.items() if name.startswith("BD"))
    assert best > worst + 50
    assert min(r.rubric_score for n, r in reports.items() if n.startswith("GD")) > 85
    assert max(r.rubric_score for n, r in reports.items() if n.startswith("BD")) < 15


@pytest.mark.parametrize("path", GOLD, ids=lambda p: p.stem)
def test_evidence_is_always_the_learners_words(path: Path, library: Library) -> None:
    _, turns, report = graded(path, library)
    said = {t.n: t.reply for t in turns}
    for grade in report.turns:
        quoted = [d.evidence for d in grade.dims.values()] + [v.evidence for v in grade.verdicts]
        quoted.append(grade.coaching.evidence)
        assert all(q and q in said[grade.n] for q in quoted), grade
        assert all(d.why and 1 <= d.score <= 5 for d in grade.dims.values())
    for item in (*report.caps, *report.penalties, *report.bonuses, *report.focus):
        assert item.evidence
        assert item.evidence in said[item.turn]


@pytest.mark.parametrize("path", GOLD, ids=lambda p: p.stem)
def test_the_same_turns_give_the_identical_report(path: Path, library: Library) -> None:
    gold, turns, report = graded(path, library)
    assert grading.report(turns, gold_scenario(gold, library), library) == report
    stored = [TurnGrade.model_validate_json(g.model_dump_json()) for g in report.turns]
    assert grading.report(turns, gold_scenario(gold, library), library, grades=stored) == report


@pytest.mark.parametrize("path", GOLD, ids=lambda p: p.stem)
def test_wordings_are_whole_and_free_of_codes(path: Path, library: Library) -> None:
    _, _, report = graded(path, library)
    texts = [g.coaching.better for g in report.turns] + [g.coaching.point for g in report.turns]
    texts += [f.better for f in report.focus] + [f.advice for f in report.focus]
    assert not any("{" in t or "_" in t for t in texts), texts
    bad = [g for g in report.turns if library.taxonomy.name(g.coaching.code) != g.coaching.code and g.coaching.better]
    assert len(bad) == len(report.turns) or path.stem.startswith("GD")


# ── caps, penalties, bonuses ─────────────────────────────────────────────────────────────────────────

CAPS = [
    (("threat_intimidate",), "complain", {"fatal": 40}, {"compliance": 1}),
    (("obstruct_complaint",), "threat", {"serious": 60}, {"compliance": 2}),
    (("deny_emotion",), "complain", {"anti_severity3": 74}, {"emotion": 2}),
    (("overpromise",), "demand", {"anti_severity3": 74}, {"compliance": 2, "negotiation": 2}),
    (("same_side",), "crisis", {"crisis_missed": 30}, {"compliance": 1}),
    (("crisis_ignore",), "crisis", {"crisis_missed": 30}, {"compliance": 1}),
    (("early_explain",), "complain", {}, {}),
]


@pytest.mark.parametrize(("codes", "act", "caps", "dims"), CAPS)
def test_red_line_caps(
    codes: tuple[str, ...], act: str, caps: dict[str, float], dims: dict[str, float], library: Library
) -> None:
    turns = list(whole(library))
    turns.append(turn(library, 6, "这是一句有问题的话。", *codes, act=act, mood=30))
    turns.append(closing(library, 7))
    report = talk(library, *turns)
    assert grading.cap_codes(report, library) == caps
    assert report.final <= min([100, *caps.values()])
    assert all((report.dims[d] or 0) <= limit for d, limit in dims.items())
    assert report.fatal == bool({"fatal", "crisis_missed"} & set(caps))
    if caps:
        assert not report.passed
        assert f"第 6 轮“{'这是一句有问题的话'}" in report.verdict


def test_without_the_bad_line_the_same_talk_passes(library: Library) -> None:
    report = talk(library, *whole(library))
    assert report.passed
    assert report.verdict.startswith("通过")
    assert not report.caps
    assert [g.passed for g in report.gates] == [True] * 5
    assert report.found == ("need_business", "need_emotional")


def test_a_hidden_breach_is_capped_though_the_customer_is_delighted(library: Library) -> None:
    happy = turn(library, 6, "征信这块我帮您处理掉。", ("false_promise_credit", 1.2, "我帮您处理掉"), act="demand",
                 mood=60, behaviour="accept", A=10, T=90)  # fmt: skip
    report = talk(library, *whole(library), happy, closing(library, 7, A=10, T=90))
    assert report.satisfaction > 70
    assert report.final <= 40
    assert report.fatal
    assert not report.passed
    assert "我帮您处理掉" in report.verdict


def cases(library: Library) -> dict[str, tuple[tuple[Turn, ...], float]]:
    """Talks that earn exactly one penalty each, and its points."""
    lead = ("lead_solution", 1.0)
    angry = {"A": 80.0, "changes": (Change(variable="A", delta=1, cause="x"),)}
    canned = [turn(library, n, "非常抱歉给您带来不便。", "canned_script", act="ask") for n in (1, 2, 3)]
    return {
        "未跟先带": ((turn(library, 1, "今天先还一期。", lead, **angry), good(library, 2), closing(library, 3)), -4),
        "反复未跟先带": (
            (turn(library, 1, "今天先还。", lead, **angry), turn(library, 2, "还一期。", "premature_lead"),
             closing(library, 3)), -6),
        "对吐槽做解释": ((turn(library, 1, "因为系统慢。", "early_explain", act="vent"), closing(library, 2)), -3),
        "指控没有回应": ((good(library, 1, act="allege"), closing(library, 2)), -6),
        "重复套话": ((*canned, closing(library, 4)), -3),
        "承诺落空": (
            (turn(library, 1, "保证能批。", "overpromise", act="ask"),
             turn(library, 2, "规定改不了。", "rule_wall", act="ask"), closing(library, 3)), -8),
        "没有收尾": ((good(library, 1), good(library, 2), good(library, 3)), -5),
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["未跟先带", "反复未跟先带", "对吐槽做解释", "指控没有回应", "重复套话", "承诺落空", "没有收尾"]
)
def test_penalties(name: str, library: Library) -> None:
    turns, points = cases(library)[name]
    report = talk(library, *turns)
    assert [(p.name, p.points) for p in report.penalties] == [(name, points)]


def test_hints_cost_three_points_each(library: Library) -> None:
    free, helped = talk(library, *whole(library)), talk(library, *whole(library), hints=2)
    assert [(p.name, p.points) for p in helped.penalties] == [("使用教练提示", -6)]
    assert helped.final == pytest.approx(free.final - 6, abs=0.11)


@pytest.mark.parametrize(
    ("codes", "dim", "limit"),
    [
        ((("early_explain",), ("premature_lead",)), "pacing", 2.0),
        ((("brush_off",), ("preach",), ("canned_script",)), "emotion", 2.0),
    ],
)
def test_dimension_caps(codes: tuple[tuple[str, ...], ...], dim: str, limit: float, library: Library) -> None:
    bad = [turn(library, n, "一句话。", *c, act="ask") for n, c in enumerate(codes, 1)]
    best = [good(library, n) for n in range(len(bad) + 1, len(bad) + 13)]
    assert talk(library, *best, closing(library, 20)).dims[dim] == 5
    report = talk(library, *bad, *best, closing(library, 20))
    assert report.dims[dim] == limit


def test_bonuses_and_their_cap(library: Library) -> None:
    report = talk(library, *whole(library))
    assert [b.points for b in report.bonuses] == [4, 1]
    assert report.bonuses[0].name == "第三选择被采纳且合规"
    crisis = turn(library, 1, "账先不说，您身边有没有人？12356半夜也有人接。", ("crisis_safety", 1.2), act="crisis")
    saved = talk(library, crisis, closing(library, 2))
    assert [(b.name, b.points) for b in saved.bonuses] == [("危机中守住安全并转介", 5)]
    assert saved.final > 60
    assert not saved.fatal


def test_a_broken_promise_is_seen_through_the_customers_eyes_too(library: Library) -> None:
    noticed = (Change(variable="T", delta=-18, cause="promise_broken"),)
    made = turn(library, 1, "包在我身上。", "overpromise", act="ask")
    later = turn(library, 2, "再等等。", act="complain", changes=noticed, mood=-40)
    report = talk(library, made, later, closing(library, 3))
    assert [p.name for p in report.penalties] == ["承诺落空"]
    assert report.dims["negotiation"] == 1


def test_the_same_words_are_penalised_once(library: Library) -> None:
    words = "你就是老赖，别激动"
    twice = turn(library, 1, words, ("insult", 1.0, words), ("label_customer", 1.0, "你就是老赖"),
                 ("deny_emotion", 1.0, "别激动"), A=80.0)  # fmt: skip
    report = talk(library, twice)
    assert grading.cap_codes(report, library) == {"fatal": 40}
    assert [f.title for f in report.focus][:1] == ["红线：侮辱歧视人格"]
    assert not any("贴标签" in f.title or "否定情绪" in f.title for f in report.focus)
    assert report.turns[0].dims["emotion"].score == 2  # nothing taken in, not punished again


def test_weights_of_dimensions_not_shown_go_to_the_others(library: Library) -> None:
    report = talk(library, turn(library, 1, "急成这样，换谁都一样。", ("pace_emotion", 1.3), ("self_regulate", 1.0)))
    assert report.dims["diagnosis"] is None
    assert report.dims["solution"] is None
    weights = library.rubric["scenario_types"]["complaint_vent"]["weights"]
    shown = {d: s for d, s in report.dims.items() if s is not None}
    expected = sum(weights[d] * (s - 1) / 4 for d, s in shown.items()) / sum(weights[d] for d in shown) * 100
    assert report.rubric_score == pytest.approx(expected, abs=0.05)
    assert report.dims["compliance"] == 3  # never NA


def test_a_finished_talk_never_falls_below_the_floor(library: Library) -> None:
    both = ("insult", 1.0, "没素质"), ("deny_emotion", 1.0, "别闹了"), ("early_explain", 1.0, "因为规定")
    insults = [turn(library, n, "没素质，别闹了，因为规定。", *both, mood=-60, A=95) for n in (1, 2, 3, 4)]
    assert talk(library, *insults).final == 10
    assert talk(library, *insults, complete=False).final < 10


# ── short, broken-off and empty talks ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("count", [1, 2, 3])
def test_short_talks_get_a_report(count: int, library: Library) -> None:
    report = talk(library, *whole(library)[:count])
    assert len(report.turns) == len(report.moods) == count
    assert not report.passed
    assert "未通过" in report.verdict
    assert report.moments[-1].kind == "end"
    assert len(report.focus) <= 3
    assert {"peak", "end"} <= {m.kind for m in report.moments}


def test_a_talk_broken_off_is_not_blamed_for_its_missing_end(library: Library) -> None:
    turns = whole(library)[:4]
    assert [p.name for p in talk(library, *turns).penalties] == ["没有收尾"]
    broken = talk(library, *turns, complete=False)
    assert broken.penalties == ()
    assert not broken.passed
    assert "没有谈完" in broken.verdict


def test_nothing_said_is_an_error_that_says_what_to_do(library: Library) -> None:
    with pytest.raises(LearnerError, match="先回客户一句"):
        talk(library)


def test_moments_name_the_words_behind_a_jump(library: Library) -> None:
    fall = turn(library, 2, "您别激动。", ("deny_emotion", 1.0, "别激动"), mood=-45, A=80)
    report = talk(library, good(library, 1, mood=-20), fall, closing(library, 3))
    jump = next(m for m in report.moments if m.turn == 2)
    assert jump.kind == "jump"
    assert "别激动" in jump.cause
    assert "否定情绪" in jump.cause
    assert report.satisfaction_band in library.mind_rules["satisfaction_bands"]


def test_a_hurt_that_was_never_mended_caps_satisfaction(library: Library) -> None:
    hurt = [turn(library, n, "嗯。", "brush_off", mood=m) for n, m in ((1, 0), (2, 60), (3, 50))]
    mended = grading.report(hurt, library.scenarios["SC01"], library, start_mood=20)
    never = [turn(library, n, "嗯。", "brush_off", mood=m) for n, m in ((1, 65), (2, 50), (3, 54))]
    capped = grading.report(never, library.scenarios["SC01"], library, start_mood=60)
    assert mended.satisfaction > 58
    assert capped.satisfaction == 57
    assert capped.satisfaction_band == "一般"


def test_gates_say_what_is_missing(library: Library) -> None:
    turns = list(whole(library))
    turns[1] = turn(library, 2, "有几张卡？收入多少？还有贷款吗？", ("interrogate", 1.0), A=50, T=40, mood=-10)
    steps = {g.id: g for g in talk(library, *turns).gates}
    assert not steps["G4"].passed
    assert any("3 个问题" in m for m in steps["G4"].missing)
    assert any("6W3H" in m for m in steps["G4"].missing)
    assert steps["G1"].passed
    assert steps["G3"].passed


# ── what to work on ──────────────────────────────────────────────────────────────────────────────────


def test_focus_is_short_and_drills_exist(library: Library) -> None:
    for path in GOLD:
        _, _, report = graded(path, library)
        assert len(report.focus) <= 3
        assert all(f.drill in library.scenarios and f.better and f.advice for f in report.focus)
    bad = graded(next(p for p in GOLD if p.stem == "BD2"), library)[2]
    assert [f.title[:2] for f in bad.focus] == ["红线"] * 3
    assert len({f.title for f in bad.focus}) == 3

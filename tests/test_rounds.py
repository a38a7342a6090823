"""知识测验: answers are checked, every one carries its source, wrong ones come back with the drills."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import notebook, rounds
from bot.errors import LearnerError
from bot.parts import Parts
from bot.quiz import load_quiz


@pytest.fixture
def parts(shared_parts: Parts) -> Parts:
    return shared_parts


def at(parts: Parts, moment: str) -> Parts:
    return replace(parts, clock=lambda: moment)


def test_every_question_can_be_answered_right_and_wrong_and_says_where_it_stands(
    parts: Parts, me: str, other: str
) -> None:
    for q in rounds.questions(parts).values():
        if q.kind == "open":
            continue
        right = rounds.answer(parts, me, q.id, q.answer)
        assert right.right and right.sources, q.id
        assert all(s.links for s in right.sources), (q.id, "a citation leads to its section")
        others = [o for o in q.options if o not in q.answer]
        assert rounds.answer(parts, other, q.id, others[:1] or q.answer[:1]).right is False, q.id


def test_a_multiple_choice_needs_all_of_them_and_nothing_more(parts: Parts, me: str) -> None:
    q = next(q for q in rounds.questions(parts).values() if q.kind == "multiple")
    assert rounds.answer(parts, me, q.id, q.answer[:1]).right is False
    assert rounds.answer(parts, me, q.id, q.options).right is (set(q.options) == set(q.answer))
    assert rounds.answer(parts, me, q.id, [*reversed(q.answer)]).right


def test_an_unverified_or_advisory_source_is_never_cited_as_law(parts: Parts) -> None:
    shown = [s for q in rounds.questions(parts).values() for s in rounds.sources_of(parts, q)]
    doubtful = [s for s in shown if any("C，未核实" in words for words, _ in s.badges)]
    assert all("未核实" in s.text for s in doubtful)
    soft = [s for s in shown if any(words in ("自律", "推荐性标准") for words, _ in s.badges)]
    assert soft and all(s.text.startswith("参照") for s in soft)
    assert all(s.text.startswith("参考“") for s in shown if not s.badges), "a course card is not a rule"


def test_an_open_question_has_points_and_no_verdict_and_is_not_in_the_book(parts: Parts, me: str) -> None:
    with pytest.raises(LearnerError, match="先写"):
        rounds.answer(parts, me, "QT01", written="不知道")
    done = rounds.answer(parts, me, "QT01", written="过程公平最要紧，电话13812345678，先把人听明白。")
    assert done.right is None and len(done.question.answer) >= 3 and "13812345678" not in done.written
    assert not notebook.in_book(done.practised)


def test_nothing_chosen_is_refused_and_leaves_nothing(parts: Parts, me: str) -> None:
    with pytest.raises(LearnerError, match="还没有选"):
        rounds.answer(parts, me, "QM01", [])
    with pytest.raises(LearnerError, match="还没有选"):
        rounds.answer(parts, me, "QM01", ["不在选项里"])
    with pytest.raises(LearnerError, match="没有题号"):
        rounds.answer(parts, me, "QX99", ["对"])
    assert parts.practice.all(me) == ()


def test_wrong_ones_come_first_in_the_next_round(parts: Parts, me: str, other: str) -> None:
    before = at(parts, "2026-03-01T00:00:00+00:00")
    rounds.answer(before, me, "QM01", ["对"])
    rounds.answer(before, me, "QM02", ["错"])
    assert rounds.due(before, me) == ()
    later = at(parts, "2026-03-01T01:00:00+00:00")
    assert rounds.due(later, me) == ("QM01",)
    drawn = rounds.draw(later, me, {}, seed=4)
    assert drawn[0] == "QM01" and "QM02" not in drawn and len(set(drawn)) == rounds.ROUND
    assert rounds.due(later, other) == ()


def test_rounds_are_mixed_repeatable_and_lean_to_what_is_weak(parts: Parts, me: str) -> None:
    assert (
        rounds.draw(parts, me, {}, seed=1) == rounds.draw(parts, me, {}, seed=1) != rounds.draw(parts, me, {}, seed=2)
    )
    known = rounds.questions(parts)
    assert all(known[q].kind != "open" for seed in range(20) for q in rounds.draw(parts, me, {}, seed=seed))
    weak = rounds.draw(parts, me, {"privacy_guard": 1.0}, seed=1)
    assert all("privacy_guard" in known[q].codes for q in weak[:5])
    topic = load_quiz(parts.library.root)["thinking"]
    assert set(rounds.draw(parts, me, {}, "thinking")) <= {q.id for q in topic.questions}

"""Drills: three of eight drawn, each a talk of one reply."""

from __future__ import annotations

from collections import Counter

import pytest

from bot import drills
from bot.errors import LearnerError
from bot.parts import Parts
from bot.scenarios import Library
from bot.session import Session


def test_drawing_is_fair_and_repeatable(library: Library) -> None:
    case = library.scenarios["SC39"]
    assert len(case.drills) == 8
    assert drills.draw(case, 5) == drills.draw(case, 5)
    drawn = [drills.draw(case, seed) for seed in range(400)]
    assert all(len(set(ids)) == 3 for ids in drawn)
    counts = Counter(i for ids in drawn for i in ids)
    assert set(counts) == {d.id for d in case.drills} and min(counts.values()) > 100


def test_a_question_is_a_case_of_its_own(library: Library) -> None:
    case = library.scenario("sc39-6")
    assert case.id == "SC39-6" and case.turns == 1 and case.profile.age == 72
    assert case.opening == "每次都是你们年轻人糊弄我这个老头子！" and case.exemplary.startswith("您跑了几趟")
    for unknown in ("SC39-9", "SC01-1"):
        with pytest.raises(LearnerError, match="没有场景"):
            library.scenario(unknown)


def test_a_round_is_played_one_by_one(parts: Parts) -> None:
    played = []
    for session in Session.drill(parts, "SC39", seed=3):
        case = session.snapshot.scenario
        turn = session.say(case.exemplary)
        assert turn.answer.text and session.ended == "answered"
        with pytest.raises(LearnerError, match="已经结束"):
            session.say("还想再补一句。")
        report = session.finish()
        assert report.scenario == case.id and len(report.turns) == 1
        assert Session.resume(parts, session.id).recompute() == report
        played.append(case.id)
    assert tuple(played) == drills.draw(parts.library.scenarios["SC39"], 3)


def test_the_drill_itself_gives_one_of_its_questions(parts: Parts) -> None:
    assert Session.start(parts, "SC39", seed=3).snapshot.scenario.id == drills.draw(
        parts.library.scenarios["SC39"], 3
    )[0]  # fmt: skip

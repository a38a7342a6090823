"""Hints, second tries, exams and the five gates: what qualifies an attempt, and what may never change."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.errors import ConflictError, LearnerError
from bot.parts import Parts
from bot.records import Snapshot
from bot.session import Session
from tests.fakes import EchoVoice

EMPATHY = "一天八个电话，手机一响心就往下沉，换谁都得急、都得委屈。这口气您先出，我听着。"
WALL = "规定就是这样，我们也没办法，您先还一期吧。"
CALM = "您要的其实是一句准话：到底还差什么，一次说完。"


def rows(parts: Parts, session_id: str) -> str:
    """Everything stored about a session, byte for byte."""
    kept = {}
    with parts.database.engine.connect() as db:
        for table, key in (("sessions", "id"), ("turns", "session_id"), ("grades", "session_id"), ("reports", "session_id")):  # fmt: skip
            found = db.execute(text(f"SELECT * FROM {table} WHERE {key} = :id"), {"id": session_id})
            kept[table] = sorted(str(tuple(row)) for row in found)
    return json.dumps(kept, ensure_ascii=False)


def test_a_hint_is_about_this_customer_now_and_marks_the_attempt(parts: Parts) -> None:
    session = Session.start(parts, "SC01")
    assert session.entry.hints == 0
    first = session.hint()
    assert first.catch.strip("『』") in session.customer_line and first.why and first.move
    assert first.technique == parts.library.taxonomy.name(first.code).split("（")[0]
    assert not first.begin, "the first step never gives words to say"
    second = session.hint()
    assert second.begin and second.code == first.code and session.hint() == second
    assert session.snapshot.scenario.exemplary not in second.begin
    assert Session.resume(parts, session.id).hints == (first, second)
    session.say(EMPATHY)
    report = session.finish()
    assert [p.points for p in report.penalties if p.name == "使用教练提示"] == [-6]
    assert session.entry.hints == 2 and parts.store.history("local")[0].hints == 2
    assert session.recompute() == report
    with pytest.raises(LearnerError, match="已经结束"):
        session.hint()


def test_hints_follow_the_talk(parts: Parts) -> None:
    session = Session.start(parts, "SC01")
    angry = session.hint()
    session.say(WALL)
    hurt = session.hint()
    assert "上一句" in hurt.avoid and hurt.n == 2
    assert not set(hurt.avoid.split("“")[1].split("”")[0]) - set(WALL)
    calmer = Session.start(parts, "SC01")
    for line in (EMPATHY, CALM, "您前面三年一天没晚过，看得出您是把信用看得重的人，这一点我记着。"):
        calmer.say(line)
    assert calmer.hint().code != angry.code


def test_every_case_opens_with_a_hint_of_its_own(parts: Parts) -> None:
    seen = set()
    for scenario in parts.library.scenarios.values():
        if scenario.drills or scenario.id in parts.settings.crisis_cases:
            continue
        try:
            made = Session.start(parts, scenario.id, confirmed=True).hint()
        except LearnerError:
            continue
        hidden = [scenario.need_emotional, *scenario.facts.values()]
        assert not any(fact in made.model_dump_json() for fact in hidden if len(fact) > 6)
        seen.add((made.catch, made.code))
    assert len(seen) > 30


def test_saying_it_again_leaves_the_original_untouched(parts: Parts) -> None:
    session = Session.start(parts, "SC01")
    for line in (EMPATHY, WALL, CALM):
        session.say(line)
    session.finish()
    before = rows(parts, session.id)
    again = session.rewind(2)
    assert [t.reply for t in again.turns] == [EMPATHY] and not again.ended
    assert again.turns == session.turns[:1] and again.mind == session.turns[0].mind
    again.say("您是想把这件事了了的人，只是眼下喘不过气，是不是？")
    again.finish()
    assert rows(parts, session.id) == before
    assert (again.entry.parent, again.entry.parent_turn) == (session.id, 2)
    assert [e.id for e in parts.store.taken_up(session.id, "local")] == [again.id]
    assert again.snapshot.seed == session.snapshot.seed
    with pytest.raises(LearnerError, match="没有第 9 轮"):
        session.rewind(9)


def test_hints_of_the_shared_beginning_go_along(parts: Parts) -> None:
    session = Session.start(parts, "SC01")
    session.hint()
    session.say(EMPATHY)
    session.hint()
    session.say(WALL)
    assert session.rewind(2).entry.hints == 1 and session.rewind(1).entry.hints == 0


def test_an_exam_gives_no_help_and_asks_everybody_the_same(parts: Parts) -> None:
    varied = replace(parts, make_seed=iter(range(99)).__next__, voice=EchoVoice())
    one, two = (Session.start(varied, "SC17", mode="exam", owner=o) for o in ("a", "b"))
    assert one.snapshot.seed == two.snapshot.seed and one.snapshot.id == two.snapshot.id
    assert Session.start(varied, "SC18", mode="exam").snapshot.seed != one.snapshot.seed
    one.say(EMPATHY)
    for refused in (one.hint, lambda: one.rewind(1), lambda: one.feedback(1)):
        with pytest.raises(LearnerError):
            refused()
    report = one.finish()
    assert one.feedback(1).coaching.point and Session.resume(varied, one.id, "a").recompute() == report


def test_an_assignment_is_sat_once(parts: Parts) -> None:
    first = Session.sit(parts, "SC01", "class-1/week-2", owner="li")
    first.say(EMPATHY)
    assert Session.sit(parts, "SC01", "class-1/week-2", owner="li").id == first.id, "an open attempt goes on"
    with pytest.raises(ConflictError, match="每人只有一次"):
        Session.start(parts, "SC01", mode="exam", assignment="class-1/week-2", owner="li")
    first.finish()
    with pytest.raises(LearnerError, match="已经交卷"):
        Session.sit(parts, "SC01", "class-1/week-2", owner="li")
    other = Session.sit(parts, "SC01", "class-1/week-2", owner="wang")
    assert other.snapshot.id == first.snapshot.id and other.entry.assignment == "class-1/week-2"
    assert Session.sit(parts, "SC01", "class-1/week-3", owner="li").snapshot.seed != first.snapshot.seed
    for _ in range(2):
        Session.start(parts, "SC01", mode="exam", owner="li")
        Session.start(parts, "SC01", assignment="class-1/week-2", owner="li")


def test_the_snapshot_id_names_everything_that_was_frozen(parts: Parts) -> None:
    snapshot = Session.start(parts, "SC01", mode="exam").snapshot
    assert Snapshot.model_validate_json(snapshot.model_dump_json()).id == snapshot.id
    for change in ({"seed": 1}, {"mode": "practice"}, {"versions": {}}, {"judge_model": "x"}):
        assert snapshot.model_copy(update=change).id != snapshot.id


def test_the_whole_terms_survive_another_process(parts: Parts, tmp_path: Path) -> None:
    from tests.conftest import ROOT
    from tests.fakes import make_parts

    session = Session.start(parts, "SC01", mode="exam")
    session.say(EMPATHY)
    report = session.finish()
    again = Session.resume(make_parts(tmp_path / "data", ROOT), session.id)
    assert again.snapshot.id == session.snapshot.id and again.recompute() == report == again.finish()

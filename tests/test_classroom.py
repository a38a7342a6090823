"""A class: who reaches whose talks, assignments and their rules, second marks, appeals, figures and exports."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from openpyxl import load_workbook

from bot import classroom
from bot.classroom import Classroom, opinion, sheets, weighted_kappa
from bot.classroom.figures import agreement, grade, interval
from bot.errors import ForbiddenError, HuasuError, LearnerError
from bot.parts import Parts
from bot.people import CONSOLE, People
from bot.records import Actor, Remark
from bot.session import Session
from tests.conftest import ROOT
from tests.fakes import make_parts, on_fresh_database

EMPATHY = "一天八个电话，手机一响心就往下沉，换谁都得急、都得委屈。这口气您先出，我听着。"
THREAT = "再不还就让公安上门抓你"
TODAY, NEXT_WEEK = date(2026, 1, 5), date(2026, 1, 12)


class School:
    """Two classes with a trainer each, two learners in the first, one in the second, and an administrator."""

    def __init__(self, parts: Parts) -> None:
        self.parts, desk = parts, People(parts, CONSOLE)

        def person(name: str, *roles: Any) -> Actor:
            return desk.add(name, name, roles)[0].actor

        self.zhou, self.wu = person("zhou", "trainer"), person("wu", "trainer")
        self.min, self.qiang, self.lei = person("min", "learner"), person("qiang", "learner"), person("lei", "learner")
        self.boss = person("boss", "admin")
        self.room, other = Classroom(parts, self.zhou), Classroom(parts, self.wu)
        self.one, self.two = self.room.create("一班").id, other.create("二班").id
        self.room.add(self.one, [self.min.id, self.qiang.id])
        other.add(self.two, [self.lei.id])

    def talk(self, who: Actor, *lines: str, end: bool = True) -> Session:
        session = Session.start(self.parts, "SC01", owner=who.id)
        for line in lines:
            session.say(line)
        if end:
            session.finish()
        return session


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    return make_parts(tmp_path_factory.mktemp("opened"), ROOT)


@pytest.fixture
def parts(opened: Parts, tmp_path: Path) -> Parts:
    return replace(on_fresh_database(opened, tmp_path), clock=lambda: f"{TODAY}T09:00:00+00:00")


@pytest.fixture
def school(parts: Parts) -> School:
    return School(parts)


def refused(deed: Callable[[], object]) -> bool:
    try:
        deed()
    except HuasuError:
        return True
    return False


def deeds(parts: Parts, who: Actor, talk: str) -> list[Callable[[], object]]:
    """Everything that can be done with somebody's talk."""
    return [
        lambda: Session.resume(parts, talk, who.id),
        lambda: parts.store.report(talk, who.id),
        lambda: classroom.watch(parts, who, talk),
        lambda: classroom.review(parts, who, talk),
        lambda: classroom.appeal(parts, who, talk, "不服"),
        lambda: opinion.comment(parts, who, talk, 1, "好"),
        lambda: opinion.mark(parts, who, talk, "emotion", 4, "理由"),
        lambda: opinion.answer(parts, who, talk, 1, "答"),
        lambda: opinion.withdraw(parts, who, talk, 1),
    ]


def test_a_learner_reaches_no_trainers_work(school: School) -> None:
    for nobody in (school.min, Actor(name="无名"), Actor(id=school.zhou.id, name="周", roles=("learner",))):
        with pytest.raises(ForbiddenError):
            Classroom(school.parts, nobody)
        with pytest.raises(ForbiddenError):
            classroom.watch(school.parts, nobody, "whatever")


def test_nobody_but_the_learner_and_his_trainers_reaches_a_talk(school: School) -> None:
    parts, talk = school.parts, school.talk(school.min, EMPATHY)
    for stranger in (school.qiang, school.lei, school.wu, Actor(name="无名"), Actor(name="冒名", roles=("trainer",))):
        assert not [n for n, deed in enumerate(deeds(parts, stranger, talk.id)) if not refused(deed)], stranger
    for trainer in (school.zhou, school.boss):
        assert classroom.watch(parts, trainer, talk.id).turns == talk.turns
    assert not parts.reviews.comments(talk.id) and not parts.reviews.marks(talk.id)


def test_a_trainer_reaches_only_his_own_class(school: School) -> None:
    theirs = school.two
    for deed in (
        lambda: school.room.activity(theirs),
        lambda: school.room.due(theirs),
        lambda: school.room.talks(theirs, school.lei.id),
        lambda: school.room.add(theirs, [school.min.id]),
        lambda: school.room.remove(theirs, [school.lei.id]),
        lambda: school.room.assign(theirs, "SC01", due=NEXT_WEEK),
        lambda: sheets.tables(school.room, theirs),
    ):
        with pytest.raises(ForbiddenError):
            deed()
    assert school.room.talks(school.one, school.lei.id) == ()
    assert [g.name for g in school.room.groups()] == ["一班"]
    with pytest.raises(LearnerError, match="培训师"):
        school.room.add(school.one, [school.lei.id], "trainer")


def test_a_look_is_put_on_record_and_changes_nothing(school: School) -> None:
    talk = school.talk(school.min, EMPATHY, end=False)
    seen = classroom.watch(school.parts, school.zhou, talk.id)
    assert seen.report is None and not seen.ended and seen.name == "min"
    assert Session.resume(school.parts, talk.id, school.min.id).ended == ""
    (line,) = [a for a in school.parts.audit.latest() if a.what == "观摩"]
    assert (line.actor, line.on, line.detail) == (school.zhou.id, "min", talk.id)


def test_an_assignment_is_seen_begun_once_and_measured_by_its_rule(school: School) -> None:
    parts = school.parts
    work = school.room.assign(school.one, "SC01", mode="exam", due=NEXT_WEEK, pass_score=10)
    assert [t.work.id for t in classroom.tasks(parts, school.min)] == [work.id]
    assert classroom.tasks(parts, school.lei) == () and classroom.tasks(parts, Actor(name="无名")) == ()
    session = classroom.begin(parts, school.min, work.id)
    assert session.snapshot.mode == "exam" and session.owner == school.min.id
    assert classroom.begin(parts, school.min, work.id).id == session.id, "an exam that was begun goes on"
    session.say(THREAT)
    session.finish()
    with pytest.raises(LearnerError, match="交卷"):
        classroom.begin(parts, school.min, work.id)
    other = classroom.begin(parts, school.qiang, work.id)
    assert other.snapshot.seed == session.snapshot.seed, "the same customer for everybody"
    for line in (EMPATHY, "您这三个月是怎么过来的？"):
        other.say(line)
    other.finish()
    standing = {s.person.login: s for s in school.room.standings(school.one)[work.id]}
    assert standing["min"].word == "未通过", "over the score, but not clean"
    assert standing["qiang"].passed and standing["qiang"].best == other.finish().final
    (task,) = classroom.tasks(parts, school.min)
    assert task.handed_in and not task.passed


def test_an_assignment_can_be_late_closed_or_somebody_elses(school: School) -> None:
    parts = school.parts
    with pytest.raises(LearnerError, match="已经过了"):
        school.room.assign(school.one, "SC01", due=TODAY - timedelta(days=1))
    work = school.room.assign(school.one, "SC02", mode="practice", due=TODAY, seed=5)
    assert classroom.begin(parts, school.min, work.id).snapshot.seed == 5
    with pytest.raises(ForbiddenError):
        classroom.begin(parts, school.lei, work.id)
    later = replace(parts, clock=lambda: f"{TODAY + timedelta(days=1)}T09:00:00+00:00")
    with pytest.raises(LearnerError, match="截止"):
        classroom.begin(later, school.qiang, work.id)
    school.room.close(work.id)
    assert classroom.tasks(parts, school.min) == ()
    with pytest.raises(ForbiddenError):
        Classroom(parts, school.wu).close(work.id, False)


def test_a_second_mark_stands_beside_the_systems(school: School) -> None:
    parts, talk = school.parts, school.talk(school.min, EMPATHY)
    before = talk.finish()
    opinion.mark(parts, school.zhou, talk.id, "emotion", 2, "只说了一半，没停下来。")
    opinion.mark(parts, school.zhou, talk.id, "emotion", 2.5, "想了想，给高一点。")
    opinion.comment(parts, school.zhou, talk.id, 1, "这一句<b>接得好</b>，电话 13812345678")
    found = classroom.review(parts, school.min, talk.id)
    (mark,) = found.marks
    assert (mark.system, mark.score, mark.by) == (before.dims["emotion"], 2.5, "zhou")
    assert found.comments[0].n == 1 and "13812345678" not in found.comments[0].text
    assert Session.resume(parts, talk.id, school.min.id).finish() == before
    for bad in (
        lambda: opinion.mark(parts, school.zhou, talk.id, "emotion", 3, " "),
        lambda: opinion.mark(parts, school.zhou, talk.id, "charm", 3, "理由"),
        lambda: opinion.mark(parts, school.zhou, talk.id, "emotion", 6, "理由"),
        lambda: opinion.comment(parts, school.zhou, talk.id, 9, "没有这一轮"),
    ):
        with pytest.raises(LearnerError):
            bad()
    opinion.withdraw(parts, school.boss, talk.id, found.comments[0].id)
    assert parts.reviews.comments(talk.id), "only the author takes a comment back"
    opinion.withdraw(parts, school.zhou, talk.id, found.comments[0].id)
    assert not parts.reviews.comments(talk.id)


def test_an_appeal_waits_for_one_answer_at_a_time(school: School) -> None:
    parts, talk = school.parts, school.talk(school.min, THREAT)
    with pytest.raises(LearnerError):
        classroom.appeal(parts, school.min, talk.id, "")
    classroom.appeal(parts, school.min, talk.id, "我是转述别人的话。", "compliance")
    with pytest.raises(LearnerError, match="还没有答复"):
        classroom.appeal(parts, school.min, talk.id, "再说一遍")
    (due,) = school.room.due(school.one)
    assert due.appeals == 1 and due.reds >= 1
    opinion.mark(parts, school.zhou, talk.id, "compliance", 1, "看过录音，维持。")
    assert school.room.due(school.one), "an open appeal is still to do"
    (appeal,) = classroom.review(parts, school.zhou, talk.id).appeals
    opinion.answer(parts, school.zhou, talk.id, appeal.id, "原话里没有转述，维持原分。")
    assert classroom.review(parts, school.min, talk.id).appeals[0].answered_by == "zhou"
    assert school.room.due(school.one) == ()


def test_the_dashboard_counts_what_was_said(school: School) -> None:
    school.talk(school.min, THREAT)
    school.talk(school.min, EMPATHY, end=False)
    school.talk(school.lei, THREAT)
    activity = {a.login: a for a in school.room.activity(school.one)}
    assert (activity["min"].talks, activity["min"].finished, activity["qiang"].talks) == (2, 1, 0)
    assert "lei" not in activity
    (red,) = school.room.reds(school.one)
    assert red.head == school.min.id and red.count == 1
    assert [t.head for t in school.room.reds(school.one, by_case=True)] == ["SC01"]
    assert {t.code for t in school.room.dimensions(school.one)} >= {"emotion", "compliance"}
    assert [d.owner for d in school.room.going_on(school.one)] == [school.min.id]
    assert school.room.activity(school.one, days=30)[0].talks == activity["min"].talks


def test_kappa_is_the_textbooks(school: School) -> None:
    a, b = grade([1, 2, 3, 4, 5, 2, 3, 4]), grade([1, 2, 3, 4, 5, 3, 2, 5])
    observed = sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) / len(a)
    expected = sum((x - y) ** 2 for x in a for y in b) / len(a) ** 2
    assert weighted_kappa(a, b) == pytest.approx(1 - observed / expected)
    assert weighted_kappa(a, a) == 1.0
    assert weighted_kappa(grade([3, 3, 3]), grade([3, 4, 3])) is None, "one mark throughout tells nothing"
    low, high = interval(a, b)
    assert low is not None and high is not None and low <= 1 - observed / expected <= high
    assert interval(a, b) == (low, high), "the same marks give the same interval"
    assert grade([2.5, 4.49, 0.2]).tolist() == [3, 4, 1]


def test_agreement_leaves_out_what_the_system_did_not_mark() -> None:
    def mark(n: int, dimension: str, system: float | None, score: float) -> Remark:
        return Remark(session=str(n), dimension=dimension, system=system, score=score, reason="r", by="z", at="")

    rng = np.random.default_rng(1)
    pairs = [
        (float(s), float(np.clip(s + d, 1, 5)))
        for s, d in zip(rng.integers(1, 6, 30), rng.integers(-1, 2, 30), strict=True)
    ]
    found = agreement([*(mark(n, "emotion", s, t) for n, (s, t) in enumerate(pairs)), mark(99, "pacing", None, 3)])
    (emotion,) = found
    assert emotion.n == 30 == emotion.near and emotion.kappa and emotion.kappa > 0.6 and "一致" in emotion.word


def test_the_exports_hold_everybody_and_no_formula(school: School) -> None:
    People(school.parts, CONSOLE)
    evil = People(school.parts, CONSOLE).add("evil", "=cmd|'/c calc'!A1")[0]
    school.room.add(school.one, [evil.id])
    school.talk(school.min, THREAT)
    found = sheets.tables(school.room, school.one)
    rows = list(csv.reader(io.StringIO(sheets.as_csv(found["学员"]).decode("utf-8-sig"))))
    assert len(rows) == 4 and all(not c.startswith("=") for r in rows for c in r)
    book = load_workbook(io.BytesIO(sheets.as_xlsx(found)))
    assert book.sheetnames == ["学员", "任务", "红线", "维度", "一致性"]
    names = {row[1].value: row[1].data_type for row in book["学员"].iter_rows(min_row=2)}
    assert names["=cmd|'/c calc'!A1"] == "s"
    assert book["红线"].max_row == 2

"""成长: trends, streaks, weak spots and the path through the course, from stored talks and answers alone."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete

from bot import charts, course, growth, notebook, practice
from bot.errors import ContentError
from bot.growth import Streak, streak
from bot.parts import Parts
from bot.records import Mark
from bot.scenarios import read_yaml
from bot.session import Session
from bot.store import Entry
from bot.store.tables import MarkRow

KIND = "一天八个电话，手机一响心就往下沉，换谁都得急、都得委屈。这口气您先出，我听着。"
CRUEL = "再不还就让公安上门抓你"
TODAY = date(2026, 3, 20)


@pytest.fixture
def parts(shared_parts: Parts) -> Parts:
    return shared_parts


def talk(parts: Parts, owner: str, *lines: str, case: str = "SC01", at: str = "2026-03-01T02:00:00+00:00") -> str:
    then = replace(parts, clock=lambda: at)
    session = Session.start(then, case, owner=owner)
    for line in lines:
        session.say(line)
    session.finish()
    return session.id


# ── marks ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_report_leaves_its_marks(parts: Parts, me: str, other: str) -> None:
    session_id = talk(parts, me, KIND, CRUEL)
    session = Session.resume(parts, session_id, me)
    marks = {(m.kind, m.code): m for m in parts.marks.of(me)}
    read = [t.appraisal for t in session.turns]
    for code in {t.code for a in read for t in a.techniques}:
        qualities = [t.quality for a in read for t in a.techniques if t.code == code]
        mark = marks["technique", code]
        assert mark.count == len(qualities)
        assert mark.quality == pytest.approx(sum(qualities) / len(qualities), abs=0.001)
    assert {c for k, c in marks if k == "violation"} == {v.code for a in read for v in a.violations} != set()
    report = session.finish()
    assert marks["dimension", "compliance"].quality == report.dims["compliance"]
    assert marks["outcome", "passed"].count == 0 and marks["outcome", "passed"].quality == report.final
    assert {m.session for m in marks.values()} == {session_id} and {m.owner for m in marks.values()} == {me}
    assert parts.marks.of(other) == () and parts.marks.of(other, me) == parts.marks.of(me)


def test_talks_from_before_the_table_are_filled_in(parts: Parts, me: str) -> None:
    session_id = talk(parts, me, KIND)
    before = parts.marks.of(me)
    with parts.database.transaction() as t:
        t.execute(delete(MarkRow).where(MarkRow.session_id == session_id))
    assert parts.marks.of(me) == before != ()


def test_saving_a_report_again_does_not_count_twice(parts: Parts, me: str) -> None:
    session = Session.resume(parts, talk(parts, me, KIND), me)
    before = parts.marks.of(me)
    parts.store.save_report(session.id, session.recompute(), "finished")
    assert parts.marks.of(me) == before


# ── streaks ──────────────────────────────────────────────────────────────────────────────────────────


def days(*back: int) -> set[date]:
    return {TODAY - timedelta(days=n) for n in back}


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        (days(), Streak()),
        (days(0), Streak(1, 1, True)),
        (days(0, 1, 2), Streak(3, 3, True)),
        (days(1, 2), Streak(2, 2, False)),
        (days(0, 2, 3), Streak(3, 3, True, forgiven=True)),
        (days(2, 3), Streak(2, 2, False, forgiven=True)),
        (days(3, 4, 5), Streak(0, 3, False)),
        (days(0, 3, 4, 5), Streak(1, 3, True)),
        (days(0, 2, 4, 6), Streak(4, 4, True, forgiven=True)),
    ],
)
def test_a_streak_forgives_one_missed_day_and_not_two(done: set[date], expected: Streak) -> None:
    assert streak(done, TODAY) == expected


# ── trends, bests, weak spots ────────────────────────────────────────────────────────────────────────


def entry(n: int, final: float | None = 50.0, scenario: str = "SC01") -> Entry:
    at = f"2026-01-{n:02d}T02:00:00+00:00"
    return Entry(id=f"s{n}", scenario=scenario, title="场景", mode="practice", started_at=at, ended="closed",
                 turn_count=3, final=final)  # fmt: skip


def mark(n: int, code: str, quality: float = 1.0, kind: str = "technique", count: int = 1) -> Mark:
    return Mark(session=f"s{n}", code=code, kind=kind, count=count, quality=quality)


def test_a_skill_knows_whether_it_rises(parts: Parts) -> None:
    talks = growth.talks([entry(n) for n in range(1, 8)], [])
    marks = [mark(n, "pace_fact", 0.5 + 0.1 * n) for n in range(1, 8)]
    marks += [mark(n, "soft_explain", 1.2 - 0.1 * n) for n in range(1, 8)]
    marks += [mark(n, "warm_close", 1.0) for n in range(1, 8)] + [mark(7, "vent_hold")]
    found = {s.code: s for s in growth.skills(talks, marks, parts.library)}
    trends = {code: s.trend for code, s in found.items()}
    assert trends == {"pace_fact": "在进步", "soft_explain": "有回落", "warm_close": "平稳", "vent_hold": "刚开始"}
    assert found["pace_fact"].points[0] == (1, 0.6) and found["pace_fact"].uses == 7


def test_bests_and_clean_runs(parts: Parts, me: str) -> None:
    talk(parts, me, CRUEL, at="2026-03-01T02:00:00+00:00")
    good = talk(parts, me, KIND, at="2026-03-02T02:00:00+00:00")
    talk(parts, me, KIND, "您慢慢说。", at="2026-03-03T02:00:00+00:00")
    found = growth.read(parts, me)
    assert found.best and found.best.entry.id in {t.entry.id for t in found.talks if not t.red}
    assert found.clean_run == (2, 2) and [bool(t.red) for t in found.talks] == [True, False, False]
    assert good in {t.entry.id for t in found.talks}


def test_red_lines_are_the_weakest_spots_and_every_spot_has_something_to_do(parts: Parts, me: str) -> None:
    for n in range(1, 4):
        talk(parts, me, "您先冷静一下，按规定就是这样的。", CRUEL, at=f"2026-03-0{n}T02:00:00+00:00")
    found = growth.read(parts, me)
    violations = set(parts.library.taxonomy.violations)
    assert found.spots and found.spots[0].code in violations and "红线" in found.spots[0].why
    known = practice.decks(parts).exercises
    assert all((s.card in known) != (s.case in parts.library.scenarios) for s in found.spots)
    cards = [s.card for s in found.spots if s.card]
    assert len(cards) == len(set(cards)), "another question for every spot"
    for s in found.spots:
        assert not s.card or set(known[s.card].card.trains) & set(s.remedies)


def test_weakness_moves_the_next_question(parts: Parts, me: str) -> None:
    assert growth.weak(parts, me) == {}
    practice.answer(parts, me, "DF10", "您儿子会帮您还吗？快点说。")
    weights = growth.weak(parts, me)
    assert set(weights) == {"elder_care", "privacy_guard"}
    following = practice.choose(parts, me, weights, skip=("DF10",))
    assert set(practice.decks(parts).exercises[following].card.trains) & set(weights)


def test_a_new_learner_has_an_empty_growth(parts: Parts, me: str) -> None:
    found = growth.read(parts, me)
    assert found.empty and found.best is None and found.clean_run == (0, 0) and found.spots == ()


def test_a_talk_not_finished_is_history_and_no_result(parts: Parts, me: str) -> None:
    session = Session.start(parts, "SC01", owner=me)
    session.say(KIND)
    Session.start(parts, "SC02", owner=me)  # never spoken in: not worth a line
    found = growth.read(parts, me)
    assert [e.id for e in found.history] == [session.id] and found.talks == ()


def test_two_hundred_talks_are_read_in_time(parts: Parts, me: str) -> None:
    first = talk(parts, me, KIND, CRUEL)
    snapshot, report = parts.store.snapshot(first, me), Session.resume(parts, first, me).finish()
    turns = parts.store.turns(first)
    for n in range(200):
        other_id = f"{n:03d}-{me}"[:40]
        parts.store.create(other_id, me, snapshot, f"2026-02-{1 + n % 28:02d}T{n % 24:02d}:00:00+00:00")
        for turn in turns:
            parts.store.append(other_id, turn)
        parts.store.save_report(other_id, report, "closed")
    began = time.perf_counter()
    found = growth.read(parts, me)
    assert time.perf_counter() - began < 1.5
    assert len(found.talks) == 201


# ── the path ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_path_walks_the_six_modules_in_a_day(parts: Parts, me: str) -> None:
    day = course.load_day(parts.library.root)
    assert [m.id for m in day.modules] == ["M1", "M2", "M3", "M4", "M5", "M6"]
    assert sum(m.minutes for m in day.modules) <= 8 * 60
    start = course.path(day, (), ())
    first = course.upcoming(start)
    assert first and first[0].module.id == "M1" and all(s.progress[0] == 0 for s in start)
    m1 = day.modules[0]
    history = [entry(n, scenario=c) for n, c in enumerate(m1.cases, 1)] + [entry(9, None, scenario="SC11")]
    for card in (*m1.quiz, *m1.drills):
        notebook.note(parts, me, card, passed=True)
    notebook.note(parts, me, day.modules[1].drills[0], passed=False)
    walked = course.path(day, history, parts.practice.all(me))
    assert walked[0].complete and walked[0].progress == (len(m1.quiz) + len(m1.drills) + len(m1.cases),) * 2
    assert walked[1].progress[0] == 0, "an unfinished talk and a failed drill are not done"
    following = course.upcoming(walked)
    assert following and following[0].module.id == "M2" and following[1].kind == "quiz"


def test_a_path_that_names_what_does_not_exist_says_so(parts: Parts, tmp_path: Path) -> None:
    root = parts.library.root
    for name in ("knowledge", "prompts"):
        (tmp_path / name).mkdir()
        for item in (root / name).iterdir():
            if item.name != "course":
                (tmp_path / name / item.name).symlink_to(item)
    (tmp_path / "knowledge" / "course").mkdir()
    text = (root / "knowledge/course/day.yaml").read_text(encoding="utf-8").replace("SC38", "SC99")
    (tmp_path / "knowledge/course/day.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ContentError, match=r"day\.yaml：M6 的 cases 里 SC99 不存在"):
        course.load_day(tmp_path)
    assert read_yaml(tmp_path / "knowledge/course/day.yaml")


# ── charts ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_chart_says_in_words_what_it_shows(parts: Parts) -> None:
    points = [charts.Point(40 + 3 * n, n == 1, f"3月{n}日") for n in range(1, 12)]
    numbers, words = str(charts.trend(points, 75)), str(charts.trend(points, 75, calm=True))
    assert "3月11日 73 分" in numbers and "碰了红线" in str(charts.trend(points[:3], 75))
    assert "分" not in words.split('src="')[0] and "接近了" in words
    assert str(charts.trend(points[:1], 75)).count("<img") == 2

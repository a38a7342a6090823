"""我的任务: what a learner's classes ask of him, and beginning it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from bot.errors import ForbiddenError, LearnerError
from bot.parts import Parts
from bot.records import Actor, Assignment, Try
from bot.session import Session


@dataclass(frozen=True)
class Task:
    """One assignment as its learner sees it. `days` until it is due, negative when it is late."""

    work: Assignment
    title: str
    group: str
    days: int
    tries: tuple[Try, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether it is done."""
        return any(t.passes(self.work) for t in self.tries)

    @property
    def open(self) -> Try | None:
        """A talk that was begun and is not over."""
        return next((t for t in reversed(self.tries) if not t.ended and t.final is None), None)

    @property
    def handed_in(self) -> bool:
        """An exam is sat once: whether it has been."""
        return self.work.mode == "exam" and any(t.ended or t.final is not None for t in self.tries)

    @property
    def rule(self) -> str:
        """What passes, in words."""
        return f"{self.work.pass_score:g} 分通过{'，不能碰红线' if self.work.clean else ''}"


def tasks(parts: Parts, actor: Actor) -> tuple[Task, ...]:
    """What somebody is asked to do, the undone first, then by the day it is due."""
    groups = {g.id: g.name for g in parts.groups.of(actor.id, "learner")} if actor.id else {}
    works = [w for w in parts.groups.assignments(*groups) if not w.closed] if groups else []
    tries = parts.groups.tries((w.id for w in works), actor.id) if works else ()
    found = [_task(parts, w, groups[w.group_id], tuple(t for t in tries if t.assignment == w.id)) for w in works]
    return tuple(sorted(found, key=lambda t: (t.passed or t.handed_in, t.work.due)))


def begin(parts: Parts, actor: Actor, assignment_id: str, *, confirmed: bool = False) -> Session:
    """Begin an assignment, or go on with the talk already begun. Raises `ForbiddenError` for another class's work."""
    task = next((t for t in tasks(parts, actor) if t.work.id == assignment_id), None)
    if task is None:
        raise ForbiddenError("这份任务不是布置给您的，或者已经收回。请回到“选场景”看自己的任务。")
    if task.open is not None:
        return Session.resume(parts, task.open.session, actor.id)
    if task.days < 0:
        raise LearnerError(f"这份任务 {task.work.due} 已经截止。请联系培训师重新布置。")
    work = task.work
    if work.mode == "exam":
        return Session.sit(parts, work.scenario, work.id, owner=actor.id, confirmed=confirmed)
    return Session.start(
        parts, work.scenario, mode=work.mode, seed=work.seed, owner=actor.id, confirmed=confirmed, assignment=work.id
    )


def _task(parts: Parts, work: Assignment, group: str, tries: tuple[Try, ...]) -> Task:
    cases = parts.current.scenarios
    title = cases[work.scenario].title if work.scenario in cases else "（这个场景已经下架）"
    days = (date.fromisoformat(work.due) - datetime.fromisoformat(parts.clock()).date()).days
    return Task(work, title, group, days, tries)

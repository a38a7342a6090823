"""A trainer's classes: members, assignments, and the figures of the dashboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.classroom.figures import Agreement, agreement
from bot.errors import ForbiddenError, LearnerError
from bot.parts import Parts
from bot.people import require
from bot.records import Actor, Assignment, Group, Mode, Role, Try, User
from bot.replies import cleaned
from bot.store import Activity, Due, Tally

LIVE_HOURS = 3


@dataclass(frozen=True)
class Standing:
    """How one learner stands with one assignment: his tries, and the best of them that is graded."""

    person: Activity
    tries: tuple[Try, ...]
    passed: bool

    @property
    def best(self) -> float | None:
        """His highest score."""
        return max((t.final for t in self.tries if t.final is not None), default=None)

    @property
    def word(self) -> str:
        """In a word."""
        if self.passed:
            return "通过"
        return "未通过" if self.best is not None else "进行中" if self.tries else "没开始"


class Classroom:
    """A trainer at work with his classes; an administrator sees all of them. Raises `ForbiddenError` for others."""

    def __init__(self, parts: Parts, actor: Actor) -> None:
        require(actor, "trainer")
        self.parts, self.actor = parts, actor

    # ── classes and members ──────────────────────────────────────────────────────────────────────────

    def groups(self) -> tuple[Group, ...]:
        """The classes he teaches."""
        if self.actor.may("admin"):
            return self.parts.groups.all()
        return self.parts.groups.of(self.actor.id, "trainer")

    def create(self, name: str) -> Group:
        """A new class with him as its trainer."""
        plain = cleaned(name)
        if not 1 <= len(plain) <= 40:
            raise LearnerError("班级的名字要有 1 到 40 个字，例如“城东支行一班”。")
        group = Group(id=self.parts.make_id(), name=plain, created_at=self.parts.clock())
        self.parts.groups.add(group)
        if self.parts.users.get(self.actor.id):
            self.parts.groups.join(group.id, [self.actor.id], "trainer")
        self._note("建班级", group.name)
        return group

    def add(self, group_id: str, user_ids: Sequence[str], role: Role = "learner") -> None:
        """Put people into a class. Only somebody with the role of a trainer can be its trainer."""
        group = self._mine(group_id)
        people = {u.id: u for u in self.parts.users.all()}
        for user in (people.get(i) for i in user_ids):
            if user is None or (role == "trainer" and not user.actor.may("trainer")):
                raise LearnerError("这个人不能当班级的培训师。请管理员先给他培训师的角色。")
        self.parts.groups.join(group.id, user_ids, role)
        self._note("加入班级", group.name, "、".join(people[i].name for i in user_ids))

    def remove(self, group_id: str, user_ids: Sequence[str]) -> None:
        """Take people out of a class; their talks stay theirs."""
        group = self._mine(group_id)
        self.parts.groups.leave(group.id, user_ids)
        self._note("移出班级", group.name, f"{len(user_ids)} 人")

    def people(self, group_id: str) -> dict[str, str]:
        """Who is in a class, with what role in it."""
        return self.parts.groups.members(self._mine(group_id).id)

    def candidates(self, group_id: str, role: Role) -> tuple[User, ...]:
        """Who could still be put into a class with that role."""
        inside = self.people(group_id)
        return tuple(u for u in self.parts.users.all() if u.id not in inside and not u.disabled and u.actor.may(role))

    # ── assignments ──────────────────────────────────────────────────────────────────────────────────

    def assign(
        self, group_id: str, scenario: str, *, mode: Mode = "exam", due: date, pass_score: float = 75,
        clean: bool = True, seed: int | None = None, note: str = "",
    ) -> Assignment:  # fmt: skip
        """Work for a class, from now to the end of a day. Raises `LearnerError` for a day that is over."""
        group, today = self._mine(group_id), datetime.fromisoformat(self.parts.clock()).date()
        if due < today:
            raise LearnerError("截止日期已经过了。请选今天或以后的日子。")
        case = self.parts.current.scenario(scenario)
        work = Assignment(
            id=self.parts.make_id(), group_id=group.id, scenario=case.id, mode=mode, due=due.isoformat(),
            pass_score=pass_score, clean=clean, seed=seed, note=cleaned(note)[:200], by=self.actor.name,
            created_at=self.parts.clock(),
        )  # fmt: skip
        self.parts.groups.assign(work)
        self._note("布置任务", group.name, f"{case.id} {case.title}，{due.isoformat()} 截止")
        return work

    def close(self, assignment_id: str, closed: bool = True) -> None:
        """Take an assignment off the learners' lists, or put it back."""
        work = self._work(assignment_id)
        self.parts.groups.close(work.id, closed)
        self._note("收回任务" if closed else "重开任务", work.scenario, work.id)

    def assignments(self, group_id: str) -> tuple[Assignment, ...]:
        """What a class was asked to do, the earliest due first."""
        return self.parts.groups.assignments(self._mine(group_id).id)

    def standings(self, group_id: str) -> dict[str, tuple[Standing, ...]]:
        """How every learner stands with every assignment, by the assignment's id."""
        works, people = self.assignments(group_id), self.activity(group_id)
        tries: dict[tuple[str, str], list[Try]] = {}
        for one in self.parts.groups.tries(w.id for w in works):
            tries.setdefault((one.assignment, one.owner), []).append(one)
        return {w.id: tuple(_standing(w, p, tuple(tries.get((w.id, p.id), ()))) for p in people) for w in works}

    def _work(self, assignment_id: str) -> Assignment:
        work = self.parts.groups.assignment(assignment_id)
        if work is None:
            raise LearnerError("这份任务已经不在了。请刷新页面。")
        self._mine(work.group_id)
        return work

    # ── figures ──────────────────────────────────────────────────────────────────────────────────────

    def prepare(self, group_id: str) -> None:
        """Make sure that older talks are counted too."""
        self.parts.marks.fill(i for i, role in self.people(group_id).items() if role == "learner")

    def activity(self, group_id: str, days: int = 0) -> tuple[Activity, ...]:
        """Who practised, over so many days (0: ever)."""
        return self.parts.overview.activity(self._mine(group_id).id, self.since(days))

    def dimensions(self, group_id: str, days: int = 0) -> tuple[Tally, ...]:
        """How many talks got which mark in which dimension."""
        return self.parts.overview.dimensions(self._mine(group_id).id, self.since(days))

    def reds(self, group_id: str, days: int = 0, by_case: bool = False) -> tuple[Tally, ...]:
        """Red lines by learner or by case."""
        return self.parts.overview.reds(self._mine(group_id).id, self.since(days), by_case)

    def skills(self, group_id: str, kind: str, days: int = 0) -> tuple[Tally, ...]:
        """Techniques (or anti-patterns) of the class."""
        return self.parts.overview.skills(self._mine(group_id).id, kind, self.since(days))

    def due(self, group_id: str, days: int = 0) -> tuple[Due, ...]:
        """Finished talks to look at."""
        return self.parts.overview.due(self._mine(group_id).id, self.since(days))

    def going_on(self, group_id: str) -> tuple[Due, ...]:
        """Talks that are going on now."""
        return self.parts.overview.going_on(self._mine(group_id).id, self.since(LIVE_HOURS / 24))

    def talks(self, group_id: str, owner: str = "") -> tuple[Due, ...]:
        """The latest talks of the class, or of one learner in it."""
        return self.parts.overview.talks(self._mine(group_id).id, owner)

    def agreement(self, group_id: str) -> tuple[Agreement, ...]:
        """How far the trainers' marks agree with the system's, per dimension."""
        learners = [i for i, role in self.people(group_id).items() if role == "learner"]
        return agreement(self.parts.reviews.marks_of(learners))

    def exported(self, group_id: str, what: str) -> None:
        """Put on record that a list left the house."""
        self._note("导出", self._mine(group_id).name, what)

    def since(self, days: float) -> str:
        """The moment so many days ago, as it is stored; empty for ever."""
        if not days:
            return ""
        return (datetime.fromisoformat(self.parts.clock()) - timedelta(days=days)).isoformat(timespec="seconds")

    def _mine(self, group_id: str) -> Group:
        found = next((g for g in self.groups() if g.id == group_id), None)
        if found is None:
            raise ForbiddenError("这个班级不归您管，或者已经不在了。请在“班级”里选自己的班级。")
        return found

    def _note(self, what: str, on: str, detail: str = "") -> None:
        self.parts.audit.note(self.actor, self.parts.clock(), what, on, detail)


def _standing(work: Assignment, person: Activity, tries: tuple[Try, ...]) -> Standing:
    return Standing(person, tries, any(t.passes(work) for t in tries))

"""The one-day path through the course, 模块一 to 模块六, and how far a person has come on it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import Field

from bot.decks import load_decks
from bot.errors import ContentError
from bot.quiz import load_quiz
from bot.records import Practised, Record
from bot.scenarios import build, load_library, read_yaml
from bot.store import Entry

KINDS = ("quiz", "drills", "cases")


class Module(Record):
    """One module of the day: questions to answer, lines to practise, customers to talk to."""

    id: str = Field(pattern=r"^M[1-6]$")
    aim: str
    minutes: int = Field(gt=0)
    quiz: tuple[str, ...] = Field(min_length=1)
    drills: tuple[str, ...] = Field(min_length=1)
    cases: tuple[str, ...] = Field(min_length=1)


class Day(Record):
    """``knowledge/course/day.yaml``."""

    modules: tuple[Module, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Leg:
    """One kind of exercise of a module: what there is and what is done."""

    kind: str
    wanted: tuple[str, ...]
    done: frozenset[str]

    @property
    def left(self) -> tuple[str, ...]:
        """What is still to do, in order."""
        return tuple(i for i in self.wanted if i not in self.done)


@dataclass(frozen=True)
class Stretch:
    """One module of the path with its legs."""

    module: Module
    legs: tuple[Leg, ...]

    @property
    def progress(self) -> tuple[int, int]:
        """How many exercises are done, of how many."""
        return sum(len(leg.done) for leg in self.legs), sum(len(leg.wanted) for leg in self.legs)

    @property
    def complete(self) -> bool:
        """Whether nothing is left."""
        return not any(leg.left for leg in self.legs)


@lru_cache(maxsize=4)
def load_day(root: Path) -> Day:
    """The path of a content folder. Raises `ContentError` when it names an exercise that does not exist."""
    path = root / "knowledge" / "course" / "day.yaml"
    day = build(Day, read_yaml(path), path)
    known: dict[str, Collection[str]] = {
        "quiz": {q.id for s in load_quiz(root).values() for q in s.questions},
        "drills": load_decks(root).exercises,
        "cases": load_library(root).scenarios,
    }
    for module in day.modules:
        for kind in KINDS:
            unknown = [i for i in getattr(module, kind) if i not in known[kind]]
            if unknown:
                raise ContentError(f"{path.name}：{module.id} 的 {kind} 里 {'、'.join(unknown)} 不存在，请改正或删去。")
    return day


def path(day: Day, history: Iterable[Entry], book: Iterable[Practised]) -> tuple[Stretch, ...]:
    """How far a person is: a case counts when its talk was finished, a drill when it passed, a question when answered."""
    talked = {e.scenario.split("-")[0] for e in history if e.final is not None}
    answered = {p.card for p in book}
    passed = {p.card for p in book if p.passed}
    done = {"quiz": answered, "drills": passed, "cases": talked}
    return tuple(
        Stretch(m, tuple(Leg(k, getattr(m, k), frozenset(set(getattr(m, k)) & done[k])) for k in KINDS))
        for m in day.modules
    )


def upcoming(stretches: Iterable[Stretch]) -> tuple[Stretch, Leg] | None:
    """What comes next: the first leg with something left; None when the whole path is walked."""
    return next(((s, leg) for s in stretches for leg in s.legs if leg.left), None)

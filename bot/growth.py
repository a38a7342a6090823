"""成长: what a person's finished talks and single questions say over time. Pure functions over stored marks.

`read` gathers; everything else computes from what it is given, so that it can be reused for several people.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from bot import practice
from bot.grading.focus import drill as case_for
from bot.notebook import day
from bot.parts import Parts
from bot.records import Mark, Practised
from bot.scenarios import Library
from bot.store import Entry

TALKS = 400
"""At most so many talks are read, the latest."""
RECENT = 20
FEW = 3
STEADY = 0.1
UNUSED_FROM = 5
SPOTS = 4
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Talked:
    """One finished talk. `red` are the violations in it, by code."""

    entry: Entry
    passed: bool
    red: tuple[str, ...] = ()

    @property
    def final(self) -> float:
        """Its score."""
        return self.entry.final or 0.0


@dataclass(frozen=True)
class Skill:
    """One technique over the talks: `points` are (number of the talk, mean quality), the oldest first."""

    code: str
    name: str
    uses: int
    points: tuple[tuple[int, float], ...]

    @property
    def recent(self) -> float:
        """Mean quality of the last few talks it was used in."""
        return _mean([q for _, q in self.points[-FEW:]])

    @property
    def change(self) -> float:
        """How much better the last few talks are than the ones before; 0 while there are too few to say."""
        before = [q for _, q in self.points[:-FEW]]
        return self.recent - _mean(before) if before else 0.0

    @property
    def trend(self) -> str:
        """In words: 在进步, 有回落, 平稳, 刚开始."""
        if len(self.points) <= FEW:
            return "刚开始"
        return "在进步" if self.change >= STEADY else "有回落" if self.change <= -STEADY else "平稳"


@dataclass(frozen=True)
class Streak:
    """Days in a row; one missed day between two is forgiven. `today`: whether something was done today already."""

    days: int = 0
    longest: int = 0
    today: bool = False
    forgiven: bool = False


@dataclass(frozen=True)
class Spot:
    """A weak spot: why it is one (`gently`: without numbers), and what practises it: a question (`card`) or a case."""

    code: str
    name: str
    why: str
    gently: str
    weight: float
    remedies: tuple[str, ...]
    card: str = ""
    case: str = ""


@dataclass(frozen=True)
class Growth:
    """A person's growth. Empty for somebody who has not finished a talk nor answered a question."""

    talks: tuple[Talked, ...]
    history: tuple[Entry, ...]
    skills: tuple[Skill, ...]
    spots: tuple[Spot, ...]
    streak: Streak
    book: tuple[Practised, ...]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show yet."""
        return not self.history and not self.book

    @property
    def best(self) -> Talked | None:
        """The talk with the highest score, the latest of equals."""
        return max(self.talks, key=lambda t: (t.final, t.entry.started_at), default=None)

    @property
    def clean_run(self) -> tuple[int, int]:
        """Talks in a row without a red line: now, and the longest ever."""
        now = longest = 0
        for talk in self.talks:
            now = 0 if talk.red else now + 1
            longest = max(longest, now)
        return now, longest

    @property
    def most_improved(self) -> Skill | None:
        """The technique that gained most; None while none has."""
        risen = [s for s in self.skills if s.change >= STEADY]
        return max(risen, key=lambda s: s.change, default=None)


def read(parts: Parts, owner: str) -> Growth:
    """Everything about one person."""
    history = tuple(e for e in parts.store.history(owner, TALKS) if e.turn_count)
    marks, book = parts.marks.of(owner), parts.practice.all(owner)
    finished = talks(history, marks)
    days = {day(e.started_at) for e in history} | set(parts.practice.days(owner))
    found = spots(finished, marks, book, parts)
    return Growth(
        talks=finished,
        history=history,
        skills=skills(finished, marks, parts.library),
        spots=_with_drills(parts, owner, found[:SPOTS]),
        streak=streak({date.fromisoformat(d) for d in days}, date.fromisoformat(day(parts.clock()))),
        book=book,
    )


def weak(parts: Parts, owner: str) -> dict[str, float]:
    """How weak a person is on each technique that practice would mend, 0–1; what is missing is not weak."""
    marks = parts.marks.of(owner)
    finished = talks(parts.store.history(owner, TALKS), marks)
    weights: dict[str, float] = {}
    for spot in spots(finished, marks, parts.practice.all(owner), parts):
        for code in spot.remedies:
            weights[code] = max(weights.get(code, 0.0), spot.weight)
    return weights


# ── talks and skills ─────────────────────────────────────────────────────────────────────────────────


def talks(history: Iterable[Entry], marks: Iterable[Mark]) -> tuple[Talked, ...]:
    """The finished talks, the oldest first."""
    red: dict[str, list[str]] = {}
    passed: set[str] = set()
    for m in marks:
        if m.kind == "violation":
            red.setdefault(m.session, []).append(m.code)
        elif m.kind == "outcome" and m.count:
            passed.add(m.session)
    done = sorted((e for e in history if e.final is not None), key=lambda e: (e.started_at, e.id))
    return tuple(Talked(e, e.id in passed, tuple(red.get(e.id, ()))) for e in done)


def skills(finished: Sequence[Talked], marks: Iterable[Mark], library: Library) -> tuple[Skill, ...]:
    """Every technique ever used, the most used first."""
    number = {t.entry.id: i for i, t in enumerate(finished, 1)}
    points: dict[str, list[tuple[int, float]]] = {}
    uses: dict[str, int] = {}
    for m in marks:
        if m.kind == "technique" and m.session in number:
            points.setdefault(m.code, []).append((number[m.session], m.quality))
            uses[m.code] = uses.get(m.code, 0) + m.count
    found = [Skill(c, _name(library, c), uses[c], tuple(sorted(p))) for c, p in points.items()]
    return tuple(sorted(found, key=lambda s: (-s.uses, s.code)))


# ── weak spots ───────────────────────────────────────────────────────────────────────────────────────


def spots(
    finished: Sequence[Talked], marks: Iterable[Mark], book: Iterable[Practised], parts: Parts
) -> tuple[Spot, ...]:  # fmt: skip
    """The weak spots of the latest talks and of the book, the weakest first."""
    latest = {t.entry.id for t in finished[-RECENT:]}
    recent = [m for m in marks if m.session in latest]
    library = parts.library
    found = [
        *_slips(recent, library),
        *_thin(recent, library),
        *_unused(recent, len(latest), parts),
        *_missed(book, parts),
    ]
    merged: dict[str, Spot] = {}
    for spot in found:
        if spot.code not in merged or spot.weight > merged[spot.code].weight:
            merged[spot.code] = spot
    return tuple(sorted(merged.values(), key=lambda s: (-s.weight, s.code)))


def _slips(recent: Sequence[Mark], library: Library) -> list[Spot]:
    remedies: Mapping[str, str] = library.rubric["coaching"]["remedies"]
    dims = {d["code"]: tuple(d["techniques"]) for d in library.rubric["dimensions"]}
    counts: dict[tuple[str, str], int] = {}
    for m in recent:
        if m.kind in ("anti", "violation"):
            counts[m.kind, m.code] = counts.get((m.kind, m.code), 0) + m.count
    found = []
    for (kind, code), times in counts.items():
        grave = kind == "violation"
        cures = dims["compliance"] if grave else (remedies[code],)
        weight = min(1.0, 0.75 + 0.05 * times) if grave else min(0.7, 0.2 + 0.05 * times)
        why, gently = ("碰了红线", "最近碰过这条红线") if grave else ("出现", "最近的谈话里出现过")
        found.append(Spot(code, _name(library, code), f"最近的谈话里{why} {times} 次", gently, weight, cures))
    return found


def _thin(recent: Sequence[Mark], library: Library) -> list[Spot]:
    shown: dict[str, list[float]] = {}
    for m in recent:
        if m.kind == "technique":
            shown.setdefault(m.code, []).append(m.quality)
    found = []
    for code, values in shown.items():
        mean = _mean(values)
        if mean < 0.9:
            why = "用了，还比较笼统，换个客户也能这么说"
            found.append(Spot(code, _name(library, code), why, why, min(0.6, 0.9 - mean + 0.2), (code,)))
    return found


def _unused(recent: Sequence[Mark], sessions: int, parts: Parts) -> list[Spot]:
    if sessions < UNUSED_FROM:
        return []
    used = {m.code for m in recent if m.kind == "technique"}
    trained = {c for e in practice.decks(parts).exercises.values() for c in e.card.trains}
    why = f"最近 {sessions} 场都没有用到"
    gently = "最近的谈话里还没有用到"
    return [Spot(c, _name(parts.library, c), why, gently, 0.3, (c,)) for c in sorted(trained - used)]


def _missed(book: Iterable[Practised], parts: Parts) -> list[Spot]:
    exercises = practice.decks(parts).exercises
    counts: dict[str, int] = {}
    for p in book:
        if not p.passed and p.card in exercises:
            for code in exercises[p.card].card.trains:
                counts[code] = counts.get(code, 0) + 1
    return [
        Spot(code, _name(parts.library, code), f"快练里有 {n} 题还没过", "快练里有题还没过", min(0.7, 0.15 + 0.1 * n), (code,))
        for code, n in counts.items()
    ]  # fmt: skip


def _with_drills(parts: Parts, owner: str, found: Sequence[Spot]) -> tuple[Spot, ...]:
    """The spots with what practises each: another question for every one, a case where no question does."""
    trained = {c for e in practice.decks(parts).exercises.values() for c in e.card.trains}
    made: list[Spot] = []
    for spot in found:
        if trained & set(spot.remedies):
            given = [s.card for s in made]
            card = practice.choose(parts, owner, dict.fromkeys(spot.remedies, 1.0), skip=given, trains=spot.remedies)
            made.append(replace(spot, card=card))
        else:
            made.append(replace(spot, case=_case(parts.library, spot)))
    return tuple(made)


def _case(library: Library, spot: Spot) -> str:
    dims = library.rubric["dimensions"]
    dim = next((d["code"] for d in dims if spot.remedies[0] in d["techniques"]), "emotion")
    return case_for(library, next(iter(library.scenarios.values())), dim, spot.code)


# ── days ─────────────────────────────────────────────────────────────────────────────────────────────


def streak(days: Collection[date], today: date) -> Streak:
    """Days practised in a row up to today. One missed day between two is forgiven, two end it; today may still come."""
    done, current, forgiven = set(days), 0, False
    at, missed = (today, 0) if today in done else (today - _DAY, 0)
    while missed < 2:
        if at in done:
            current += 1
            forgiven = forgiven or missed > 0
            missed = 0
        else:
            missed += 1
        at -= _DAY
    return Streak(current, max(current, _longest(done)), today in done, forgiven)


def _longest(days: Collection[date]) -> int:
    longest = run = 0
    before: date | None = None
    for at in sorted(days):
        run = run + 1 if before is not None and at - before <= 2 * _DAY else 1
        longest, before = max(longest, run), at
    return longest


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _name(library: Library, code: str) -> str:
    return library.taxonomy.name(code).split("（")[0]

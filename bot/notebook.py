"""错题本: when a card comes back, and which one first. The scheduling is FSRS's (the `fsrs` library).

A card enters the book when it goes wrong and leaves it once it is expected to be remembered for `LEARNT_DAYS`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta

from fsrs import Card, Rating, Scheduler

from bot.parts import Parts
from bot.records import Practised

LEARNT_DAYS = 21
EASY_FROM = 90.0
SOON = timedelta(minutes=10)  # what went wrong comes back while it is still fresh
_scheduler = Scheduler(learning_steps=(SOON,), relearning_steps=(SOON,), enable_fuzzing=False)


def note(
    parts: Parts, owner: str, card: str, *, passed: bool, score: float | None = None, said: str = ""
) -> Practised:  # fmt: skip
    """Write down how a card went; it is stored with the time it comes back."""
    at = parts.clock()
    before = parts.practice.one(owner, card)
    state = Card.from_json(before.state) if before else Card(due=_time(at))
    after, _ = _scheduler.review_card(state, _rating(passed, score), _time(at))
    noted = Practised(
        card=card,
        state=after.to_json(),
        stability=after.stability or 0.0,
        due=after.due.astimezone(UTC).isoformat(timespec="seconds"),
        score=score,
        passed=passed,
        times=1 + (before.times if before else 0),
        missed=int(not passed) + (before.missed if before else 0),
        said=said,
        at=at,
    )
    parts.practice.save(owner, noted, day(at))
    return noted


def _rating(passed: bool, score: float | None) -> Rating:
    if not passed:
        return Rating.Again
    return Rating.Easy if score is not None and score >= EASY_FROM else Rating.Good


def in_book(p: Practised) -> bool:
    """Whether a card is still in the book of wrong ones."""
    return p.missed > 0 and (not p.passed or p.stability < LEARNT_DAYS)


def due(book: Iterable[Practised], at: str) -> tuple[Practised, ...]:
    """The cards of the book whose time has come, the earliest first."""
    return tuple(sorted((p for p in book if in_book(p) and p.due <= at), key=lambda p: (p.due, p.card)))


def forgotten(p: Practised, at: str) -> float:
    """How likely a card is forgotten by now, 0–1."""
    return 1.0 - _scheduler.get_card_retrievability(Card.from_json(p.state), _time(at))


def order(
    cards: Mapping[str, Collection[str]], book: Iterable[Practised], weak: Mapping[str, float], at: str
) -> tuple[str, ...]:  # fmt: skip
    """Cards in the order they are worth asking: wrong ones that are due, then new ones, then those half forgotten.

    `cards` says which codes each one trains, `weak` how weak the person is on a code (0–1); within each rank the
    weaker codes come first, and cards that are equal stay in the order given.
    """
    known = {p.card: p for p in book}

    def rank(card: str) -> tuple[int, float]:
        p = known.get(card)
        need = max((weak.get(code, 0.0) for code in cards[card]), default=0.0)
        if p is None:
            return (1, -need)
        need += forgotten(p, at)
        return (0, -need) if in_book(p) and p.due <= at else (2, -need)

    return tuple(sorted(cards, key=rank))


def when(p: Practised, at: str) -> str:
    """When a card comes back, in words."""
    left = _time(p.due) - _time(at)
    if left <= timedelta(0):
        return "现在可以练"
    if left < timedelta(hours=1):
        return f"{max(1, round(left.total_seconds() / 60))} 分钟后再练"
    days = (_time(p.due).astimezone().date() - _time(at).astimezone().date()).days
    return "今天晚些再练" if days == 0 else "明天再练" if days == 1 else f"{days} 天后再练"


def day(at: str) -> str:
    """The day a moment falls on where this machine stands."""
    return _time(at).astimezone().date().isoformat()


def _time(at: str) -> datetime:
    return datetime.fromisoformat(at).astimezone(UTC)

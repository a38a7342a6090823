"""What is known about one call to a model: what it saw, what it said, what it took. Never holds a key."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, NamedTuple

from bot.records import Record


class Message(NamedTuple):
    """One message of a request."""

    role: Literal["system", "user", "assistant"]
    text: str


class Call(Record):
    """One finished call, as the log keeps it: exactly what the model saw and what came of it."""

    session: str = ""
    purpose: str
    model: str
    messages: tuple[Message, ...]
    answer: str = ""
    error: str = ""
    attempts: int = 1
    seconds: float = 0.0
    first_seconds: float = 0.0
    prompt_tokens: int = 0
    answer_tokens: int = 0
    cost: float = 0.0
    estimated: bool = False
    cached: bool = False
    at: float = 0.0


Recorder = Callable[[Call], None]


@dataclass
class Usage:
    """Tokens of a call, counted by the server; estimated from the text when it does not say."""

    prompt: int = 0
    answer: int = 0
    estimated: bool = False

    def settle(self, messages: Sequence[Message], text: str) -> None:
        """Fill in what the server did not count."""
        if not self.prompt:
            self.prompt, self.estimated = estimate("".join(m.text for m in messages)), True
        if not self.answer:
            self.answer, self.estimated = estimate(text), True


def estimate(text: str) -> int:
    """About how many tokens a text is: one per Chinese character, one per four others."""
    chinese = sum("\u4e00" <= ch <= "\u9fff" for ch in text)
    return math.ceil(chinese + (len(text) - chinese) / 4)


class _Turn(NamedTuple):
    session: str
    deadline: float


_NOBODY = _Turn("", math.inf)
_turn: ContextVar[_Turn] = ContextVar("huasu_turn", default=_NOBODY)


@contextmanager
def on_behalf_of(session: str, seconds: float = math.inf) -> Iterator[None]:
    """Calls made inside belong to this session and share one time budget, however many they are."""
    token = _turn.set(_Turn(session, time.monotonic() + seconds))
    try:
        yield
    finally:
        _turn.reset(token)


def session_now() -> str:
    """The session calls belong to now; empty outside any."""
    return _turn.get().session


def deadline_now() -> float:
    """When the time budget of the turn is spent, by `time.monotonic`."""
    return _turn.get().deadline

"""Single-question drills: one line of a customer, one reply, and the labels the question trains."""

from __future__ import annotations

from pydantic import Field

from bot.records.base import Record
from bot.records.case import WrongReply


class DrillCard(Record):
    """One question. `case` lends the customer, his file and his mood; what is left empty here is taken from it.

    `gold` is a reply that passes; `wrong` are replies that do not.
    """

    id: str = Field(pattern=r"^D[A-Z]\d\d$")
    case: str
    outline: str = Field(pattern=r"^M[1-6]-[A-Z]\d\d$")
    trains: tuple[str, ...] = Field(min_length=1)
    customer: str = ""
    act: str = ""
    channel: str = ""
    need: str = ""
    gold: str = ""
    wrong: tuple[WrongReply, ...] = ()
    note: str = ""


class DrillDeck(Record):
    """A file of drills on one theme."""

    id: str = Field(pattern=r"^[a-z][a-z-]+$")
    title: str
    intro: str
    cards: tuple[DrillCard, ...] = Field(min_length=1)


class Practised(Record):
    """One card in a person's book: drill or quiz question, how it went and when it comes back.

    `state` is the scheduler's own; `missed` counts the times it went wrong; `said` is the last reply.
    """

    card: str
    state: str
    stability: float = Field(default=0.0, description="days it is expected to be remembered")
    due: str
    score: float | None = None
    passed: bool
    times: int = 1
    missed: int = 0
    said: str = ""
    at: str


class Mark(Record):
    """What one finished talk showed of one code. Kinds: technique, anti, violation, dimension, outcome.

    `count` is how often; `quality` is the mean quality of a technique, the mean intensity of an anti-pattern or
    violation, the score of a dimension. The outcome `passed` has count 1 when the talk passed.
    """

    session: str
    owner: str = ""
    scenario: str = ""
    at: str = ""
    code: str
    kind: str
    count: int
    quality: float

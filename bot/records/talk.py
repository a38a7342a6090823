"""The customer's mind, the act he performs, and the line that voices it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bot.records.base import Band, Record
from bot.records.case import Persona, Scenario
from bot.records.content import Passage
from bot.records.reading import Appraisal, Line


class Change(Record):
    """One movement of one variable and what caused it."""

    variable: str
    delta: float
    cause: str


class Act(Record):
    """What the customer does now. The voice may word it, never change it."""

    behaviour: str
    customer_act: str
    allowed: tuple[str, ...] = ()
    band: Band = "warm"
    facts: tuple[str, ...] = ()
    says: str = Field(default="", description="words of the case itself that he must say now")
    unmet: str = ""
    asked: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    reacts_to: str = ""
    quote: str = ""
    ends: bool = False


class Mind(Record):
    """The customer's state after a turn; the fold of all turns so far."""

    values: dict[str, float]
    reason: float
    mood: float
    stage: int
    turn: int = 0
    last_down: int = -9
    codes: tuple[tuple[str, ...], ...] = ()
    promises: tuple[str, ...] = ()
    promise_due: bool = False
    audience: int = 0
    told: tuple[str, ...] = ()
    raised: int = Field(default=0, description="questions of the five gates put so far, besides the opening")
    behaviours: tuple[str, ...] = ()
    allowed: tuple[tuple[str, ...], ...] = ()
    angers: tuple[float, ...] = ()
    moods: tuple[float, ...] = ()
    ticket: bool = False
    settled: str = ""
    ended: str = ""


class Step(Record):
    """The result of one step of the mind: the next mind, why it moved, and what the customer does."""

    mind: Mind
    changes: tuple[Change, ...]
    act: Act


class Cue(Record):
    """Everything a voice may use for one line. Hidden facts that may not be said now are absent."""

    scenario: Scenario
    persona: Persona | None = None
    act: Act
    mind: Mind
    appraisal: Appraisal
    reply: str
    history: tuple[Line, ...] = ()
    passages: tuple[Passage, ...] = ()
    seed: int = 0


Repair = Literal["", "retried", "cut", "replaced"]
"""What was done about a model's line: asked for again, ended before its fault, or said by the scripted voice."""


class Utterance(Record):
    """The customer's line. `source` says who voiced it; `notices` are shown to the learner; `faults` are the guard's."""

    text: str
    source: Literal["scripted", "model"] = "scripted"
    notices: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    repair: Repair = ""

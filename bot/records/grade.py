"""Turns, their feedback, and the report."""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from pydantic import Field

from bot.records.base import Mode, Record
from bot.records.case import Persona, Scenario
from bot.records.content import Passage
from bot.records.reading import Appraisal
from bot.records.talk import Act, Change, Mind, Utterance


class Turn(Record):
    """One stored turn: the learner's reply, how it was read, what it did, what the customer said back."""

    n: int = Field(ge=1)
    customer: str
    reply: str
    appraisal: Appraisal
    mind: Mind
    changes: tuple[Change, ...] = ()
    act: Act
    answer: Utterance
    passages: tuple[Passage, ...] = ()
    at: str = ""


class DimScore(Record):
    """A dimension's score for one reply, 1–5, with the words that show it."""

    score: float
    why: str
    evidence: str = ""


class Verdict(Record):
    """One yes/no check on a reply. `passed` None means unscored (the judge's answer did not parse).

    `rules` is what the rules say about the same question; `votes` are the samples of a model: yes, no, unscored.
    """

    id: str
    question: str
    passed: bool | None
    reason: str = ""
    evidence: str = ""
    citations: tuple[str, ...] = ()
    source: Literal["rules", "model"] = "rules"
    rules: bool | None = None
    votes: tuple[int, int, int] = (0, 0, 0)

    @property
    def disputed(self) -> bool:
        """Whether a model contradicts the rules: for the trainer to look at; the rules stand."""
        return self.rules is not None and self.passed is not None and self.passed != self.rules


class Coaching(Record):
    """The one point worth making about a reply, the words it refers to, the rule or technique, a better wording."""

    code: str
    point: str
    evidence: str = ""
    better: str = ""
    basis: str = ""


class TurnGrade(Record):
    """Feedback on one reply."""

    n: int
    dims: dict[str, DimScore]
    verdicts: tuple[Verdict, ...] = ()
    coaching: Coaching
    reason_gate: Literal["high", "low"] = "low"


class Adjustment(Record):
    """A penalty, bonus or cap that code applied to the total, and the turn that caused it."""

    name: str
    points: float
    turn: int = 0
    evidence: str = ""


class GateStep(Record):
    """One of the five gates of module six."""

    id: str
    name: str
    passed: bool
    missing: tuple[str, ...] = ()
    tries: int = Field(default=0, description="failed attempts at it, in a run through the gates")
    turns: int = Field(default=0, description="replies that did not open it")
    won: int = Field(default=0, description="the turn that opened it")
    golden: str = Field(default="", description="the learner's words that opened it")
    tip: str = ""
    demo: str = ""


class GateRun(Record):
    """A run through the five gates: `at` is the index of the gate to open now, `said` what the last reply did.

    `over`: all were passed, the attempts at one are used up, or it fell back too often. `demo`: shown once, now.
    """

    at: int
    steps: tuple[GateStep, ...]
    rollbacks: tuple[int, ...] = ()
    over: str = ""
    said: str = ""
    demo: str = ""


class Moment(Record):
    """A turn that mattered: the peak, the end, or a jump of mood, with the reply that caused it."""

    turn: int
    mood: float
    kind: Literal["peak", "end", "jump"]
    cause: str = ""


class Focus(Record):
    """One of at most three things to work on, and the scenario that drills it."""

    title: str
    advice: str
    turn: int = 0
    evidence: str = ""
    better: str = ""
    drill: str = ""


class Slip(Record):
    """Words that pressed too hard on the customer, or gave away what was not the learner's to give."""

    side: Literal["hard", "soft"]
    code: str
    name: str
    level: Literal["fatal", "serious", "anti"]
    turn: int
    evidence: str
    rule: str = ""
    better: str = ""


class Report(Record):
    """The graded session. Recomputing it from the stored turns gives identical numbers."""

    scenario: str
    final: float
    grade: Literal["S", "A", "B", "C", "D"]
    passed: bool
    verdict: str
    rubric_score: float
    satisfaction: float
    satisfaction_band: str
    dims: dict[str, float | None]
    caps: tuple[Adjustment, ...] = ()
    penalties: tuple[Adjustment, ...] = ()
    bonuses: tuple[Adjustment, ...] = ()
    fatal: bool = False
    turns: tuple[TurnGrade, ...] = ()
    start_mood: float = 0.0
    moods: tuple[float, ...] = ()
    moments: tuple[Moment, ...] = ()
    peak: float = 0.0
    end: float = 0.0
    remembered: tuple[str, ...] = ()
    slips: tuple[Slip, ...] = ()
    gates: tuple[GateStep, ...] = ()
    focus: tuple[Focus, ...] = ()
    found: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()


class Snapshot(Record):
    """What a session was started with; frozen so that a past report recomputes."""

    scenario: Scenario
    persona: Persona | None = None
    mode: Mode = "practice"
    seed: int = 0
    versions: dict[str, str] = {}
    voice_model: str = ""
    judge_model: str = ""

    @property
    def id(self) -> str:
        """A short hash of everything frozen here: two reports with the same one were graded on the same terms."""
        frozen = self.model_dump(mode="json", exclude_defaults=True)
        return hashlib.sha256(json.dumps(frozen, sort_keys=True).encode()).hexdigest()[:12]

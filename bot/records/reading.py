"""What a reply does, as read by appraisal."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bot.records.base import Record
from bot.records.case import Scenario
from bot.records.content import Citation


class Technique(Record):
    """A technique shown; quality 0–1.5 (0.5 generic, 1.0 specific, 1.5 names the unsaid)."""

    code: str
    quality: float = Field(ge=0, le=1.5)
    evidence: str
    start: int


class Anti(Record):
    """An anti-pattern; severity 1–3 is the taxonomy's, intensity 0.3–1.2 is how harshly it was said."""

    code: str
    severity: int = Field(ge=1, le=3)
    intensity: float = Field(ge=0, le=1.5)
    evidence: str
    start: int


class Violation(Record):
    """A compliance breach; fatal caps the grade at 40, serious at 60."""

    code: str
    level: Literal["fatal", "serious"]
    intensity: float = Field(ge=0, le=1.5)
    evidence: str
    start: int
    redline: str = ""
    citations: tuple[Citation, ...] = ()


class Line(Record):
    """One spoken line of the talk."""

    role: Literal["customer", "manager"]
    text: str


class Context(Record):
    """What the reader may know besides the reply itself. `customer_act` empty: estimated from the line."""

    customer: str = ""
    customer_act: str = ""
    history: tuple[Line, ...] = ()
    scenario: Scenario | None = None
    anger: float | None = None
    previous_codes: tuple[str, ...] = ()
    told: tuple[str, ...] = ()


class Appraisal(Record):
    """What a learner's reply does, read locally and deterministically. Codes are in order of appearance.

    `mark` is the mark of 1–5 a trainer would give the whole reply, as the trained network estimates it.
    """

    techniques: tuple[Technique, ...] = ()
    antis: tuple[Anti, ...] = ()
    violations: tuple[Violation, ...] = ()
    customer_act: str = "complain"
    slots: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    explain_chars: int = 0
    ticket: bool = False
    recited: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    mark: float = Field(default=3.0, ge=1, le=5)
    version: str = ""

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code, in the order the words were said."""
        marks: list[Technique | Anti | Violation] = [*self.techniques, *self.antis, *self.violations]
        return tuple(m.code for m in sorted(marks, key=lambda m: m.start))

"""Content: policies, red lines, labels, passages. Scenarios and personas are in `case`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bot.records.base import REPEALED, Confidence, Record


class Policy(Record):
    """One item of the policy box: what the bank can offer and who decides."""

    id: str
    name: str
    terms: str
    authority: str
    cues: tuple[str, ...] = ()


class Citation(Record):
    """A rule behind a red line. `conf` C must never be shown as certain."""

    doc: str
    article: str
    conf: Confidence
    ref: str = ""


class RedLine(Record):
    """One of the 40 red lines."""

    id: str
    name: str
    kind: Literal["禁止", "应当"]
    stage: Literal["催收", "投诉", "通用"]
    severity: Literal["致命", "严重", "一般"]
    description: str
    citations: tuple[Citation, ...]
    violating: tuple[str, ...] = ()
    compliant: tuple[str, ...] = ()


class Passage(Record):
    """A retrieved piece of knowledge."""

    id: str
    doc: str
    collection: str
    title: str
    text: str
    score: float
    status: str = ""
    conf: str = ""
    kind: str = ""
    level: str = ""
    section: str = ""

    @property
    def repealed(self) -> bool:
        """Whether the document no longer holds."""
        return self.status in REPEALED


class NearMiss(Record):
    """A sentence that looks like a technique and is not; `label_as` says what it is."""

    text: str
    why: str
    label_as: str


class TechniqueCard(Record):
    """The definition of one of the 30 techniques."""

    code: str
    name: str
    module: str
    group: str
    outline_refs: tuple[str, ...] = ()
    definition: str
    why_it_works: str
    applies_when: dict[str, object] = {}
    cues: tuple[str, ...] = ()
    positives: tuple[str, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()
    common_mistakes: tuple[str, ...] = ()
    design_choice: bool = False


class AntiCard(Record):
    """The definition of one of the 24 anti-patterns; `hits` are the dimensions it lowers."""

    code: str
    name: str
    severity: int = Field(ge=1, le=3)
    hits: tuple[str, ...]
    definition: str
    cues: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    rewrite: str


class ViolationCard(Record):
    """The definition of one of the 15 violations."""

    code: str
    name: str
    level: Literal["fatal", "serious"]
    definition: str
    regulations: tuple[str, ...] = ()
    not_violation: str
    examples: tuple[str, ...] = ()
    redlines: tuple[str, ...] = ()
    rewrite: str = ""


class Taxonomy(Record):
    """All labels, by code."""

    techniques: dict[str, TechniqueCard]
    antis: dict[str, AntiCard]
    violations: dict[str, ViolationCard]
    customer_acts: dict[str, str]

    def name(self, code: str) -> str:
        """The Chinese name of any code; the code itself when unknown."""
        for cards in (self.techniques, self.antis, self.violations):
            if code in cards:
                return cards[code].name
        return self.customer_acts.get(code, code)

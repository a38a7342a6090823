"""Content: scenarios, personas, policies, red lines, labels, passages."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bot.records.base import Confidence, Record


class Profile(Record):
    """What the bank's system shows about the customer; the learner sees it before the talk."""

    name: str
    gender: Literal["男", "女"]
    age: int = Field(ge=18, le=100)
    job: str
    product: str
    balance: int = Field(ge=0, description="元")
    overdue_days: int = Field(ge=0)


class WrongReply(Record):
    """A typical wrong opening reply and the code it shows."""

    reply: str
    code: str


class Scenario(Record):
    """One case. Profile and opening are public; needs and facts are hidden until earned (see `mind`)."""

    id: str = Field(pattern=r"^[A-Z]{2}\d{2,4}$")
    outline_ref: str
    title: str
    type: str
    channel: str
    difficulty: int = Field(ge=1, le=5)
    profile: Profile
    init: dict[str, float]
    traits: dict[str, float] = {}
    stage: int = Field(ge=1, le=4)
    audience: int = Field(default=0, ge=0, le=5, description="layers of onlookers; each isolate_scene removes one")
    opening: str
    opening_act: str = "complain"
    demand: str
    need_business: str
    need_emotional: str
    facts: dict[str, str]
    fact_levels: dict[str, int] = {}
    triggers: tuple[str, ...] = ()
    soothers: tuple[str, ...] = ()
    offer: tuple[str, ...] = ()
    cannot: tuple[str, ...] = ()
    success: tuple[str, ...] = ()
    wrong: tuple[WrongReply, ...] = ()
    exemplary: str
    exemplary_key: str
    regulations: tuple[str, ...] = ()
    note: str = ""

    @property
    def address(self) -> str:
        """How a manager would address this customer, e.g. 周女士."""
        return self.profile.name[0] + ("先生" if self.profile.gender == "男" else "女士")

    @property
    def in_person(self) -> bool:
        """Whether the two sit face to face, so that gestures count."""
        return "电话" not in self.channel


class Persona(Record):
    """Trait overrides and a way of speaking that combine with any scenario."""

    id: str
    name: str
    description: str
    traits: dict[str, float] = {}
    init_shift: dict[str, float] = {}
    style: tuple[str, ...] = ()


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

"""A case to practise: the customer, what he hides, how he may be played; and the personas laid over it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from bot.records.base import Record

Goal = Literal["accept", "hold", "safe"]
"""What success is: he accepts at least a trial; the line is held without a slip; he is safe and not alone."""


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


class GateQuestion(Record):
    """What the customer throws in at one of the five gates, in order; the opening counts as the first."""

    step: str = Field(pattern=r"^G[1-5]$")
    act: str
    customer: str
    pass_when: str


class Drill(Record):
    """One single-question exercise: a customer, one line of his, one reply. `explain` False: it needs none."""

    id: str
    customer: str
    act: str
    channel: str
    profile: Profile
    need: str
    gold: str
    explain: bool = True
    wrong: tuple[WrongReply, ...] = ()
    note: str = ""


class Answer(Record):
    """The trainer's answer to a question the course asks about this case; shown after the talk."""

    ref: str
    question: str
    answer: str


class Principle(Record):
    """What a trainer wants of the customer's words: a line he would say (`like`) or would never say, and why.

    `behaviour` and `facts` are what he was doing when he said it; `better` is what he should have said then.
    """

    name: str = Field(min_length=1, max_length=40)
    kind: Literal["like", "unlike"] = "unlike"
    line: str = Field(default="", max_length=200, description="the words, or the few that are wrong")
    why: str = Field(default="", max_length=200)
    better: str = Field(default="", max_length=200)
    behaviour: str = ""
    facts: tuple[str, ...] = ()


class Scenario(Record):
    """One case. Profile and opening are public; needs and facts are hidden until earned (see `mind`)."""

    id: str = Field(pattern=r"^[A-Z]{2}\d{2,4}(-\d{1,2})?$")
    outline_ref: str
    extra_refs: tuple[str, ...] = ()
    title: str
    type: str
    channel: str
    present: tuple[str, ...] = Field(default=(), description="who else is in the room, and what they are for")
    difficulty: int = Field(ge=1, le=5)
    profile: Profile
    init: dict[str, float]
    traits: dict[str, float] = {}
    stage: int = Field(ge=1, le=4)
    audience: int = Field(default=0, ge=0, le=5, description="layers of onlookers; each isolate_scene removes one")
    goal: Goal = "accept"
    turns: int = Field(default=0, ge=0, description="the talk ends after so many replies; 0: when it ends by itself")
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
    gates: tuple[GateQuestion, ...] = ()
    drills: tuple[Drill, ...] = ()
    wrong: tuple[WrongReply, ...] = ()
    exemplary: str
    exemplary_key: str
    regulations: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
    safety_note: str = Field(default="", description="shown and confirmed before a case that can turn to a crisis")
    note: str = ""
    lines: str = Field(default="", description="the case whose hand-written lines he speaks; empty: his own")
    reworded: tuple[str, ...] = Field(default=(), description="facts and needs those lines no longer fit")
    principles: tuple[Principle, ...] = ()

    @property
    def address(self) -> str:
        """How a manager would address this customer, e.g. 周女士."""
        return self.profile.name[0] + ("先生" if self.profile.gender == "男" else "女士")

    @property
    def in_person(self) -> bool:
        """Whether the two sit face to face, so that gestures count."""
        return "电话" not in self.channel


class Suits(Record):
    """The cases a persona makes sense in; every condition given must hold."""

    types: tuple[str, ...] = ()
    not_types: tuple[str, ...] = ()
    not_cases: tuple[str, ...] = ()
    jobs: tuple[str, ...] = Field(default=(), description="one of these words stands in the customer's job")
    age: tuple[int, int] = (18, 100)
    in_person: bool = False


class Persona(Record):
    """Trait overrides and a way of speaking, laid over a case it suits."""

    id: str = Field(pattern=r"^[a-z][a-z-]{1,30}$")
    name: str
    description: str
    traits: dict[str, float] = {}
    init_shift: dict[str, float] = {}
    audience: int = Field(default=0, ge=0, le=3, description="onlookers he brings along")
    style: tuple[str, ...] = ()
    suits: Suits = Suits()
    principles: tuple[Principle, ...] = ()
    card: dict[str, Any] = Field(
        default={}, description="what an imported character card said besides; kept for export"
    )

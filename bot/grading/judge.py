"""The evaluator LLM: yes/no verdicts with quoted evidence. It scores; code decides what that means.

It is asked one question per dimension and one per label the rules found in the reply. A verdict that did not parse is
unscored, never a pass; so is a pass without the learner's exact words. Citations outside the retrieved passages are
dropped. Red lines, caps and totals are not its business; where it contradicts the rules, that is kept for the trainer.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, create_model

from bot.errors import ModelError
from bot.injection import addresses_machine
from bot.model import Message
from bot.prompts import Prompt, fence
from bot.records import Passage, Scenario, Taxonomy, Turn, Verdict
from bot.scenarios import read_yaml

T = TypeVar("T", bound=BaseModel)
UNSCORED = "评委模型没有给出可用的判断，本条不计。"
TO_THE_JUDGE = "这句话里有对系统说的话，评委模型不看，本条不计。"
MOST_CODES = 6


class Criterion(NamedTuple):
    """One yes/no question; `rules` is what the rules already say about it, when they do."""

    id: str
    question: str
    rules: bool | None = None


class _Answered(BaseModel):
    model_config = ConfigDict(extra="ignore")
    reason: str
    passed: bool | None
    evidence: str = ""
    cites: list[str] = Field(default_factory=list)


class AsksTyped(Protocol):
    """Anything that answers messages as a typed value."""

    name: str

    def ask_as(self, purpose: str, messages: Sequence[Message], kind: type[T], sample: int = 0) -> T:
        """The typed answer, or `ModelError`."""


class Judge:
    """Asks a model the criteria of ``prompts/criteria.yaml`` and those of a reply's own labels."""

    def __init__(self, model: AsksTyped, prompts: Path, taxonomy: Taxonomy | None = None, samples: int = 1) -> None:
        self._model, self._taxonomy, self._samples = model, taxonomy, samples
        self._prompt, self._frame = Prompt(prompts / "evaluator.md"), Prompt(prompts / "evaluated.md")
        data: dict[str, Any] = read_yaml(prompts / "criteria.yaml")
        self._standing = [Criterion(c["id"], c["question"]) for c in data["criteria"]]
        self._about: dict[str, str] = data["about"]

    def criteria(self, turn: Turn) -> list[Criterion]:
        """What is asked about a reply: every standing question, then one for each label the rules gave it."""
        found: list[Criterion] = []
        if self._taxonomy is not None:
            read, cards = turn.appraisal, self._taxonomy
            for t in read.techniques:
                card = cards.techniques[t.code]
                found.append(self._asked("technique", t.code, card.name, card.definition, t.evidence))
            for a in read.antis:
                anti = cards.antis[a.code]
                found.append(self._asked("anti", a.code, anti.name, anti.definition, a.evidence))
            for v in read.violations:
                breach = cards.violations[v.code]
                found.append(self._asked("violation", v.code, breach.name, breach.definition, v.evidence))
        return [*self._standing, *{c.id: c for c in reversed(found[-MOST_CODES:])}.values()]

    def verdicts(self, turn: Turn, scenario: Scenario, passages: Sequence[Passage]) -> tuple[tuple[Verdict, ...], str]:
        """One verdict per criterion, in order, and a suggested wording (unchecked; empty when there is none)."""
        asked = self.criteria(turn)
        if addresses_machine(turn.reply):
            return tuple(_unscored(c, TO_THE_JUDGE) for c in asked), ""
        kind, messages = _form(asked), self._messages(turn, scenario, passages, asked)
        answers, failure = list[Any](), ""
        for sample in range(self._samples):
            try:
                answers.append(self._model.ask_as("judge", messages, kind, sample))
            except ModelError as error:
                failure = str(error)
        if not answers:
            return tuple(_unscored(c, failure) for c in asked), ""
        known = {p.id for p in passages}
        found = tuple(_agreed(c, [getattr(a, c.id) for a in answers], turn.reply, known) for c in asked)
        return found, next((a.better.strip()[:200] for a in answers if a.better.strip()), "")

    def _asked(self, kind: str, code: str, name: str, definition: str, evidence: str) -> Criterion:
        words = self._about[kind].format(name=name, definition=definition, evidence=fence("摘句", evidence))
        return Criterion(f"code_{code}", words, rules=True)

    def _messages(
        self, turn: Turn, scenario: Scenario, passages: Sequence[Passage], asked: Sequence[Criterion]
    ) -> list[Message]:
        this = self._frame.fill(
            {
                "scenario": f"{scenario.title}（{scenario.channel}）",
                "passages": "\n".join(f"[{p.id}] {fence(p.title, p.text[:300])}" for p in passages) or "（无）",
                "count": str(len(asked)),
                "criteria": "\n".join(f"- {c.id}：{c.question}" for c in asked),
                "customer": fence("客户原话", turn.customer),
                "reply": fence("学员原话", turn.reply),
            }
        )
        return [Message("system", self._prompt.fill({})), Message("user", this)]


def _form(asked: Sequence[Criterion]) -> type[BaseModel]:
    """The shape of an answer: exactly one verdict for each criterion, no other, and a wording."""
    fields: dict[str, Any] = {c.id: (_Answered, ...) for c in asked}
    strict = ConfigDict(extra="forbid")
    return cast(type[BaseModel], create_model("Answer", __config__=strict, **fields, better=(str, "")))


def _unscored(criterion: Criterion, why: str) -> Verdict:
    return Verdict(id=criterion.id, question=criterion.question, passed=None, reason=why or UNSCORED, source="model",
                   rules=criterion.rules)  # fmt: skip


def _agreed(criterion: Criterion, answers: Sequence[_Answered], reply: str, known: set[str]) -> Verdict:
    """The verdict most samples gave; a tie is unscored. The votes stay with it."""
    checked = [_checked(criterion, a, reply, known) for a in answers]
    yes, no = (sum(v.passed is p for v in checked) for p in (True, False))
    none = len(checked) - yes - no
    winner = True if yes > max(no, none) else False if no > max(yes, none) else None
    shown = next((v for v in checked if v.passed is winner), _unscored(criterion, "几次判断不一致，本条不计。"))
    return shown.model_copy(update={"votes": (yes, no, none)})


def _checked(criterion: Criterion, answered: _Answered, reply: str, known: set[str]) -> Verdict:
    quote = answered.evidence.strip()
    evidence = quote if quote in reply else ""
    passed = None if answered.passed and not evidence else answered.passed
    return Verdict(
        id=criterion.id, question=criterion.question, passed=passed,
        reason=answered.reason.strip()[:120] or UNSCORED, evidence=evidence,
        citations=tuple(c for c in answered.cites if c in known), source="model", rules=criterion.rules,
    )  # fmt: skip

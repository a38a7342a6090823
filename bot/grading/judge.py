"""The evaluator LLM: yes/no verdicts with quoted evidence. It scores; code decides what that means.

A verdict that did not parse is unscored, never a pass. Evidence that is not in the reply is dropped, and a pass
without evidence is unscored. Citations outside the retrieved passages are dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, Field

from bot.errors import ModelError
from bot.model import Message
from bot.prompts import Prompt, fence
from bot.records import Passage, Scenario, Turn, Verdict
from bot.scenarios import read_yaml

T = TypeVar("T", bound=BaseModel)
UNSCORED = "评委模型没有给出可用的判断，本条不计。"


class _Answered(BaseModel):
    id: str
    reason: str = ""
    passed: bool | None = None
    evidence: str = ""
    cites: list[str] = Field(default_factory=list)


class JudgeAnswer(BaseModel):
    """What the model must return."""

    verdicts: list[_Answered]
    better: str = ""


class AsksTyped(Protocol):
    """Anything that answers messages as a typed value."""

    name: str

    def ask_as(self, purpose: str, messages: Sequence[Message], kind: type[T]) -> T:
        """The typed answer, or `ModelError`."""


class Judge:
    """Asks a model the criteria of ``prompts/criteria.yaml`` about one reply."""

    def __init__(self, model: AsksTyped, prompts: Path) -> None:
        self._model = model
        self._prompt = Prompt(prompts / "evaluator.md")
        self._criteria: list[dict[str, Any]] = read_yaml(prompts / "criteria.yaml")["criteria"]

    def verdicts(self, turn: Turn, scenario: Scenario, passages: Sequence[Passage]) -> tuple[tuple[Verdict, ...], str]:
        """One verdict per criterion, in order, and a suggested wording (unchecked; empty when there is none)."""
        try:
            answer = self._model.ask_as("judge", self._messages(turn, scenario, passages), JudgeAnswer)
        except ModelError as error:
            return tuple(self._unscored(c, str(error)) for c in self._criteria), ""
        by_id = {a.id: a for a in answer.verdicts}
        if len(by_id) != len(answer.verdicts) or set(by_id) != {c["id"] for c in self._criteria}:
            return tuple(self._unscored(c, "评委模型漏答或多答了条目。") for c in self._criteria), ""
        known = {p.id for p in passages}
        return tuple(self._checked(c, by_id[c["id"]], turn.reply, known) for c in self._criteria), answer.better[:200]

    def _messages(self, turn: Turn, scenario: Scenario, passages: Sequence[Passage]) -> list[Message]:
        filled = self._prompt.fill(
            {
                "scenario": f"{scenario.title}（{scenario.channel}）",
                "passages": "\n".join(f"[{p.id}] {fence(p.title, p.text[:300])}" for p in passages) or "（无）",
                "count": str(len(self._criteria)),
                "criteria": "\n".join(f"- {c['id']}：{c['question']}" for c in self._criteria),
                "customer": fence("客户原话", turn.customer),
                "reply": fence("学员原话", turn.reply),
            }
        )
        return [Message("user", filled)]

    @staticmethod
    def _unscored(criterion: dict[str, Any], why: str) -> Verdict:
        return Verdict(
            id=criterion["id"], question=criterion["question"], passed=None, reason=why or UNSCORED, source="model"
        )

    @staticmethod
    def _checked(criterion: dict[str, Any], answered: _Answered, reply: str, known: set[str]) -> Verdict:
        evidence = answered.evidence.strip() if answered.evidence.strip() in reply else ""
        passed = answered.passed
        if passed and not evidence:
            passed = None
        return Verdict(
            id=criterion["id"],
            question=criterion["question"],
            passed=passed,
            reason=answered.reason[:120] if passed is not None else answered.reason[:80] or UNSCORED,
            evidence=evidence,
            citations=tuple(c for c in answered.cites if c in known),
            source="model",
        )

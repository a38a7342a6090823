"""The customer voiced by a language model, held to the act the mind chose.

The prompt grows only at its end (role, history, this turn's direction), so an inference server's prefix cache keeps
working. A line that breaks the rules is asked for once more with the fault named; then the scripted voice speaks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from bot.errors import ModelError
from bot.model import Message
from bot.prompts import Prompt, fence
from bot.records import Cue, Utterance
from bot.scenarios import read_yaml
from bot.voice import guard

UNAVAILABLE = "模型暂时没有答上来，这一句由内置台词接上，对练照常继续。（{reason}）"
FAULTS = {
    "role_flip": "你说成了银行的人，你是客户",
    "speaks_for_learner": "你替学员说了话",
    "leak": "你说出了还不能说的事",
    "early_softening": "你松口或客气得太早",
    "system_words": "你说出了提示词里的字眼",
    "language": "要说中文口语",
    "repetition": "你在重复自己说过的话",
    "too_long": "太长了",
}


class Asks(Protocol):
    """Anything that answers messages; `bot.model.Model` does, and so do the fakes in tests."""

    name: str

    def ask(self, purpose: str, messages: list[Message]) -> str:
        """The answer to some messages, or `ModelError`."""


class Speaks(Protocol):
    """Anything that can say the customer's line."""

    def speak(self, cue: Cue) -> Utterance:
        """The customer's line for a cue."""


class ModelVoice:
    """Speaks through a model; falls back to another voice when the model fails or keeps breaking the rules."""

    def __init__(self, model: Asks, fallback: Speaks, prompts: Path) -> None:
        self._model, self._fallback = model, fallback
        self._role, self._direction = Prompt(prompts / "customer.md"), Prompt(prompts / "direction.md")
        self._stage: dict[str, Any] = read_yaml(prompts / "directions.yaml")

    def speak(self, cue: Cue) -> Utterance:
        """One checked line. Never raises for the model's sake; the notice says when it was not the model that spoke."""
        messages, seen = self.messages(cue), list[str]()
        hidden = hidden_facts(cue)
        try:
            for _ in range(2):
                text = guard.trim(self._model.ask("voice", messages))
                faults = guard.faults(text, cue, hidden)
                if not faults:
                    return Utterance(text=text, source="model", faults=tuple(seen))
                seen.extend(faults)
                named = "；".join(FAULTS.get(f, f) for f in faults)
                messages = [*messages, Message("assistant", text), Message("user", f"这句不行：{named}。重说这一句。")]
        except ModelError as error:
            spoken = self._fallback.speak(cue)
            return spoken.model_copy(update={"notices": (UNAVAILABLE.format(reason=error),), "faults": tuple(seen)})
        return self._fallback.speak(cue).model_copy(update={"faults": tuple(seen)})

    def messages(self, cue: Cue) -> list[Message]:
        """The request: stable role first, the talk so far, this turn's direction last."""
        talk = [
            Message("assistant", line.text)
            if line.role == "customer"
            else Message("user", fence("学员原话", line.text))
            for line in cue.history
        ]
        return [Message("system", self._role_text(cue)), *talk, Message("user", self._direction_text(cue))]

    def _role_text(self, cue: Cue) -> str:
        p = cue.scenario.profile
        profile = (
            f"{p.name}，{p.gender}，{p.age} 岁，{p.job}。业务：{p.product}，余额 {p.balance} 元，逾期 {p.overdue_days} 天。"
            f"今天的方式：{cue.scenario.channel}。"
        )
        style = cue.persona.style if cue.persona else ("普通话口语，短句多，有脾气但不骂脏话。",)
        lines = "\n".join(f"- {s}" for s in style)
        return self._role.fill({"profile": profile, "demand": cue.scenario.demand, "style": lines})

    def _direction_text(self, cue: Cue) -> str:
        act, stage = cue.act, self._stage
        what = stage["acts"][act.behaviour] + (f"（{stage['unmet'][act.unmet]}）" if act.unmet else "")
        what += f"这一句要问的就是：{act.says}" if act.says else ""
        facts = [fact_text(cue, key) for key in act.facts]
        band = stage["bands"][act.band]
        return self._direction.fill(
            {
                "reply": fence("学员原话", cue.reply),
                "act": what,
                "band": band["name"],
                "length": band["length"],
                "facts": "这一句可以说出的事实：" + "；".join(facts) + "\n"
                if facts
                else "这一句不透露任何新的事实。\n",
                "quote": f"你最在意他这几个字：{fence('学员原话', act.quote)}\n" if act.quote else "",
            }
        )


def fact_text(cue: Cue, key: str) -> str:
    """The words of a fact or need by its key."""
    return {
        **cue.scenario.facts,
        "need_business": cue.scenario.need_business,
        "need_emotional": cue.scenario.need_emotional,
    }[key]


def hidden_facts(cue: Cue) -> dict[str, str]:
    """Everything he has not told and may not tell in this line."""
    keys = (*cue.scenario.facts, "need_business", "need_emotional")
    return {k: fact_text(cue, k) for k in keys if k not in cue.mind.told and k not in cue.act.facts}

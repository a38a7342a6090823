"""What the model that voices the customer is sent. It grows only at its end.

Role and file first, then every past line exactly as it was sent before, then this turn: the manager's words, which stay
in the talk, and the direction after them, which does not. An inference server that keeps its prefix reads only what is
new.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.model import Message
from bot.prompts import Prompt, fence
from bot.records import Cue
from bot.scenarios import read_yaml
from bot.voice import manners
from bot.voice.guard import bare, shingles

OPENING = "（客户先开口。）"
LEARNER = "学员原话"
PLAIN_STYLE = ("普通话口语，短句多，有脾气但不骂脏话。",)


class Request:
    """Builds the messages of a turn from the prompt files."""

    def __init__(self, prompts: Path) -> None:
        self._role, self._direction = Prompt(prompts / "customer.md"), Prompt(prompts / "direction.md")
        self._stage: dict[str, Any] = read_yaml(prompts / "directions.yaml")
        written = re.sub(r"\$\w+", "\n", f"{self._role.text}\n{self._direction.text}")
        spoken = [self._stage[part].values() for part in ("acts", "unmet", "faults", "again")]
        lines = [*written.splitlines(), *(re.sub(r"\{\w+\}", "\n", line) for part in spoken for line in part)]
        self.marks = frozenset(s for line in lines for s in shingles(bare(line)))
        """Pieces of our own instructions: a customer who says one of them is reading his prompt aloud."""

    def messages(self, cue: Cue) -> list[Message]:
        """Role, the talk so far, this turn."""
        return [*self.prefix(cue), Message("user", f"{fence(LEARNER, cue.reply)}\n\n{self._direction_text(cue)}")]

    def prefix(self, cue: Cue) -> list[Message]:
        """Everything that stays as it is from turn to turn."""
        talk = [
            Message("assistant", line.text) if line.role == "customer" else Message("user", fence(LEARNER, line.text))
            for line in cue.history
        ]
        return [Message("system", self._role_text(cue)), Message("user", OPENING), *talk]

    def again(self, said: str, refused: str, faults: Sequence[str]) -> list[Message]:
        """What is added when a line is refused: the line, and what was wrong with it."""
        named = "；".join(self._stage["faults"][fault] for fault in faults)
        ask = self._stage["again"]["rest" if said else "whole"].format(faults=named, said=fence("已经说出口的", said))
        return [Message("assistant", f"{said}{refused}"), Message("user", ask)]

    def _role_text(self, cue: Cue) -> str:
        p = cue.scenario.profile
        profile = (
            f"{p.name}，{p.gender}，{p.age} 岁，{p.job}。业务：{p.product}，余额 {p.balance} 元，逾期 {p.overdue_days} 天。"
            f"今天的方式：{cue.scenario.channel}。"
        )
        style = "\n".join(f"- {s}" for s in (cue.persona.style if cue.persona else PLAIN_STYLE)) + manners.rules(cue)
        return self._role.fill({"profile": profile, "demand": cue.scenario.demand, "style": style})

    def _direction_text(self, cue: Cue) -> str:
        act, stage = cue.act, self._stage
        what = stage["acts"][act.behaviour] + (f"（{stage['unmet'][act.unmet]}）" if act.unmet else "")
        what += f"这一句要问的就是：{act.says}" if act.says else ""
        band = stage["bands"][act.band]
        told = "；".join(fact_text(cue, key) for key in act.facts)
        closed = "、".join(stage["topics"][key] for key in hidden_facts(cue))
        return self._direction.fill(
            {
                "act": what,
                "band": band["name"],
                "length": band["length"],
                "facts": f"这一句可以说出的事实（说清楚，别的不加）：{told}" if told else "这一句不透露任何新的事实。",
                "closed": f"还不能说的：{closed}。他问到也不说。" if closed else "没有要瞒着的事了。",
                "quote": f"你最在意他这几个字：{fence(LEARNER, act.quote)}"
                if act.quote
                else "他这句话里没有特别刺你的字。",
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

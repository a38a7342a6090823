"""The customer without a model: hand-written lines that answer what was just said and never repeat in a talk."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Sequence
from pathlib import Path

from bot.records import Cue, Utterance
from bot.voice.lines import LineBank, load_bank

ALONE = {"file_complaint", "hang_up", "promise_due", "crisis", "close", "interrupt", "cry"}
UNMOVED = {"refuse", "demand", "withhold", "threaten_complaint", "threaten_media", "outburst"}
SIGHT = re.compile(r"（[^（）]*(?:手机|拍桌|桌|推|站|坐|瞪|指|看|账单|单子|眼|头|手|脸|身|笔|纸|包|门口|转)[^（）]*）")
REPEATS = ("你别绕，我问你的还没答呢。", "这话刚说过了，你到底听没听？", "来来回回还是这几句，你就说怎么办。")
_INJECTION = re.compile(r"忽略.{0,8}(指令|设定|提示)|你(现在)?是(客服|AI|人工智能|助手)|system prompt|扮演", re.I)


class ScriptedVoice:
    """Speaks from line banks. The same cue always gives the same line."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def speak(self, cue: Cue) -> Utterance:
        """The customer's line for the act in the cue."""
        bank = load_bank(self._folder, cue.scenario.id)
        dice = random.Random(_seed(cue))  # noqa: S311 - wording, not security
        said = _said(cue)
        content = self._content(bank, cue, dice, said)
        opener = "" if cue.act.behaviour in ALONE else self._opener(bank, cue, dice, said, content)
        text = _joined(opener, content)
        if not cue.scenario.in_person:
            text = SIGHT.sub("", text) or text
        return Utterance(text=text)

    def _opener(self, bank: LineBank, cue: Cue, dice: random.Random, said: str, content: str) -> str:
        warm_words = any(t.code == cue.act.reacts_to for t in cue.appraisal.techniques)
        if warm_words and cue.act.behaviour in UNMOVED:
            return ""  # he may not praise the way out and refuse it in one breath
        code = cue.act.reacts_to or ("injection" if _INJECTION.search(cue.reply) else "none")
        if code == "none" and dice.random() < 0.5:
            return ""
        found = _fresh(bank.banded("reactions", code, cue.act.band), said + content, cue.act.quote)
        return dice.choice(found[:6]) if found else ""

    def _content(self, bank: LineBank, cue: Cue, dice: random.Random, said: str) -> str:
        act, parts = cue.act, []
        for key in act.facts:
            section, name = ("needs", key.removeprefix("need_")) if key.startswith("need_") else ("facts", key)
            found = _fresh(bank.listed(section, name), said)
            parts.append(dice.choice(found) if found else _plain_fact(cue, key))
        if act.behaviour == "cry" or not parts:
            found = self._candidates(bank, cue, said)
            parts.insert(0, dice.choice(found[:6]) if found else dice.choice(REPEATS))
        return "".join(parts)

    def _candidates(self, bank: LineBank, cue: Cue, said: str) -> list[str]:
        act = cue.act
        if act.behaviour == "refuse":
            by_offer = [x for p in act.offers for x in bank.listed("offers", p, "refuse")]
            found = _fresh([*bank.listed("refusals", act.unmet), *by_offer], said)
        elif act.behaviour in ("accept", "provisional_accept"):
            by_offer = [x for p in act.offers for x in bank.listed("offers", p, "accept")]
            found = _fresh([*bank.banded("acts", act.behaviour, act.band), *by_offer], said)
        else:
            found = _fresh(bank.banded("acts", act.behaviour, act.band), said)
        return (
            found
            or _fresh(bank.anywhere("acts", act.behaviour), said)
            or _fresh(bank.banded("acts", "complain", act.band), said)
        )


def _fresh(lines: Sequence[str], said: str, quote: str = "") -> list[str]:
    filled = [x.replace("{quote}", quote) for x in lines if quote or "{quote}" not in x]
    return [x for x in filled if _bare(x) not in said]


def _said(cue: Cue) -> str:
    return _bare("".join(line.text for line in cue.history if line.role == "customer"))


def _bare(text: str) -> str:
    return re.sub(r"（[^（）]*）|[\s，。！？…!?,.、—]", "", text)


def _joined(opener: str, content: str) -> str:
    if not opener:
        return content
    if opener[-1] not in "。！？…!?），":
        opener += "。"
    return opener + content


def _plain_fact(cue: Cue, key: str) -> str:
    if key == "need_business":
        return cue.scenario.need_business
    return cue.scenario.need_emotional if key == "need_emotional" else cue.scenario.facts[key]


def _seed(cue: Cue) -> int:
    stamp = f"{cue.seed}|{cue.scenario.id}|{cue.mind.turn}|{len(cue.history)}"
    return int.from_bytes(hashlib.sha256(stamp.encode()).digest()[:8])

"""A better wording that fits this customer: a compliant example, the case's own model reply, or his words handed back.

Nothing the customer has not said yet is given away: the late model reply is used only once he has told what it rests on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bot.grading.scene import Harm, Scene
from bot.scenarios import Library

_ASIDE = re.compile(r"[（(][^（）()]*[）)]")
_CLAUSE = re.compile(r"[^，。！？!?,；;：:…—\s『』“”\"]+")
_DETAIL = re.compile(r"[0-9零一二两三四五六七八九十百千万]")
_RUDE = re.compile(r"吸血|骗子|王八|滚|去死|他妈|混蛋|垃圾|狗|黑心|高利贷")
_SHORT, _LONG = 4, 18
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_OWN_NAME = re.compile(r"(客户经理|的工作人员|的)\{姓名\}(?!本人)")


def for_harm(scene: Scene, harm: Harm) -> str:
    """What to say instead of a breach (a compliant example of its red line) or of an anti-pattern."""
    if harm.level == "anti":
        return for_technique(scene, coaching(scene.library)["remedies"][harm.code])
    card = scene.library.taxonomy.violations[harm.code]
    lines = [scene.library.redlines[r] for r in (harm.redline, *card.redlines) if r in scene.library.redlines]
    options = [example for line in lines[:1] or lines for example in line.compliant]
    fitting = [fill(scene, o) for o in options]
    whole = [o for o in fitting if o]
    return _closest(whole, harm.evidence + scene.turn.customer) if whole else card.rewrite


def for_technique(scene: Scene, code: str) -> str:
    """The technique worded for this customer."""
    rules, case = coaching(scene.library), scene.scenario
    if case is not None and not scene.earlier and code in rules["early_codes"]:
        return case.exemplary
    told = scene.earlier[-1].mind.told if scene.earlier else ()
    if case is not None and code in rules["late_codes"] and set(told) & set(rules["late_needs_told"]):
        return case.exemplary_key
    return worded(scene, rules["wordings"][code])


def worded(scene: Scene, template: str) -> str:
    """A wording with the customer's own words and form of address put in."""
    address = scene.scenario.address if scene.scenario else ""
    said = said_back(scene.turn.customer)
    text = template.replace("{said}", said or "您刚才说的").replace("{address}", address or "您")
    return text.replace("您，您", "您").replace("您，今天您", "今天您")


def said_back(line: str) -> str:
    """The customer's most concrete clause, handed back in quotation marks; empty when there is none fit to quote."""
    clauses = [c for c in _CLAUSE.findall(_ASIDE.sub("", line)) if _SHORT <= len(c) <= _LONG and not _RUDE.search(c)]
    if not clauses:
        return ""
    best = max(enumerate(clauses), key=lambda pair: (len(_DETAIL.findall(pair[1])), len(pair[1]), -pair[0]))[1]
    return f"您说『{best}』"


def fill(scene: Scene, text: str) -> str:
    """An example with its placeholders filled; empty when one of them cannot be known."""
    values: dict[str, str] = coaching(scene.library)["fill"]
    text = _OWN_NAME.sub(lambda m: m.group(1) + values["经理"], text)
    if scene.scenario is not None:
        text = text.replace("{姓名}本人", scene.scenario.profile.name + "本人").replace("{姓名}", scene.scenario.address)
    filled = _PLACEHOLDER.sub(lambda m: values.get(m.group(1), m.group()), text)
    return "" if _PLACEHOLDER.search(filled) else filled


def coaching(library: Library) -> dict[str, Any]:
    """The coaching section of the rubric."""
    found: dict[str, Any] = library.rubric["coaching"]
    return found


def _closest(options: Sequence[str], context: str) -> str:
    pairs = {context[i : i + 2] for i in range(len(context) - 1)}

    def shared(option: str) -> float:
        own = {option[i : i + 2] for i in range(len(option) - 1)}
        return len(own & pairs) / max(1, len(own))

    return max(enumerate(options), key=lambda pair: (round(shared(pair[1]), 6), -pair[0]))[1]

"""A better wording that fits this customer: a compliant example, the case's model reply, or his own words handed back.

Nothing the customer has not said yet is given away: the late model reply waits until he has told what it rests on.
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
_NOTHING_SAID = re.compile(r"\{said\}[，。]")
_SHORT, _LONG = 6, 18
_WORD = re.compile(r"[^\W您你我他的了是不在有就把和给]{2}")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_OWN_NAME = re.compile(r"(客户经理|的工作人员|的)\{姓名\}(?!本人)")


def for_harm(scene: Scene, harm: Harm) -> str:
    """What to say instead of a breach (a compliant example of its red line) or of an anti-pattern."""
    if harm.level == "anti":
        return for_technique(scene, coaching(scene.library)["remedies"][harm.code])
    card = scene.library.taxonomy.violations[harm.code]
    known = scene.library.redlines
    named = [known[harm.redline]] if harm.redline in known else []
    lines = named or [known[r] for r in card.redlines if r in known]
    options = [text for line in lines for example in line.compliant if (text := fill(scene, example))]
    best, shared = _closest(options, harm.evidence + scene.turn.customer)
    if best and (named or shared >= coaching(scene.library)["fits_from"]):
        return best
    return card.rewrite or str(coaching(scene.library)["breach_wordings"][harm.code])


def for_technique(scene: Scene, code: str) -> str:
    """The technique worded for this customer."""
    rules, case = coaching(scene.library), scene.scenario
    if case is not None and not scene.earlier and code in rules["early_codes"] and case.exemplary:
        return case.exemplary
    told = scene.earlier[-1].mind.told if scene.earlier else ()
    earned = bool(set(told) & set(rules["late_needs_told"]))
    if case is not None and earned and code in rules["late_codes"] and case.exemplary_key:
        return case.exemplary_key
    cool = scene.anger < scene.rules["out_of_order"]["anger"]
    wordings = rules["wordings"]
    return worded(scene, wordings.get(f"{code}_cool", wordings[code]) if cool else wordings[code])


def worded(scene: Scene, template: str) -> str:
    """A wording with the customer's own words and form of address put in."""
    said = said_back(scene.turn.customer)
    text = template.replace("{said}", said) if said else _NOTHING_SAID.sub("", template)
    return text.replace("{address}，", f"{scene.scenario.address}，" if scene.scenario else "")


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
        text = text.replace("{姓名}本人", f"{scene.scenario.profile.name}本人")
        text = text.replace("{姓名}", scene.scenario.address)
    filled = _PLACEHOLDER.sub(lambda m: values.get(m.group(1), m.group()), text)
    return "" if _PLACEHOLDER.search(filled) else filled


def coaching(library: Library) -> dict[str, Any]:
    """The coaching section of the rubric."""
    found: dict[str, Any] = library.rubric["coaching"]
    return found


def _closest(options: Sequence[str], context: str) -> tuple[str, int]:
    """The option that shares most two-character words with the context, and how many; the first of equals."""
    pairs = _pairs(context)
    counts = [len(_pairs(option) & pairs) for option in options]
    return (options[counts.index(max(counts))], max(counts)) if options else ("", 0)


def _pairs(text: str) -> set[str]:
    """Two-character words, those with punctuation, 您/我/的 and the like left out."""
    return {text[i : i + 2] for i in range(len(text) - 1) if _WORD.fullmatch(text[i : i + 2])}

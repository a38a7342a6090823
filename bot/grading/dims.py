"""Score one reply on the dimensions it had a chance to show, 1–5, by the anchors in ``knowledge/rubric.yaml``.

Strength of the best technique sets the anchor, a second one lifts it, an anti-pattern or a breach pulls it down.
A dimension without a mark is scored only where the customer's words called for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from bot.grading.scene import Harm, Scene
from bot.records import DIMENSIONS, DimScore, Technique
from bot.scenarios import Library

_CODE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
_WORDS = {5: "说到了客户没说出口、但会点头的那一层", 4: "贴着这位客户的情况说", 3: "方向对，还笼统，换个客户也能说"}


def score_dims(scene: Scene) -> dict[str, DimScore]:
    """The dimensions this reply showed or should have shown, in the fixed order."""
    found = {}
    for code in DIMENSIONS:
        scored = _score(scene, dimension(scene.library, code))
        if scored is not None:
            found[code] = scored
    return found


def dimension(library: Library, code: str) -> Mapping[str, Any]:
    """A dimension's entry in the rubric."""
    found: Mapping[str, Any] = next(d for d in library.rubric["dimensions"] if d["code"] == code)
    return found


@lru_cache(maxsize=256)
def _hits(library: Library, anti: str) -> frozenset[str]:
    listed = {d["code"] for d in library.rubric["dimensions"] if anti in d["antis"]}
    return frozenset(listed | set(library.taxonomy.antis[anti].hits))


def hits(library: Library, harm: Harm) -> frozenset[str]:
    """The dimensions a harm lowers: an anti-pattern's own, compliance for a breach."""
    return _hits(library, harm.code) if harm.level == "anti" else frozenset({"compliance"})


def best_and_second(scene: Scene, codes: list[str]) -> list[Technique]:
    """The techniques of some codes shown here, strongest first, one per code."""
    strongest: dict[str, Technique] = {}
    for t in scene.techniques:
        if t.code in codes and (t.code not in strongest or t.quality > strongest[t.code].quality):
            strongest[t.code] = t
    return sorted(strongest.values(), key=lambda t: (-t.quality, t.start))


def _score(scene: Scene, dim: Mapping[str, Any]) -> DimScore | None:
    code = dim["code"]
    shown = _shown(scene, dim)
    harm = _worst(scene, code)
    if harm is not None:
        return _harmed(scene, harm, shown)
    if shown is None:
        return _held(scene, dim) or _absent(scene, dim)
    if code == "pacing" and scene.out_of_order is not None:
        return _ran_ahead(scene, shown)
    return shown


def _shown(scene: Scene, dim: Mapping[str, Any]) -> DimScore | None:
    direct = best_and_second(scene, dim["techniques"])
    rules = scene.rules
    indirect = [t for t in best_and_second(scene, dim["supports"]) if t.quality >= rules["supports_min_quality"]]
    marks = direct or indirect
    if not marks:
        return None
    levels = dim.get("levels", rules["quality_levels"])
    score = next(value for least, value in levels if marks[0].quality >= least)
    second = rules["second_technique"]
    others = [*direct[1:], *indirect] if direct else indirect[1:]
    if any(t.quality >= second["quality"] for t in others):
        score += second["adds"]
    score = min(score, 5 if direct else rules["supports_max"])
    return DimScore(score=float(score), why=_praise(scene, marks, others), evidence=scene.quote(marks[0].evidence))


def _praise(scene: Scene, marks: list[Technique], others: list[Technique]) -> str:
    top = marks[0]
    word = _WORDS[int(next(value for least, value in scene.rules["quality_levels"] if top.quality >= least))]
    name = short_name(scene.library, top.code)
    also = f"，还有「{short_name(scene.library, others[0].code)}」" if others else ""
    return f"「{name}」{word}{also}。"


def short_name(library: Library, code: str) -> str:
    """A code's Chinese name without the explanation in brackets."""
    return library.taxonomy.name(code).split("（")[0]


def plain(library: Library, text: str) -> str:
    """Course text with its codes replaced by their names, fit for a learner."""
    named = _CODE.sub(lambda m: short_name(library, m.group()), text.replace("pace_*", "先跟"))
    return named.replace(":", "：").replace(">=", "≥").replace("<=", "≤")


def _worst(scene: Scene, code: str) -> Harm | None:
    for harm in scene.harms:
        if code not in hits(scene.library, harm):
            continue
        if code == "peak_end" and not scene.closing and scene.act != "accept":
            continue  # a stock phrase mid-talk spoils the feeling, not the ending
        return harm
    return None


def _harmed(scene: Scene, harm: Harm, shown: DimScore | None) -> DimScore:
    kind, good = scene.rules["anti_scores"], shown is not None and shown.score >= 4
    if harm.level == "fatal":
        score = 1
    elif harm.level == "serious":
        score = 2
    else:
        weight = "light" if harm.severity == 1 else "heavy"
        score = kind[f"{weight}_with_technique" if good else weight]
    why = plain(scene.library, f"「{short_name(scene.library, harm.code)}」：{_meaning(scene.library, harm)}")
    return DimScore(score=float(score), why=why, evidence=scene.quote(harm.evidence))


def _meaning(library: Library, harm: Harm) -> str:
    if harm.level == "anti":
        return library.taxonomy.antis[harm.code].definition
    return library.taxonomy.violations[harm.code].definition


def _ran_ahead(scene: Scene, shown: DimScore) -> DimScore:
    lead, cap = scene.out_of_order, scene.rules["out_of_order"]["cap"]
    assert lead is not None
    name = short_name(scene.library, lead.code)
    why = f"客户还在气头上，「{name}」跑在了跟的前面；先跟再带，同样的话才听得进去。"
    return DimScore(score=float(min(cap, shown.score)), why=why, evidence=scene.quote(lead.evidence))


def _held(scene: Scene, dim: Mapping[str, Any]) -> DimScore | None:
    held = dim.get("held")
    paced = scene.best(scene.rules["pace_codes"])
    if not held or paced is None or paced.quality < held["quality"] or not _called_for(scene, held):
        return None
    if scene.codes & set(scene.rules["explain_codes"]):
        return None
    return DimScore(score=float(held["score"]), why=held["why"], evidence=scene.quote(paced.evidence))


def _absent(scene: Scene, dim: Mapping[str, Any]) -> DimScore | None:
    chance = dim.get("chance")
    if not chance or not _called_for(scene, chance):
        return None
    absent = dim["absent"]
    return DimScore(score=float(absent["score"]), why=absent["why"], evidence=scene.first_sentence)


def _called_for(scene: Scene, chance: Mapping[str, Any]) -> bool:
    return scene.act in chance["always"] or (scene.act in chance["acts"] and scene.anger >= chance["anger"])

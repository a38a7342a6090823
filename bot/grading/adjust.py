"""What code adds to or takes from a talk as a whole: penalties, bonuses, and the red-line caps.

Each finding names the turn and the learner's words. Points and caps are those of ``session_composition`` in
``knowledge/rubric.yaml``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.grading.dims import hits
from bot.grading.scene import Harm, Scene
from bot.records import DIMENSIONS, Adjustment, Technique
from bot.scenarios import Library


@dataclass(frozen=True)
class Talk:
    """A talk to be graded as a whole. `complete` False: it was broken off and no ending can be expected.

    `fresh`: the turn from which slips count, where earlier ones have been paid for with an attempt (the five gates).
    """

    scenes: tuple[Scene, ...]
    library: Library
    hints: int = 0
    complete: bool = True
    fresh: int = 1

    @property
    def rules(self) -> Mapping[str, Any]:
        """How a talk is composed into a total."""
        found: Mapping[str, Any] = self.library.rubric["session_composition"]
        return found

    @property
    def last(self) -> Scene:
        """The last reply."""
        return self.scenes[-1]

    def shown(self, codes: Sequence[str], quality: float = 0.0) -> tuple[tuple[Scene, Technique], ...]:
        """Every time one of some techniques was shown at least so well, in order."""
        return tuple((s, t) for s in self.scenes for t in s.techniques if t.code in codes and t.quality >= quality)

    def harms(self, *codes: str) -> tuple[tuple[Scene, Harm], ...]:
        """Every harm of some codes (all without codes), in order of turns."""
        return tuple((s, h) for s in self.scenes for h in s.harms if not codes or h.code in codes)

    def settled(self, wanted: Sequence[str], since: int = 1) -> bool:
        """Whether the customer came to accept at or after a turn."""
        return any(
            s.turn.act.behaviour in wanted or s.turn.mind.settled in wanted for s in self.scenes if s.turn.n >= since
        )

    @property
    def unclosed(self) -> bool:
        """Whether a talk long enough to need an ending ended without one."""
        rule = self.rules["penalty_points"]["no_close"]
        if not self.complete or len(self.scenes) < rule["from_turns"]:
            return False
        return not any(s.best(rule["codes"]) for s in self.scenes[-rule["within_last"] :])


@dataclass(frozen=True)
class Finding:
    """An adjustment and the dimensions it caps."""

    adjustment: Adjustment
    caps: dict[str, float] = field(default_factory=dict)


def penalties(talk: Talk) -> tuple[Finding, ...]:
    """Every penalty that applies, each once."""
    found: list[Finding] = []
    for rule in _PENALTIES:
        found += rule(talk, talk.rules["penalty_points"])
    return tuple(found)


def _penalty(rule: Mapping[str, Any], scene: Scene | None, evidence: str = "", times: int = 1) -> Finding:
    turn = scene.turn.n if scene else 0
    words = scene.quote(evidence) if scene else ""
    made = Adjustment(name=rule["name"], points=float(rule["points"] * times), turn=turn, evidence=words)
    return Finding(made, dict(rule.get("cap", {})))


def _led_too_early(talk: Talk, points: Mapping[str, Any]) -> list[Finding]:
    slips = []
    for scene in talk.scenes:
        slip = scene.order_harm or scene.out_of_order
        if slip and not _explained_vent(scene):  # explaining to a vent is penalised as that, once
            slips.append((scene, slip.evidence))
    if not slips:
        return []
    again = len(slips) > 1
    return [_penalty(points["lead_again" if again else "lead_first"], *slips[1 if again else 0])]


def _explained_vent(scene: Scene) -> Harm | None:
    if scene.act != "vent":
        return None
    return next((h for h in scene.harms if h.code in scene.rules["explain_codes"]), None)


def _vents_explained(talk: Talk, points: Mapping[str, Any]) -> list[Finding]:
    for scene in talk.scenes:
        harm = _explained_vent(scene)
        if harm:
            return [_penalty(points["vent_explained"], scene, harm.evidence)]
    return []


def unanswered_allegation(talk: Talk) -> Scene | None:
    """The first allegation that nothing in the rest of the talk took up; an unfinished talk may still do so."""
    for i, scene in enumerate(talk.scenes):
        if scene.act != "allege":
            continue
        rest = talk.scenes[i:]
        answered = any(s.best(s.rules["allege_answers"]) or s.turn.appraisal.ticket for s in rest)
        if not answered and talk.complete:
            return scene
    return None


def _allegations(talk: Talk, points: Mapping[str, Any]) -> list[Finding]:
    scene = unanswered_allegation(talk)
    return [_penalty(points["allege_unanswered"], scene)] if scene else []


def _canned(talk: Talk, points: Mapping[str, Any]) -> list[Finding]:
    rule, found = points["canned_repeat"], talk.harms("canned_script")
    if len(found) <= rule["more_than"]:
        return []
    scene, harm = found[rule["more_than"]]
    return [_penalty(rule, scene, harm.evidence)]


def _promises(talk: Talk, points: Mapping[str, Any]) -> list[Finding]:
    mind = talk.library.mind_rules
    made = False
    for scene in talk.scenes:
        retracted = [t.evidence for t in scene.techniques if t.code in mind["promise_retracted_by"]]
        retracted += [h.evidence for h in scene.harms if h.code in mind["promise_retracted_by"]]
        noticed = any(c.cause == "promise_broken" for c in scene.turn.changes)
        if made and (retracted or noticed):
            return [_penalty(points["promise_broken"], scene, retracted[0] if retracted else "")]
        made = made or any(h.code in mind["promises"] for h in scene.harms)
    return []


def _unclosed(talk: Talk, points: Mapping[str, Any]) -> list[Finding]:
    return [_penalty(points["no_close"], talk.last)] if talk.unclosed else []


def _hints(talk: Talk, points: Mapping[str, Any]) -> list[Finding]:
    return [_penalty(points["hint"], None, times=talk.hints)] if talk.hints > 0 else []


_PENALTIES: tuple[Callable[[Talk, Mapping[str, Any]], list[Finding]], ...] = (
    _led_too_early, _vents_explained, _allegations, _canned, _promises, _unclosed, _hints,
)  # fmt: skip


def crowded_dimensions(talk: Talk) -> dict[str, float]:
    """Dimensions that several anti-patterns hit, and what they are capped to."""
    rule = talk.rules["penalty_points"]["same_dimension"]
    counts = {d: sum(d in hits(talk.library, h) for _, h in talk.harms() if h.level == "anti") for d in DIMENSIONS}
    return {d: float(rule["cap_to"]) for d, n in counts.items() if n >= rule["count"]}


def bonuses(talk: Talk) -> tuple[Adjustment, ...]:
    """Every bonus earned, each once; the total cap is applied by the report."""
    rules = talk.rules["bonus_points"]
    found = (
        _need_told(talk, rules["need_told"]),
        _third_option(talk, rules["third_option"]),
        _crisis(talk, rules["crisis"]),
    )
    return tuple(b for b in found if b)


def _bonus(rule: Mapping[str, Any], scene: Scene, evidence: str) -> Adjustment:
    return Adjustment(
        name=rule["name"], points=float(rule["points"]), turn=scene.turn.n, evidence=scene.quote(evidence)
    )


def _need_told(talk: Talk, rule: Mapping[str, Any]) -> Adjustment | None:
    scene = next((s for s in talk.scenes if rule["fact"] in s.turn.mind.told), None)
    if scene is None:
        return None
    best = scene.best([t.code for t in scene.techniques])
    return _bonus(rule, scene, best.evidence if best else "")


def _third_option(talk: Talk, rule: Mapping[str, Any]) -> Adjustment | None:
    if any(h.level != "anti" for _, h in talk.harms()):
        return None
    for scene, technique in talk.shown(rule["codes"]):
        if talk.settled(rule["settled"], since=scene.turn.n):
            return _bonus(rule, scene, technique.evidence)
    return None


def _crisis(talk: Talk, rule: Mapping[str, Any]) -> Adjustment | None:
    if any(s.missed_crisis for s in talk.scenes):
        return None
    refers = re.compile("|".join(map(re.escape, rule["referral"])))
    for scene, technique in talk.shown(rule["codes"], rule["quality"]):
        if scene.act == "crisis" and refers.search(scene.turn.reply):
            return _bonus(rule, scene, technique.evidence)
    return None


def caps(talk: Talk) -> tuple[Finding, ...]:
    """The strictest red-line cap with every reply that caused it; empty when nothing caps the total.

    Milder caps cannot bind under a stricter one and are left out; what caused them stays in the turns' verdicts.
    """
    rules = talk.rules["red_line_caps"]
    causes: dict[str, list[tuple[Scene, str]]] = {
        "crisis_missed": [(s, "") for s in talk.scenes if s.missed_crisis],
        "fatal": [(s, h.evidence) for s, h in talk.harms() if h.level == "fatal"],
        "serious": [(s, h.evidence) for s, h in talk.harms() if h.level == "serious"],
        "anti_severity3": [(s, h.evidence) for s, h in talk.harms() if h.level == "anti" and h.severity >= 3],
    }
    kinds = sorted((rules[k]["cap"], k) for k, found in causes.items() if found)
    if not kinds:
        return ()
    cap, kind = kinds[0]
    return tuple(
        Finding(
            Adjustment(name=rules[kind]["name"], points=float(cap), turn=s.turn.n, evidence=s.quote(words)),
            dict(rules[kind].get("dims", {})),
        )
        for s, words in causes[kind]
    )


def grave_dimensions(talk: Talk) -> dict[str, float]:
    """Dimension caps that breaches and grave anti-patterns set, whichever caps the total."""
    rules = talk.rules["red_line_caps"]
    found: dict[str, float] = {}
    for _, harm in talk.harms():
        if harm.level != "anti":
            limits = rules[harm.level]["dims"]
        elif harm.severity >= 3:
            limits = dict.fromkeys(hits(talk.library, harm), rules["anti_severity3"]["hit_dims"])
        else:
            continue
        for dim, limit in limits.items():
            found[dim] = min(float(limit), found.get(dim, 5.0))
    return found

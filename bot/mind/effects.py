"""What a reply's labels do to the eight variables: gate, novelty, stacking, traits, caps, saturation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.records import VARIABLES, Change, Mind

Rules = dict[str, Any]
Delta = dict[str, float]


@dataclass(frozen=True)
class Push:
    """One label's pull on the customer before scaling: base effects times strength, harmful or not."""

    code: str
    base: Sequence[float]
    strength: float
    harmful: bool

    @property
    def weight(self) -> float:
        return sum(abs(x) for x in self.base) * self.strength


@dataclass
class Tally:
    """The summed movement of one turn, kept per cause so that every change can be explained."""

    parts: dict[str, Delta] = field(default_factory=dict)

    def add(self, cause: str, variable: str, amount: float) -> None:
        """Add an amount to one variable under a cause."""
        if amount:
            bucket = self.parts.setdefault(cause, {})
            bucket[variable] = bucket.get(variable, 0.0) + amount

    def total(self, variable: str) -> float:
        """The sum over causes."""
        return sum(part.get(variable, 0.0) for part in self.parts.values())

    def scale(self, variable: str, factor: float) -> None:
        """Multiply one variable's movement, whatever caused it."""
        for part in self.parts.values():
            if variable in part:
                part[variable] *= factor


def clamp(value: float, low: float = 0.0, high: float = 100.0) -> float:
    """A value kept within bounds."""
    return max(low, min(high, value))


def gate(reason: float, paced: bool, rules: Rules) -> float:
    """How far reason is online, 0–1: below `closed_below`, solutions and explanations backfire."""
    g = rules["gate"]
    opened = clamp((reason - g["from"]) / g["span"], 0, 1)
    return min(1.0, opened + (g["paced_bonus"] if paced else 0))


def push(code: str, quality: float, harmful: bool, recent: Sequence[str], opened: float, rules: Rules) -> Push:
    """One label as a push, after novelty and the reason gate."""
    base = rules["effects"][code]
    if harmful:
        return Push(code, base, quality, True)
    strength = quality * rules["novelty"]["factor"] ** recent.count(code)
    g = rules["gate"]
    if code in g["codes"]:
        if opened < g["closed_below"]:
            instead = "early_explain" if code in g["as_early_explain"] else "premature_lead"
            return Push(code, rules["effects"][instead], g["backfire"], True)
        strength *= opened
    return Push(code, base, strength, False)


def moderated(variable: str, amount: float, traits: dict[str, float], default: float) -> float:
    """An amount after the customer's traits (irritable people calm down less, suspicious ones trust less)."""

    def trait(name: str) -> float:
        return traits.get(name, default)

    agent = 1 - 0.6 * traits.get("black_agent", 0.0)
    rising = amount > 0
    if variable == "A":
        return amount * (0.7 + 0.6 * trait("irritability") if amount >= 0 else 1 - 0.35 * trait("irritability"))
    if variable == "T":
        return amount * ((1 - 0.4 * trait("suspicion")) * agent if rising else 0.8 + 0.4 * trait("suspicion"))
    if variable == "S":
        return amount * (0.5 + trait("face"))
    if variable in "CH" and rising:
        return amount * (0.6 + 0.8 * trait("openness")) * (agent if variable == "C" else 1)
    if variable == "D" and not rising:
        return amount * (1.1 - 0.3 * trait("desperation"))
    if variable == "X" and rising:
        return amount * (0.7 + 0.6 * trait("desperation"))
    return amount


def tally(pushes: Sequence[Push], traits: dict[str, float], rules: Rules) -> Tally:
    """All pushes summed: the strongest counts in full, each further one of its kind less and less."""
    result, rank = Tally(), {True: 0, False: 0}
    stack = rules["stack"]
    for item in sorted(pushes, key=lambda p: -p.weight):
        kind = "bad" if item.harmful else "good"
        factor = item.strength * rules["scale"][kind] * stack[min(rank[item.harmful], len(stack) - 1)]
        rank[item.harmful] += 1
        for variable, base in zip(VARIABLES, item.base, strict=True):
            result.add(item.code, variable, moderated(variable, base * factor, traits, rules["trait_default"]))
    return result


def settle(before: Mind, moved: Tally, traits: dict[str, float], rules: Rules) -> tuple[dict[str, float], Delta]:
    """The new values and the effective deltas, after turn caps, soft saturation and residual floors."""
    values, deltas = {}, {}
    for variable in VARIABLES:
        value, raw = before.values[variable], moved.total(variable)
        low, high = rules["turn_caps"][variable]
        delta = clamp(raw, low, high)
        room = (100 - value) / rules["saturation"]["up"] if delta > 0 else value / rules["saturation"]["down"]
        delta *= min(1.0, room)
        if raw:
            moved.scale(variable, delta / raw)
        values[variable] = clamp(value + delta)
        deltas[variable] = delta
    return _residual(values, traits, rules), deltas


def _residual(values: dict[str, float], traits: dict[str, float], rules: Rules) -> dict[str, float]:
    for variable, bound in rules["residual"].items():
        for kind, (base, slope, trait) in bound.items():
            limit = base + slope * traits.get(trait, rules["trait_default"])
            choose = max if kind == "at_least" else min
            values[variable] = choose(values[variable], float(limit))
    return values


def explained(moved: Tally) -> tuple[Change, ...]:
    """Every cause's share of every movement, biggest first; movements under 0.05 are left out."""
    found = [
        Change(variable=variable, delta=round(amount, 2), cause=cause)
        for cause, part in moved.parts.items()
        for variable, amount in part.items()
        if abs(amount) >= 0.05
    ]
    return tuple(sorted(found, key=lambda c: (-abs(c.delta), c.variable, c.cause)))


def weighted(values: dict[str, float], weights: dict[str, float]) -> float:
    """A weighted sum over the variables that have a weight."""
    return sum(weights[v] * values[v] for v in VARIABLES if v in weights)

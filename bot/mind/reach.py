"""Whether a case can be won at all: the best of play, reply after reply, against the mind as it is calibrated."""

from __future__ import annotations

from bot.mind.engine import MindRules, start, step
from bot.records import Appraisal, Persona, Scenario, Technique

_BEST: tuple[tuple[str, ...], ...] = (
    ("vent_hold", "pace_fact", "pace_emotion", "isolate_scene"),
    ("pace_expectation", "pace_emotion", "people_centered", "isolate_scene"),
    ("pace_motive", "pace_fact", "privacy_guard", "isolate_scene"),
    ("probe_6w3h", "same_side", "give_before_ask"),
    ("iceberg_dig", "pace_emotion", "same_side"),
    ("soft_explain", "pace_expectation", "peak_moment"),
    ("third_option", "lead_solution", "small_help"),
    ("refuse_concede", "pace_motive", "give_before_ask"),
)
_TURNS = 14  # nobody practises longer than this with one customer
_SETTLED = {"accept", "provisional_accept"}


def reachable(scenario: Scenario, rules: MindRules, persona: Persona | None = None) -> bool:
    """Whether near-perfect play brings this customer to at least a trial before the talk is too long."""
    mind = start(scenario, persona, rules)
    for n in range(_TURNS):
        codes = _BEST[n % len(_BEST)] + (("crisis_safety",) if n < 3 and scenario.goal == "safe" else ())
        shown = tuple(Technique(code=c, quality=1.3, evidence="", start=i) for i, c in enumerate(codes))
        done = step(mind, Appraisal(techniques=shown, ticket=True), scenario, rules, persona)
        mind = done.mind
        if _SETTLED & set(done.act.allowed):
            return True
    return False

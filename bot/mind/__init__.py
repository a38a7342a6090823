"""The customer's mind: Mind x Appraisal -> Mind, pure and deterministic.

`step` is the whole of it: effects move eight variables, reason and stage follow, and from the behaviours the
thresholds allow one act is chosen. All numbers live in ``knowledge/mind.yaml``; none of them is a measurement of
people, they are a calibration that trainers may change. No model, clock or randomness is used here.
"""

from bot.mind.engine import MindRules, at_risk, start, step
from bot.mind.reach import reachable

__all__ = ["MindRules", "at_risk", "reachable", "start", "step"]

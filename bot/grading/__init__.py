"""The slow reader: feedback on one reply and the report of a talk, by rules alone.

Every number is computed here from stored turns and ``knowledge/rubric.yaml``; a model's verdicts (see `judge`) are
added beside them and never change them.
"""

from bot.grading.feedback import grade_turn
from bot.grading.gate_run import gate_run
from bot.grading.hints import STEPS as HINT_STEPS
from bot.grading.hints import hint
from bot.grading.report import cap_codes, report

__all__ = ["HINT_STEPS", "cap_codes", "gate_run", "grade_turn", "hint", "report"]

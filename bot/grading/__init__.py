"""The slow reader: feedback on one reply and the report of a talk, by rules alone.

Every number is computed here from stored turns and ``knowledge/rubric.yaml``; a model's verdicts (see `judge`) are
added beside them and never change them.
"""

from bot.grading.feedback import grade_turn
from bot.grading.report import cap_codes, report

__all__ = ["cap_codes", "grade_turn", "report"]

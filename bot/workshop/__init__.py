"""Cases and personas as trainers make them: drafts, checks, versions, trial talks, regressions, files in and out."""

from bot.workshop.check import problems
from bot.workshop.desk import Item, Workshop, plain, title_of
from bot.workshop.words import Difference, differences

__all__ = ["Difference", "Item", "Workshop", "differences", "plain", "problems", "title_of"]

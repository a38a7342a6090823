"""Everything that is kept: one database, one repository per subject. The only package that knows SQL."""

from bot.records import Entry
from bot.store.database import Database
from bot.store.marks import Marks
from bot.store.practice import Practice
from bot.store.preferences import Preferences
from bot.store.talks import LOCAL_OWNER, Store

__all__ = ["LOCAL_OWNER", "Database", "Entry", "Marks", "Practice", "Preferences", "Store"]

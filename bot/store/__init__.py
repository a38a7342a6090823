"""Everything that is kept: one database, one repository per subject. The only package that knows SQL."""

from bot.store.contents import Contents
from bot.store.database import Database
from bot.store.marks import Marks
from bot.store.memory import Memory
from bot.store.practice import Practice
from bot.store.talks import LOCAL_OWNER, Entry, Store

__all__ = ["LOCAL_OWNER", "Contents", "Database", "Entry", "Marks", "Memory", "Practice", "Store"]

"""Everything that is kept: one database, one repository per subject. The only package that knows SQL."""

from bot.records import Entry
from bot.store.audit import Audit
from bot.store.backup import load, save
from bot.store.contents import Contents
from bot.store.database import Database
from bot.store.groups import Groups
from bot.store.marks import Marks
from bot.store.memory import Memory
from bot.store.overview import MOST, Activity, Due, Overview, Tally
from bot.store.people import People
from bot.store.practice import Practice
from bot.store.preferences import Preferences
from bot.store.retention import Retention
from bot.store.reviews import Reviews
from bot.store.talks import LOCAL_OWNER, Store
from bot.store.users import Users

__all__ = [
    "LOCAL_OWNER", "MOST", "Activity", "Audit", "Contents", "Database", "Due", "Entry", "Groups", "Marks", "Memory", "Overview",
    "People", "Practice", "Preferences", "Retention", "Reviews", "Store", "Tally", "Users", "load", "save",
]  # fmt: skip

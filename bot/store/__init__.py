"""Everything that is kept: one database, one repository per subject. The only package that knows SQL."""

from bot.store.backup import load, save
from bot.store.database import Database
from bot.store.people import People
from bot.store.talks import LOCAL_OWNER, Entry, Store

__all__ = ["LOCAL_OWNER", "Database", "Entry", "People", "Store", "load", "save"]

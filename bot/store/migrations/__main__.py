"""Writes the next revision: ``python -m bot.store.migrations "what changed"``."""

from __future__ import annotations

import sys
from typing import Any

from alembic import command
from sqlalchemy import create_engine

from bot.store.migrations import config, revisions, upgrade


def main(message: str) -> None:
    """Compare the tables with what the revisions make, in an empty database, and write down the difference."""
    with create_engine("sqlite://").connect() as connection:
        upgrade(connection)
        command.revision(
            config(connection), message, autogenerate=True, rev_id=f"r{len(revisions()) + 1:04d}",
            process_revision_directives=_nothing_for_nothing,
        )  # fmt: skip


def _nothing_for_nothing(_context: Any, _revision: Any, directives: list[Any]) -> None:
    if directives[0].upgrade_ops.is_empty():
        directives.clear()
        print("表没有变化，不需要新的版本。")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit('用法：python -m bot.store.migrations "what changed"')
    main(sys.argv[1])

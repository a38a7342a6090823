"""Talks: sessions, turns, calls, grades, reports, debriefs.

Released versions made these tables without revisions, and the first of them not all: what is there is left as it is.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("owner", sa.String(80), nullable=False),
        sa.Column("scenario", sa.String(16), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("snapshot", sa.JSON(), nullable=False),
        sa.Column("started_at", sa.String(40), nullable=False),
        sa.Column("ended", sa.String(20), nullable=False),
        sa.Column("turn_count", sa.Integer(), nullable=False),
        sa.Column("held", sa.Text(), nullable=False),
        sa.Column("final", sa.Double(), nullable=True),
        if_not_exists=True,
    )
    op.create_index("ix_sessions_owner", "sessions", ["owner"], if_not_exists=True)
    op.create_index("ix_sessions_scenario", "sessions", ["scenario"], if_not_exists=True)
    op.create_table(
        "calls",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("session_id", sa.String(40), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_calls_session_id", "calls", ["session_id"], if_not_exists=True)
    for name in ("turns", "grades"):
        op.create_table(
            name,
            sa.Column("session_id", sa.String(40), _session(), primary_key=True),
            sa.Column("n", sa.Integer(), primary_key=True),
            sa.Column("payload", sa.JSON(), nullable=False),
            if_not_exists=True,
        )
    op.create_table(
        "reports",
        sa.Column("session_id", sa.String(40), _session(), primary_key=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "debriefs",
        sa.Column("session_id", sa.String(40), _session(), primary_key=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        if_not_exists=True,
    )


def _session() -> sa.ForeignKey:
    return sa.ForeignKey("sessions.id", ondelete="CASCADE")

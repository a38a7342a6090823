"""A limit on calls to one endpoint that all replicas share, kept by the PostgreSQL server they share.

A place is an advisory lock of a connection: a replica that dies gives its places back by dying.
"""

from __future__ import annotations

import logging
import random
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from bot.errors import ModelError
from bot.model.limits import BUSY, Gate
from bot.store.database import Database

log = logging.getLogger("huasu.places")
POLL = 0.05
_LOCK = text("SELECT pg_try_advisory_lock(:key, :place)")
_dice = random.SystemRandom()


class Places(Gate):
    """At most so many calls at once over all replicas. Without the server the limit holds within the process."""

    def __init__(self, database: Database, endpoint: str, places: int) -> None:
        super().__init__(places)
        self._count = places
        self._key = zlib.crc32(endpoint.encode()) - 2**31  # PostgreSQL's integers have a sign
        self._engine = create_engine(database.engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")

    @contextmanager
    def entered(self, seconds: float) -> Iterator[None]:
        """A place, held while the call lasts. Raises `ModelError` when none came free in time."""
        deadline = time.monotonic() + seconds
        with super().entered(seconds):
            connection = self._connection()
            try:
                if connection is not None:
                    self._wait(connection, deadline)
                yield
            finally:
                if connection is not None:
                    connection.invalidate()  # closing it for good is what gives the place back
                    connection.close()

    def _connection(self) -> Connection | None:
        try:
            return self._engine.connect()
        except SQLAlchemyError as error:
            log.warning("no shared limit: %s", type(error).__name__)
            return None

    def _wait(self, connection: Connection, deadline: float) -> None:
        order = list(range(self._count))
        _dice.shuffle(order)
        while True:
            try:
                if any(connection.scalar(_LOCK, {"key": self._key, "place": place}) for place in order):
                    return
            except SQLAlchemyError as error:
                log.warning("no shared limit: %s", type(error).__name__)
                return
            if time.monotonic() + POLL >= deadline:
                raise ModelError(BUSY, retryable=False, ours=True)
            time.sleep(POLL)


def gate(database: Database, endpoint: str, places: int) -> Gate | None:
    """The limit all replicas share; None where the database is a file and there is nobody to share it with."""
    return Places(database, endpoint, places) if database.engine.dialect.name == "postgresql" else None

"""What the service says about itself: log lines and figures, with session and turn, and never a word anybody said."""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import wraps
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from bot.errors import ConflictError, LearnerError

if TYPE_CHECKING:
    from bot.model import Call

Say = TypeVar("Say", bound=Callable[..., Any])
log = logging.getLogger("huasu.turn")
_where: ContextVar[tuple[str, int] | None] = ContextVar("where", default=None)
_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60)


def measured(say: Say) -> Say:
    """Around `Session.say`: every log line in it names session and turn, and how it went is counted."""

    @wraps(say)
    def around(talk: Any, *args: Any, **kwargs: Any) -> Any:
        mark, start, outcome = _where.set((talk.id, len(talk.turns) + 1)), time.perf_counter(), "failed"
        try:
            made = say(talk, *args, **kwargs)
            outcome = "stored"
            return made
        except ConflictError:
            outcome = "conflict"
            raise
        except LearnerError:
            outcome = "refused"
            raise
        finally:
            seconds = time.perf_counter() - start
            figures.turn(outcome, seconds)
            (log.warning if outcome == "failed" else log.info)("turn %s in %.3f s", outcome, seconds)
            _where.reset(mark)

    return cast(Say, around)


class Figures:
    """The counters, once somebody wants them; until then counting costs nothing."""

    def __init__(self) -> None:
        self._turns: Any = None
        self._calls: Any = None

    def serve(self, port: int, host: str = "127.0.0.1") -> None:
        """Offer the figures to Prometheus on a port of their own, from now on."""
        from prometheus_client import Histogram, start_http_server

        if self._turns is None:
            self._turns = Histogram(
                "huasu_turn_seconds", "A learner's turn, by outcome.", ["outcome"], buckets=_BUCKETS
            )
            self._calls = Histogram(
                "huasu_model_call_seconds", "Calls to a model.", ["purpose", "outcome"], buckets=_BUCKETS
            )
        start_http_server(port, host)

    def turn(self, outcome: str, seconds: float) -> None:
        """One attempt at a turn."""
        if self._turns is not None:
            self._turns.labels(outcome).observe(seconds)

    def call(self, call: Call) -> None:
        """One call to a model."""
        if self._calls is not None:
            self._calls.labels(call.purpose, "failed" if call.error else "answered").observe(call.seconds)


figures = Figures()


def configure(level: str, as_json: bool) -> None:
    """How this process writes its log: for people, or one JSON object a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines() if as_json else logging.Formatter("%(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level="WARNING", handlers=[handler], force=True)
    logging.getLogger("huasu").setLevel(level)


class Lines(logging.Formatter):
    """One JSON object a line. What others' code puts into its messages is left out: it may be what somebody said."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        ours = record.name.split(".")[0] == "huasu"
        said: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage() if ours else str(record.msg)[:200],
        }
        if where := _where.get():
            said["session"], said["turn"] = where
        if record.exc_info and record.exc_info[0]:
            said["error"], said["trace"] = record.exc_info[0].__name__, _frames(record.exc_info[2])
        return json.dumps(said, ensure_ascii=False)


def _frames(trace: TracebackType | None) -> list[str]:
    return [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(trace)]

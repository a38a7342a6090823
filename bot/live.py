"""Turns in the making, in threads of their own: a page that is interrupted or reloaded finds its turn again.

The thread, not the page, finishes the turn and stores it whole; pages only listen.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from bot.session import Session

_running: dict[str, Live] = {}
_lock = threading.Lock()


class Live:
    """One turn being made."""

    def __init__(self, session: Session, reply: str) -> None:
        self.reply = reply
        self.error: Exception | None = None
        self._session, self._heard, self._done = session, list[str](), False
        self._changed = threading.Condition()

    def follow(self) -> Iterator[str]:
        """Everything he has said so far, again each time there is more, until the turn is stored. Raises its error."""
        seen = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._done or len(self._heard) > seen)  # noqa: B023
                seen, done = len(self._heard), self._done
            if done:
                break
            yield "".join(self._heard)
        if self.error:
            raise self.error

    def run(self) -> None:
        """Make the turn."""
        try:
            self._session.say(self.reply, self._hear)
        except Exception as error:
            self.error = error
        finally:
            with _lock:
                _running.pop(self._session.id, None)
            with self._changed:
                self._done = True
                self._changed.notify_all()

    def _hear(self, sentence: str) -> None:
        with self._changed:
            self._heard.append(sentence)
            self._changed.notify_all()


def start(session: Session, reply: str) -> Live:
    """Begin a turn, or join the one that is being made for this session."""
    with _lock:
        live = _running.get(session.id)
        if live is None:
            live = _running[session.id] = Live(session, reply)
            threading.Thread(target=live.run, name="huasu-turn", daemon=True).start()
        return live


def running(session_id: str) -> Live | None:
    """The turn that is being made for a session, if any."""
    with _lock:
        return _running.get(session_id)


def drain(seconds: float) -> bool:
    """Wait until the turns in the making are stored, before the process ends; whether all were."""
    deadline = time.monotonic() + seconds
    while _running and time.monotonic() < deadline:
        time.sleep(0.05)
    return not _running


def warm(session: Session) -> None:
    """Warm a session's model up in the background."""
    threading.Thread(target=session.warm, name="huasu-warm", daemon=True).start()

"""What keeps a bad endpoint from hurting a talk: how many calls at once, when to stop trying, how long to wait."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

from bot.errors import ModelError

FAILURES, COOL_OFF = 3, 30.0
BUSY = "同时在用模型的人太多，这一次没有排上。"
RESTING = "模型服务连续出错，先歇 {seconds:.0f} 秒再试。"
_dice = random.SystemRandom()


class Gate:
    """At most so many calls at once; one more waits its turn within its own time."""

    def __init__(self, places: int) -> None:
        self._places = threading.BoundedSemaphore(places)

    @contextmanager
    def entered(self, seconds: float) -> Iterator[None]:
        """A place, held while the call lasts. Raises `ModelError` when none came free in time."""
        if not self._places.acquire(timeout=max(0.0, seconds)):
            raise ModelError(BUSY, retryable=False, ours=True)
        try:
            yield
        finally:
            self._places.release()


@lru_cache(maxsize=32)
def shared_gate(base_url: str, places: int) -> Gate:
    """The gate of an endpoint: one for the whole process."""
    return Gate(places)


class Breaker:
    """Stops asking an endpoint that keeps failing, lets one call through after a rest, and starts over if it works."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, failures: int = FAILURES) -> None:
        self._clock, self._limit = clock, failures
        self._failed, self._until = 0, 0.0
        self._lock = threading.Lock()

    def check(self) -> None:
        """Raises `ModelError` while the endpoint is left alone."""
        with self._lock:
            left = self._until - self._clock()
            if left > 0:
                raise ModelError(RESTING.format(seconds=left), retryable=False, ours=True)
            if self._failed >= self._limit:
                self._until = self._clock() + COOL_OFF  # this call is the probe; the others wait for its outcome

    def worked(self) -> None:
        """A call came through."""
        with self._lock:
            self._failed, self._until = 0, 0.0

    def failed(self, wait: float = 0.0) -> None:
        """A call failed; `wait` is how long the endpoint itself asked to be left alone."""
        with self._lock:
            self._failed += 1
            rest = max(wait, COOL_OFF if self._failed >= self._limit else 0.0)
            self._until = max(self._until, self._clock() + rest) if rest else self._until


def pause(attempt: int, asked: float) -> float:
    """Seconds before the next attempt: doubling, with jitter, and never less than the endpoint asked for."""
    return max(asked, 0.4 * float(2**attempt) * _dice.uniform(0.75, 1.25))

"""A named model: asked in words, in a stream of words, or for a typed answer.

Every call has a purpose name, a time budget that includes its retries, and fails as one `ModelError` in plain
Chinese. Every call is recorded as it was sent and answered; keys never are.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel

from bot.errors import ModelError
from bot.model import typed
from bot.model.cache import Cache
from bot.model.calls import Call, Message, Recorder, Usage, deadline_now, session_now
from bot.model.limits import Breaker, Gate, pause
from bot.model.wire import Wire

T = TypeVar("T", bound=BaseModel)
log = logging.getLogger("huasu.model")
EMPTY = "模型返回了空白内容。"
LEFT = "没有听完就停下了。"


@dataclass
class _Work:
    """A call in progress."""

    purpose: str
    messages: Sequence[Message]
    options: dict[str, Any]
    whole: bool
    start: float
    blank_ok: bool = False
    sample: int = 0
    attempts: int = 0
    first: float = 0.0
    said: list[str] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)


class Model:
    """A named model behind one endpoint. Thread-safe; keep it, its connections stay open."""

    def __init__(
        self, name: str, *, base_url: str = "", api_key: str = "", budget: float = 20.0, retries: int = 2,
        temperature: float = 0.7, max_tokens: int = 400, gate: Gate | None = None, cache: Cache | None = None,
        record: Recorder | None = None, prices: tuple[float, float] = (0.0, 0.0),
        clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        """`prices` are per million tokens, of the question and of the answer."""
        self.name = name
        self._matters = {"url": base_url, "model": name, "temperature": temperature, "max_tokens": max_tokens}
        self._wire = Wire(name, base_url, api_key, temperature, max_tokens)
        self._budget, self._retries, self._prices = budget, retries, prices
        self._gate, self._cache, self._record = gate or Gate(4), cache, record
        self._clock, self._sleep, self.breaker = clock, sleep, Breaker(clock)
        self.mode: typed.Mode = "schema"

    def ask(self, purpose: str, messages: Sequence[Message]) -> str:
        """The model's whole answer, thinking stripped. Raises `ModelError` once the budget or the retries are spent."""
        return self._whole(purpose, messages, {})

    def stream(self, purpose: str, messages: Sequence[Message]) -> Iterator[str]:
        """The answer piece by piece. Retried only until the first piece; close it to make the server stop."""
        return self._answered(_Work(purpose, messages, {}, whole=False, start=self._clock()))

    def ask_as(self, purpose: str, messages: Sequence[Message], kind: type[T], sample: int = 0) -> T:
        """A typed answer: by JSON schema, tool call, JSON mode or in text, whichever the endpoint can; repaired once.

        `sample` numbers the answers when the same thing is asked several times.
        """
        for mode in typed.MODES[typed.MODES.index(self.mode) :]:
            try:
                found = self._parsed(purpose, messages, kind, typed.options(kind, mode), sample)
            except typed.UnsupportedError:
                continue
            self.mode = mode
            return found
        raise ModelError("模型不能按格式回答。", retryable=False)

    def warm(self, messages: Sequence[Message]) -> None:
        """Load the client and have the server read a prompt's beginning ahead of time. Never raises for the model's sake."""
        try:
            self._wire.open()
            work = _Work("warm", messages, {"max_tokens": 1}, whole=True, start=self._clock(), blank_ok=True)
            work.attempts = self._retries  # worth one try, no more
            "".join(self._answered(work))
        except ModelError as error:
            log.info("warming up failed: %s", error)

    def _parsed(
        self, purpose: str, messages: Sequence[Message], kind: type[T], options: dict[str, Any], sample: int
    ) -> T:
        try:
            answer = self._whole(purpose, messages, options, sample)
        except ModelError as error:
            if options and error.unsupported:
                raise typed.UnsupportedError from None
            raise
        try:
            return typed.parse(answer, kind)
        except ValueError as wrong:
            fix = Message("user", f"上面的回答不符合要求的 JSON 格式（{wrong}）。请只输出一个合格的 JSON 对象。")
            again = [*messages, Message("assistant", answer[:2000]), fix]
        answer = self._whole(f"{purpose}-repair", again, options, sample)
        try:
            return typed.parse(answer, kind)
        except ValueError:
            raise ModelError("模型两次都没有按格式回答。") from None

    def _whole(self, purpose: str, messages: Sequence[Message], options: dict[str, Any], sample: int = 0) -> str:
        work = _Work(purpose, messages, options, whole=True, start=self._clock(), sample=sample)
        return "".join(self._answered(work)).strip()

    def _answered(self, work: _Work) -> Iterator[str]:
        key = Cache.key(work.messages, {**self._matters, "options": work.options, "sample": work.sample})
        if self._cache and (kept := self._cache.get(key)) is not None:
            work.said.append(kept)
            self._note(work, cached=True)
            yield kept
            return
        error = LEFT  # what is true when the caller stops listening
        try:
            yield from self._tried(work)
            error = ""
        except ModelError as failure:
            error = str(failure)
            raise
        finally:
            self._note(work, error)
        if self._cache:
            self._cache.put(key, "".join(work.said))

    def _tried(self, work: _Work) -> Iterator[str]:
        self.breaker.check()
        while True:
            work.attempts += 1
            work.said.clear()
            try:
                yield from self._attempt(work)
                self.breaker.worked()
                return
            except ModelError as error:
                self._failed(error)
                wait = pause(work.attempts - 1, error.wait)
                heard = bool(work.said) and not work.whole
                if heard or not error.retryable or work.attempts > self._retries or wait >= self._left(work):
                    raise
                self._sleep(wait)

    def _attempt(self, work: _Work) -> Iterator[str]:
        with self._gate.entered(self._left(work)):
            pieces = self._wire.pieces(work.messages, max(0.01, self._left(work)), work.options, work.usage)
            for piece in pieces:
                work.first = work.first or self._clock() - work.start
                work.said.append(piece)
                if not work.whole:
                    yield piece
        if not (work.blank_ok or "".join(work.said).strip()):
            raise ModelError(EMPTY)
        if work.whole:
            yield "".join(work.said)

    def _left(self, work: _Work) -> float:
        return min(work.start + self._budget, deadline_now()) - self._clock()

    def _failed(self, error: ModelError) -> None:
        if not error.ours and not error.unsupported:
            self.breaker.failed(error.wait)

    def _note(self, work: _Work, error: str = "", cached: bool = False) -> None:
        answer, seconds = "".join(work.said), self._clock() - work.start
        if not cached:
            work.usage.settle(work.messages, answer)
        cost = (work.usage.prompt * self._prices[0] + work.usage.answer * self._prices[1]) / 1e6
        say = log.warning if error and error != LEFT else log.info
        say("purpose=%s model=%s attempts=%d seconds=%.2f %s", work.purpose, self.name, work.attempts, seconds, error)
        if self._record:
            self._record(
                Call(
                    session=session_now(), purpose=work.purpose, model=self.name, messages=tuple(work.messages),
                    answer=answer, error=error, attempts=work.attempts, seconds=round(seconds, 4),
                    first_seconds=round(work.first, 4), prompt_tokens=work.usage.prompt,
                    answer_tokens=work.usage.answer, cost=cost, estimated=work.usage.estimated, cached=cached,
                    at=time.time(),
                )
            )  # fmt: skip

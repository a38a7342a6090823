"""One request on the wire: streamed pieces within a deadline, and every way it can go wrong as one `ModelError`."""

from __future__ import annotations

import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx
from pydantic import SecretStr

from bot.errors import ModelError
from bot.model.calls import Message, Usage

T = TypeVar("T")
_ROLES = {"system": "system", "user": "human", "assistant": "ai"}
_GARBAGE = (httpx.HTTPError, ValueError, TypeError, KeyError, AttributeError, IndexError, RuntimeError)
CONNECT_SECONDS, SPARE_CHARS = 5.0, 2000
SLOW = "模型回答得太慢，已超过时限。"
CUT = "模型的回答中途断了。"


class Wire:
    """A model behind an endpoint, with its connections kept open between calls. Safe to share between threads."""

    def __init__(self, name: str, base_url: str, api_key: str, temperature: float, max_tokens: int) -> None:
        self._name, self._base_url, self._key = name, base_url or None, SecretStr(api_key or "none")
        self._temperature, self._max_tokens = temperature, max_tokens
        self._counts = True
        self._client: Any = None
        self._lock = threading.Lock()

    def pieces(
        self, messages: Sequence[Message], seconds: float, options: dict[str, Any], usage: Usage
    ) -> Iterator[str]:
        """The answer as it comes, without thinking; closing the iterator tells the server to stop."""
        deadline = time.monotonic() + seconds
        chunks = _pumped(lambda: self._chunks(messages, seconds, options, usage), deadline)
        yield from _limited(_without_thinking(chunks), 8 * self._max_tokens + SPARE_CHARS)

    def open(self) -> None:
        """Load what a first call needs, so that no learner waits for it."""
        with self._lock:
            if self._client is None:
                from langchain_openai import ChatOpenAI  # seconds to load: only talks that use a model pay for it

                self._client = ChatOpenAI(
                    model=self._name, api_key=self._key, base_url=self._base_url, max_retries=0,
                    temperature=self._temperature, max_tokens=self._max_tokens,
                )  # fmt: skip

    def _chunks(
        self, messages: Sequence[Message], seconds: float, options: dict[str, Any], usage: Usage
    ) -> Iterator[str]:
        import openai

        self.open()
        sent = [(_ROLES[m.role], m.text) for m in messages]
        try:
            yield from self._read(sent, seconds, options, usage)
        except openai.BadRequestError as error:
            if not (self._counts and "stream_options" in str(error)):
                raise as_model_error(error) from None
            self._counts = False  # an endpoint that will not count is still an endpoint
            yield from self._chunks(messages, seconds, options, usage)
        except (openai.OpenAIError, *_GARBAGE) as error:
            raise as_model_error(error) from None

    def _read(self, sent: list[Any], seconds: float, options: dict[str, Any], usage: Usage) -> Iterator[str]:
        timeout = httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
        finished = heard = False
        for chunk in self._client.stream(sent, stream_usage=self._counts, timeout=timeout, **options):
            if counted := chunk.usage_metadata:
                usage.prompt = max(usage.prompt, counted["input_tokens"])
                usage.answer = max(usage.answer, counted["output_tokens"])
            finished = finished or bool(chunk.response_metadata.get("finish_reason"))
            said = str(chunk.text) + "".join(call.get("args") or "" for call in chunk.tool_call_chunks)
            if said:
                heard = True
                yield said
        if heard and not finished:
            raise ModelError(CUT)


def _pumped(source: Callable[[], Iterator[T]], deadline: float) -> Iterator[T]:
    """What a source yields, read in a thread of its own: neither a stuck name look-up nor a drip outlives the deadline."""
    items: queue.SimpleQueue[Any] = queue.SimpleQueue()
    left_alone = threading.Event()
    end = object()

    def read() -> None:
        try:
            for item in source():
                if left_alone.is_set():
                    return  # letting the source go closes its connection, and the server stops
                items.put(item)
            items.put(end)
        except Exception as error:
            items.put(error)

    threading.Thread(target=read, name="huasu-model", daemon=True).start()
    try:
        while (item := _next(items, deadline)) is not end:
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        left_alone.set()


def _next(items: queue.SimpleQueue[Any], deadline: float) -> Any:
    left = deadline - time.monotonic()
    try:
        if left <= 0:
            raise queue.Empty
        return items.get(timeout=left)
    except queue.Empty:
        raise ModelError(SLOW) from None


def _limited(pieces: Iterator[str], most: int) -> Iterator[str]:
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > most:
            raise ModelError("模型的回答长得没完，已经截停。", retryable=False)
        yield piece


def _without_thinking(pieces: Iterator[str]) -> Iterator[str]:
    """The pieces outside ``<think>…</think>``; what may still become a mark is held back until it is clear."""
    held, thinking = "", False
    for piece in pieces:
        held += piece
        while True:
            mark = "</think>" if thinking else "<think>"
            before, found, after = held.partition(mark)
            if not found:
                break
            if before and not thinking:
                yield before
            held, thinking = after, not thinking
        safe = len(held) - _possible(held, "</think>" if thinking else "<think>")
        if safe and not thinking:
            yield held[:safe]
        held = held[safe:]
    if held and not thinking:
        yield held


def _possible(text: str, mark: str) -> int:
    """How much of a text's end may be the beginning of a mark."""
    return next((n for n in range(min(len(mark) - 1, len(text)), 0, -1) if text.endswith(mark[:n])), 0)


def as_model_error(error: Exception) -> ModelError:
    """What a failed request means and what to do about it; never a key, never an address with one."""
    import openai

    if isinstance(error, openai.APIStatusError):
        return _status_error(error)
    if isinstance(error, openai.APITimeoutError | httpx.TimeoutException):
        return ModelError("模型超时没有回答。请检查模型服务是否过载。")
    if isinstance(error, openai.APIConnectionError | httpx.TransportError):
        return _connection_error(error)
    if isinstance(error, openai.APIError) and not isinstance(error, openai.APIResponseValidationError):
        return ModelError("模型服务在回答中途报错。请查看模型服务的日志。")
    return ModelError("模型服务返回了看不懂的内容。请确认它兼容 OpenAI 接口。")


def _status_error(error: Any) -> ModelError:
    code: int = error.status_code
    if code in (401, 403):
        return ModelError("模型服务拒绝了密钥。请检查 OPENAI_API_KEY。", retryable=False)
    if code == 404:
        return ModelError("模型服务上没有这个模型或地址。请检查模型名与 OPENAI_BASE_URL。", retryable=False)
    if code == 429:
        return ModelError("模型服务说请求太多（429）。请稍后再试。", wait=_retry_after(error.response))
    if code == 400 and re.search(r"context|maximum.{0,20}(?:length|token)|exceed", str(error), re.I):
        return ModelError("对话超过了模型能读的长度。请换上下文更长的模型或加大它的上下文设置。", retryable=False)
    wait = _retry_after(error.response) if code == 503 else 0.0
    again = code >= 500 or code in (408, 409)
    return ModelError(f"模型服务报错（{code}）。", retryable=again, wait=wait, unsupported=code in (400, 422, 501))


def _connection_error(error: BaseException) -> ModelError:
    causes, at = list[BaseException](), error
    while at is not None and len(causes) < 8:
        causes.append(at)
        at = at.__cause__ or at.__context__  # type: ignore[assignment]
    said = " ".join(str(c) for c in causes)
    if any(isinstance(c, ssl.SSLError) for c in causes) or "SSL" in said or "CERTIFICATE" in said:
        return ModelError("和模型服务的加密连接没有建成（TLS）。请检查证书，或 OPENAI_BASE_URL 该用 http 还是 https。")
    if any(isinstance(c, socket.gaierror) for c in causes) or re.search(
        r"Name or service|name resolution|getaddr", said
    ):
        return ModelError("找不到模型服务的主机名（DNS）。请检查 OPENAI_BASE_URL 的拼写和网络。")
    if any(isinstance(c, httpx.ReadError | httpx.RemoteProtocolError) for c in causes):
        return ModelError(CUT)
    return ModelError("连不上模型服务。请检查 OPENAI_BASE_URL 和服务是否已启动。")


def _retry_after(response: httpx.Response) -> float:
    said = response.headers.get("retry-after", "").strip()
    with suppress(ValueError, TypeError):
        return max(0.0, float(said))
    with suppress(ValueError, TypeError):
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    return 0.0

"""The one door to a language model: any OpenAI-compatible endpoint, inside the bank or outside.

Every call has a purpose name, a time budget that includes its retries, and fails as one `ModelError` in plain
Chinese. Keys and contents are never logged.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple, TypeVar

import httpx
from pydantic import BaseModel, SecretStr, ValidationError

from bot.errors import ModelError
from bot.settings import Settings

T = TypeVar("T", bound=BaseModel)
log = logging.getLogger("huasu.model")
_ROLES = {"system": "system", "user": "human", "assistant": "ai"}
_THINKING = re.compile(r"<think>.*?(?:</think>|\Z)", re.S)
_GARBAGE = (httpx.HTTPError, ValueError, TypeError, KeyError, AttributeError, IndexError)


class Message(NamedTuple):
    """One message of a request."""

    role: Literal["system", "user", "assistant"]
    text: str


class Model:
    """A named model behind one endpoint. Thread-safe; cheap to keep."""

    def __init__(
        self, name: str, *, base_url: str = "", api_key: str = "", budget: float = 20.0, retries: int = 2,
        temperature: float = 0.7, max_tokens: int = 400,
        clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        self.name = name
        self._base_url, self._key = base_url or None, SecretStr(api_key or "none")
        self._budget, self._retries = budget, retries
        self._temperature, self._max_tokens = temperature, max_tokens
        self._clock, self._sleep = clock, sleep

    def ask(self, purpose: str, messages: Sequence[Message]) -> str:
        """The model's whole answer, thinking stripped. Raises `ModelError` once the budget or the retries are spent."""
        return self._within_budget(purpose, lambda seconds: self._complete(messages, seconds, {}))

    def ask_as(self, purpose: str, messages: Sequence[Message], kind: type[T]) -> T:
        """The answer as a typed value: by JSON schema where the endpoint can, else JSON in text, repaired once."""
        try:
            return self._parsed(purpose, messages, kind, {"response_format": _schema_format(kind)})
        except ModelError as error:
            if error.retryable:
                raise
        return self._parsed(purpose, messages, kind, {})

    def _parsed(self, purpose: str, messages: Sequence[Message], kind: type[T], options: dict[str, Any]) -> T:
        answer = self._within_budget(purpose, lambda seconds: self._complete(messages, seconds, options))
        try:
            return _parse(answer, kind)
        except ValueError as wrong:
            fix = Message("user", f"上面的回答不符合要求的 JSON 格式（{wrong}）。请只输出一个合格的 JSON 对象。")
            again = [*messages, Message("assistant", answer[:2000]), fix]
        answer = self._within_budget(purpose, lambda seconds: self._complete(again, seconds, options))
        try:
            return _parse(answer, kind)
        except ValueError:
            raise ModelError("模型两次都没有按格式回答。", retryable=True) from None

    def _within_budget(self, purpose: str, call: Callable[[float], str]) -> str:
        start, failure = self._clock(), ModelError("模型没有回答。")
        for attempt in range(self._retries + 1):
            left = self._budget - (self._clock() - start)
            if left <= 0:
                break
            try:
                answer = call(left)
                log.info("purpose=%s model=%s attempt=%d seconds=%.2f", purpose, self.name, attempt + 1,
                         self._clock() - start)  # fmt: skip
                return answer
            except ModelError as error:
                failure = error
                log.warning("purpose=%s model=%s attempt=%d failed: %s", purpose, self.name, attempt + 1, error)
                if not error.retryable:
                    break
                self._sleep(min(0.5 * 2**attempt, max(0.0, self._budget - (self._clock() - start))))
        raise failure

    def _complete(self, messages: Sequence[Message], seconds: float, options: dict[str, Any]) -> str:
        text = _THINKING.sub("", "".join(self._chunks(messages, seconds, options))).strip()
        if not text:
            raise ModelError("模型返回了空白内容。")
        return text

    def _chunks(self, messages: Sequence[Message], seconds: float, options: dict[str, Any]) -> Iterator[str]:
        import openai  # a second to load: only talks that use a model pay for it
        from langchain_openai import ChatOpenAI

        deadline = self._clock() + seconds
        client = ChatOpenAI(
            model=self.name, api_key=self._key, base_url=self._base_url, max_retries=0,
            timeout=httpx.Timeout(seconds, connect=min(5.0, seconds)),
            temperature=self._temperature, max_tokens=self._max_tokens, stream_usage=False,
        )  # fmt: skip
        try:
            for chunk in client.stream([(_ROLES[m.role], m.text) for m in messages], **options):
                yield str(chunk.text)
                if self._clock() > deadline:  # a server that drips words forever must not hold the learner up
                    raise ModelError("模型回答得太慢，已超过时限。")
        except (openai.OpenAIError, *_GARBAGE) as error:
            raise _as_model_error(error) from None


def voice_model(settings: Settings) -> Model:
    """The model that voices the customer."""
    return Model(
        settings.voice_model, base_url=settings.base_url, api_key=settings.api_key.get_secret_value(),
        budget=settings.voice_timeout, retries=settings.model_retries, temperature=0.8, max_tokens=300,
    )  # fmt: skip


def judge_model(settings: Settings) -> Model:
    """The model that adds verdicts to the grade."""
    return Model(
        settings.judge_model, base_url=settings.base_url, api_key=settings.api_key.get_secret_value(),
        budget=settings.judge_timeout, retries=settings.model_retries, temperature=0.0, max_tokens=1500,
    )  # fmt: skip


def _schema_format(kind: type[BaseModel]) -> dict[str, Any]:
    schema = {"name": kind.__name__, "schema": kind.model_json_schema(), "strict": False}
    return {"type": "json_schema", "json_schema": schema}


def _parse(answer: str, kind: type[T]) -> T:
    found = re.search(r"\{.*\}", answer, re.S)
    if not found:
        raise ValueError("没有 JSON 对象")
    try:
        return kind.model_validate(json.loads(found.group()))
    except json.JSONDecodeError as error:
        raise ValueError(f"第 {error.lineno} 行附近不是合法 JSON") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(str(p) for p in first['loc'])} 不合格") from None


def _as_model_error(error: Exception) -> ModelError:
    import openai

    if isinstance(error, openai.APITimeoutError | httpx.TimeoutException):
        return ModelError("模型超时没有回答。请检查模型服务是否过载。")
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        return ModelError("模型服务拒绝了密钥。请检查 OPENAI_API_KEY。", retryable=False)
    if isinstance(error, openai.NotFoundError):
        return ModelError("模型服务上没有这个模型或地址。请检查模型名与 OPENAI_BASE_URL。", retryable=False)
    if isinstance(error, openai.RateLimitError):
        return ModelError("模型服务说请求太多（429）。请稍后再试。")
    if isinstance(error, openai.APIConnectionError | httpx.TransportError):
        return ModelError("连不上模型服务。请检查 OPENAI_BASE_URL 和服务是否已启动。")
    if isinstance(error, openai.APIStatusError):
        return ModelError(
            f"模型服务报错（{error.status_code}）。", retryable=isinstance(error, openai.InternalServerError)
        )
    return ModelError("模型服务返回了看不懂的内容。请确认它兼容 OpenAI 接口。")

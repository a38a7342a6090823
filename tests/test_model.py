"""The door to the model: every way an endpoint can fail ends as one clear message within the budget."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import pytest
from pydantic import BaseModel

from bot.errors import ModelError
from bot.model import Message, Model
from tests import endpoints
from tests.endpoints import stream

ASK = [Message("system", "你是客户"), Message("user", "您好")]


class Answer(BaseModel):
    ok: bool
    why: str


def model(url: str, **kw: Any) -> Model:
    options: dict[str, Any] = {"budget": 3.0, "retries": 1, "sleep": lambda _s: None, "api_key": "sk-secret-123"}
    return Model("tiny", base_url=url, **{**options, **kw})


def test_an_answer_comes_back_whole_and_without_its_thinking(serve: Any) -> None:
    endpoint = serve(lambda _b, _n: stream("<think>他在", "生气</think>", "你们", "到底管不管？"))
    assert model(endpoint.url).ask("voice", ASK) == "你们到底管不管？"
    sent = endpoint.requests[0]["messages"]
    assert [m["role"] for m in sent] == ["system", "user"]


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (endpoints.status(500), "500"),
        (endpoints.status(429), "429"),
        (endpoints.status(401), "密钥"),
        (endpoints.status(404), "没有这个模型"),
        (endpoints.garbage, "空白|看不懂"),
        (endpoints.broken_stream, "看不懂|空白"),
        (lambda _b, _n: stream(""), "空白"),
        (lambda _b, _n: stream("<think>一直想"), "空白"),
    ],
    ids=["500", "429", "401", "404", "page", "stream", "empty", "only-thinking"],
)
def test_every_failure_is_one_clear_chinese_message(serve: Any, reply: endpoints.Reply, says: str) -> None:
    endpoint = serve(reply)
    with pytest.raises(ModelError, match=says) as caught:
        model(endpoint.url).ask("voice", ASK)
    assert "sk-secret" not in str(caught.value)


def test_nobody_listening(serve: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ModelError, match="连不上"):
        model(f"http://127.0.0.1:{port}/v1").ask("voice", ASK)


def test_a_hanging_endpoint_costs_no_more_than_the_budget(serve: Any) -> None:
    endpoint = serve(endpoints.hang(8))
    start = time.monotonic()
    with pytest.raises(ModelError, match=r"超时|时限|没有回答"):
        model(endpoint.url, budget=1.0, retries=3).ask("voice", ASK)
    assert time.monotonic() - start < 3


def test_a_passing_failure_is_retried_and_a_refusal_is_not(serve: Any) -> None:
    flaky = serve(lambda b, n: endpoints.status(500)(b, n) if n == 1 else stream("在的"))
    assert model(flaky.url).ask("voice", ASK) == "在的"
    refusing = serve(endpoints.status(401))
    with pytest.raises(ModelError):
        model(refusing.url, retries=3).ask("voice", ASK)
    assert len(refusing.requests) == 1


def test_a_typed_answer_is_repaired_once_and_never_invented(serve: Any) -> None:
    repaired = serve(lambda _b, n: stream("我觉得可以" if n == 1 else '```json\n{"ok": true, "why": "有细节"}\n```'))
    assert model(repaired.url).ask_as("judge", ASK, Answer) == Answer(ok=True, why="有细节")
    assert repaired.requests[0]["response_format"]["type"] == "json_schema"
    hopeless = serve(lambda _b, _n: stream('{"ok": "maybe"}'))
    with pytest.raises(ModelError, match="格式"):
        model(hopeless.url).ask_as("judge", ASK, Answer)
    assert len(hopeless.requests) == 2


def test_an_endpoint_without_json_schema_still_answers(serve: Any) -> None:
    def picky(body: dict[str, Any], n: int) -> tuple[int, str, bytes]:
        if "response_format" in body:
            return endpoints.status(400)(body, n)
        return stream(json.dumps({"ok": False, "why": "没有"}, ensure_ascii=False))

    assert model(serve(picky).url).ask_as("judge", ASK, Answer) == Answer(ok=False, why="没有")

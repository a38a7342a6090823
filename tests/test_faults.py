"""Every way an endpoint or its answer can go wrong, seen from the learner's chair: a whole turn, no lost line."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from typing import Any

import pytest

from bot.model import Model
from bot.model.cache import Cache
from bot.model.calls import Message
from bot.parts import Parts
from bot.session import Session
from bot.voice import ModelVoice, ScriptedVoice
from tests import endpoints
from tests.conftest import ROOT
from tests.endpoints import stream

EMPATHY = "一天八个电话，手机一响心就往下沉，换谁都得急、都得委屈。这口气您先出，我听着。"
PROMPTS = ROOT / "prompts"
ASK = [Message("user", "您好")]
GOOD = "少来这套！那八通电话到底谁打的？"


def talk(parts: Parts, url: str, **options: Any) -> Session:
    model = Model("tiny", base_url=url, **{"budget": 1.5, "retries": 1, "sleep": lambda _s: None, **options})
    voice = ModelVoice(model, ScriptedVoice(PROMPTS / "lines"), PROMPTS)
    return Session.start(replace(parts, voice=voice), "SC01")


def said(text: str) -> endpoints.Reply:
    return lambda _body, _n: stream(*[text[i : i + 4] for i in range(0, len(text), 4)])


BROKEN: dict[str, tuple[endpoints.Reply, str]] = {
    "401": (endpoints.status(401), "密钥"),
    "404 model": (endpoints.status(404), "没有这个模型"),
    "429": (endpoints.retry_after("7"), "429"),
    "500": (endpoints.status(500), "500"),
    "hang": (endpoints.hang(4), "时限|超时"),
    "slow drip": (endpoints.drip(0.4), "时限|就说到这里"),
    "keep-alives without words": (endpoints.comments(0.2), "时限|超时"),
    "cut mid-stream": (endpoints.cut("少"), "断"),
    "empty": (said(""), "空白"),
    "html": (endpoints.garbage, "空白|看不懂"),
    "wrong json": (endpoints.broken_stream, "看不懂|空白"),
    "half json": (endpoints.half_json, "看不懂|空白|断"),
    "only thinking": (said("<think>他在生气"), "空白"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_endpoint_costs_a_notice_and_nothing_else(parts: Parts, serve: Any, name: str) -> None:
    reply, says = BROKEN[name]
    session = talk(parts, serve(reply).url)
    start = time.monotonic()
    turn = session.say(EMPATHY)
    assert time.monotonic() - start < 3.5
    assert turn.answer.text and turn.answer.source == "scripted" and turn.answer.repair == "replaced"
    assert "内置台词" in turn.answer.notices[0] and "Traceback" not in turn.answer.notices[0]
    assert any(re.search(says, n) for n in turn.answer.notices)
    again = Session.resume(parts, session.id)
    assert again.turns == (turn,) and again.held == ""


@pytest.mark.parametrize(
    ("url", "says"),
    [("http://127.0.0.1:9/v1", "连不上"), ("http://no-such-host.invalid/v1", "主机名|连不上"), ("tls", "TLS|连不上")],
    ids=["refused", "dns", "tls"],
)
def test_an_endpoint_that_cannot_be_reached_says_why(parts: Parts, serve: Any, url: str, says: str) -> None:
    where = serve(said(GOOD)).url.replace("http:", "https:") if url == "tls" else url
    turn = talk(parts, where).say(EMPATHY)
    assert turn.answer.source == "scripted" and re.search(says, turn.answer.notices[0])


FLIPS = {
    "teller": "您好，请问有什么可以帮您？", "assistant": "作为AI，我无法继续扮演客户。", "polite bank": "非常抱歉给您带来不便，我行会为您处理。",
    "both sides": "客户经理：您别急。\n客户：好吧。", "english": "Sure, I can help you with that today.",
    "prompt echo": "你只是这位客户，从头到尾都是他（她）本人。", "huge": "我跟你们说这个事情没完" * 400,
}  # fmt: skip


@pytest.mark.parametrize("name", FLIPS)
def test_a_line_out_of_role_is_never_heard(parts: Parts, serve: Any, name: str) -> None:
    heard: list[str] = []
    bad = serve(said(FLIPS[name]))
    turn = talk(parts, bad.url).say(EMPATHY, heard.append)
    assert turn.answer.source == "scripted" and turn.answer.faults and "".join(heard) == turn.answer.text
    assert len(bad.requests) == 2, "asked once more, with the fault named"
    mended = serve(lambda b, n: said(FLIPS[name] if n == 1 else GOOD)(b, n))
    turn = talk(parts, mended.url).say(EMPATHY)
    assert (turn.answer.text, turn.answer.source, turn.answer.repair) == (GOOD, "model", "retried")


def test_a_fault_after_enough_was_said_ends_the_line_there(parts: Parts, serve: Any) -> None:
    endpoint = serve(said(f"{GOOD}非常抱歉给您带来不便，我行会为您处理。"))
    answer = talk(parts, endpoint.url).say(EMPATHY).answer
    assert (answer.text, answer.repair, answer.faults[0]) == (GOOD, "cut", "role_flip")
    assert len(endpoint.requests) == 1


def test_sentences_are_heard_before_the_answer_is_whole(parts: Parts, serve: Any) -> None:
    endpoint = serve(endpoints.paced(["少来这套！", "那八通电话到底谁打的？"], 0.5))
    times: list[float] = []
    turn = talk(parts, endpoint.url, budget=10).say(EMPATHY, lambda _s: times.append(time.monotonic()))
    assert turn.answer.text == GOOD and len(times) == 2 and times[1] - times[0] > 0.3


def test_retry_after_is_honoured_within_the_budget_and_not_beyond(serve: Any) -> None:
    waits: list[float] = []
    patient = serve(lambda b, n: endpoints.retry_after("2")(b, n) if n == 1 else stream("在的"))
    assert Model("m", base_url=patient.url, budget=10, retries=1, sleep=waits.append).ask("voice", ASK) == "在的"
    assert waits == [pytest.approx(2.0)]
    hopeless = serve(endpoints.retry_after("60"))
    with pytest.raises(Exception, match="429"):
        Model("m", base_url=hopeless.url, budget=5, retries=3, sleep=waits.append).ask("voice", ASK)
    assert len(hopeless.requests) == 1 and len(waits) == 1


def test_the_breaker_stops_asking_then_tries_again(serve: Any) -> None:
    now = [0.0]
    endpoint = serve(lambda b, n: endpoints.status(500)(b, n) if n <= 3 else stream("在的"))
    model = Model("m", base_url=endpoint.url, retries=0, clock=lambda: now[0] + time.monotonic())
    for _ in range(3):
        with pytest.raises(Exception, match="500"):
            model.ask("voice", ASK)
    with pytest.raises(Exception, match="先歇"):
        model.ask("voice", ASK)
    assert len(endpoint.requests) == 3
    now[0] = 31.0
    assert model.ask("voice", ASK) == "在的"


def test_tools_and_json_mode_stand_in_for_schema(serve: Any) -> None:
    from tests.test_model import Answer

    def no_schema(body: dict[str, Any], n: int) -> tuple[int, str, bytes]:
        if "response_format" in body:
            return endpoints.status(400)(body, n)
        return endpoints.tool_call('{"ok": true, "why": "有"}') if "tools" in body else stream("不该走到这里")

    endpoint = serve(no_schema)
    model = Model("m", base_url=endpoint.url, retries=0)
    assert model.ask_as("judge", ASK, Answer).ok and model.mode == "tools"
    model.ask_as("judge", ASK, Answer)
    assert "response_format" not in endpoint.requests[-1], "what was learned is remembered"


def test_the_log_holds_what_the_model_saw_and_no_key(parts: Parts, serve: Any) -> None:
    session = talk(
        parts, serve(said(GOOD)).url, record=parts.store.save_call, api_key="sk-secret-123", prices=(2.0, 8.0)
    )
    session.say(EMPATHY)
    (call,) = session.parts.store.calls(session.id)
    assert call.purpose == "voice" and EMPATHY in call.messages[-1].text and call.answer == GOOD
    assert call.prompt_tokens > 100 and call.estimated and call.cost > 0 and call.seconds >= call.first_seconds > 0
    assert "sk-secret" not in json.dumps(call.model_dump(), ensure_ascii=False)


def test_kept_answers_depend_on_everything_that_matters(serve: Any, tmp_path: Any) -> None:
    endpoint = serve(lambda _b, n: stream(f"第{n}次"))
    cache = Cache(tmp_path / "kept")

    def ask(messages: list[Message] = ASK, **options: Any) -> str:
        return Model("m", base_url=endpoint.url, cache=cache, **options).ask("judge", messages)

    first = ask()
    assert ask() == first and len(endpoint.requests) == 1
    others = [ask([Message("system", "您好")]), ask(temperature=0.1), ask(max_tokens=9)]
    assert len({first, *others}) == 4
    for kept in (tmp_path / "kept").rglob("*.json"):
        kept.write_text("{broken", encoding="utf-8")
    assert ask() != first


def test_closing_the_stream_makes_the_server_stop(serve: Any) -> None:
    sent: list[int] = []
    endpoint = serve(endpoints.endless(sent))
    pieces = Model("m", base_url=endpoint.url, budget=20).stream("voice", ASK)
    assert next(pieces)
    pieces.close()
    time.sleep(0.6)
    stopped_at = len(sent)
    time.sleep(0.5)
    assert len(sent) == stopped_at < 60

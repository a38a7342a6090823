"""A real llama.cpp server with a real, tiny and weak model: it streams, stops, dies, comes back, and keeps its prefix."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from bot.errors import ModelError
from bot.model import Message, Model
from bot.parts import Parts
from bot.session import Session
from bot.voice import ModelVoice, ScriptedVoice
from evals import model_bench
from evals.llama import LlamaServer
from tests.conftest import ROOT

pytestmark = pytest.mark.model
EMPATHY = "一天八个电话，手机一响心就往下沉，换谁都得急、都得委屈。这口气您先出，我听着。"
PROMPTS = ROOT / "prompts"
LONG = [Message("user", "请从一数到一百，每个数字一行。")]


def test_it_streams_and_stops_when_nobody_listens(llama: str) -> None:
    model = Model("tiny", base_url=llama, budget=60, retries=0, max_tokens=90)
    pieces = model.stream("voice", LONG)
    assert next(pieces)
    pieces.close()
    deadline = time.monotonic() + 5
    while _busy(llama) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _busy(llama), "a closed stream must free the server"
    assert len(list(model.stream("voice", LONG))) > 3


def test_a_server_slower_than_the_budget_is_left(llama: str) -> None:
    with pytest.raises(ModelError, match=r"时限|超时"):
        Model("tiny", base_url=llama, budget=0.05, retries=0).ask("voice", [Message("user", "说说天气。" * 400)])


def test_a_server_that_dies_and_comes_back_in_the_middle_of_a_talk(parts: Parts, small_model: Path) -> None:
    server = LlamaServer(small_model)
    model = Model(
        "tiny", base_url=server.__enter__(), budget=60, retries=1, max_tokens=40, record=parts.store.save_call
    )
    voice = ModelVoice(model, ScriptedVoice(PROMPTS / "lines"), PROMPTS)
    session = Session.start(replace(parts, voice=voice), "SC01")
    assert not any("模型" in n for n in session.say(EMPATHY).answer.notices)
    server.__exit__(None, None, None)
    dead = session.say("那八通电话是谁打的，我今天就去查。").answer
    assert dead.source == "scripted" and "内置台词" in dead.notices[0]
    server.__enter__()
    back = session.say("您不是不想还，您是想有个喘口气的时间。").answer
    server.__exit__(None, None, None)
    assert not back.notices and len(session.turns) == 3
    assert sum("连不上" in c.error or "断" in c.error for c in parts.store.calls(session.id)) == 1


def test_the_prefix_is_read_once(parts: Parts, llama: str) -> None:
    found = model_bench.prefix(parts, llama)
    assert found.evaluated <= 1.3 * found.new, found
    assert found.naive > 2 * found.evaluated, found


def _busy(url: str) -> bool:
    return any(slot["is_processing"] for slot in httpx.get(f"{url.removesuffix('/v1')}/slots", timeout=20).json())

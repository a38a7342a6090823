"""A turn outlives the page that started it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from bot import account, live
from bot.model import Message, Model
from bot.parts import Parts
from bot.probe import examine
from bot.session import Session
from bot.voice import ModelVoice, ScriptedVoice
from tests.conftest import ROOT
from tests.endpoints import Endpoint, stream
from tests.fakes import BrokenVoice, ScriptedModel

EMPATHY = "一天八个电话，手机一响心就往下沉，换谁都得急、都得委屈。这口气您先出，我听着。"
PROMPTS = ROOT / "prompts"


class Held(ScriptedModel):
    """Says one sentence, then waits to be let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def stream(self, purpose: str, messages: Sequence[Message]) -> Iterator[str]:
        yield "少来这套！"
        self.go.wait(10)
        yield "那八通电话到底谁打的？"


def test_an_interrupted_page_joins_its_turn_again_and_nothing_is_lost(parts: Parts) -> None:
    model = Held()
    voice = ModelVoice(model, ScriptedVoice(PROMPTS / "lines"), PROMPTS)
    session = Session.start(replace(parts, voice=voice), "SC01")
    first = live.start(session, EMPATHY)
    assert next(first.follow()) == "少来这套！"  # and this page goes away
    again = live.running(session.id)
    assert again is first and Session.resume(parts, session.id).turns == (), "not half a turn"
    assert live.start(Session.resume(session.parts, session.id), "别的话") is first, "one turn at a time"
    model.go.set()
    assert list(again.follow())[-1:] in (["少来这套！那八通电话到底谁打的？"], [])
    (turn,) = Session.resume(parts, session.id).turns
    assert turn.answer.text == "少来这套！那八通电话到底谁打的？" and live.running(session.id) is None


def test_a_turn_that_fails_says_so_and_keeps_the_line(parts: Parts) -> None:
    session = Session.start(replace(parts, voice=BrokenVoice()), "SC01")
    with pytest.raises(RuntimeError):
        list(live.start(session, EMPATHY).follow())
    assert Session.resume(parts, session.id).held == EMPATHY


def test_the_model_reads_the_beginning_while_the_learner_reads_the_file(parts: Parts) -> None:
    model = ScriptedModel("少来这套！那八通电话到底谁打的？")
    voice = ModelVoice(model, ScriptedVoice(PROMPTS / "lines"), PROMPTS)
    session = Session.start(replace(parts, voice=voice), "SC01")
    live.warm(session)
    deadline = time.monotonic() + 5
    while not hasattr(model, "warmed") and time.monotonic() < deadline:
        time.sleep(0.01)
    session.say(EMPATHY)
    assert model.asked[0][: len(model.warmed)] == model.warmed and len(model.warmed) == 3


def test_what_a_session_took_and_what_was_put_right_is_counted(parts: Parts) -> None:
    bad = "您好，请问有什么可以帮您？"
    endpoint = Endpoint(lambda _b, n: stream(bad if n == 1 else "少来这套！那八通电话到底谁打的？"))
    model = Model("m", base_url=endpoint.url, record=parts.store.save_call, prices=(1.0, 1.0))
    session = Session.start(replace(parts, voice=ModelVoice(model, ScriptedVoice(PROMPTS / "lines"), PROMPTS)), "SC01")
    session.say(EMPATHY)
    endpoint.close()
    totals = account.by_purpose(parts.store.calls(session.id))["voice"]
    assert totals["calls"] == 2 and totals["cost"] > 0
    assert account.interventions(session.turns)["role_flip"] == 1
    assert account.interventions(session.turns)["retried"] == 1


@pytest.mark.parametrize(
    ("said", "kept"), [("你们凭什么一天打八个电话？你给我说清楚！", "3/3"), ("您好，请问有什么可以帮您？", "0/3")]
)
def test_the_doctor_tells_a_customer_from_a_clerk(said: str, kept: str) -> None:
    def reply(body: dict[str, object], _n: int) -> tuple[int, str, bytes]:
        form = json.dumps({"good": True, "why": "有"}) if "response_format" in body else said
        return stream(form[:4], form[4:])

    endpoint = Endpoint(reply)
    proof = examine(Model("m", base_url=endpoint.url), PROMPTS, persona=True)
    endpoint.close()
    assert kept in proof.detail and "认 JSON schema" in proof.detail and "流式输出" in proof.detail
    assert bool(proof.fix) == (kept == "0/3")

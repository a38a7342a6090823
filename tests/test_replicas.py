"""Several replicas on one PostgreSQL, one replica's end, and what the service says about itself."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot import live, telemetry
from bot.errors import ConflictError, ModelError
from bot.model.limits import Gate
from bot.parts import Parts
from bot.records import Cue, Utterance
from bot.session import Session
from bot.store import Database, places
from tests.conftest import ROOT, new_postgres
from tests.fakes import BrokenVoice, EchoVoice, make_parts

EMPATHY = "一天八个电话，手机一响心就往下沉，换谁都得急、都得委屈。这口气您先出，我听着。"


@pytest.fixture
def replicas(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Parts, Parts]:
    monkeypatch.setenv("HUASU_DATABASE_URL", new_postgres(postgres_url))
    return make_parts(tmp_path / "one", ROOT), make_parts(tmp_path / "two", ROOT)


def test_a_talk_begun_on_one_replica_goes_on_on_another(replicas: tuple[Parts, Parts]) -> None:
    one, two = replicas
    here = Session.start(one, "SC01")
    here.say(EMPATHY)
    there = Session.resume(two, here.id)
    there.say("您接着说。")
    with pytest.raises(ConflictError):  # and the page left open on the first one cannot fork it
        here.say("我还在这边说。")
    back = Session.resume(one, here.id)
    assert [t.reply for t in back.turns] == [EMPATHY, "您接着说。"] and back.mind == there.mind
    report = back.finish()
    assert Session.resume(two, here.id).finish() == report == Session.resume(two, here.id).recompute()


def test_a_line_held_by_a_replica_that_died_is_answered_by_another(replicas: tuple[Parts, Parts]) -> None:
    one, two = replicas
    here = Session.start(replace(one, voice=BrokenVoice()), "SC01")
    with pytest.raises(RuntimeError):
        here.say(EMPATHY)
    there = Session.resume(two, here.id)
    assert there.held == EMPATHY and there.say(there.held).n == 1 and there.held == ""


def most_at_once(gates: list[Gate], calls: int) -> int:
    """How many calls there ever were at the same time."""
    now, most, lock = 0, 0, threading.Lock()

    def call(gate: Gate) -> None:
        nonlocal now, most
        with gate.entered(20):
            with lock:
                now += 1
                most = max(most, now)
            time.sleep(0.05)
            with lock:
                now -= 1

    threads = [threading.Thread(target=call, args=(gates[i % len(gates)],)) for i in range(calls)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return most


def test_replicas_share_one_limit_on_calls_to_a_model(postgres_url: str) -> None:
    one, two = (places.gate(Database(postgres_url), "http://m", 2) for _ in range(2))
    assert one and two
    assert most_at_once([one, two], 10) == 2
    with one.entered(1), one.entered(1):
        start = time.monotonic()
        with pytest.raises(ModelError, match="太多"), two.entered(0.3):
            pass
        assert time.monotonic() - start < 5
        other = places.gate(Database(postgres_url), "http://another", 2)
        assert other
        with other.entered(1):
            pass


HOLDER = """
import sys, time
from bot.store import Database, places
with places.gate(Database(sys.argv[1]), "http://m", 1).entered(5):
    print("in", flush=True)
    time.sleep(60)
"""


def test_a_replica_that_is_killed_gives_its_place_back(postgres_url: str) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, postgres_url], cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ}
    )
    assert child.stdout is not None and child.stdout.readline() == "in\n"
    gate = places.gate(Database(postgres_url), "http://m", 1)
    assert gate
    with pytest.raises(ModelError), gate.entered(0.3):
        pass
    child.send_signal(signal.SIGKILL)
    child.wait()
    with gate.entered(10):
        pass


def test_without_the_server_a_talk_still_reaches_its_model(postgres_url: str) -> None:
    database = Database(postgres_url)
    gate = places.Places(database, "http://m", 1)
    gate._engine = Database.engine_for("postgresql://nobody@127.0.0.1:1/none")
    with gate.entered(1):
        pass


class Slow:
    """A voice that takes its time."""

    def speak(self, cue: Cue) -> Utterance:
        time.sleep(0.4)
        return Utterance(text="哼。")


def test_a_process_that_ends_stores_the_turn_in_the_making_first(parts: Parts) -> None:
    session = Session.start(replace(parts, voice=Slow()), "SC01")
    live.start(session, EMPATHY)
    assert live.drain(20)
    assert [t.reply for t in Session.resume(parts, session.id).turns] == [EMPATHY]


def test_a_server_says_when_it_is_ready_and_ends_cleanly(tmp_path: Path, free_port: int) -> None:
    env = {**os.environ, "HUASU_DATA_DIR": str(tmp_path / "data")}
    command = [sys.executable, "-m", "bot.cli", "serve", "--port", str(free_port), "--headless"]
    server = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        answers = _until_ready(f"http://127.0.0.1:{free_port}/ready")
        with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/", timeout=10) as page:
            policy = page.headers["content-security-policy"]
            assert page.headers["x-frame-options"] == "DENY" and page.headers["x-content-type-options"] == "nosniff"
        script = next(p for p in policy.split("; ") if p.startswith("script-src"))
        assert "unsafe" not in script and "sha256-" in script and "default-src 'self'" in policy
        assert set(answers) <= {0, 200, 503} and answers[-1] == 200
    finally:
        server.terminate()
        assert server.wait(30) == 0


def _until_ready(url: str) -> list[int]:
    seen: list[int] = []
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and (not seen or seen[-1] != 200):
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                seen.append(answer.status)
        except urllib.error.HTTPError as error:
            seen.append(error.code)
        except OSError:
            seen.append(0)
        time.sleep(0.2)
    return seen


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Everything that is logged, as the service writes it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(telemetry.Lines())
    root, ours = logging.getLogger(), logging.getLogger("huasu")
    root.addHandler(handler)
    before, _ = ours.level, ours.setLevel("INFO")
    yield stream
    root.removeHandler(handler)
    ours.setLevel(before)


def test_the_log_names_session_and_turn_and_says_nothing_that_was_said(parts: Parts, written: io.StringIO) -> None:
    class Talkative(EchoVoice):
        def speak(self, cue: Cue) -> Utterance:
            logging.getLogger("somebody.else").warning("got %s", cue.reply)
            return super().speak(cue)

    class Failing(EchoVoice):
        def speak(self, cue: Cue) -> Utterance:
            try:
                raise ValueError(cue.reply)
            except ValueError:
                logging.getLogger("huasu.x").exception("voice failed")
                raise

    session = Session.start(replace(parts, voice=Talkative()), "SC01")
    session.say(EMPATHY)
    with pytest.raises(ValueError, match="一天"):
        Session.resume(replace(parts, voice=Failing()), session.id).say(f"{EMPATHY}还有")
    assert "一天" not in written.getvalue()
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    of_turns = [line for line in lines if line["logger"] == "huasu.turn"]
    assert [(x["session"], x["turn"]) for x in of_turns] == [(session.id, 1), (session.id, 2)]
    assert "stored" in str(of_turns[0]["message"]) and "failed" in str(of_turns[1]["message"])
    (fault,) = [line for line in lines if line.get("error")]
    assert fault["error"] == "ValueError" and fault["session"] == session.id and fault["trace"]


def test_figures_are_offered_to_prometheus(parts: Parts, free_port: int) -> None:
    telemetry.figures.serve(free_port)
    session = Session.start(parts, "SC01")
    session.say(EMPATHY)
    with pytest.raises(Exception, match="还没有写"):
        session.say(" ")
    with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    assert 'huasu_turn_seconds_count{outcome="stored"}' in text
    assert 'huasu_turn_seconds_count{outcome="refused"}' in text and "一天" not in text

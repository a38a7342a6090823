"""Measure what our own code adds to a model's answer, and how much of a talk its server reads again.

Run with ``make bench`` (needs the small local model of the development packages). The figures of the prefix are the
server's own timings.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import httpx

from bot.model import Message, Model
from bot.parts import Parts
from bot.records import Cue, Utterance
from bot.retrieval import Index
from bot.scenarios import load_library
from bot.session import Session
from bot.settings import get_settings, load_settings
from bot.voice import ModelVoice, ScriptedVoice
from bot.voice.speech import sentences
from evals.llama import LlamaServer, small_model

REPLIES = (
    "一天八个电话，手机一响心就往下沉，换谁都得急。", "那八通是谁打的，我今天就去查，多打了是我们不对。",
    "您不是不想还，您是想有个喘口气的时间。", "这个坎是从哪个月开始的，方便跟我说说吗？", "孩子还在上学，您一个人撑着，真不容易。",
    "每个月稳稳当当能拿出来多少，您说个实在数。", "利息我没有权限免，罚息我可以帮您往上申请。", "材料齐了我今天就报，批不批十个工作日给您回话。",
    "电话从今天起只打您本人，时间您来定。", "那咱们把刚才说定的三件事对一遍，好吗？", "您还有什么不放心的，现在就说。",
)  # fmt: skip

LINES = (
    "少来这套，那八通电话到底谁打的？", "你说去查，查到哪天是个头？", "喘口气？你们谁让我喘过！", "五月就停业了，你们不知道？",
    "我一个人带孩子，还要看你们脸色。", "说了你能给我办吗？", "罚息天天滚，我睡得着吗？", "十个工作日，我等得起吗？",
    "那短信呢，短信算不算骚扰？", "口说无凭，你写下来。", "我就问一句，利息怎么算？",
)  # fmt: skip


class Prefix(NamedTuple):
    """Prompt tokens on the last of ten turns: new in the turn, evaluated by the server, and by a naive chat."""

    new: int
    evaluated: int
    naive: int


class Overhead(NamedTuple):
    """Median seconds our side adds before the first sentence, and what the bare endpoint takes for it."""

    added: float
    raw: float
    turns: int


def prefix(parts: Parts, url: str, turns: int = 10) -> Prefix:
    """Ten turns as the product sends them, then the same talk with its context stuffed in before the history."""
    cues = _cues(parts, turns)
    voice = ModelVoice(Model("tiny", base_url=url), ScriptedVoice(parts.settings.content_dir / "prompts/lines"),
                       parts.settings.content_dir / "prompts")  # fmt: skip
    requests = [voice.messages(cue) for cue in cues]
    evaluated = [_evaluated(url, messages) for messages in requests][-1]
    naive = [_evaluated(url, _stuffed(messages)) for messages in requests][-1]
    before, now = requests[-2], requests[-1]
    fresh = now[len(before) :]  # his answer, and this turn's reply with its direction; the old reply was sent before
    return Prefix(_tokens(url, fresh), evaluated, naive)


def overhead(parts: Parts, url: str) -> Overhead:
    """First-sentence times of whole turns, each beside the same prompt sent bare with the server's cache as it was."""
    prompts = parts.settings.content_dir / "prompts"
    model = _Worded(Model("tiny", base_url=url, budget=60, retries=0, temperature=0.0, max_tokens=60))
    voice = ModelVoice(model, ScriptedVoice(prompts / "lines"), prompts)
    ours, raw = list[float](), list[float]()
    session = Session.start(replace(parts, voice=voice), "SC01", seed=1)
    session.warm()
    before = model.asked[-1]
    for reply in REPLIES:
        start, heard = time.perf_counter(), list[float]()
        session.say(reply, lambda _said: heard.append(time.perf_counter()))  # noqa: B023
        ours.append(heard[0] - start)
        _evaluated(url, before)
        raw.append(_bare_first_sentence(url, model.asked[-1]))
        before = model.asked[-1]
        if session.ended:
            break
    return Overhead(statistics.median(a - b for a, b in zip(ours, raw, strict=True)), statistics.median(raw), len(ours))


class _Worded:
    """A model whose first sentence comes when it comes, in words that pass every check: only the time is of interest."""

    name = "worded"

    def __init__(self, model: Model) -> None:
        self._model, self.asked = model, list[Sequence[Message]]()

    def stream(self, purpose: str, messages: Sequence[Message]) -> Iterator[str]:
        self.asked.append(messages)
        next(sentences(self._model.stream(purpose, messages)), "")
        yield LINES[len(self.asked) % len(LINES)]

    def warm(self, messages: Sequence[Message]) -> None:
        self.asked.append(messages)
        self._model.warm(messages)


def _bare_first_sentence(url: str, messages: Sequence[Message]) -> float:
    body = {"messages": _sent(messages), "max_tokens": 60, "temperature": 0, "stream": True}
    start = time.perf_counter()
    with httpx.stream("POST", f"{url}/chat/completions", json=body, timeout=120) as answer:
        events = (line[6:] for line in answer.iter_lines() if line.startswith("data: {"))
        said = (json.loads(event)["choices"][0]["delta"].get("content") or "" for event in events)
        next(sentences(said), "")
    return time.perf_counter() - start


def _cues(parts: Parts, turns: int) -> list[Cue]:
    class Notes:
        def __init__(self) -> None:
            self.cues: list[Cue] = []

        def speak(self, cue: Cue) -> Utterance:
            self.cues.append(cue)
            return Utterance(
                text=f"你这第{len(self.cues)}句话说得倒好听，可我家里等着钱用，你们到底什么时候给我个准话？"
            )

    notes = Notes()
    session = Session.start(replace(parts, voice=notes), "SC01", seed=1)
    for reply in REPLIES[:turns]:
        session.say(reply)
    return notes.cues


def _stuffed(messages: Sequence[Message]) -> list[Message]:
    """The usual way: what changes with the turn goes into the system message, in front of the history."""
    reply, _, direction = messages[-1].text.partition("\n\n")
    return [Message("system", f"{direction}\n{messages[0].text}"), *messages[1:-1], Message("user", reply)]


def _evaluated(url: str, messages: Sequence[Message]) -> int:
    body = {"messages": _sent(messages), "max_tokens": 8, "temperature": 0}
    answer = httpx.post(f"{url}/chat/completions", json=body, timeout=120).json()
    return int(answer["timings"]["prompt_n"])


def _tokens(url: str, messages: Sequence[Message]) -> int:
    text = "".join(m.text for m in messages)
    found = httpx.post(f"{url.removesuffix('/v1')}/tokenize", json={"content": text}, timeout=60).json()
    return len(found["tokens"])


def _sent(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": m.role, "content": m.text} for m in messages]


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(data_dir=Path(folder), content_dir=get_settings().content_dir, _env_file=None)
        Index.open(settings).sync_knowledge(load_library(settings.content_dir))
        parts = Parts.open(settings)
        with LlamaServer(small_model(Path(folder))) as url:
            p = prefix(parts, url)
            print(f"第 10 轮提示词：新增 {p.new}，服务器重读 {p.evaluated}（{p.evaluated / p.new:.2f} 倍），"
                  f"把上下文塞在历史前面的写法要读 {p.naive}")  # fmt: skip
            o = overhead(parts, url)
            print(f"从发送到第一句，扣掉模型自己的时间：中位 {o.added * 1000:.0f} ms，共 {o.turns} 轮"
                  f"（同一提示词直接问，首句 {o.raw * 1000:.0f} ms）")  # fmt: skip


if __name__ == "__main__":
    main()

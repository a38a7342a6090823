"""What the evaluations add to a model: talks per minute and processor time beside a bare asyncio loop, in one run.

Run with ``make bench-evals``. Both sides ask the same endpoint (a process of its own, which waits 300 ms before every
answer) for the same number of answers with 8 calls under way. Appraisal is left out of our side's processor time and
reported, because it is the product's reading of the reply, not the harness.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from bot.appraisal import Appraiser
from bot.records import Appraisal, Context
from bot.settings import get_settings, load_settings
from evals.simulate import open_parts
from evals.suite.case import Case, Reply
from evals.suite.live import Meter, talks_at_once, with_model
from evals.suite.mutants import Reads
from evals.suite.play import play

LATENCY, AT_ONCE, TALKS, TURNS = 0.3, 8, 48, 5
LEAST_RATE, MOST_CPU = 0.95, 1.5
STARTS = (
    "你们就会说这些，",
    "那你说，",
    "我跑了多少趟了，",
    "话谁不会讲，",
    "我就问一句，",
    "这日子没法过，",
    "别绕弯子，",
    "我听明白了，",
)
ENDS = (
    "我不想再听了！",
    "到底怎么办？",
    "拿点实在的出来！",
    "能不能行，给句准话？",
    "谁来给我一个交代？",
    "你往下讲。",
    "这口气我咽不下！",
)
LINES = tuple(start + end for end in ENDS for start in STARTS)
REPLIES = (
    "一天八个电话追着打，换谁心里都又急又委屈。", "您慢慢说，我拿笔记着。", "您要的其实是有人肯问一句家里出了什么事，对吗？",
    "您还肯把话说开，说明您心里是想了结的。", "这事我来跟，明天上午十点前给您回电话。",
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One side's figures."""

    talks: int
    wall: float
    cpu: float
    reading: float = 0.0

    @property
    def rate(self) -> float:
        """Talks per minute."""
        return self.talks / self.wall * 60

    @property
    def each(self) -> float:
        """Processor milliseconds per talk, without appraisal."""
        return (self.cpu - self.reading) / self.talks * 1000


SERVER = """
import asyncio, json, sys
LATENCY, LINES = float(sys.argv[1]), json.loads(sys.argv[2])
count = 0
def event(delta, end=None):
    body = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{"index": 0, "delta": delta, "finish_reason": end}]}
    return ("data: " + json.dumps(body, ensure_ascii=False) + "\\n\\n").encode()
async def serve(reader, writer):
    global count
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            size = next(int(h.split(b":")[1]) for h in head.split(b"\\r\\n") if h.lower().startswith(b"content-length"))
            await reader.readexactly(size)
            await asyncio.sleep(LATENCY)
            count += 1
            body = event({"role": "assistant", "content": LINES[count % len(LINES)]}) + event({}, "stop") + b"data: [DONE]\\n\\n"
            writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Type: text/event-stream\\r\\nContent-Length: "
                         + str(len(body)).encode() + b"\\r\\n\\r\\n" + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


@contextmanager
def endpoint() -> Iterator[str]:
    """An OpenAI-compatible endpoint in a process of its own; yields its base address."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(LATENCY), json.dumps(LINES)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
    finally:
        process.terminate()
        process.wait()


def bare(url: str, bodies: list[dict[str, Any]]) -> Run:
    """The least a harness can do: an asyncio loop with the OpenAI client, the same requests, nothing else."""

    async def all_talks() -> None:
        import openai  # noqa: TID251 - the yardstick is the client itself

        client = openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0)
        gate = asyncio.Semaphore(AT_ONCE)

        async def talk() -> None:
            async with gate:
                for body in bodies:
                    stream = await client.chat.completions.create(**body)
                    async for _ in stream:
                        pass

        await asyncio.gather(*(talk() for _ in range(TALKS)))
        await client.close()

    wall, cpu = time.perf_counter(), time.process_time()
    asyncio.run(all_talks())
    return Run(TALKS, time.perf_counter() - wall, time.process_time() - cpu)


class Timed(Reads):
    """An appraiser whose processor time is measured, thread by thread."""

    def __init__(self, inner: Appraiser) -> None:
        super().__init__(inner, lambda _reply, read: read)
        self.spent: list[float] = []

    def appraise(self, reply: str, context: Context) -> Appraisal:
        """The reading, timed."""
        start = time.thread_time()
        try:
            return super().appraise(reply, context)
        finally:
            self.spent.append(time.thread_time() - start)


def ours(url: str, root: Path) -> tuple[Run, list[dict[str, Any]]]:
    """Whole talks through the product, and the requests one of them made."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(content_dir=root, data_dir=Path(folder), base_url=url, voice_model="m",
                                 model_concurrency=AT_ONCE, _env_file=None)  # fmt: skip
        meter = Meter(10**9)
        sent: list[Any] = []
        record = meter.record
        meter.record = lambda call: (sent.append(call), record(call))[1]  # type: ignore[method-assign, func-returns-value]
        parts = with_model(open_parts(root), settings, meter)
        timed = Timed(parts.appraiser)
        parts = replace(parts, appraiser=timed)  # type: ignore[arg-type]
        cases = [
            Case(
                id=f"bench-{i}", about="测速的一场", scenario="SC01", seed=i, say=tuple(Reply(text=r) for r in REPLIES)
            )
            for i in range(TALKS)
        ]
        play(parts, cases[0])  # connections and imports are not what is measured
        timed.spent.clear()
        wall, cpu = time.perf_counter(), time.process_time()
        with ThreadPoolExecutor(talks_at_once(AT_ONCE)) as pool:
            list(pool.map(lambda case: play(parts, case), cases))
        run = Run(TALKS, time.perf_counter() - wall, time.process_time() - cpu, sum(timed.spent))
    bodies = [
        {"model": "m", "stream": True, "temperature": 0.8, "max_tokens": 300,
         "messages": [{"role": m.role, "content": m.text} for m in call.messages]}
        for call in sent[:TURNS]
    ]  # fmt: skip
    sys.stderr.write(f"我们这边问了模型 {meter.calls} 次，失败 {meter.failed} 次\n")
    return run, bodies


def main() -> int:
    """Measure both, print, judge."""
    root = get_settings().content_dir.resolve()
    with endpoint() as url:
        httpx.post(f"{url}/chat/completions", json={}, timeout=10)
        mine, bodies = ours(url, root)
        plain = bare(url, bodies)
    rate, cpu = mine.rate / plain.rate, mine.each / plain.each
    print(f"光秃秃的循环：每分钟 {plain.rate:.0f} 场，每场 CPU {plain.each:.0f} ms")
    reading = mine.reading / mine.talks * 1000
    print(f"化诉评测：每分钟 {mine.rate:.0f} 场，每场 CPU {mine.each:.0f} ms（另有识别 {reading:.0f} ms）")
    ok = rate >= LEAST_RATE and cpu <= MOST_CPU
    print(f"{'达到' if ok else '未达'}：速度比 {rate:.2f}（要 ≥ {LEAST_RATE}），CPU 比 {cpu:.2f}（要 ≤ {MOST_CPU}）")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())

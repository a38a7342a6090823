"""Pulls the plug in the middle of turns, and clicks about at random, and looks at what is left each time.

``python -m evals.faults kill --times 200`` kills a process with SIGKILL at random moments of a turn; ``clicks --times
1000`` plays random sequences of what two windows on two replicas can do with one talk. After each: no line that was
accepted is lost, no half turn, no duplicate, the report recomputes. Exit code 1 when anything is broken.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.errors import LearnerError
from bot.parts import NothingFound, Parts
from bot.session import Session
from bot.settings import get_settings, load_settings
from bot.store import Database, Store
from evals.bench import REPLIES
from evals.load import CASES, database

BEGAN, HELD, DONE = b"b", b"h", b"d"


@dataclass
class Found:
    """What was found over all faults."""

    seen: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def check(self, holds: bool, what: str) -> None:
        """Note a broken promise."""
        if not holds:
            self.broken.append(what)


def opened(url: str, folder: Path) -> Parts:
    """Parts on a database, without an index: what is looked at is the store."""
    settings = load_settings(data_dir=folder, database_url=url, content_dir=get_settings().content_dir, _env_file=None)
    return replace(Parts.open(settings), finder=NothingFound("not needed here"))


def again(parts: Parts) -> Parts:
    """The same parts with connections of their own, as another process has them."""
    fresh = Database(parts.settings.database)
    return replace(parts, database=fresh, store=Store(fresh))


def whole(parts: Parts, session_id: str, found: Found) -> Session:
    """The talk as it is stored now; what must always hold is checked."""
    session = Session.resume(parts, session_id)
    numbers = [t.n for t in session.turns]
    found.check(numbers == list(range(1, len(numbers) + 1)), f"{session_id}: turns {numbers}")
    said = [t.reply for t in session.turns]
    found.check(len(said) == len(set(said)), f"{session_id}: a line twice")
    found.check(session.held not in said or not session.held, f"{session_id}: a stored line is still held")
    found.check(all(t.answer.text and t.mind.turn == t.n for t in session.turns), f"{session_id}: a half turn")
    return session


def recomputes(session: Session, found: Found) -> None:
    """The report is the same from the stored turns alone, however often."""
    if session.turns:
        report = session.finish()
        found.check(report == session.recompute() == session.finish(), f"{session.id}: report differs")
        found.seen["reports"] += 1


# ── killed in the middle ─────────────────────────────────────────────────────────────────────────────


def kill(parts: Parts, times: int, seed: int) -> Found:
    """Kill a child with SIGKILL at random moments of its turn; a new process answers what was left."""
    dice, found = random.Random(seed), Found()  # noqa: S311
    session = Session.start(parts, CASES[0], seed=seed)
    usual = _took(session)
    for k in range(times):
        if session.ended:
            recomputes(session, found)
            session = Session.start(parts, CASES[k % len(CASES)], seed=k)
        line = f"{REPLIES[k % len(REPLIES)][:-1]}，第{k}句。"
        before, reached = len(session.turns), _killed(parts, session.id, line, dice.uniform(0, 1.3 * usual))
        session = whole(parts, session.id, found)
        stored, held = len(session.turns) - before, session.held
        found.seen["after" if DONE in reached else "stored" if stored else "held" if held else "before"] += 1
        found.check(HELD not in reached or held == line or session.turns[-1].reply == line, f"{k}: line lost")
        found.check(DONE not in reached or stored == 1, f"{k}: turn lost")
        if not stored and not session.ended:
            session.say(held or line)
    recomputes(session, found)
    return found


def _took(session: Session) -> float:
    session.say("您好，您慢慢说，我听着。")
    start = time.monotonic()
    session.say("您说，我在听，不着急。")
    return time.monotonic() - start


def _killed(parts: Parts, session_id: str, line: str, seconds: float) -> bytes:
    """How far a child came with its turn before it was killed."""
    reading, writing = os.pipe()
    parts.database.engine.dispose(close=False)
    child = os.fork()
    if child == 0:
        _turn(parts, session_id, line, writing)
    os.close(writing)
    reached = os.read(reading, 1)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as pipe:
        return reached + pipe.read()


def _turn(parts: Parts, session_id: str, line: str, out: int) -> None:
    """One turn in the child; never returns."""
    try:
        session = Session.resume(again(parts), session_id)
        hold = session.parts.store.hold

        def noted(*args: str) -> None:
            hold(*args)
            os.write(out, HELD)

        session.parts.store.hold = noted  # type: ignore[method-assign, assignment]
        os.write(out, BEGAN)
        session.say(line)
        os.write(out, DONE)
        time.sleep(60)
    finally:
        os._exit(0)


# ── two windows, two replicas, random clicks ─────────────────────────────────────────────────────────


def clicks(parts: Parts, times: int, seed: int) -> Found:
    """Random sequences of what can be done with a talk, in two windows that know nothing of each other."""
    other, found = again(parts), Found()
    for k in range(times):
        dice = random.Random(seed * 1_000_003 + k)  # noqa: S311
        talk = Session.start(dice.choice((parts, other)), dice.choice(CASES), seed=k)
        accepted: list[str] = []
        windows = [Session.resume(parts, talk.id), Session.resume(other, talk.id)]
        for step in range(dice.randint(2, 9)):
            which = dice.randrange(2)
            windows[which] = _click(windows[which], dice, f"{k}.{step}", accepted, found)
        session = whole(parts, talk.id, found)
        stored = [t.reply for t in session.turns]
        found.check(stored == accepted, f"sequence {k}: {len(accepted)} answered, {len(stored)} stored")
        recomputes(session, found)
    return found


def _click(window: Session, dice: random.Random, mark: str, accepted: list[str], found: Found) -> Session:
    """One click; what the learner was told he had said is noted."""
    line = dice.choice(("", "？", f"{dice.choice(REPLIES)[:-1]}，{mark}。", f"再不还就让公安上门抓你，{mark}"))
    does: dict[str, Callable[[], object]] = {
        "say": lambda: accepted.append(window.say(line).reply),
        "again": lambda: accepted.append(window.say(window.turns[-1].reply + mark).reply) if window.turns else None,
        "coach": lambda: window.feedback(dice.randint(1, len(window.turns))) if window.turns else None,
        "finish": lambda: window.finish() if dice.random() < 0.3 else None,
        "debrief": lambda: window.debrief(line),
    }
    what = dice.choice(("say", "say", "say", "again", "coach", "finish", "debrief", "reload"))
    found.seen[what] += 1
    try:
        if what != "reload":
            does[what]()
            return window
    except LearnerError:  # refused in words, as it should be
        found.seen["refused"] += 1
    return Session.resume(window.parts, window.id)


def main() -> None:
    """Inject, look, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("kill", "clicks"))
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", default="sqlite", help="sqlite, postgresql (a server of its own) or a URL")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        parts = opened(database(given.database, str(folder)), folder)
        found = {"kill": kill, "clicks": clicks}[given.what](parts, given.times, given.seed)
    counts = "，".join(f"{what} {n}" for what, n in sorted(found.seen.items()))
    print(f"{given.what} × {given.times}，{given.database.split(':')[0]}：{counts}；破坏的承诺 {len(found.broken)}")
    for line in found.broken[:20]:
        print(f"  {line}")
    sys.exit(bool(found.broken))


if __name__ == "__main__":
    main()

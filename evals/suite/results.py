"""What a run found, as values: faults by kind, every turn as it was seen, totals. JSON in and out, no clock in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from bot.errors import LearnerError
from bot.records import Anti, Record, Technique, Turn, Violation

Kind = Literal["expectation", "simulator", "grader", "error"]
KINDS: dict[Kind, str] = {
    "expectation": "与预期不符", "simulator": "模拟客户的毛病", "grader": "评分的毛病", "error": "没能跑完",
}  # fmt: skip


class Fault(Record):
    """One thing that is not as it must be. `turn` 0: the talk as a whole."""

    kind: Kind
    check: str
    turn: int = 0
    wanted: str = ""
    found: str = ""
    why: str = ""

    @property
    def key(self) -> str:
        """What makes it the same fault in another run."""
        return f"{self.kind}/{self.check}/{self.turn}"


class Mark(Record):
    """A label and the words that show it, by offset."""

    code: str
    start: int
    end: int


class Seen(Record):
    """One turn of a case as it happened."""

    n: int
    customer: str
    reply: str
    marks: tuple[Mark, ...] = ()
    state: dict[str, float] = {}
    causes: dict[str, dict[str, float]] = {}
    act: str = ""
    told: tuple[str, ...] = ()
    answer: str = ""
    source: str = "scripted"

    @classmethod
    def of(cls, turn: Turn) -> Seen:
        """What a case keeps of a turn."""
        read = turn.appraisal
        found: list[Technique | Anti | Violation] = [*read.techniques, *read.antis, *read.violations]
        marks = [Mark(code=m.code, start=m.start, end=m.start + len(m.evidence))
                 for m in found]  # fmt: skip
        causes: dict[str, dict[str, float]] = {}
        for c in turn.changes:
            mine = causes.setdefault(c.variable, {})
            mine[c.cause] = round(mine.get(c.cause, 0.0) + c.delta, 2)
        state = {**turn.mind.values, "R": turn.mind.reason, "M": turn.mind.mood}
        return cls(
            n=turn.n, customer=turn.customer, reply=turn.reply,
            marks=tuple(sorted(marks, key=lambda m: (m.start, m.code))),
            state={k: round(v, 1) for k, v in state.items()}, causes=causes, act=turn.act.behaviour,
            told=turn.mind.told, answer=turn.answer.text, source=turn.answer.source,
        )  # fmt: skip

    @property
    def codes(self) -> tuple[str, ...]:
        """The labels read, in order."""
        return tuple(m.code for m in self.marks)


class CaseResult(Record):
    """What one case gave."""

    id: str
    suite: str
    about: str
    scenario: str = ""
    persona: str = ""
    known: str = ""
    faults: tuple[Fault, ...] = ()
    turns: tuple[Seen, ...] = ()
    outcome: dict[str, Any] = {}

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong that was not known before."""
        return not self.faults or bool(self.known)

    @property
    def mended(self) -> bool:
        """Whether a known fault is gone."""
        return bool(self.known) and not self.faults


class RunResult(Record):
    """A whole run: what it was run on, every case in order, and faults that only the whole shows."""

    suite: str
    versions: dict[str, str]
    cases: tuple[CaseResult, ...]
    overall: tuple[Fault, ...] = ()
    live: dict[str, float] = {}

    @property
    def failed(self) -> tuple[CaseResult, ...]:
        """The cases with faults."""
        return tuple(c for c in self.cases if not c.ok)

    @property
    def ok(self) -> bool:
        """Whether every case is as it must be."""
        return not self.failed and not self.overall

    def count(self, kind: Kind) -> int:
        """Faults of one kind, the known ones left out."""
        return sum(f.kind == kind for c in self.failed for f in c.faults) + sum(f.kind == kind for f in self.overall)

    def by_suite(self) -> dict[str, tuple[int, int]]:
        """Cases and failed cases of each suite."""
        total, bad = Counter(c.suite for c in self.cases), Counter(c.suite for c in self.failed)
        return {name: (n, bad[name]) for name, n in total.items()}


def dumped(run: RunResult) -> str:
    """A run as JSON, a case on a line, so that two runs compare with any tool; identical runs are identical bytes."""
    head = run.model_dump(mode="json", exclude={"cases"})
    lines = [_line(c.model_dump(mode="json", exclude_defaults=True)) for c in run.cases]
    return "".join(["{\n", *(f"{_line(k)}: {_line(v)},\n" for k, v in head.items()), '"cases": [\n',
                    ",\n".join(lines), "\n]}\n"])  # fmt: skip


def loaded(path: Path) -> RunResult:
    """A run or baseline written earlier. Raises `LearnerError` when it cannot be read."""
    try:
        return RunResult.model_validate({k: v for k, v in _read(path).items() if k in RunResult.model_fields})
    except (OSError, ValueError, ValidationError):
        raise LearnerError(
            f"读不懂 {path}：它应是 huasu eval run 或 accept 写下的 JSON。请检查路径，或重新生成。"
        ) from None


def _read(path: Path) -> dict[str, Any]:
    data = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict):
        raise ValueError("not an object")
    return data


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def ordered(cases: Sequence[CaseResult], ids: Sequence[str]) -> tuple[CaseResult, ...]:
    """Results in the order of the cases."""
    by = {c.id: c for c in cases}
    return tuple(by[i] for i in ids if i in by)

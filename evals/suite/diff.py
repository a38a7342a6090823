"""What has changed since a baseline: in which case, at which turn, and why; and which of it is a regression."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard

from pydantic import ValidationError

from bot.errors import LearnerError
from bot.records import Record
from evals.suite.results import CaseResult, RunResult, Seen

FELT = 1.0  # a state that moved less is the same
SCORED = 0.5


class KeptTurn(Record):
    """What a baseline remembers of a turn."""

    reply: str
    codes: tuple[str, ...] = ()
    state: dict[str, float] = {}
    act: str = ""
    told: tuple[str, ...] = ()
    line: str = ""


class KeptCase(Record):
    """What a baseline remembers of a case."""

    faults: tuple[str, ...] = ()
    turns: tuple[KeptTurn, ...] = ()
    outcome: dict[str, Any] = {}


class Accepted(Record):
    """Who accepted a baseline, why, and how things stood."""

    who: str
    why: str
    at: str
    cases: int
    failed: int


class Baseline(Record):
    """How every case came out when somebody said: this is right."""

    accepted: tuple[Accepted, ...]
    versions: dict[str, str]
    cases: dict[str, KeptCase]


class Difference(Record):
    """One case that is not as it was. `turn` is the first at which it shows; 0 for the talk as a whole."""

    case: str
    turn: int
    what: str
    before: str
    after: str
    why: str
    regression: bool


def kept(result: CaseResult) -> KeptCase:
    """A result as a baseline remembers it."""
    return KeptCase(
        faults=tuple(sorted({f.key for f in result.faults})),
        turns=tuple(map(_turn, result.turns)),
        outcome=result.outcome,
    )


def _turn(seen: Seen) -> KeptTurn:
    return KeptTurn(reply=_digest(seen.reply), codes=tuple(sorted(set(seen.codes))), act=seen.act, told=seen.told,
                    state={k: float(round(v)) for k, v in seen.state.items()}, line=_digest(seen.answer))  # fmt: skip


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def read(path: Path) -> Baseline:
    """A baseline. Raises `LearnerError` when there is none or it is damaged."""
    try:
        return Baseline.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise LearnerError(f"没有基线 {path}。先跑 huasu eval run，确认无误后用 huasu eval accept 记下来。") from None
    except (OSError, ValidationError):
        raise LearnerError(f"读不懂基线 {path}。请从版本库恢复，或用 huasu eval accept 重新记一份。") from None


def accept(run: RunResult, path: Path, who: str, why: str, at: str) -> Baseline:
    """Record a run as the baseline, with who and why; earlier acceptances stay in the file."""
    earlier = read(path).accepted if path.exists() else ()
    entry = Accepted(who=who, why=why, at=at, cases=len(run.cases), failed=len(run.failed))
    made = Baseline(accepted=(*earlier, entry), versions=run.versions, cases={c.id: kept(c) for c in run.cases})
    data = made.model_dump(mode="json", exclude_defaults=True)
    cases = ",\n".join(f"{_json(k)}: {_json(v)}" for k, v in data.pop("cases", {}).items())
    head = "".join(f"{_json(k)}: {json.dumps(v, ensure_ascii=False, indent=1)},\n" for k, v in data.items())
    path.write_text(f'{{\n{head}"cases": {{\n{cases}\n}}\n}}\n', encoding="utf-8")
    return made


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def differences(run: RunResult, baseline: Baseline) -> list[Difference]:
    """Everything that is not as it was, regressions first."""
    changed = [name for name in sorted({*run.versions, *baseline.versions})
               if run.versions.get(name) != baseline.versions.get(name) and name != "everything"]  # fmt: skip
    found = [d for c in run.cases for d in _case(c, baseline.cases.get(c.id), changed)]
    present = {c.id for c in run.cases}
    if run.suite == "all":
        found += [Difference(case=i, turn=0, what="用例没有了", before="有", after="没有", why="用例文件删改", regression=False)
                  for i in baseline.cases if i not in present]  # fmt: skip
    return sorted(found, key=lambda d: (not d.regression, d.case))


def _case(now: CaseResult, was: KeptCase | None, changed: list[str]) -> Iterator[Difference]:
    if was is None:
        what, after = "新用例", "、".join(f.check for f in now.faults) or "通过"
        yield Difference(
            case=now.id, turn=0, what=what, before="没有", after=after, why="用例文件增加", regression=not now.ok
        )
        return
    new = [f for f in now.faults if f.key not in was.faults]
    moved = _first(was, kept(now))
    reason = _why(moved, changed) if moved else "用例的要求变了"
    for fault in new:
        yield Difference(case=now.id, turn=fault.turn, what=f"新的问题 {fault.check}", before=fault.wanted, after=fault.found,
                         why="；".join(x for x in (fault.why, reason) if x), regression=True)  # fmt: skip
    for key in sorted(set(was.faults) - {f.key for f in now.faults}):
        yield Difference(case=now.id, turn=0, what="问题没有了", before=key, after="通过", why=reason, regression=False)
    if moved and not new:
        turn, what, before, after = moved
        yield Difference(case=now.id, turn=turn, what=what, before=before, after=after, why=reason, regression=False)


Moved = tuple[int, str, str, str]


def _first(was: KeptCase, now: KeptCase) -> Moved | None:
    """The first thing that differs, cause before effect."""
    for n, (a, b) in enumerate(zip(was.turns, now.turns, strict=False), 1):
        if a.reply != b.reply:
            return n, "学员的话", a.reply, b.reply
        if a.codes != b.codes:
            return n, "标签", _list(a.codes), _list(b.codes)
        state = _moved(a.state, b.state, FELT)
        if state:
            return n, "状态", *state
        if a.act != b.act or a.told != b.told:
            return n, "客户的行为", f"{a.act} {_list(a.told)}", f"{b.act} {_list(b.told)}"
        if a.line != b.line:
            return n, "客户的话", a.line, b.line
    if len(was.turns) != len(now.turns):
        return min(len(was.turns), len(now.turns)) + 1, "轮数", str(len(was.turns)), str(len(now.turns))
    for name in sorted({*was.outcome, *now.outcome}):
        old, new = was.outcome.get(name), now.outcome.get(name)
        same = abs(old - new) < SCORED if _number(old) and _number(new) else old == new
        if not same:
            return 0, name, str(old), str(new)
    return None


def _number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _moved(was: Mapping[str, float], now: Mapping[str, float], least: float) -> tuple[str, str] | None:
    names = [k for k in was if abs(was[k] - now.get(k, was[k])) > least]
    return (_list(f"{k}={was[k]:g}" for k in names), _list(f"{k}={now[k]:g}" for k in names)) if names else None


def _list(values: Any) -> str:
    return "、".join(values) or "没有"


def _why(moved: Moved, changed: list[str]) -> str:
    what = moved[1]
    files = {
        "学员的话": "用例改写了，或模拟学员的台词变了", "标签": "识别变了", "状态": "标签没变，心智的参数或代码变了",
        "客户的行为": "状态没变，行为的门槛或次序变了", "客户的话": "行为没变，台词或模型变了", "轮数": "谈话结束得早晚不同",
    }  # fmt: skip
    near = {"标签": "appraisal", "状态": "mind", "客户的话": "lines"}.get(what, "rubric" if moved[0] == 0 else "")
    touched = [c for c in changed if near and near in c] or changed
    return files.get(what, "逐轮没变，评分的规则或代码变了") + (
        f"（改过的内容：{'、'.join(touched[:4])}）" if touched else "（内容文件没变，是代码）"
    )

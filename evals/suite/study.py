"""Is the grader right? Against trainers' marks, against itself, against another grader, and on stored talks again.

Trainers' marks are lines of JSON: ``{id, scenario?, turns: [{role, text}], final?, dims?: {code: 1–5}, codes?: [[…] per
reply]}``. Without a file the gold dialogues are the trainers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rich.console import Console
from rich.table import Table

from bot import grading, transcripts
from bot.appraisal import Appraiser
from bot.errors import LearnerError
from bot.mind import MindRules
from bot.parts import Parts
from bot.records import DIMENSIONS, Line, Report
from bot.scenarios import Library, load_library
from bot.session import Session
from bot.settings import get_settings
from bot.store import LOCAL_OWNER
from evals import gold
from evals.suite import agreement
from evals.suite.agreement import Comparison, Estimate

RARE = 3
"""A label marked fewer times than this gets no figure of its own."""


class Marked(BaseModel):
    """One talk with a trainer's marks; what he did not mark is left out."""

    model_config = ConfigDict(extra="ignore")
    id: str | int
    turns: list[Line]
    scenario: str = ""
    final: float | None = None
    dims: dict[str, float] = Field(default_factory=dict)
    codes: list[list[str]] = Field(default_factory=list)


class Other(BaseModel):
    """What another grader or prompt gave the same talk."""

    model_config = ConfigDict(extra="ignore")
    id: str | int
    final: float


def marked(path: Path | None) -> list[Marked]:
    """The trainers' marks. Raises `LearnerError` naming the line that cannot be read."""
    if path is None:
        return [_of_gold(g) for g in gold.dialogues()]
    return list(_lines(path, Marked))


def _of_gold(g: dict[str, Any]) -> Marked:
    return Marked(
        id=g["id"], scenario=g["scenario"], turns=gold.as_line(g).turns, final=g["expected"]["final"],
        dims={k: v for k, v in g["expected"]["session_dims"].items() if v is not None},
        codes=[[c["code"] for c in t["codes"]] for t in g["turns"]],
    )  # fmt: skip


def _lines(path: Path, kind: type[Any]) -> Iterator[Any]:
    if not path.exists():
        raise LearnerError(f"找不到 {path}。请检查路径。")
    for n, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if text.strip():
            try:
                yield kind.model_validate_json(text)
            except ValidationError as error:
                key = ".".join(map(str, error.errors()[0]["loc"])) or "整行"
                raise LearnerError(f"{path.name} 第 {n} 行读不懂：{key} 缺少或不合要求。") from None


def graded(talks: Sequence[Marked], library: Library, appraiser: Appraiser) -> list[dict[str, Any]]:
    """Our grade of each talk, in the shape of ``huasu grade``."""
    rules = MindRules(library.mind_rules, library.taxonomy)
    return [
        transcripts.grade(transcripts.GradeLine(id=t.id, turns=t.turns, scenario=t.scenario), library, appraiser, rules)
        for t in talks
    ]


def agreed(talks: Sequence[Marked], ours: Sequence[dict[str, Any]]) -> dict[str, Estimate]:
    """Agreement by label (κ), by dimension (weighted κ) and of totals (Spearman), each with its interval."""
    found: dict[str, Estimate] = {}
    pairs = list(_code_pairs(talks, ours))
    if pairs:
        found["标签（合计）κ"] = agreement.estimated(agreement.kappa, [p[1] for p in pairs], [p[2] for p in pairs])
    for code in sorted({c for c, _, _ in pairs}):
        mine = [(a, b) for c, a, b in pairs if c == code]
        if sum(b for _, b in mine) >= RARE:
            found[f"标签 {code} κ"] = agreement.estimated(agreement.kappa, [a for a, _ in mine], [b for _, b in mine])
    for dim in DIMENSIONS:
        both = [(float(round(o["dims"][dim])), float(round(t.dims[dim]))) for t, o in zip(talks, ours, strict=True)
                if dim in t.dims and o["dims"].get(dim) is not None]  # fmt: skip
        if len(both) >= RARE:
            found[f"维度 {dim} 加权κ"] = agreement.estimated(
                agreement.quadratic, [a for a, _ in both], [b for _, b in both]
            )
    totals = [(o["final"], t.final) for t, o in zip(talks, ours, strict=True) if t.final is not None]
    if len(totals) >= RARE:
        found["总分 Spearman"] = agreement.estimated(agreement.spearman, [a for a, _ in totals], [b for _, b in totals])
    return found


def _code_pairs(talks: Sequence[Marked], ours: Sequence[dict[str, Any]]) -> Iterator[tuple[str, float, float]]:
    """(label, read by us, marked by the trainer) for every label either used anywhere, in every reply."""
    replies = [
        ({m["code"] for kind in ("techniques", "antis", "violations") for m in read[kind]}, set(wanted))
        for t, o in zip(talks, ours, strict=True)
        for wanted, read in zip(t.codes, o["turns"], strict=False)
    ]
    for code in sorted({c for got, wanted in replies for c in got | wanted}):
        yield from ((code, float(code in got), float(code in wanted)) for got, wanted in replies)


def retested(talks: Sequence[Marked], library: Library, appraiser: Appraiser) -> float:
    """The share of talks that get the very same grade a second time."""
    first, second = graded(talks, library, appraiser), graded(talks, library, appraiser)
    return sum(a == b for a, b in zip(first, second, strict=True)) / len(talks)


def against(talks: Sequence[Marked], ours: Sequence[dict[str, Any]], others: Sequence[Other]) -> Comparison:
    """Another grader beside ours, on the talks a trainer gave a total. Raises `LearnerError` when there are none."""
    theirs = {str(o.id): o.final for o in others}
    rows = [(t.final, o["final"], theirs[str(t.id)]) for t, o in zip(talks, ours, strict=True)
            if t.final is not None and str(t.id) in theirs]  # fmt: skip
    if len(rows) < RARE:
        raise LearnerError(f"两边编号对得上、又有培训师总分的只有 {len(rows)} 场，至少要 {RARE} 场。请检查 id。")
    trainer, mine, other = (list(map(float, column)) for column in zip(*rows, strict=True))
    return agreement.compared(trainer, mine, other)


def agree(path: Path | None, other: Path | None) -> None:
    """Print how far the grader can be trusted."""
    library = load_library(get_settings().content_dir)
    appraiser, talks = Appraiser(library), marked(path)
    if not talks:
        raise LearnerError("文件里没有一场对话。")
    ours = graded(talks, library, appraiser)
    table = Table("比什么", "一致程度（95% 区间）")
    for name, estimate in agreed(talks, ours).items():
        table.add_row(name, str(estimate))
    Console().print(table)
    print(f"再评一次完全相同：{retested(talks, library, appraiser):.0%}（{len(talks)} 场）")
    if other:
        c = against(talks, ours, list(_lines(other, Other)))
        word = "差别不是偶然" if c.significant else "差别可能是偶然"
        print(f"离培训师的平均差：现在 {c.first:.1f} 分，另一套 {c.second:.1f} 分；另一套近 {c.better:+.1f} 分"
              f"（{c.low:+.1f} 到 {c.high:+.1f}），p={c.p:.3f}，{word}")  # fmt: skip


def regrade(owner: str, limit: int, as_json: bool) -> int:
    """Grade stored talks under the present rules and say which come out differently; how many do."""
    parts = Parts.open(get_settings())
    changed = 0
    for entry in parts.store.history(owner or LOCAL_OWNER, limit):
        was = parts.store.report(entry.id, owner or LOCAL_OWNER)
        if was is None:
            continue
        now = again(Session.resume(parts, entry.id, owner or LOCAL_OWNER))
        moved = difference(was, now)
        changed += bool(moved)
        if as_json:
            print(
                json.dumps(
                    {"id": entry.id, "before": was.final, "after": now.final, "changes": moved}, ensure_ascii=False
                )
            )
        elif moved:
            print(f"{entry.id[:8]} {entry.scenario} {entry.title}：{'；'.join(moved)}")
    if not as_json:
        print(f"重评完毕：{changed} 场和当时不同。当时的报告没有改动。")
    return changed


def again(session: Session) -> Report:
    """A stored talk graded by the rubric of today; nothing is written."""
    s = session.snapshot.scenario
    return grading.report(session.turns, s, session.parts.library, start_mood=session.opening_mind.mood)


def difference(was: Report, now: Report) -> list[str]:
    """What differs between two reports of one talk, in words."""
    found = [f"{name} {a} → {b}" for name, a, b in (("总分", f"{was.final:g}", f"{now.final:g}"), ("等级", was.grade, now.grade),
             ("通过", was.passed, now.passed)) if a != b]  # fmt: skip
    for dim in DIMENSIONS:
        a, b = was.dims.get(dim), now.dims.get(dim)
        if a != b:
            found.append(f"{dim} {a} → {b}")
    caps = [sorted(c.name for c in r.caps) for r in (was, now)]
    return found + ([f"封顶 {'、'.join(caps[0]) or '无'} → {'、'.join(caps[1]) or '无'}"] if caps[0] != caps[1] else [])

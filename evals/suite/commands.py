"""What ``huasu eval`` does: run the cases, compare with the baseline, report, accept."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bot.errors import LearnerError
from bot.scenarios import load_library
from bot.settings import get_settings
from evals.suite import diff, report
from evals.suite.case import Case
from evals.suite.load import FOLDER, check_names, load, of_suite
from evals.suite.results import CaseResult, RunResult, dumped, loaded
from evals.suite.run import Done, Place, run

BASELINE = FOLDER / "baseline.json"
LAST = "last.json"
SHOWN = 20
err = Console(stderr=True)


def place() -> Place:
    """Where content is and where results are kept."""
    settings = get_settings()
    return Place(settings.content_dir.resolve(), settings.data_dir.resolve() / "evals")


def cases_of(suite: str, paths: Sequence[Path], root: Path, only: str = "") -> list[Case]:
    """The cases to run, checked. Raises `ContentError` or `LearnerError`."""
    cases = of_suite(load(paths or (FOLDER,)), suite)
    check_names(cases, load_library(root))
    chosen = [c for c in cases if only in c.id]
    if not chosen:
        raise LearnerError(f"没有编号含“{only}”的用例。" if only else f"{suite} 这一组里没有用例。")
    return chosen


def run_suite(
    suite: str, paths: Sequence[Path], *, jobs: int, baseline: Path | None, folder: Path | None, fresh: bool,
    stop_first: bool, strict: bool, only: str, live: bool, budget: int, concurrency: int, fleet: str = "",
) -> bool:  # fmt: skip
    """Run, report, and say in one last line how it went; whether nothing regressed."""
    where = place()
    cases = cases_of(suite, paths, where.root, only)
    began = time.monotonic()
    with _bar(len(cases)) as done:
        if live:
            from evals.suite.live import run_live

            result = run_live(
                cases, where, budget=budget, concurrency=concurrency, stop_first=stop_first, done=done, suite=suite
            )
        else:
            result = run(
                cases, where, jobs=jobs, fresh=fresh, stop_first=stop_first, done=done, suite=suite, fleet=fleet
            )
    seconds = time.monotonic() - began
    found = diff.differences(result, diff.read(baseline)) if baseline else []
    where.home.mkdir(parents=True, exist_ok=True)
    if len(result.cases) == len(cases) and not only:
        (where.home / LAST).write_text(dumped(result), encoding="utf-8")
    if folder:
        report.write(result, found, folder, load_library(where.root), seconds)
    _show(result, found)
    if folder:
        err.print(f"报告写在 {escape(str(folder))}（report.html、junit.xml、results.json、summary.md）", soft_wrap=True)
    err.print(f"用时 {seconds:.1f} 秒")
    mended = [c.id for c in result.cases if c.mended]
    if mended:
        err.print(f"已经做到了，可以删掉用例里的 known：{'、'.join(mended)}", soft_wrap=True)
    print(report.one_line(result, found))
    return _holds(result, found, strict) if baseline else result.ok


def _holds(result: RunResult, found: Sequence[diff.Difference], strict: bool) -> bool:
    return not any(d.regression for d in found) and not result.overall and not (strict and found)


def _show(result: RunResult, found: Sequence[diff.Difference]) -> None:
    for fault in result.overall:
        err.print(escape(report.said(fault)), soft_wrap=True)
    for case in result.failed[:SHOWN]:
        err.print(f"[red]{case.id}[/red] {escape(case.about)}", soft_wrap=True)
        for fault in case.faults[:6]:
            err.print(f"    {escape(report.said(fault))}", soft_wrap=True)
    if len(result.failed) > SHOWN:
        err.print(f"……还有 {len(result.failed) - SHOWN} 个用例没过，全部见 --report。")
    for d in found[:SHOWN]:
        mark = "[red]倒退[/red]" if d.regression else "变化"
        where = f"第 {d.turn} 轮" if d.turn else "全场"
        err.print(f"{mark} {d.case} {where} {escape(f'{d.what}：{d.before} → {d.after}。{d.why}')}", soft_wrap=True)
    if len(found) > SHOWN:
        err.print(f"……还有 {len(found) - SHOWN} 处变化，全部见 --report。")


@contextmanager
def _bar(total: int) -> Iterator[Done]:
    columns = (
        TextColumn("评测"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[bad]}"),
    )
    with Progress(*columns, console=err, transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("", total=total, bad="")
        bad = 0

        def done(result: CaseResult) -> None:
            nonlocal bad
            bad += not result.ok
            progress.update(task, advance=1, bad=f"[red]{bad} 个没过[/red]" if bad else "")

        yield done


def accept(who: str, why: str, source: Path | None, target: Path | None) -> None:
    """Record the last run as the baseline."""
    if not who.strip() or len(why.strip()) < 2:
        raise LearnerError("请写清是谁（--who）、为什么认可这份结果（--why），以后看基线的人要知道。")
    path = source or place().home / LAST
    if not path.exists():
        raise LearnerError("还没有可以认可的结果。先跑一遍 huasu eval run。")
    made = diff.accept(
        loaded(path), target or BASELINE, who.strip(), why.strip(), datetime.now(UTC).isoformat(timespec="seconds")
    )
    entry = made.accepted[-1]
    print(f"已记为基线：{entry.cases} 个用例（{entry.failed} 个没过），{entry.who}：{entry.why}")

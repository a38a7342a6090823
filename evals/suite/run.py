"""Runs cases: over processes without a model, over threads with one. A finished case is kept at once, so a run that
was broken off goes on where it stopped, and a case nothing has changed for is not played again.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path

from bot.parts import Finder, Parts
from bot.retrieval import Index
from bot.scenarios import load_library
from bot.settings import load_settings
from evals.simulate import open_parts
from evals.suite import simulator
from evals.suite.case import Case
from evals.suite.fingerprint import fingerprint, key
from evals.suite.judge import judged
from evals.suite.results import CaseResult, RunResult, ordered

Done = Callable[[CaseResult], None]
KEPT = 4
FEW = 6
"""Fewer cases than this are not worth starting processes for."""


@dataclass(frozen=True)
class Place:
    """Where content is read from and where a run keeps its files."""

    root: Path
    home: Path

    @cached_property
    def cache(self) -> Path:
        """Finished cases of exactly this code and content."""
        return self.home / "cases" / fingerprint(self.root)

    def kept(self, case: Case) -> CaseResult | None:
        """An earlier result of the same case; None when there is none, or it is damaged."""
        try:
            return CaseResult.model_validate_json((self.cache / f"{key(case)}.json").read_bytes())
        except (OSError, ValueError):
            return None

    def keep(self, case: Case, result: CaseResult) -> None:
        """Keep a result whole or not at all. Unwritable folders cost only the saving of time."""
        try:
            self.cache.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=self.cache, delete=False, encoding="utf-8") as draft:
                draft.write(result.model_dump_json(exclude_defaults=True))
            os.replace(draft.name, self.cache / f"{key(case)}.json")
        except OSError:
            return

    def prune(self) -> None:
        """Forget the results of older code."""
        old = sorted((self.home / "cases").glob("*"), key=lambda p: p.stat().st_mtime)[:-KEPT]
        for folder in old:
            shutil.rmtree(folder, ignore_errors=True)


class Worker:
    """Plays cases in one process; opens what it needs when it is first needed."""

    def __init__(self, root: Path, home: Path, parts: Parts | None = None) -> None:
        self._root, self._home, self._parts = root, home, parts
        self._finder: Finder | None = None

    def result(self, case: Case) -> CaseResult:
        """The result of one case."""
        if self._parts is None:
            self._parts = open_parts(self._root)
        return judged(case, self._parts, self.finder)

    def finder(self) -> Finder:
        """The index, built once for all workers before they start (see `prepare_index`)."""
        if self._finder is None:
            self._finder = prepare_index(self._root, self._home)
        return self._finder


def prepare_index(root: Path, home: Path) -> Index:
    """The index of the built-in knowledge, in a folder of its own."""
    index = Index.open(load_settings(content_dir=root, data_dir=home / "index", _env_file=None))
    index.sync_knowledge(load_library(root))
    return index


_worker: Worker | None = None


def _started(root: Path, home: Path) -> None:
    global _worker
    _worker = Worker(root, home)


def _work(case: Case) -> CaseResult:
    assert _worker is not None
    return _worker.result(case)


def run(
    cases: Sequence[Case], place: Place, *, jobs: int = 0, fresh: bool = False, stop_first: bool = False,
    done: Done = lambda _result: None, suite: str = "all", fleet: str = "",
) -> RunResult:  # fmt: skip
    """Every case, in the order given. `fresh` plays even what is kept; `stop_first` ends at the first fault;
    `fleet` is the address of a Dask scheduler."""
    found: dict[str, CaseResult] = {}
    waiting: list[Case] = []
    for case in cases:
        kept = None if fresh else place.kept(case)
        if kept is None:
            waiting.append(case)
        else:
            found[case.id] = kept
            done(kept)
    if not (stop_first and any(not r.ok for r in found.values())):
        for case, result in _spread(waiting, place, jobs or os.cpu_count() or 1, fleet):
            found[case.id] = result
            place.keep(case, result)
            done(result)
            if stop_first and not result.ok:
                break
    place.prune()
    results = ordered(list(found.values()), [c.id for c in cases])
    return RunResult(
        suite=suite, versions=versions(place), cases=results, overall=tuple(simulator.styles(results))
    )  # fmt: skip


def versions(place: Place) -> dict[str, str]:
    """What a run was made with, by file and for the code as a whole."""
    library = load_library(place.root)
    return {**library.versions(), "everything": fingerprint(place.root)}


def _spread(cases: Sequence[Case], place: Place, jobs: int, fleet: str) -> Iterator[tuple[Case, CaseResult]]:
    if not fleet:
        return _played(cases, place, jobs)
    from evals.suite import fleet as dask  # an optional extra

    return dask.played(cases, place, fleet)


def _played(cases: Sequence[Case], place: Place, jobs: int) -> Iterator[tuple[Case, CaseResult]]:
    if jobs == 1 or len(cases) < FEW:
        worker = Worker(place.root, place.home)
        for case in cases:
            yield case, worker.result(case)
        return
    if any(c.kind == "ask" for c in cases):
        prepare_index(place.root, place.home)
    with ProcessPoolExecutor(
        min(jobs, len(cases)), mp_context=get_context("spawn"), initializer=_started, initargs=(place.root, place.home)
    ) as pool:
        futures = {pool.submit(_work, case): case for case in sorted(cases, key=_size, reverse=True)}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _size(case: Case) -> int:
    """About how long a case takes, so that the longest start first."""
    replies = len(case.given) + len(case.say) * (2 + case.resume) + sum(map(len, case.same)) + 2 * len(case.better)
    return replies + (case.most if case.learner else 0) + 12 * bool(case.gold)

"""Runs a bank's own case files with pytest: every ``*.cases.yaml`` (or a file given by name) is collected, case by case.

Registered as the entry point ``huasu`` of ``pytest11``; it does nothing where there are no such files. ``-k`` chooses
cases by id. A simulator's fault is reported as such, apart from what the case expects.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from evals.suite.case import Case
    from evals.suite.results import CaseResult
    from evals.suite.run import Worker

SUFFIX = ".cases.yaml"
_workers: dict[str, Worker] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    """The one option: known faults may be made to fail."""
    group = parser.getgroup("huasu", "化诉评测用例")
    group.addoption("--huasu-known", action="store_true", help="已知还做不到的用例也算没过")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A case file becomes a collector; anything else is left alone."""
    return CaseFile.from_parent(parent, path=file_path) if file_path.name.endswith(SUFFIX) else None


class CaseFile(pytest.File):
    """A file of cases."""

    def collect(self) -> Iterator[pytest.Item]:
        """Its cases, checked for spelling and names first."""
        from bot.errors import HuasuError
        from bot.scenarios import load_library
        from bot.settings import get_settings
        from evals.suite.load import check_names, read

        try:
            cases = read(self.path)
            check_names(cases, load_library(get_settings().content_dir))
        except HuasuError as error:
            raise self.CollectError(str(error)) from None
        for case in cases:
            yield CaseItem.from_parent(self, name=case.id, case=case)


class CaseFailedError(Exception):
    """A case that is not as it must be."""


class CaseItem(pytest.Item):
    """One case."""

    def __init__(self, *, case: Case, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.case = case
        self.add_marker(pytest.mark.huasu)

    def runtest(self) -> None:
        """Play and check it."""
        result = _worker(self.config).result(self.case)
        if result.faults and self.case.known and not self.config.getoption("--huasu-known"):
            pytest.xfail(self.case.known)
        if result.faults:
            raise CaseFailedError(said(result))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What is wrong, without a traceback: the fault is in the talk, not in the test."""
        return (
            str(excinfo.value) if isinstance(excinfo.value, CaseFailedError) else super().repr_failure(excinfo, style)
        )

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the case is."""
        return self.path, None, f"{self.case.id}：{self.case.about}"


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker of these items."""
    config.addinivalue_line("markers", "huasu: a case of the 化诉 evaluation suite")


def said(result: CaseResult) -> str:
    """The faults of a case and the talk around them."""
    from evals.suite.report import said as line

    turns = [
        f"  {t.n}. 客户：{t.customer}\n     学员：{t.reply}\n     → {'、'.join(t.codes) or '没有标签'}；{t.act}"
        for t in result.turns
    ]
    return "\n".join([result.about, *(f"- {line(f)}" for f in result.faults), *turns])


def _worker(config: pytest.Config) -> Worker:
    from bot.settings import get_settings
    from evals.suite.run import Worker

    root = get_settings().content_dir.resolve()
    cache = getattr(config, "cache", None)  # absent when the cache plug-in is switched off
    home = cache.mkdir("huasu") if cache else get_settings().data_dir / "evals"
    return _workers.setdefault(str(root), Worker(root, Path(home)))

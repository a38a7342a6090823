"""Cases over the workers of a Dask scheduler: two real worker processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import SetupError
from evals.suite import fleet
from evals.suite.case import Case
from evals.suite.results import dumped
from evals.suite.run import Place, run
from tests.conftest import ROOT

distributed = pytest.importorskip("distributed")
CASES = [
    Case.model_validate({"id": f"case-{i}", "about": "一个用例", "scenario": "SC01", "seed": i,
                         "say": ["一天八个电话追着打，换谁心里都又急又委屈。"]})
    for i in range(4)
]  # fmt: skip


@pytest.fixture
def scheduler(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0", host="127.0.0.1"
    ) as cluster:
        yield cluster.scheduler_address


def test_two_workers_find_what_one_process_finds(scheduler: str, tmp_path: Path) -> None:
    place = Place(ROOT, tmp_path / "evals")
    assert dumped(run(CASES, place, fleet=scheduler, fresh=True)) == dumped(run(CASES, place, jobs=1, fresh=True))


def test_a_worker_with_other_code_may_not_play(scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "fingerprint", lambda _root: "another")
    with pytest.raises(SetupError, match="不是同一版"):
        run(CASES, Place(ROOT, tmp_path / "evals"), fleet=scheduler)


def test_no_scheduler_says_what_to_do(tmp_path: Path, free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "PATIENCE", "1s")
    with pytest.raises(SetupError, match="连不上调度器"):
        run(CASES, Place(ROOT, tmp_path / "evals"), fleet=f"tcp://127.0.0.1:{free_port}")

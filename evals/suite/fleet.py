"""The same cases over the workers of a Dask scheduler, on as many machines as the bank has.

Every worker has 化诉 installed in the same version; it reads its own content and is checked for having the very same
before it may play. Needs the extra ``fleet``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from bot.errors import SetupError
from bot.settings import get_settings
from evals.suite.case import Case
from evals.suite.fingerprint import fingerprint
from evals.suite.results import CaseResult
from evals.suite.run import Place, Worker

PATIENCE = "10s"
MISSING = "要分给多台机器跑，请先装上扩展：pip install 'huasu[fleet]'。"
OTHER = "工作机 {who} 上的化诉和这里不是同一版。请在每台机器上装同一版、放同样的内容。"


def played(cases: Sequence[Case], place: Place, address: str) -> Iterator[tuple[Case, CaseResult]]:
    """Each case with its result, as they come in. Raises `SetupError` when the fleet cannot be used."""
    try:
        import distributed
    except ImportError:
        raise SetupError(MISSING) from None
    dask: Any = distributed  # its calls are untyped
    try:
        client = dask.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError):
        raise SetupError(f"连不上调度器 {address}。请检查地址，以及 dask scheduler 是否已启动。") from None
    with client:
        _alike(client, fingerprint(place.root))
        futures = {client.submit(work, case, pure=False): case for case in cases}
        for future in dask.as_completed(list(futures), loop=client.loop):
            yield futures[future], future.result()


def _alike(client: Any, here: str) -> None:
    there: dict[str, str] = client.run(version)
    if not there:
        raise SetupError("调度器上一台工作机也没有。请先启动 dask worker。")
    for who, found in there.items():
        if found != here:
            raise SetupError(OTHER.format(who=who))


def version() -> str:
    """What this worker would play with."""
    return fingerprint(_root())


def work(case: Case) -> CaseResult:
    """One case, in whatever process this is."""
    return _worker().result(case)


@lru_cache(maxsize=1)
def _worker() -> Worker:
    home = get_settings().data_dir.resolve() / "evals" / f"worker-{os.getpid()}"
    return Worker(_root(), home)


def _root() -> Path:
    return get_settings().content_dir.resolve()

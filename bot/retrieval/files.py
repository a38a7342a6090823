"""Which files a command's paths mean, and the name each document is known by."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from bot.retrieval.readers import KINDS, MAX_BYTES


def gathered(paths: Iterable[Path], skipped: list[tuple[str, str]]) -> tuple[dict[Path, str], list[Path]]:
    """Every file to read, by absolute path, with its document name; and the folders that were named.

    A file in a folder is named by its path inside it, so that two of the same name stay apart. Kinds of file that
    cannot be read are reported once per folder; a file named outright is kept, so that it gets its own reason.
    """
    files: dict[Path, str] = {}
    folders: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.setdefault(path.parent.resolve() / path.name, path.name)
            continue
        folder = path.resolve()
        folders.append(folder)
        found = [f for f in sorted(folder.rglob("*")) if f.is_file() and not _private(f.relative_to(folder))]
        files |= {f: f.relative_to(folder).as_posix() for f in found if f.suffix.lower() in KINDS}
        odd = Counter(f.suffix.lower() or "无后缀" for f in found if f.suffix.lower() not in KINDS)
        if odd:
            kinds = "、".join(sorted(odd))
            skipped.append((path.name, f"{odd.total()} 个文件不是 md、txt、pdf、docx、jsonl（{kinds}），没有读"))
    return files, folders


def fingerprint(path: Path) -> str:
    """A hash of a file's bytes; empty when it cannot be read or is too big to be taken in."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return ""
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError:
        return ""


def twin_of(path: Path, print_: str, sources: Mapping[str, str]) -> str:
    """The name of another file with this hash that still has it; empty when there is none."""
    twin = Path(sources.get(print_, ""))
    return twin.name if print_ and twin.name and twin != path and fingerprint(twin) == print_ else ""


def within(path: Path, folders: Iterable[Path]) -> bool:
    """Whether a path lies in one of the folders."""
    return any(path.is_relative_to(folder) for folder in folders)


def _private(path: Path) -> bool:
    """Whether a file is hidden, in a hidden folder, or an editor's lock file."""
    return any(part.startswith((".", "~$")) for part in path.parts)

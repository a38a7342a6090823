"""Vectors of texts, each made once: shipped beside the content, or kept on disk by the hash of the text.

A vector is kept as 384 signed bytes; every vector goes through that form, so it is the same wherever it came from.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot import embedding
from bot.embedding import DIMENSIONS, NAME
from bot.retrieval.wording import questions

log = logging.getLogger("huasu.retrieval")
KEY = 16  # bytes of a hash
Packed = NDArray[np.int8]
Make = Callable[[list[str]], embedding.Vectors]
_ASK = 500  # keys per question to the cache


class Vectors:
    """The vectors of passages, and the average question."""

    def __init__(self, root: Path, cache: Path) -> None:
        self._root, self._cache = root, cache
        self._file = root / "knowledge" / "retrieval" / "vectors.npy"

    def passages(self, texts: Sequence[str], step: Callable[[int], None] | None = None) -> embedding.Vectors:
        """Unit vectors of texts to be found, shape (len(texts), 384); `step` hears how many are known so far."""
        return self._known("passage", texts, embedding.passages, step)

    def questions(self, texts: Sequence[str]) -> embedding.Vectors:
        """Unit vectors of questions, shape (len(texts), 384): what asks alike lies close, in whatever words."""
        return self._known("question", texts, _queries, None)

    def _known(
        self, kind: str, texts: Sequence[str], make: Make, step: Callable[[int], None] | None
    ) -> embedding.Vectors:
        keys = [key(kind, text) for text in texts]
        known = {k: self.shipped[k] for k in keys if k in self.shipped}
        known |= self._remembered([k for k in dict.fromkeys(keys) if k not in known])
        fresh = {k: text for k, text in zip(keys, texts, strict=True) if k not in known}
        share = embedding.BATCH * embedding.CORES
        for i in range(0, len(fresh), share):
            if step:
                step(len(texts) - len(fresh) + i)
            part = list(fresh)[i : i + share]
            made = dict(zip(part, packed(make([fresh[k] for k in part])), strict=True))
            self._remember(made)
            known |= made
        return unpacked([known[k] for k in keys])

    def centre(self) -> embedding.Vectors:
        """The average vector of many everyday questions: what all questions share and no answer is told apart by."""
        asked = self.asked
        if (k := key("asked", "\n".join(asked))) in self.shipped:
            return unpacked([self.shipped[k]]).reshape(DIMENSIONS)
        return unpacked(packed(centred(asked))).reshape(DIMENSIONS)

    @cached_property
    def asked(self) -> list[str]:
        """The everyday questions that are averaged."""
        return questions(self._root)

    @cached_property
    def shipped(self) -> dict[bytes, Packed]:
        """The vectors shipped with the content, by hash; empty when the file is missing or unreadable."""
        try:
            rows = np.load(self._file, allow_pickle=False)
            whole = rows.dtype == np.uint8 and rows.ndim == 2 and rows.shape[1] == KEY + DIMENSIONS
        except (OSError, ValueError, EOFError):
            whole = False
        if not whole:
            return {}
        return {row[:KEY].tobytes(): row[KEY:].view(np.int8) for row in rows}

    def ship(self, texts: Sequence[str], asks: Sequence[str]) -> int:
        """Write the vectors of the shipped texts, of the questions they answer and of the average question as plain
        data; how many there are. Only what is new is embedded."""
        kept: dict[bytes, Packed] = {}
        for kind, said, make in (("passage", texts, embedding.passages), ("question", asks, _queries)):
            keyed = {key(kind, text): text for text in said}
            kept |= {k: self.shipped[k] for k in keyed if k in self.shipped}
            fresh = [k for k in keyed if k not in kept]
            kept |= zip(fresh, packed(make([keyed[k] for k in fresh])) if fresh else (), strict=True)
        kept[key("asked", "\n".join(self.asked))] = packed(centred(self.asked))[0]
        rows = [np.frombuffer(k + kept[k].tobytes(), np.uint8) for k in sorted(kept)]
        np.save(self._file, np.stack(rows), allow_pickle=False)
        return len(rows)

    def _remembered(self, keys: Sequence[bytes]) -> dict[bytes, Packed]:
        found: dict[bytes, Packed] = {}
        if not keys or not self._cache.exists():
            return found
        try:
            with closing(sqlite3.connect(self._cache, timeout=10)) as db:
                for i in range(0, len(keys), _ASK):
                    part = keys[i : i + _ASK]
                    marks = ",".join("?" * len(part))
                    rows = db.execute(f"SELECT key, vector FROM vectors WHERE key IN ({marks})", part)  # noqa: S608
                    found |= {k: np.frombuffer(v, np.int8) for k, v in rows if len(v) == DIMENSIONS}
        except sqlite3.Error as error:
            log.warning("vector cache not readable: %s", error)
        return found

    def _remember(self, made: Mapping[bytes, Packed]) -> None:
        try:
            self._cache.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._cache, timeout=10)) as db, db:
                db.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID")
                db.executemany(
                    "INSERT OR REPLACE INTO vectors VALUES (?, ?)", [(k, v.tobytes()) for k, v in made.items()]
                )
        except (sqlite3.Error, OSError) as error:  # a cache that cannot be written only costs time
            log.warning("vector cache not writable: %s", error)


def key(kind: str, text: str) -> bytes:
    """The hash a vector is known by: of the text, what it is for, and the model."""
    return hashlib.sha256("\x00".join((NAME, kind, text)).encode("utf-8", "replace")).digest()[:KEY]


def packed(vectors: embedding.Vectors) -> list[Packed]:
    """Vectors as signed bytes; the length is lost, and unit vectors have no need of it."""
    vectors = np.atleast_2d(vectors)
    top = np.abs(vectors).max(axis=1, keepdims=True) if len(vectors) else np.ones((0, 1))
    return list(np.round(vectors / np.maximum(top, 1e-9) * 127).astype(np.int8))


def unpacked(rows: Sequence[Packed]) -> embedding.Vectors:
    """Unit vectors from signed bytes."""
    if not rows:
        return np.zeros((0, DIMENSIONS), dtype=np.float32)
    whole = np.stack(rows).astype(np.float32)
    return np.asarray(whole / np.maximum(np.linalg.norm(whole, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def centred(questions: Sequence[str]) -> embedding.Vectors:
    """The direction of the average question."""
    return np.asarray(np.mean([embedding.query(q) for q in questions], axis=0), dtype=np.float32)


def _queries(texts: Sequence[str]) -> embedding.Vectors:
    return np.stack([embedding.query(text) for text in texts])

"""BM25 over characters and character pairs: what dense vectors miss in Chinese (article numbers, rare terms).

Chinese has no spaces, and measured on questions about law plain characters with their pairs beat a word segmenter.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
_K1, _B = 1.5, 0.75
_LATIN = re.compile(r"[a-z0-9]+")
_PAIR, _WORD = np.int64(1 << 21), np.int64(1 << 42)  # room for one code point; Latin words lie above every pair
_DOCS = 20  # bits for the number of a text


def grams(text: str) -> set[int]:
    """The distinct grams of a text: Chinese characters, pairs of them, and whole Latin words and numbers."""
    found, _ = _grams(text.lower())
    return set(found.tolist())


class Bm25:
    """The grams of one fixed list of texts (Robertson and Zaragoza 2009), searched by their position in it."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.size = len(texts)
        lowered = [t.lower() for t in texts]
        found, at = _grams("\n".join(lowered))
        ends = np.cumsum([len(t) + 1 for t in lowered], dtype=np.int64)
        docs = np.searchsorted(ends, at, side="right")
        keys, counts = np.unique((found << np.int64(_DOCS)) | docs, return_counts=True)
        self._docs = (keys & np.int64((1 << _DOCS) - 1)).astype(np.int32)
        self._counts = counts.astype(np.float64)
        self._grams, self._starts = np.unique(keys >> np.int64(_DOCS), return_index=True)
        self.length = np.bincount(docs, minlength=self.size).astype(np.float64)

    def holding(self, wanted: Iterable[int]) -> dict[int, int]:
        """How many texts hold each gram, for those that any text holds."""
        return {gram: stop - start for gram, start, stop in self._spans(wanted)}

    def scores(self, weights: Mapping[int, float], mean: float) -> Scores:
        """The score of every text for grams with these weights (idf included); `mean` is the usual length."""
        norm = _K1 * (1 - _B + _B * self.length / max(mean, 1e-9))
        docs, parts = [np.zeros(0, np.int32)], [np.zeros(0)]
        for gram, start, stop in self._spans(weights):
            here, count = self._docs[start:stop], self._counts[start:stop]
            docs.append(here)
            parts.append(weights[gram] * count * (_K1 + 1) / (count + norm[here]))
        return np.bincount(np.concatenate(docs), np.concatenate(parts), minlength=self.size).astype(np.float64)

    def _spans(self, wanted: Iterable[int]) -> list[tuple[int, int, int]]:
        asked = np.fromiter(wanted, np.int64)
        if not len(asked) or not len(self._grams):
            return []
        at = np.minimum(np.searchsorted(self._grams, asked), len(self._grams) - 1)
        stops = np.append(self._starts[1:], len(self._docs))
        known = self._grams[at] == asked
        return [(int(g), int(self._starts[i]), int(stops[i])) for g, i in zip(asked[known], at[known], strict=True)]


def worded(indexes: Sequence[Bm25], asked: Mapping[int, float]) -> list[Scores]:
    """The scores of several indexes as if they were one, so that a rare word is rare everywhere."""
    size = sum(i.size for i in indexes)
    held = [i.holding(asked) for i in indexes]
    mean = sum(float(i.length.sum()) for i in indexes) / max(1, size)
    weights = {gram: weight * _idf(sum(h.get(gram, 0) for h in held), size) for gram, weight in asked.items()}
    return [i.scores(weights, mean) for i in indexes]


def _idf(holding: int, size: int) -> float:
    return math.log(1 + (size - holding + 0.5) / (holding + 0.5))


def _grams(text: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every gram of a lower-case text and where it begins."""
    code = np.frombuffer(text.encode("utf-32-le", "replace"), dtype="<u4").astype(np.int64)
    chinese = (code >= 0x4E00) & (code <= 0x9FFF)
    single = np.flatnonzero(chinese)
    pair = np.flatnonzero(chinese[:-1] & chinese[1:])
    latin = [(m.start(), zlib.crc32(m.group().encode())) for m in _LATIN.finditer(text)]
    spot = np.array([i for i, _ in latin], np.int64)
    word = np.array([w for _, w in latin], np.int64) + _WORD
    grams_ = np.concatenate([code[single], code[pair] * _PAIR + code[pair + 1], word])
    return grams_, np.concatenate([single, pair, spot]).astype(np.int64)

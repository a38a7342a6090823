"""BM25 over character bigrams: what dense vectors miss in Chinese (article numbers, rare terms)."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict

_K1, _B = 1.5, 0.75


def grams(text: str) -> list[str]:
    """Character bigrams of the words and numbers in a text, lower case."""
    found: list[str] = []
    for run in re.findall(r"[\u4e00-\u9fff]+|[a-z0-9]+", text.lower()):
        found += [run] if len(run) < 2 or run.isascii() else [run[i : i + 2] for i in range(len(run) - 1)]
    return found


class Bm25:
    """Scores of one fixed set of texts (Robertson and Zaragoza 2009)."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._postings: dict[str, list[tuple[str, int]]] = defaultdict(list)
        self._length: dict[str, int] = {}
        for key, text in texts.items():
            counted = Counter(grams(text))
            self._length[key] = sum(counted.values())
            for gram, n in counted.items():
                self._postings[gram].append((key, n))
        self._mean = sum(self._length.values()) / max(1, len(self._length))

    def scores(self, query: str) -> dict[str, float]:
        """The score of every text that shares a gram with the query, by its key."""
        scores: dict[str, float] = defaultdict(float)
        total = len(self._length)
        for gram in set(grams(query)):
            hits = self._postings.get(gram, [])
            idf = math.log(1 + (total - len(hits) + 0.5) / (len(hits) + 0.5))
            for key, n in hits:
                norm = _K1 * (1 - _B + _B * self._length[key] / self._mean)
                scores[key] += idf * n * (_K1 + 1) / (n + norm)
        return scores

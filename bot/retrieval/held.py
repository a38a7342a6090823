"""A collection held in memory to be searched, and the order a question puts it in."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from langchain_chroma import Chroma
from numpy.typing import NDArray

from bot import embedding
from bot.records import REPEALED, Passage
from bot.retrieval import ranking
from bot.retrieval.chunks import HIDDEN, SUCCESSOR
from bot.retrieval.client import answering
from bot.retrieval.lexical import Bm25, worded

Where = Mapping[str, str | Collection[str]]
_SHOWN = ("status", "conf", "kind", "level", "section")


@dataclass(frozen=True)
class Held:
    """One collection as last read, its lists in the same order. `mark` changes with every write, by any process."""

    name: str
    mark: str
    keys: list[str]
    rows: list[dict[str, Any]]
    texts: list[str]
    vectors: embedding.Vectors
    words: Bm25
    docs: dict[str, list[int]]
    hidden: NDArray[np.bool_]
    repealed: list[int]

    @classmethod
    def load(cls, name: str, mark: str, store: Chroma) -> Held:
        """Everything in a collection, in the order of its documents."""
        with answering():
            got = store.get(include=["documents", "metadatas", "embeddings"])
        place = [(str(m.get("file", "")), str(m["doc"]), int(m.get("seq", 0))) for m in got["metadatas"]]
        order = sorted(range(len(place)), key=place.__getitem__)
        texts, rows = [str(got["documents"][i]) for i in order], [dict(got["metadatas"][i]) for i in order]
        vectors = np.asarray(got["embeddings"], dtype=np.float32).reshape(len(rows), embedding.DIMENSIONS)[order]
        docs: dict[str, list[int]] = defaultdict(list)
        for i, row in enumerate(rows):
            docs[str(row["doc"])].append(i)
        return cls(
            name, mark, [got["ids"][i] for i in order], rows, texts, vectors, Bm25(texts), dict(docs),
            np.array([row.get(HIDDEN) == "true" for row in rows], dtype=bool),
            [i for i, row in enumerate(rows) if row.get("status") in REPEALED],
        )  # fmt: skip

    def allowed(self, where: Where) -> NDArray[np.bool_]:
        """Which chunks have the metadata asked for; hidden ones only when that is asked for."""
        allowed = np.ones(len(self.keys), dtype=bool) if HIDDEN in where else ~self.hidden
        for name, value in where.items():
            wanted = (value,) if isinstance(value, str) else tuple(value)
            allowed &= np.array([row.get(name, "") in wanted for row in self.rows], dtype=bool)
        return allowed

    def passage(self, at: int, score: float = 0.0) -> Passage:
        """The chunk at a place as a passage."""
        meta = self.rows[at]
        shown = {name: str(meta.get(name, "")) for name in _SHOWN}
        return Passage(
            id=self.keys[at], doc=str(meta["doc"]), collection=self.name, title=str(meta["title"]), score=score,
            text=self.texts[at][int(meta.get("lead", 0)) :], **shown,
        )  # fmt: skip


class Ranking:
    """Some collections and the score of every chunk in them for one question."""

    def __init__(
        self, held: Sequence[Held], toward: embedding.Vectors, asked: Mapping[int, float], where: Where
    ) -> None:
        self._held = held
        self._starts = list(accumulate((len(one.keys) for one in held[:-1]), initial=0))
        if not held:
            self._score = np.zeros(0)
            return
        near = np.concatenate([one.vectors @ toward for one in held]).astype(np.float64)
        shared = np.concatenate(worded([one.words for one in held], asked))
        score = ranking.fused(near, shared, np.concatenate([one.allowed(where) for one in held]))
        self._score = ranking.standing(score, self._repealed(), self._places)

    def best(self) -> Iterator[tuple[Held, int, float]]:
        """Collection, place and score of what may be shown, best first."""
        for at in np.argsort(-self._score, kind="stable"):
            if self._score[at] == -np.inf:
                return
            n = bisect_right(self._starts, at) - 1
            yield self._held[n], int(at) - self._starts[n], float(self._score[at])

    def _repealed(self) -> list[tuple[int, list[str]]]:
        return [
            (start + i, [d for d in re.split(r"[、，,\s]+", str(one.rows[i].get(SUCCESSOR, ""))) if d])
            for one, start in zip(self._held, self._starts, strict=True)
            for i in one.repealed
        ]

    def _places(self, doc: str) -> list[int]:
        both = zip(self._held, self._starts, strict=True)
        return [start + i for one, start in both for i in one.docs.get(doc, [])]

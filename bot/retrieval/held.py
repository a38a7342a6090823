"""A collection held in memory to be searched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from langchain_chroma import Chroma
from numpy.typing import NDArray

from bot import embedding
from bot.records import REPEALED, Passage
from bot.retrieval.asks import asked
from bot.retrieval.chunks import ASKS, HIDDEN, section_of
from bot.retrieval.client import answering
from bot.retrieval.lexical import Bm25
from bot.retrieval.vectors import Vectors

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
    words: Bm25  # of the texts with the questions they answer
    topics: Bm25  # of whole documents
    topic: NDArray[np.int64]  # the place of each chunk's document in `docs` and `topics`
    asks: embedding.Vectors  # of all questions, in the order of the chunks that answer them
    starts: NDArray[np.int64]  # where the questions of each chunk that has any begin
    asked: NDArray[np.bool_]  # which chunks have any
    sections: list[str]  # document#section, the same for all pieces of one section
    docs: dict[str, list[int]]
    hidden: NDArray[np.bool_]
    repealed: list[int]

    @classmethod
    def load(cls, name: str, mark: str, store: Chroma, vectors: Vectors) -> Held:
        """Everything in a collection, in the order of its documents."""
        with answering():
            got = store.get(include=["documents", "metadatas", "embeddings"])
        place = [(str(m.get("file", "")), str(m["doc"]), int(m.get("seq", 0))) for m in got["metadatas"]]
        order = sorted(range(len(place)), key=place.__getitem__)
        keys, texts = [got["ids"][i] for i in order], [str(got["documents"][i]) for i in order]
        rows = [dict(got["metadatas"][i]) for i in order]
        meanings = np.asarray(got["embeddings"], dtype=np.float32).reshape(len(rows), embedding.DIMENSIONS)[order]
        docs: dict[str, list[int]] = defaultdict(list)
        for i, row in enumerate(rows):
            docs[str(row["doc"])].append(i)
        number = {doc: n for n, doc in enumerate(docs)}
        asks = [asked(row.get(ASKS)) for row in rows]
        counts = np.array([len(questions) for questions in asks], dtype=np.int64)
        said = ["\n".join([text, *questions]) for text, questions in zip(texts, asks, strict=True)]
        return cls(
            name, mark, keys, rows, texts, meanings, Bm25(said),
            Bm25(["\n".join(said[i] for i in places) for places in docs.values()]),
            np.array([number[str(row["doc"])] for row in rows], dtype=np.int64),
            vectors.questions([q for questions in asks for q in questions]),
            (np.cumsum(counts) - counts)[counts > 0], counts > 0,
            [section_of(key) for key in keys], dict(docs),
            np.array([row.get(HIDDEN) == "true" for row in rows], dtype=bool),
            [i for i, row in enumerate(rows) if row.get("status") in REPEALED],
        )  # fmt: skip

    def nearest_ask(self, toward: embedding.Vectors) -> NDArray[np.float64]:
        """How near the nearest question of each chunk comes; 0 for a chunk that has none."""
        near = np.zeros(len(self.keys))
        if len(self.starts):
            near[self.asked] = np.maximum.reduceat(self.asks @ toward, self.starts)
        return near

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

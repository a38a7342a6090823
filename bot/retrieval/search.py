"""Several collections searched as one: what each chunk scores for a question, and the order that puts them in.

Four views of a chunk are weighed (`ranking.WEIGHTS`): its meaning, the meaning of the questions it is known to answer,
its wording, and the wording of its whole document. Then what a good hit cites, or is cited by, rises a little.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from bot import embedding
from bot.retrieval import ranking
from bot.retrieval.chunks import LINKS, SUCCESSOR
from bot.retrieval.held import Held, Where
from bot.retrieval.lexical import worded

Scores = NDArray[np.float64]


class Searched:
    """Some collections as they were last read. What does not depend on the question is worked out once."""

    def __init__(self, held: Sequence[Held]) -> None:
        self.held = held
        self._starts = list(accumulate((len(one.keys) for one in held[:-1]), initial=0))

    def scores(self, toward: embedding.Vectors, wanted: Mapping[int, float], where: Where) -> Scores:
        """The score of every chunk, -inf for what `where` leaves out."""
        if not self.held:
            return np.zeros(0)
        allowed = np.concatenate([one.allowed(where) for one in self.held])
        meaning = ranking.stretched(self._meaning(toward), allowed)
        wording = ranking.stretched(np.concatenate(worded([one.words for one in self.held], wanted)), allowed)
        document = ranking.stretched(self._by_document(wanted), allowed)
        views = {
            "meaning": meaning,
            "asks": self._by_asks(toward, meaning, allowed),
            "wording": wording,
            "document": document if document.any() else wording,  # one document does not tell its passages apart
        }
        score = ranking.linked(ranking.weighed(views, allowed), self._links)
        return ranking.standing(score, self._repealed, self._places)

    def best(self, score: Scores) -> Iterator[tuple[Held, int, float]]:
        """Collection, place and score of what may be shown, best first."""
        for at in np.argsort(-score, kind="stable"):
            if score[at] == -np.inf:
                return
            n = bisect_right(self._starts, at) - 1
            yield self.held[n], int(at) - self._starts[n], float(score[at])

    def spread(self, score: Scores) -> Scores:
        """Scores in which every further passage of a document gives way to other documents."""
        if not len(score):
            return score
        order = np.lexsort((-score, self._document))
        document = self._document[order]
        first = np.flatnonzero(np.r_[True, document[1:] != document[:-1]])
        nth = np.arange(len(order)) - np.repeat(first, np.diff(np.r_[first, len(order)]))
        found = score.copy()
        found[order] -= ranking.AGAIN * np.minimum(nth, ranking.OFTEN)
        return found

    def _meaning(self, toward: embedding.Vectors) -> Scores:
        return np.concatenate([one.vectors @ toward for one in self.held]).astype(np.float64)

    def _by_asks(self, toward: embedding.Vectors, meaning: Scores, allowed: NDArray[np.bool_]) -> Scores:
        """How near the questions of each chunk come; the chunk's own meaning, a little less, where it has none."""
        if not self._asked.any():
            return meaning
        asks = np.concatenate([one.nearest_ask(toward) for one in self.held])
        return np.where(self._asked, ranking.stretched(asks, allowed & self._asked), ranking.UNASKED * meaning)

    def _by_document(self, wanted: Mapping[int, float]) -> Scores:
        topics = worded([one.topics for one in self.held], wanted)
        return np.concatenate([scores[one.topic] for scores, one in zip(topics, self.held, strict=True)])

    @cached_property
    def _asked(self) -> NDArray[np.bool_]:
        return np.concatenate([one.asked for one in self.held])

    @cached_property
    def _document(self) -> NDArray[np.int64]:
        """The number of each chunk's document; no two collections share one."""
        starts = accumulate((len(one.docs) for one in self.held[:-1]), initial=0)
        return np.concatenate([one.topic + start for one, start in zip(self.held, starts, strict=True)])

    @cached_property
    def _links(self) -> NDArray[np.int64]:
        """Pairs of places of which one cites the other, both ways round, shape (n, 2)."""
        places: dict[str, list[int]] = {}
        for one, start in zip(self.held, self._starts, strict=True):
            for i, name in enumerate(one.sections):
                places.setdefault(name, []).append(start + i)
        pairs = {
            (start + i, j)
            for one, start in zip(self.held, self._starts, strict=True)
            for i, row in enumerate(one.rows)
            for name in str(row.get(LINKS, "")).split("\n")
            for j in places.get(name, ())
        }
        both = sorted(pairs | {(j, i) for i, j in pairs})
        return np.array(both, dtype=np.int64).reshape(len(both), 2)

    @cached_property
    def _repealed(self) -> list[tuple[int, list[str]]]:
        return [
            (start + i, [d for d in re.split(r"[、，,\s]+", str(one.rows[i].get(SUCCESSOR, ""))) if d])
            for one, start in zip(self.held, self._starts, strict=True)
            for i in one.repealed
        ]

    def _places(self, doc: str) -> list[int]:
        both = zip(self.held, self._starts, strict=True)
        return [start + i for one, start in both for i in one.docs.get(doc, [])]

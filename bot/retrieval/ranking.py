"""One score from several views of a chunk, each stretched over its own best candidates.

The weights were chosen by measuring on questions asked the way ordinary people ask; meaning and wording weigh the same.
Rules that no longer hold are findable, but stand below whatever replaced them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bot import embedding

Scores = NDArray[np.float64]
WEIGHTS = {"meaning": 0.2, "asks": 0.3, "wording": 0.33, "document": 0.17}
UNASKED = 0.8  # how much meaning counts in place of the questions of a chunk that has none
LINKED = 0.3  # how much of a chunk's score goes to what it cites and what cites it
AGAIN, OFTEN = 0.04, 5  # what each further passage of one document loses, and how many times at most
CENTRE = 0.4  # how much of what all questions share is taken out of a question
DEPTH = 200  # candidates a score is stretched over
FADED = 0.35  # what a rule that no longer holds loses


def direction(query: str, centre: embedding.Vectors) -> embedding.Vectors:
    """What sets this question apart from any question: its vector without its share of the average one.

    Colloquial questions lie close together whatever they are about; without that share they spread by topic.
    """
    return np.asarray(embedding.query(query) - CENTRE * centre, dtype=np.float32)


def weighed(views: Mapping[str, Scores], allowed: NDArray[np.bool_]) -> Scores:
    """The score of every chunk from stretched views of it, higher is better; -inf for what is not allowed."""
    score = sum((WEIGHTS[name] * view for name, view in views.items()), np.zeros(len(allowed)))
    return np.where(allowed, score, -np.inf)


def linked(score: Scores, links: NDArray[np.int64]) -> Scores:
    """Scores in which each chunk has gained from the best one it is linked with; `links` are pairs, both ways round."""
    gained = np.zeros(len(score))
    np.maximum.at(gained, links[:, 1], np.maximum(score[links[:, 0]], 0))
    return score + LINKED * gained


def stretched(raw: Scores, allowed: NDArray[np.bool_]) -> Scores:
    """Scores with the best at 1 and the last of the `DEPTH` best at 0; all 0 when none stands out."""
    held = raw[allowed]
    if not len(held):
        return np.zeros_like(raw)
    low = np.partition(held, max(0, len(held) - DEPTH))[max(0, len(held) - DEPTH)]
    span = held.max() - low
    return np.asarray((raw - low) / span if span > 1e-12 else np.zeros_like(raw))


def standing(
    score: Scores, repealed: Sequence[tuple[int, Sequence[str]]], places: Callable[[str], Sequence[int]]
) -> Scores:
    """Scores in which each of the `repealed` (place, successors) has faded, and stays below every successor's best."""
    found = score.copy()
    for place, successors in repealed:
        found[place] -= FADED
        best = [max((score[i] for i in places(doc)), default=-np.inf) for doc in successors]
        found[place] = min([found[place], *(b - 1e-6 for b in best if b > -np.inf)])
    return found

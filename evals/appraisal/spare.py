"""The last touch on the decisions: what the course itself says well is never charged as a breach.

``python -m evals.appraisal.spare`` reads the model replies of every case and the compliant wordings of every red line
through the product's own network, and raises the threshold of a breach just above the highest score among them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bot.appraisal import Appraiser
from bot.appraisal.network import DECISIONS, FOLDER
from bot.records import Context
from bot.scenarios import Library, load_library

ROOT = Path(__file__).parents[2]
MARGIN = 0.05


def clean(library: Library) -> list[tuple[str, str]]:
    """(reply, customer's line) of everything that must pass."""
    said = [(s.exemplary, s.opening) for s in library.scenarios.values()]
    said += [(s.exemplary_key, "") for s in library.scenarios.values()]
    return said + [(text, "") for line in library.redlines.values() for text in line.compliant]


def main() -> None:
    """Raise the thresholds in place."""
    library, path = load_library(ROOT), ROOT / "knowledge" / "appraisal" / FOLDER / DECISIONS
    decided = json.loads(path.read_text(encoding="utf-8"))
    appraiser = Appraiser(library)
    assert appraiser.network is not None
    order = list(decided["codes"])
    for reply, customer in clean(library):
        charged = {v.code for v in appraiser.appraise(reply, Context(customer=customer)).violations}
        scores = appraiser.network.read(reply, customer)
        for code in charged:
            now = decided["codes"][code]
            score = float(scores.codes[order.index(code)])
            if score >= now["threshold"]:
                now["threshold"] = round(score + MARGIN, 3)
                sys.stdout.write(f"{code}: {now['threshold']:+.2f} for {reply[:30]}\n")
    path.write_text(json.dumps(decided, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

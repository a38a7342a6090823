"""Labelled replies: what the reader learns from and is measured on.

``evals/labelled/<pass>.jsonl`` holds one author's rows: ``c`` the customer's line (may be empty), ``r`` the reply, ``l``
code -> evidence (an exact substring), ``not`` codes a careless reader would give it, ``q`` a trainer's mark of 1–5.
Pass E and ``hard_test`` are the examination: training never reads them, and what was chosen after looking at them is
said in the model card.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.scenarios import Library, read_yaml

FOLDER = Path(__file__).parents[1] / "labelled"
TRAINING = ("A", "B", "C", "D", "F", "G", "H", "J", "V", "W", "hard_dev")
HELD_OUT = ("D", "hard_dev")  # of the first stage of training: the decisions are fitted on them
EXAMINATION, HARD = "E", "hard_test"


@dataclass(frozen=True)
class Row:
    """One labelled reply."""

    reply: str
    labels: dict[str, str]
    customer: str = ""
    contrary: tuple[str, ...] = ()
    mark: int | None = None
    source: str = ""
    judged: tuple[str, ...] | None = None
    """The codes that were decided on; None when all were."""


def read(name: str) -> list[Row]:
    """The rows of one pass."""
    with (FOLDER / f"{name}.jsonl").open(encoding="utf-8") as lines:
        return [_row(json.loads(line), name) for line in lines if line.strip()]


def _row(raw: dict[str, object], source: str) -> Row:
    labels, contrary = raw.get("l") or {}, raw.get("not") or ()
    assert isinstance(labels, dict) and isinstance(contrary, list | tuple)
    mark = raw.get("q")
    return Row(
        str(raw["r"]), labels, str(raw.get("c") or ""), tuple(contrary), mark if isinstance(mark, int) else None, source
    )


def blind() -> list[tuple[Row, frozenset[str], int]]:
    """Rows that a second reader labelled without seeing the first labels: the row, his codes, his mark."""
    known = {(n, r.reply): r for n in (*"ABCD", EXAMINATION) for r in read(n)}
    with (FOLDER / "blind.jsonl").open(encoding="utf-8") as lines:
        again = [json.loads(line) for line in lines if line.strip()]
    return [(known[a["pass"], a["r"]], frozenset(a["l"]), int(a["q"])) for a in again]


def written(library: Library) -> list[Row]:
    """Rows from the product's own content: the taxonomy's examples, red lines, cases, gold dialogues, plain examples.

    Only what an example was written for is judged there; its other codes count little.
    """
    tax, harms = library.taxonomy, (*library.taxonomy.antis, *library.taxonomy.violations)
    rows = list[Row]()
    for t in tax.techniques.values():
        rows += [_one(x, t.code, harms) for x in t.positives]
        rows += [_one(n.text, n.label_as, (t.code,)) for n in t.near_misses]
    for a in tax.antis.values():
        rows += [_one(x, a.code) for x in a.examples]
    breach = {line: v.code for v in tax.violations.values() for line in v.redlines}
    for v in tax.violations.values():
        rows += [_one(x, v.code) for x in v.examples]
    for r in library.redlines.values():
        rows += [_one(x, breach[r.id]) for x in r.violating if r.id in breach]
        rows += [_one(x, "", tuple(tax.violations)) for x in r.compliant]
    for s in library.scenarios.values():
        rows += [_one(w.reply, w.code, (), s.opening) for w in s.wrong]
        rows += [_one(s.exemplary, "", harms, s.opening), _one(s.exemplary_key, "", harms)]
    extra = read_yaml(FOLDER / "prototypes.yaml")["examples"]
    rows += [_one(x, "" if code == "none" else code) for code, lines in extra.items() for x in lines]
    return [*(row for row in rows if row.reply), *gold()]


def _one(reply: str, code: str, clean: tuple[str, ...] = (), customer: str = "") -> Row:
    """A row judged on its code and on the codes it is clean of; on every code when it is neither."""
    judged = (*([code] if code else []), *clean)
    return Row(reply, {code: reply} if code else {}, customer, (), None, "written", judged or None)


def gold() -> list[Row]:
    """Every reply of the six gold dialogues with its labels."""
    rows = []
    for path in sorted((FOLDER.parent / "dialogues" / "gold").glob("*.yaml")):
        for turn in read_yaml(path)["turns"]:
            labels = {c["code"]: c["evidence"] for c in turn["codes"]}
            rows.append(Row(turn["learner"], labels, turn["customer"], (), None, "gold"))
    return rows


def own(library: Library, rows: Sequence[Row]) -> list[Row]:
    """The rows everything else is calibrated on: the gold dialogues, and the model and wrong replies of every case."""
    said = {text for s in library.scenarios.values() for text in (s.exemplary, s.exemplary_key)}
    said |= {w.reply for s in library.scenarios.values() for w in s.wrong}
    return [r for r in rows if r.source == "gold" or r.reply in said]


def codes(library: Library) -> list[str]:
    """The 69 codes in the order of the taxonomy: techniques, anti-patterns, violations."""
    tax = library.taxonomy
    return [*tax.techniques, *tax.antis, *tax.violations]

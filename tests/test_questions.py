"""The retrieval questions: enough, unambiguous, both halves covering every kind of content, no answer that does not exist."""

from __future__ import annotations

import json
from pathlib import Path

from bot.citations import load_shelf
from bot.retrieval.content import builtin
from bot.scenarios import load_library
from evals.coverage import CASES

ROOT = Path(__file__).resolve().parent.parent
LINES = (ROOT / "evals" / "retrieval" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
ROWS = [json.loads(line) for line in LINES]


def test_there_are_enough_in_two_even_halves() -> None:
    assert len(ROWS) >= 220
    assert len({r["id"] for r in ROWS}) == len({r["query"] for r in ROWS}) == len(ROWS)
    halves = [r["split"] for r in ROWS]
    assert set(halves) == {"dev", "test"}
    assert abs(halves.count("dev") - halves.count("test")) <= len(ROWS) * 0.05


def test_every_answer_exists() -> None:
    documents = {c.doc for chunks in builtin(load_library(ROOT), []).values() for c in chunks} | set(CASES)
    named = {doc for r in ROWS for doc in r["gold"]}
    assert all(r["gold"] and len(r["gold"]) == len(set(r["gold"])) for r in ROWS)
    assert named - documents == set()


def test_both_halves_ask_about_everything() -> None:
    library, shelf = load_library(ROOT), load_shelf(ROOT)
    concepts = {d for d in shelf.documents if d.startswith("K")}
    for half in ("dev", "test"):
        asked = {doc for r in ROWS if r["split"] == half for doc in r["gold"]}
        assert set(library.taxonomy.techniques) <= asked, half
        assert set(library.taxonomy.violations) <= asked, half
        assert concepts <= asked, half
        assert len({d for d in asked if d.startswith("RL")}) >= 36, half
        assert {f"R{n:02d}" for n in range(1, 25)} <= {d[:3] for d in asked if d.startswith("R")}, half

"""Every item of the course outline is realised by something that exists, and docs/coverage.md says so."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bot.citations import load_shelf
from bot.errors import ContentError
from bot.quiz import load_quiz
from bot.scenarios import load_library
from evals import coverage

ROOT = Path(__file__).resolve().parent.parent
ROWS = coverage.load(ROOT)
KNOWN = coverage.existing(ROOT)
IDS = {r.id for r in ROWS}
OUTLINE = {  # how many items of each kind the course has, module by module
    "M0": {"X": 3, "C": 4, "R": 1, "T": 3, "O": 8, "P": 6},
    "M1": {"C": 8, "R": 3, "Q": 4, "T": 1, "D": 4, "H": 4},
    "M2": {"R": 17, "T": 3, "Q": 1, "K": 5, "H": 1},
    "M3": {"P": 1, "C": 3, "T": 14, "D": 6, "H": 1},
    "M4": {"C": 3, "Q": 2, "K": 4, "T": 5, "D": 4, "H": 2},
    "M5": {"K": 11, "Q": 4, "C": 10, "T": 12, "P": 2, "H": 5},
    "M6": {"P": 7, "C": 2, "H": 2},
    "M9": {"X": 3},
}
WANTED = {f"{m}-{k}{n:02d}" for m, kinds in OUTLINE.items() for k, count in kinds.items() for n in range(1, count + 1)}


def test_all_179_items_are_there() -> None:
    assert len(WANTED) == 179
    assert set() == WANTED - IDS, "missing"
    assert set() == IDS - WANTED, "unknown"


def test_nothing_named_is_missing() -> None:
    assert coverage.dangling(ROWS, KNOWN) == []


def test_a_dangling_reference_is_found() -> None:
    row = coverage.Row(id="M1-C01", title="试", by=("doc:R77", "concept:K01", "quiz:QR99", "nothing:x"))
    assert coverage.dangling([row], KNOWN) == [("M1-C01", "doc:R77"), ("M1-C01", "quiz:QR99"), ("M1-C01", "nothing:x")]


def test_only_promotion_and_meta_are_left_out() -> None:
    assert {r.id[:4] for r in ROWS if r.excluded} <= {"M0-X", "M9-X"}


def test_every_part_of_the_content_serves_an_item_of_the_outline() -> None:
    used = {ref for r in ROWS for ref in r.by}
    named = {name for ref in used for name in [ref.partition(":")[2]]}
    assert set(coverage.CASES) <= named
    assert set(load_library(ROOT).taxonomy.techniques) <= named
    assert set(load_library(ROOT).taxonomy.violations) <= named
    assert {d for d in load_shelf(ROOT).documents if d.startswith("K")} <= named
    sets = load_quiz(ROOT)
    assert all(name in named or any(q.id in named for q in quiz.questions) for name, quiz in sets.items())


def test_outline_references_exist() -> None:
    asked = {ref for quiz in load_quiz(ROOT).values() for q in quiz.questions for ref in q.outline}
    carded = {ref for card in load_library(ROOT).taxonomy.techniques.values() for ref in card.outline_refs}
    assert asked | carded <= IDS
    assert {s.outline_ref for s in load_library(ROOT).scenarios.values()} <= IDS


def test_the_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
    assert page == coverage.table(ROWS, KNOWN), "run python -m evals.coverage"


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"id": "M1-C01", "title": "试"}, "by 与 excluded 必须写且只写一个"),
        ({"id": "M1-C01", "title": "试", "by": ["doc:R02"], "excluded": "因为"}, "by 与 excluded 必须写且只写一个"),
        ({"id": "M7-C01", "title": "试", "by": ["doc:R02"]}, "id"),
    ],
)
def test_a_malformed_row_is_refused(tmp_path: Path, item: dict[str, object], message: str) -> None:
    path = tmp_path / "knowledge" / "coverage.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump({"items": [item]}, allow_unicode=True), encoding="utf-8")
    with pytest.raises(ContentError, match=message):
        coverage.load(tmp_path)
    good = {"id": "M1-C01", "title": "试", "by": ["doc:R02"]}
    path.write_text(yaml.safe_dump({"items": [good, good]}, allow_unicode=True), encoding="utf-8")
    with pytest.raises(ContentError, match="M1-C01 重复"):
        coverage.load(tmp_path)

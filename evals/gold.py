"""Grade the six gold dialogues as anybody would (text in, report out) and say where they stand.

Run with ``make eval``. Exits 1 when a good dialogue is not above every bad one, or a breach escapes its cap.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from bot import transcripts
from bot.appraisal import Appraiser
from bot.mind import MindRules
from bot.records import Line
from bot.scenarios import Library, load_library
from bot.settings import get_settings

GOLD = Path(__file__).parent / "dialogues" / "gold"


def dialogues() -> list[dict[str, Any]]:
    """The gold dialogues, as stored."""
    return [yaml.safe_load(p.read_text(encoding="utf-8")) for p in sorted(GOLD.glob("*.yaml"))]


def as_line(gold: dict[str, Any]) -> transcripts.GradeLine:
    """A gold dialogue as a transcript to grade."""
    turns: list[Line] = []
    for turn in gold["turns"]:
        turns += [Line(role="customer", text=turn["customer"]), Line(role="manager", text=turn["learner"])]
    return transcripts.GradeLine(id=gold["id"], scenario=gold["scenario"], turns=turns)


def graded(library: Library, appraiser: Appraiser) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each gold dialogue with its grade."""
    rules = MindRules(library.mind_rules, library.taxonomy)
    return [(g, transcripts.grade(as_line(g), library, appraiser, rules)) for g in dialogues()]


def label_scores(gold: dict[str, Any], result: dict[str, Any]) -> tuple[int, int, int]:
    """True positives, false positives and false negatives of the codes read in one dialogue."""
    tp = fp = fn = 0
    for turn, read in zip(gold["turns"], result["turns"], strict=True):
        wanted = {c["code"] for c in turn["codes"]}
        got = {m["code"] for kind in ("techniques", "antis", "violations") for m in read[kind]}
        tp, fp, fn = tp + len(wanted & got), fp + len(got - wanted), fn + len(wanted - got)
    return tp, fp, fn


def main() -> int:
    """Print the table and judge it."""
    library = load_library(get_settings().content_dir)
    results = graded(library, Appraiser(library))
    table = Table("对话", "标注", "系统", "等级", "封顶", "满意度", "识别 F1")
    for gold, got in results:
        tp, fp, fn = label_scores(gold, got)
        caps = "、".join(f"{k} {v:.0f}" for k, v in got["caps"].items()) or "—"
        table.add_row(gold["id"], f"{gold['expected']['final']:g}", f"{got['final']:g}", got["grade"], caps,
                      f"{got['satisfaction']:.0f}", f"{2 * tp / max(1, 2 * tp + fp + fn):.2f}")  # fmt: skip
    Console().print(table)
    good = [r["final"] for g, r in results if g["kind"] == "good"]
    bad = [r["final"] for g, r in results if g["kind"] == "bad"]
    capped = all(r["final"] <= 40 for g, r in results if "fatal" in g["expected"]["caps"])
    ok = min(good) > max(bad) and capped
    print(
        f"{'通过' if ok else '未通过'}：好对话最低 {min(good):g}，坏对话最高 {max(bad):g}，红线封顶{'有效' if capped else '失效'}"
    )
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())

"""Small material for tests of retrieval: settings, notes, rows, and a content folder with a part of the real one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import yaml

from bot.settings import Settings, load_settings
from tests.conftest import ROOT

KEPT = {  # enough of the real content to compete for a query, little enough to embed in seconds
    "regulations": ("R13-credit-reporting.md", "R04-gbt-45251.md", "misconceptions.md"),
    "concepts": ("K12-although-but.md", "K19-crisis-words.md"),
    "cases": ("SC01.yaml", "SC17.yaml"),
}
CODES = {
    "techniques": {"soft_explain", "pace_emotion", "crisis_safety"},
    "anti_patterns": {"but_negation", "deny_emotion", "premature_lead", "rule_wall", "blame_customer", "false_empathy"},
    "violations": {"false_promise_credit", "off_hours_freq", "induce_borrow"},
}


def settings(home: Path, **more: str) -> Settings:
    return load_settings(data_dir=home, content_dir=ROOT, _env_file=None, **more)


def notes(path: Path, **sections: str) -> Path:
    path.write_text("\n\n".join(f"## {name}\n{text}" for name, text in sections.items()), encoding="utf-8")
    return path


def rows(path: Path, *found: dict[str, object]) -> Path:
    path.write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in found), encoding="utf-8")
    return path


def small_root(root: Path) -> Path:
    """A content folder with a part of the real knowledge."""
    source, target = ROOT / "knowledge", root / "knowledge"
    for folder, names in KEPT.items():
        (target / folder).mkdir(parents=True)
        for name in names:
            shutil.copy(source / folder / name, target / folder)
    for name in ("policy_box.yaml", "rubric.yaml", "mind.yaml"):
        shutil.copy(source / name, target)
    lines = yaml.safe_load((source / "regulations" / "redlines.yaml").read_text(encoding="utf-8"))
    lines["redlines"] = [r for r in lines["redlines"] if r["id"] in ("RL11", "RL21", "RL40")]
    (target / "regulations" / "redlines.yaml").write_text(yaml.safe_dump(lines, allow_unicode=True), encoding="utf-8")
    labels = yaml.safe_load((source / "techniques" / "taxonomy.yaml").read_text(encoding="utf-8"))
    for kind, codes in CODES.items():
        labels[kind] = [card for card in labels[kind] if card["code"] in codes]
    (target / "techniques").mkdir()
    (target / "techniques" / "taxonomy.yaml").write_text(yaml.safe_dump(labels, allow_unicode=True), encoding="utf-8")
    return root

"""Where every item of the course outline is realised: check ``knowledge/coverage.yaml`` and write ``docs/coverage.md``.

Run ``python -m evals.coverage``. Exits 1 when an item names something that does not exist.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from bot.citations import load_shelf
from bot.errors import ContentError
from bot.quiz import load_quiz
from bot.records import Record
from bot.scenarios import build, load_library, read_yaml

ROOT = Path(__file__).resolve().parent.parent
MODULES = {
    "M0": "前置：特色与收益", "M1": "模块一：服务致胜", "M2": "模块二：催收合规", "M3": "模块三：先跟后带",
    "M4": "模块四：高明解释", "M5": "模块五：需求冰山", "M6": "模块六：知行合一", "M9": "课程信息",
}  # fmt: skip
KINDS = {
    "doc": "文档", "concept": "知识卡", "scenario": "场景", "technique": "技巧", "anti": "反模式", "violation": "违规",
    "redline": "红线", "policy": "政策", "rubric": "评分", "quiz": "题目", "screen": "页面", "mind": "心智",
}  # fmt: skip
CASES = {f"SC{n:02d}": "" for n in range(1, 40)}  # the course's own; their titles are on the cards


class Row(Record):
    """One item of the outline: what realises it, or why it is left out; `missing` says what is not done yet."""

    id: str = Field(pattern=r"^M[0-69]-[A-Z]\d\d$")
    title: str
    by: tuple[str, ...] = ()
    excluded: str = ""
    missing: str = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> Row:
        if bool(self.by) == bool(self.excluded):
            raise ValueError("by 与 excluded 必须写且只写一个")
        return self


def load(root: Path) -> list[Row]:
    """The rows of a content folder. Raises `ContentError` when one is malformed or twice there."""
    path = root / "knowledge" / "coverage.yaml"
    data = read_yaml(path)
    if not isinstance(data, dict) or not isinstance(data.get("items"), list):
        raise ContentError(f"{path.name}：缺少 items 列表，请补上。")
    rows = [build(Row, item, path) for item in data["items"]]
    twice = [i for i, n in Counter(r.id for r in rows).items() if n > 1]
    if twice:
        raise ContentError(f"{path.name}：编号 {'、'.join(twice)} 重复，请删去一个。")
    return rows


def existing(root: Path) -> dict[str, dict[str, str]]:
    """What may be named, by kind: id -> title for people."""
    library, shelf, quiz = load_library(root), load_shelf(root), load_quiz(root)
    tax, docs = library.taxonomy, shelf.documents.values()
    questions = {q.id: "" for s in quiz.values() for q in s.questions}
    return {
        "doc": {d.id: d.short for d in docs if d.id.startswith("R")},
        "concept": {d.id: d.title for d in docs if d.id.startswith("K")},
        "scenario": CASES,
        "technique": {c.code: c.name for c in tax.techniques.values()},
        "anti": {c.code: c.name for c in tax.antis.values()},
        "violation": {c.code: c.name for c in tax.violations.values()},
        "redline": {r.id: r.name for r in library.redlines.values()},
        "policy": {p.id: p.name for p in library.policies.values()},
        "rubric": dict(_rubric(library.rubric)),
        "quiz": {s.id: s.title for s in quiz.values()} | questions,
        "screen": dict(_screens(root)),
        "mind": dict(_mind(library.mind_rules)),
    }


def _rubric(rubric: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from ((d["code"], d["name_zh"]) for d in rubric["dimensions"])
    yield from ((s["id"], s["name"]) for s in rubric["pass_gate"]["steps"])
    yield from ((code, kind["name_zh"]) for code, kind in rubric["scenario_types"].items())


def _screens(root: Path) -> Iterator[tuple[str, str]]:
    """The pages the web app registers."""
    app = (root / "streamlit_app.py").read_text(encoding="utf-8")
    yield from ((m[2], m[1]) for m in re.finditer(r'page\(\w+\.render, "([^"]+)", "([^"]+)"', app))


def _mind(rules: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Parameters by name, and by name.part where a parameter has parts."""
    for name, value in rules.items():
        yield name, ""
        if isinstance(value, dict):
            yield from ((f"{name}.{part}", "") for part in value)


def dangling(rows: list[Row], known: dict[str, dict[str, str]]) -> list[tuple[str, str]]:
    """(row, reference) for everything named that does not exist."""
    found = []
    for row in rows:
        for ref in row.by:
            kind, _, name = ref.partition(":")
            if name not in known.get(kind, {}):
                found.append((row.id, ref))
    return found


def table(rows: list[Row], known: dict[str, dict[str, str]]) -> str:
    """The map as a Markdown page."""
    done = [r for r in rows if r.by]
    lines = [
        "# 课程大纲落地表",
        "",
        f"大纲 {len(rows)} 条：{len(done)} 条有落点，其中 {sum(bool(r.missing) for r in done)} 条还缺一部分，"
        f"{len(rows) - len(done)} 条不进产品。",
        "由 `python -m evals.coverage` 从 `knowledge/coverage.yaml` 生成，不要手改。",
    ]
    for module, title in MODULES.items():
        lines += ["", f"## {title}", "", "| 编号 | 大纲 | 落点 |", "|---|---|---|"]
        lines += [f"| {r.id} | {r.title} | {_where(r, known)} |" for r in rows if r.id.startswith(module)]
    return "\n".join(lines) + "\n"


def _where(row: Row, known: dict[str, dict[str, str]]) -> str:
    if row.excluded:
        return f"不收：{row.excluded}"
    named: dict[str, list[str]] = {}
    for ref in row.by:
        kind, _, name = ref.partition(":")
        title = known[kind][name]
        named.setdefault(KINDS[kind], []).append(f"{name}（{title}）" if title else name)
    where = "；".join(f"{kind} {'、'.join(names)}" for kind, names in named.items())
    return where + (f"。**未做**：{row.missing}" if row.missing else "")


def main() -> int:
    """Check and write."""
    rows, known = load(ROOT), existing(ROOT)
    lost = dangling(rows, known)
    for row, ref in lost:
        sys.stderr.write(f"coverage.yaml：{row} 里的 {ref} 不存在，请改正。\n")
    if lost:
        return 1
    (ROOT / "docs" / "coverage.md").write_text(table(rows, known), encoding="utf-8")
    sys.stdout.write(f"已写入 docs/coverage.md（{len(rows)} 条）\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The documents retrieval indexes: complete front matter, honest confidence marks, no invented article numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

KNOWLEDGE = Path(__file__).resolve().parent.parent / "knowledge"
REGULATIONS = sorted((KNOWLEDGE / "regulations").glob("*.md"))
CONCEPTS = sorted((KNOWLEDGE / "concepts").glob("*.md"))

REG_KEYS = {"id", "ref", "title", "short", "issuer", "number", "level", "issued", "effective", "status", "note"}
LEVELS = {
    *("法律", "行政法规", "司法解释", "部门规章", "规范性文件"),
    *("推荐性标准", "行业自律", "政策安排", "课程口径", "公开信息"),
}
STATUSES = {"现行", "已废止", "窗口已关闭", "待核"}
CONCEPT_KEYS = {"id", "title", "module", "origin", "定义来源"}
ORIGINS = {"course": "课程", "psychology": "心理学", "project": "项目补充，待讲师确认"}
SOFT_LEVELS = {"推荐性标准", "行业自律"}
WARNING = "未核实，引用前请核对原文："
ARTICLE = re.compile(r"第[0-9一二三四五六七八九十百千]+条")


def parse(path: Path) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The front matter of one document and its `## ` sections as (heading, body)."""
    _, front, text = path.read_text(encoding="utf-8").split("---\n", 2)
    parts = re.split(r"^## (.+)$", text, flags=re.M)[1:]
    return yaml.safe_load(front), [(h.strip(), b.strip()) for h, b in zip(parts[::2], parts[1::2], strict=True)]


def of_ref(ref: str) -> list[dict[str, Any]]:
    return [front for front, _ in map(parse, REGULATIONS) if front["ref"] == ref]


def test_there_are_documents() -> None:
    assert len(REGULATIONS) >= 40
    assert len(CONCEPTS) >= 70


@pytest.mark.parametrize("path", REGULATIONS, ids=lambda p: p.stem)
def test_regulation_front_matter(path: Path) -> None:
    front, sections = parse(path)
    assert set(front) - {"superseded_by"} == REG_KEYS
    assert all(isinstance(v, str) for v in front.values()), "quote dates and numbers"
    assert front["level"] in LEVELS
    assert front["status"] in STATUSES
    assert re.fullmatch(r"R\d\d[a-z]?", front["id"])
    assert re.fullmatch(r"R\d\d", front["ref"])
    assert front["id"].startswith(front["ref"])
    assert sections


@pytest.mark.parametrize("path", REGULATIONS, ids=lambda p: p.stem)
def test_every_section_is_marked_and_short(path: Path) -> None:
    _, sections = parse(path)
    for heading, body in sections:
        assert re.search(r"（[ABC]）$", heading), heading
        assert 1 <= body.count("。") <= 5, heading
        assert body.startswith(WARNING) == heading.endswith("（C）"), heading
        assert "条号待核" not in heading or not ARTICLE.search(heading), heading
    assert len({h for h, _ in sections}) == len(sections)


@pytest.mark.parametrize("path", REGULATIONS, ids=lambda p: p.stem)
def test_standards_and_self_regulation_are_never_called_illegal(path: Path) -> None:
    front, sections = parse(path)
    if front["level"] in SOFT_LEVELS:
        assert "违法" not in front["note"] + "".join(h + b for h, b in sections)


@pytest.mark.parametrize("path", CONCEPTS, ids=lambda p: p.stem)
def test_concept_cards(path: Path) -> None:
    front, sections = parse(path)
    assert set(front) - {"citations"} == CONCEPT_KEYS
    assert re.fullmatch(r"K\d\d", front["id"])
    assert front["定义来源"] == ORIGINS[front["origin"]]
    assert front["module"] in "一二三四五六"
    assert 2 <= len(sections) <= 4
    assert 200 <= len(re.findall(r"[一-鿿]", "".join(b for _, b in sections))) <= 500


def test_ids_are_unique() -> None:
    ids = [parse(path)[0]["id"] for path in [*REGULATIONS, *CONCEPTS]]
    assert len(ids) == len(set(ids))


def test_unverified_documents_carry_no_article_numbers() -> None:
    files = [path for path in REGULATIONS if parse(path)[0]["ref"] == "R05"]
    assert files
    for path in files:
        assert not [h for h, _ in parse(path)[1] if ARTICLE.search(h)]


def test_repealed_and_closed_documents_say_so() -> None:
    assert {front["status"] for front in of_ref("R03")} == {"已废止"}
    (repealed,) = of_ref("R03")
    assert repealed["superseded_by"] == "R04"
    assert "GB/T 45251—2025" in repealed["note"] and "中银协2026-01-30的催收工作指引" in repealed["note"]
    assert {front["status"] for front in of_ref("R14")} == {"窗口已关闭"}


def test_the_carried_facts_keep_their_confidence() -> None:
    """Marks that must not drift upwards: what is only remembered stays C, what was read stays A."""
    marks = {(parse(p)[0]["id"], h[:-3]): h[-2] for p in REGULATIONS for h, _ in parse(p)[1]}
    assert marks["R02", "第18条 投诉处理时限"] == "A"
    assert marks["R09", "第41条 依法督促清偿与委外前告知"] == "B"
    assert marks["R09", "第41条 三类禁止手段"] == "C"
    assert {m for (ref, _), m in marks.items() if ref == "R24"} == {"C"}
    assert {m for (ref, _), m in marks.items() if ref in {"R11", "R12", "R22a"}} == {"A"}

"""No invented citations: whatever cites a rule leads to a document and a section under knowledge/."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.citations import Shelf, load_shelf
from bot.errors import ContentError
from bot.quiz import load_quiz
from bot.records import Citation
from bot.scenarios import load_library, read_front_matter

ROOT = Path(__file__).resolve().parent.parent
SHELF = load_shelf(ROOT)
LIBRARY = load_library(ROOT)
CONCEPTS = sorted((ROOT / "knowledge" / "concepts").glob("*.md"))


@pytest.mark.parametrize("line", LIBRARY.redlines.values(), ids=lambda r: r.id)
def test_red_lines_cite_what_exists_and_claim_no_more_than_it(line: object) -> None:
    for citation in LIBRARY.redlines[line.id].citations:  # type: ignore[attr-defined]
        sections = SHELF.resolve(citation)
        assert sections, (citation.doc, citation.article)
        best = min(s.conf or "C" for s in sections)
        assert citation.conf >= best, f"{citation.doc}{citation.article} is {best}, cited as {citation.conf}"


def test_violations_cite_what_exists() -> None:
    for card in LIBRARY.taxonomy.violations.values():
        assert card.regulations, card.code
        assert all(SHELF.find(c) for c in card.regulations), (card.code, card.regulations)


def test_concepts_cite_what_exists() -> None:
    cited = [(p.stem, c) for p in CONCEPTS for c in read_front_matter(p)[0].get("citations", [])]
    assert len(cited) > 60
    assert [(card, c) for card, c in cited if not SHELF.find(c)] == []


def test_quiz_cites_what_exists() -> None:
    cited = {c for quiz in load_quiz(ROOT).values() for q in quiz.questions for c in q.citations}
    assert len(cited) > 60
    assert [c for c in cited if not SHELF.find(c)] == []


def test_articles_are_read_as_people_write_them() -> None:
    def names(ref: str, doc: str, article: str) -> list[str]:
        return [s.name for s in SHELF.resolve(Citation(ref=ref, doc=doc, article=article, conf="A"))]

    complaints = "银行业保险业消费投诉处理管理办法"
    assert names("R02", complaints, "第19、31条") == ["第19条 答复必须说清的内容", "第31条 监管的转办渠道"]
    assert len(names("R02", complaints, "第18条")) == 2
    assert names("R18", "刑法", "第293条") == ["第293条 寻衅滋事与2013年司法解释"], "not 第293条之一"
    assert len(names("R05", "中银协催收工作指引(试行)", "八类禁止行为之二、之五")) == 2
    assert names("R02", complaints, "第19、99条") == [], "one article that does not exist spoils the citation"
    assert names("R13", complaints, "第18条") == [], "the document must be the one named"
    assert SHELF.find("R02 第99条") == () and SHELF.find("R77 第1条") == () and SHELF.find("R02") == ()


def test_a_document_without_head_or_with_a_used_id_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "knowledge" / "concepts"
    target.mkdir(parents=True)
    shutil.copy(CONCEPTS[0], target / "a.md")
    shutil.copy(CONCEPTS[0], target / "b.md")
    with pytest.raises(ContentError, match=r"b\.md：编号 K01 已经用过"):
        Shelf(tmp_path)
    (target / "b.md").write_text("# 没有头\n\n## 一\n\n正文。\n", encoding="utf-8")
    with pytest.raises(ContentError, match=r"b\.md：开头两条 --- 之间"):
        Shelf(tmp_path)

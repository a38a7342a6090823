"""Everyday questions beside the content, and links between documents: complete, honest, and they help to find."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bot.errors import ContentError
from bot.retrieval import Index, ranking
from bot.retrieval.asks import WHOLE, Asks, asked
from bot.retrieval.chunks import ASKS, LINKS, section_of
from bot.retrieval.content import builtin
from bot.scenarios import Library
from evals import retrieval as bench
from tests.conftest import ROOT
from tests.material import rows

FOLDER = ROOT / "knowledge" / "retrieval" / "asks"


def test_every_section_has_questions_and_every_question_a_section(library: Library) -> None:
    chunks = [c for found in builtin(library, []).values() for c in found]
    places = {(c.doc, c.place) for c in chunks} | {(c.doc, WHOLE) for c in chunks}
    assert set(Asks(FOLDER)) <= places
    without = [c.id for c in chunks if ASKS not in c.meta and c.meta["kind"] != "exemplar"]
    assert without == []


def test_no_question_is_one_of_the_benchmark(library: Library) -> None:
    measured = {q.query.rstrip("？?") for q in bench.load()}
    asks = {q.rstrip("？?") for found in builtin(library, []).values() for c in found for q in asked(c.meta.get(ASKS))}
    assert asks & measured == set()


def test_what_is_cited_exists(library: Library) -> None:
    chunks = [c for found in builtin(library, []).values() for c in found]
    sections = {section_of(c.id) for c in chunks}
    cited = {name for c in chunks for name in str(c.meta.get(LINKS, "")).split("\n") if name}
    assert len(cited) > 100 and cited <= sections


def test_a_text_is_found_by_a_question_it_shares_no_word_with(index: Index, tmp_path: Path) -> None:
    found = [{"id": f"d{n}", "text": f"第{n}条 关于网点装修与绿植养护的规定。"} for n in range(8)]
    index.add_files([rows(
        tmp_path / "a.jsonl", *found, {"id": "right", "text": "复利按罚息利率计收。", "asks": "利滚利凭什么\n钱越欠越多"}
    )])  # fmt: skip
    assert index.rank("怎么越欠越多啊", None, 1)[0][0] == "right"
    assert "利滚利" not in index.find("利滚利凭什么")[0].text  # searched, never shown


def test_what_a_good_hit_cites_rises() -> None:
    score = np.array([0.9, 0.3, 0.4, -np.inf])
    links = np.array([[0, 1], [1, 0], [3, 2], [2, 3]])
    found = ranking.linked(score, links)
    assert found[1] > found[2] and found[0] > found[1]
    assert found[2] == pytest.approx(0.4)  # what is left out lends nothing
    assert found[3] == -np.inf


def test_one_document_does_not_take_every_place(index: Index, tmp_path: Path) -> None:
    long = "\n".join(f"第{n}条 客户可以申请分期还款，细则之{n}。" for n in range(1, 8))
    index.add_files([rows(
        tmp_path / "a.jsonl", {"id": "long", "text": long}, {"id": "other", "text": "客户可以申请分期还款，另见说明。"},
        {"id": "far", "text": "网点绿植养护。"},
    )])  # fmt: skip
    first = [p.doc for p in index.find("客户申请分期还款", k=3)]
    assert "other" in first


def test_broken_questions_are_said(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("R01: {第1条: 不是列表}", encoding="utf-8")
    with pytest.raises(ContentError, match="R01 第1条"):
        Asks(tmp_path)
    (tmp_path / "a.yaml").write_text("- R01", encoding="utf-8")
    with pytest.raises(ContentError, match=r"a\.yaml"):
        Asks(tmp_path)

"""Retrieval of the built-in content on a real Chroma: found, followed as it changes, and nothing hidden shown."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from bot import embedding
from bot.errors import LearnerError
from bot.retrieval import Index
from bot.retrieval.chunks import Chunk
from bot.retrieval.content import builtin
from bot.scenarios import Library
from tests.conftest import ROOT
from tests.material import notes, rows, settings, small_root


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small content and its index, built once; tests copy it."""
    place = tmp_path_factory.mktemp("small")
    Index.open(settings(place / "home")).sync_knowledge(Library(small_root(place / "root")))
    return place


@pytest.fixture
def place(built: Path, tmp_path: Path) -> Path:
    shutil.copytree(built, tmp_path / "mine")
    return tmp_path / "mine"


@pytest.fixture
def knowledge(place: Path) -> Index:
    return Index.open(settings(place / "home"))


@pytest.mark.parametrize(
    ("query", "docs"),
    [
        ("征信记录能不能改", {"R13", "RL21", "false_promise_credit"}),
        ("晚上十一点打催收电话", {"RL11", "R04", "off_hours_freq"}),
        ("虽然但是怎么说才顺耳", {"K12", "soft_explain", "but_negation"}),
        ("客户说不想活了", {"K19", "RL40", "crisis_safety"}),
        ("第25条 异议", {"R13"}),
    ],
)
def test_what_a_manager_asks_is_found_first(knowledge: Index, query: str, docs: set[str]) -> None:
    assert knowledge.find(query)[0].doc in docs


def test_a_passage_carries_what_a_page_shows(knowledge: Index) -> None:
    found = knowledge.find("征信不良信息保存多少年", "regulations", 3)
    rule = next(p for p in found if p.doc == "R13")
    assert (rule.collection, rule.status, rule.conf) == ("regulations", "现行", "A")
    assert rule.title.startswith("征信业管理条例") and not rule.text.startswith(rule.title)
    assert rule.text in (ROOT / "knowledge" / "regulations" / "R13-credit-reporting.md").read_text(encoding="utf-8")


def test_what_a_case_hides_is_in_no_chunk_of_the_whole_content(library: Library) -> None:
    texts = [c.said for chunks in builtin(library, []).values() for c in chunks]
    assert len(texts) > 300
    for s in library.scenarios.values():
        for secret in (s.need_business, s.need_emotional, *s.facts.values()):
            if len(secret) > 4:  # "三周" is anybody's word
                assert not any(secret in text for text in texts), (s.id, secret)


def test_what_is_marked_hidden_is_found_only_when_asked_for(index: Index, tmp_path: Path) -> None:
    index.add_files([rows(
        tmp_path / "faces.jsonl",
        {"id": "open", "text": "客户要求减免罚息。", "kind": "case"},
        {"id": "secret", "text": "客户的真实底线是分期。", "kind": "case", "hidden": True},
        {"id": "law", "text": "客户可以申请分期。", "kind": "law"},
    )])  # fmt: skip
    assert {p.doc for p in index.find("客户的真实底线是分期")} == {"open", "law"}
    assert {d for d, _ in index.rank("客户的真实底线是分期")} == {"open", "law"}
    assert [p.doc for p in index.find("客户", where={"hidden": "true"})] == ["secret"]
    assert [p.doc for p in index.find("客户", where={"kind": "case"})] == ["open"]
    assert index.find("客户", where={"kind": "nothing"}) == ()


def test_a_second_run_costs_nothing(place: Path, knowledge: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    before = knowledge.rank("征信五年", None, 5)
    monkeypatch.setattr(embedding, "passages", lambda texts: pytest.fail("embedded again"))
    seen: list[tuple[int, int, str]] = []
    report = knowledge.sync_knowledge(Library(place / "root"), lambda *step: seen.append(step))
    assert (report.added, report.updated, report.removed, report.skipped) == (0, 0, 0, [])
    assert report.unchanged == sum(knowledge.collections().values()) > 40
    assert seen[-1][:2] == (report.unchanged, report.unchanged)
    assert knowledge.rank("征信五年", None, 5) == before


def test_changed_deleted_and_broken_knowledge_is_followed(place: Path, knowledge: Index, tmp_path: Path) -> None:
    knowledge.add_files([notes(tmp_path / "本行.md", 细则="征信异议由运营部登记。")], "regulations")
    folder = place / "root" / "knowledge" / "regulations"
    law = folder / "R13-credit-reporting.md"
    heading = "## 第16条 不良信息保存五年（A）\n\n"
    law.write_text(law.read_text(encoding="utf-8").replace(heading, heading + "本行另有说明。"), encoding="utf-8")
    gone = (folder / "misconceptions.md").read_text(encoding="utf-8").count("\n## ")
    (folder / "misconceptions.md").unlink()
    (folder / "R98.md").write_text("---\nid: [坏\n---\n正文", encoding="utf-8")
    (folder / "R97.md").write_bytes(b"\x00\x01\x02")
    report = knowledge.sync_knowledge(Library(place / "root"))
    assert (report.updated, report.added, report.removed) == (1, 0, gone)
    assert "YAML" in dict(report.skipped)["R98.md"] and "UTF-8" in dict(report.skipped)["R97.md"]
    found = knowledge.find("不良信息保存五年", "regulations", 20)
    assert found[0].text.startswith("本行另有说明。") and "R99" not in {p.doc for p in found}
    assert knowledge.rank("运营部登记", "regulations", 1)[0][0] == "本行.md"


def test_a_title_is_searched_but_an_id_is_not() -> None:
    assert Chunk("a#0", "a", "异议", "二十日。").said == "异议\n二十日。"
    assert Chunk("q1#0", "q1", "q1", "二十日。").said == "二十日。"


def test_documents_are_ranked_with_strictly_falling_scores(index: Index, tmp_path: Path) -> None:
    long = "\n".join(f"第{n}条 客户可以申请分期还款。" for n in range(1, 61))  # one document, sixty chunks
    others: list[dict[str, object]] = [{"id": f"d{n}", "text": f"还款安排之{n}"} for n in range(10)]
    index.add_files([rows(tmp_path / "docs.jsonl", {"id": "long", "text": long}, *others)])
    ranked = index.rank("客户申请分期还款", "library", 8)
    assert len({doc for doc, _ in ranked}) == 8 and ranked[0][0] == "long"
    scores = [round(score, 6) for _, score in ranked]
    assert all(a > b for a, b in pairwise(scores)), scores


def test_empty_queries_and_unknown_collections_are_refused(index: Index) -> None:
    with pytest.raises(LearnerError, match="要找什么"):
        index.find("  ")
    with pytest.raises(LearnerError, match="没有集合"):
        index.find("征信", "nothing")
    with pytest.raises(LearnerError, match="集合名"):
        index.add_files([ROOT / "README.md"], "../坏名字")
    assert index.find("征信") == ()

"""知识库 through Streamlit's own test harness: finding, reading, taking in files; and the look of sources."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bot import export, sources
from bot.citations import load_shelf
from bot.parts import Parts, _shared
from bot.records import Citation
from bot.retrieval import IndexReport
from bot.scenarios import Library
from bot.screens import knowledge
from bot.session import Session
from tests.conftest import ROOT


def _page() -> None:
    from bot.screens import frame, knowledge

    frame.guarded(knowledge.render)


def opened(**address: str) -> AppTest:
    page = AppTest.from_function(_page, default_timeout=60)
    for name, value in address.items():
        page.query_params[name] = value
    return page.run()


def shown(page: AppTest) -> str:
    assert not page.exception
    return " ".join([h.value if hasattr(h, "value") else "" for h in page.get("html")]
                    + [str(getattr(h, "proto", "")) for h in page.get("html")]
                    + [x.value for x in (*page.info, *page.warning, *page.error, *page.caption)])  # fmt: skip


def test_the_first_visit_prepares_the_knowledge(tmp_path: Path) -> None:
    page = opened()
    assert not page.exception
    assert page.title[0].value == "知识库"


def test_a_question_is_answered_with_badges_matches_and_a_link(with_index: Path) -> None:
    page = opened()
    page.text_input(key="q").set_value("晚上十点还能打催收电话吗").run()
    text = shown(page)
    assert "22:00" in text and "<mark" in text and "现行" in text and "确信度" in text
    assert "knowledge?doc=" in text
    page.text_input(key="q").set_value("<script>alert(1)</script>").run()
    assert "<script>" not in shown(page)


def test_a_repealed_document_is_badged_and_never_first(with_index: Path) -> None:
    page = opened()
    page.text_input(key="q").set_value("互联网金融 贷后催收业务指引 时段与频次").run()
    cards = [h for h in (str(x.proto) for x in page.get("html")) if 'class=\\"card' in h or 'class="card' in h]
    old = [i for i, c in enumerate(cards) if "已废止" in c]
    new = [i for i, c in enumerate(cards) if "R04" in c]
    assert old and new and min(new) < min(old)
    assert "不要当现行依据" in cards[old[0]]


def test_the_filter_keeps_to_what_was_asked(with_index: Path) -> None:
    page = opened()
    page.text_input(key="q").set_value("催收时段").run()
    page.selectbox(key="status").set_value("已废止").run()
    text = shown(page)
    assert "已废止" in text and "R04" not in text


def test_a_link_opens_the_document_at_its_section(with_index: Path) -> None:
    text = shown(opened(doc="R13", at="第25条"))
    assert "异议" in text and "card here" in text
    assert "可能已经删除" in shown(opened(doc="R-none"))
    assert "没有找到" in shown(opened(doc="R13", at="第999条"))


def test_every_document_can_be_browsed(with_index: Path) -> None:
    page = opened()
    page.segmented_control(key=knowledge.TAB).set_value(knowledge.BROWSE).run()
    page.selectbox(key="document").set_value("R02").run()
    assert "投诉处理时限" in shown(page)


def test_files_are_taken_in_one_by_one(with_index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class File:
        def __init__(self, name: str, data: bytes) -> None:
            self.name, self.data = name, data

        def getvalue(self) -> bytes:
            return self.data

    index = _shared().finder
    monkeypatch.setattr(knowledge.frame, "parts", _shared)
    good = "## 还款日\n每年可以改一次还款日。".encode()
    files = [File("../../逃出去.md", good), File("本行.md", good), File("空.txt", b""), File("旧.txt", "提前还款要预约。".encode("gbk"))]  # fmt: skip
    steps: list[int] = []
    rows = [knowledge._one(index, f, lambda done, total, what: steps.append(done)) for f in files]
    assert [r["ok"] for r in rows] == [True, False, False, True]
    assert rows[0]["name"] == "逃出去.md" and "相同" in rows[1]["said"] and "空文件" in rows[2]["said"]
    assert sorted(p.name for p in (with_index / "library").iterdir()) == ["旧.txt", "逃出去.md"]
    assert steps and index.find("还款日", "library")[0].doc == "逃出去.md"
    index.forget((with_index / "library" / "逃出去.md").resolve())
    assert [p.doc for p in index.documents("library")] == ["旧.txt"]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\催收.md", "催收.md"),
        ("..", "未命名"),
        (".env", "env"),
        ("a\x00b.md", "ab.md"),
    ],
)
def test_a_name_from_a_browser_stays_in_its_folder(name: str, safe: str) -> None:
    assert knowledge.safe_name(name) == safe


def test_what_became_of_a_file_is_one_line() -> None:
    assert knowledge.said(IndexReport(added=2, removed=1)) == "新增 2 段，删除 1 段。"
    assert knowledge.said(IndexReport(skipped=[("a", "空文件")])) == "空文件。"


def test_every_citation_of_every_red_line_leads_to_a_section_with_its_standing(library: Library) -> None:
    shelf, seen = load_shelf(ROOT), 0
    for line in library.redlines.values():
        for citation in line.citations:
            found = sources.source(citation, shelf)
            assert found.links, (line.id, citation)
            words = "".join(w for w, _ in found.badges)
            assert f"确信度 {citation.conf}" in words and (citation.conf != "C" or "未核实" in words)
            assert all(href.startswith("knowledge?doc=") for _, href in found.links)
            seen += 1
    assert seen > 100


def test_an_invented_citation_says_that_it_leads_nowhere() -> None:
    made_up = Citation(ref="R12", doc="民法典", article="第99999条", conf="A")
    found = sources.source(made_up, load_shelf(ROOT))
    assert not found.links and "未找到" in found.badges[0][0]


def test_report_and_export_show_the_standing_of_what_they_cite(parts: Parts) -> None:
    session = Session.start(parts, "SC01", seed=1)
    session.say("再不还就让公安上门抓你，你家里人也别想好过")
    assert session.turns[0].appraisal.violations[0].citations
    page = export.render("html", session.finish(), session.snapshot, session.turns, parts.library).decode()
    assert "确信度" in page and "现行" in page and "knowledge?doc=" not in page
    row = export.row(session.turns[0], session.finish(), session.turns, parts.library, linked=True)
    cited = [row["cites"](c) for v in session.turns[0].appraisal.violations for c in v.citations]
    assert cited and all(c.links for c in cited)


def test_matches_are_cut_out_whole() -> None:
    spans = sources.marked("征信异议二十日内答复", ("异议", "征信异议", "答复"))
    assert [(s.text, s.kind) for s in spans] == [("征信异议", "good"), ("二十日内", "plain"), ("答复", "good")]

"""Retrieval on a real Chroma, embedded and as a server: incremental, tolerant of bad files, and nothing hidden."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import LearnerError, SetupError
from bot.retrieval import Index
from bot.retrieval.chunks import pieces
from bot.scenarios import Library
from bot.settings import Settings, load_settings
from tests.conftest import ROOT


def settings(home: Path, **more: str) -> Settings:
    return load_settings(data_dir=home, content_dir=ROOT, _env_file=None, **more)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index.open(settings(tmp_path / "home"))


@pytest.fixture
def knowledge(with_index: Path) -> Index:
    return Index.open(settings(with_index))


@pytest.mark.parametrize(
    ("query", "docs"),
    [
        ("征信记录能不能改", {"R13", "RL21", "false_promise_credit"}),
        ("晚上十一点打催收电话", {"RL11", "R04", "R05", "off_hours_freq"}),
        ("投诉多少天要答复", {"R02", "R00", "RL34"}),
        ("虽然但是怎么说才顺耳", {"K12", "soft_explain", "but_negation"}),
        ("客户说不想活了", {"K19", "RL40", "crisis_safety", "crisis_ignore"}),
        ("复利是不是高利贷", {"R17a", "R12", "R00", "SC26"}),
    ],
)
def test_what_a_manager_asks_is_found(knowledge: Index, query: str, docs: set[str]) -> None:
    found = [p.doc for p in knowledge.find(query, None, 5)]
    assert docs & set(found[:3]), found


def test_what_a_case_hides_is_in_no_passage(knowledge: Index, library: Library) -> None:
    for s in library.scenarios.values():
        for secret in (s.need_business, s.need_emotional, *s.facts.values()):
            assert not any(secret in p.text for p in knowledge.find(secret, None, 10))


def test_a_second_run_costs_nothing_and_finds_the_same(knowledge: Index, library: Library) -> None:
    before = knowledge.rank("征信五年", None, 5)
    start = time.monotonic()
    report = knowledge.sync_knowledge(library)
    assert (report.added, report.updated, report.removed) == (0, 0, 0) and report.unchanged > 300
    assert time.monotonic() - start < 5
    assert knowledge.rank("征信五年", None, 5) == before


def test_changes_and_deletions_are_followed(index: Index, tmp_path: Path) -> None:
    note = tmp_path / "规定.md"
    note.write_text("## 还款日\n每年可以改一次还款日。\n\n## 宽限期\n宽限期三天。", encoding="utf-8")
    assert index.add_files([note]).added == 2
    assert index.add_files([note]).unchanged == 2
    note.write_text("## 还款日\n每年可以改两次还款日。", encoding="utf-8")
    report = index.add_files([note])
    assert (report.updated, report.removed) == (1, 1)
    assert [p.text for p in index.find("还款日", "library", 5)] == ["每年可以改两次还款日。"]


def test_every_kind_of_file_is_read(index: Index, tmp_path: Path) -> None:
    from docx import Document
    from fpdf import FPDF

    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "gbk.txt").write_bytes("提前还款需要预约。".encode("gbk"))
    (folder / "utf16.txt").write_bytes("挂失之后七天补发存单。".encode("utf-16"))
    (folder / "rows.jsonl").write_text(
        '{"id": "q1", "text": "异议二十日内答复。", "title": "异议"}\n', encoding="utf-8"
    )
    word = Document()
    word.add_heading("调解", level=1)
    word.add_paragraph("金融纠纷调解免费自愿。")
    word.save(str(folder / "调解.docx"))
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("helvetica", size=12)
    pdf.cell(text="Early repayment must be booked in advance.")
    pdf.output(str(folder / "notice.pdf"))
    report = index.add_files([folder])
    assert report.skipped == [] and report.added == 5
    docs = {
        q: index.rank(q, "library", 1)[0][0]
        for q in ("想提前还款", "存单挂失", "异议多久", "调解收费吗", "early repayment")
    }
    assert docs == {
        "想提前还款": "gbk.txt", "存单挂失": "utf16.txt", "异议多久": "q1", "调解收费吗": "调解.docx",
        "early repayment": "notice.pdf",
    }  # fmt: skip


def test_bad_files_get_a_line_each_and_the_rest_goes_on(index: Index, tmp_path: Path) -> None:
    from pypdf import PdfWriter

    empty, binary, scan, locked, bomb, fake, odd = (
        tmp_path / n for n in ("a.md", "b.txt", "c.pdf", "d.pdf", "e.docx", "f.jsonl", "g.exe")
    )
    empty.write_bytes(b"")
    binary.write_bytes(b"\x00\x01\x02" * 50)
    blank = PdfWriter()
    blank.add_blank_page(200, 200)
    blank.write(scan)
    blank.encrypt("secret")
    blank.write(locked)
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("word/document.xml", b"0" * (220 * 2**20))
    fake.write_text('{"text": "没有编号"}', encoding="utf-8")
    odd.write_bytes(b"MZ")
    good = tmp_path / "z.md"
    good.write_text("好的文件照样进来。", encoding="utf-8")
    report = index.add_files([empty, binary, scan, locked, bomb, fake, odd, good])
    reasons = dict(report.skipped)
    assert report.added == 1 and len(reasons) == 7
    for name, word in (("a.md", "空"), ("b.txt", "编码"), ("c.pdf", "扫描"), ("d.pdf", "密码"), ("e.docx", "太大"),
                       ("f.jsonl", "第 1 行"), ("g.exe", "不支持")):  # fmt: skip
        assert word in reasons[name], (name, reasons[name])


def test_pieces_are_short_whole_and_complete() -> None:
    text = "第一条 先跟后带。" + "客户的话要先接住。" * 80 + "\n第二条 再解释。\n" + "没有标点的长句" * 100
    cut = pieces(text)
    assert all(len(p) <= 400 for p in cut)
    assert "".join("".join(cut).split()) == "".join(text.split())
    assert any(p.startswith("第二条") for p in cut)


def test_empty_queries_and_unknown_collections_are_refused(index: Index) -> None:
    with pytest.raises(LearnerError, match="要找什么"):
        index.find("  ")
    with pytest.raises(LearnerError, match="没有集合"):
        index.find("征信", "nothing")
    with pytest.raises(LearnerError, match="集合名"):
        index.add_files([ROOT / "README.md"], "../坏名字")
    assert index.find("征信") == ()


def test_a_corrupt_index_is_said_and_moved_aside(tmp_path: Path) -> None:
    home = settings(tmp_path)
    home.index_dir.mkdir(parents=True)
    (home.index_dir / "chroma.sqlite3").write_bytes(b"garbage" * 1000)
    with pytest.raises(SetupError, match="--rebuild"):
        Index.open(home)
    assert Index.rebuild(home).collections() == {}
    assert (tmp_path / "index.broken-1" / "chroma.sqlite3").exists()


@pytest.fixture
def chroma_server(tmp_path: Path, free_port: int) -> Iterator[str]:
    command = shutil.which("chroma", path=str(Path(sys.executable).parent)) or "chroma"
    server = subprocess.Popen(
        [command, "run", "--path", str(tmp_path / "server"), "--host", "127.0.0.1", "--port", str(free_port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for _ in range(120):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", free_port)) == 0:
                break
        time.sleep(0.25)
    yield f"http://127.0.0.1:{free_port}"
    server.terminate()
    server.wait(10)


def test_a_chroma_server_serves_the_same(chroma_server: str, tmp_path: Path) -> None:
    note = tmp_path / "规定.md"
    note.write_text("## 还款日\n每年可以改一次还款日。\n\n## 征信\n异议二十日内答复。", encoding="utf-8")
    remote = Index.open(settings(tmp_path / "home", chroma_url=chroma_server))
    assert remote.add_files([note]).added == 2
    again = Index.open(settings(tmp_path / "other", chroma_url=chroma_server))
    assert again.rank("征信异议多久答复", "library", 1)[0][0] == "规定.md"
    assert again.find("征信异议多久答复", "library", 1)[0].text.startswith("异议二十日")


def test_a_missing_server_is_a_clear_message(tmp_path: Path, free_port: int) -> None:
    with pytest.raises(SetupError, match="HUASU_CHROMA_URL"):
        Index.open(settings(tmp_path, chroma_url=f"http://127.0.0.1:{free_port}"))

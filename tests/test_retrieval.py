"""Retrieval on a real Chroma, embedded and as a server: incremental, tolerant of bad files, and nothing hidden."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from pypdf import PdfWriter
from pypdf.generic import ByteStringObject, DictionaryObject, NameObject, NumberObject

from bot import embedding
from bot.errors import LearnerError, SetupError
from bot.retrieval import Index
from bot.retrieval.chunks import Chunk, pieces
from bot.retrieval.content import builtin
from bot.retrieval.readers import Unreadable, from_file, unwrapped
from bot.scenarios import Library
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


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index.open(settings(tmp_path / "home"))


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


def test_changes_to_files_are_followed(index: Index, tmp_path: Path) -> None:
    note = notes(tmp_path / "规定.md", 还款日="每年可以改一次还款日。", 宽限期="宽限期三天。")
    assert index.add_files([note]).added == 2
    assert index.add_files([note]).unchanged == 2
    notes(note, 还款日="每年可以改两次还款日。")
    report = index.add_files([note])
    assert (report.updated, report.removed) == (1, 1)
    assert [p.text for p in index.find("还款日", "library", 5)] == ["每年可以改两次还款日。"]


def test_same_names_in_a_folder_stay_apart_and_deletions_are_followed(index: Index, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for part, text in (("甲", "还款日每年可以改一次。"), ("乙", "宽限期三天。"), (".git", "不该读。")):
        (folder / part).mkdir(parents=True)
        notes(folder / part / "README.md", 规定=text)
    (folder / "~$草稿.docx").write_bytes(b"lock")
    (folder / "图.png").write_bytes(b"png")
    alone = notes(tmp_path / "README.md", 别处="挂失七天补发。")
    report = index.add_files([folder, alone])
    assert report.added == 3 and len(report.skipped) == 1 and ".png" in report.skipped[0][1]
    assert {d for d, _ in index.rank("规定")} == {"甲/README.md", "乙/README.md", "README.md"}
    assert str(tmp_path) not in "".join(p.id for p in index.find("规定"))
    assert index.add_files([folder / "甲" / "README.md"]).added == 1  # named by itself: the same file, not a copy
    assert index.collections() == {"library": 3}
    (folder / "乙" / "README.md").unlink()
    report = index.add_files([folder])
    assert report.removed == 2  # the lost file, and the name the other one had by itself
    assert {d for d, _ in index.rank("规定")} == {"甲/README.md", "README.md"}


def test_every_kind_of_file_is_read(index: Index, tmp_path: Path) -> None:
    from docx import Document
    from fpdf import FPDF

    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "gbk.txt").write_bytes("提前还款需要预约。".encode("gbk"))
    (folder / "utf16.txt").write_bytes("挂失之后七天补发存单。".encode("utf-16"))
    rows(folder / "rows.jsonl", {"id": "q1", "text": "异议二十日内答复。", "title": "异议", "rate": 3.5})
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
    assert [p.title for p in index.find("异议", where={"rate": "3.5"})] == ["异议"]


def blank_pdf(path: Path, aes: bool = False) -> Path:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    if aes:  # what pypdf cannot even try without a cryptography package
        writer.encrypt("x")
        entry = writer._encrypt_entry
        assert entry is not None
        fields = {name: ByteStringObject(b"o" * n) for name, n in
                  (("/O", 48), ("/U", 48), ("/OE", 32), ("/UE", 32), ("/Perms", 16))}  # fmt: skip
        how = DictionaryObject({NameObject("/CFM"): NameObject("/AESV3"), NameObject("/Length"): NumberObject(32)})
        fields |= {"/V": NumberObject(5), "/R": NumberObject(6), "/StmF": NameObject("/StdCF"),
                   "/StrF": NameObject("/StdCF"), "/CF": DictionaryObject({NameObject("/StdCF"): how})}  # fmt: skip
        entry.update({NameObject(name): value for name, value in fields.items()})
    writer.write(path)
    return path


def test_bad_files_get_a_line_each_and_the_rest_goes_on(index: Index, tmp_path: Path) -> None:
    from docx import Document

    (tmp_path / "a.md").write_bytes(b"")
    (tmp_path / "b.txt").write_bytes(b"\x00\x01\x02" * 50)
    blank_pdf(tmp_path / "c.pdf")
    locked = PdfWriter(clone_from=tmp_path / "c.pdf")
    locked.encrypt("secret")
    locked.write(tmp_path / "d.pdf")
    with zipfile.ZipFile(tmp_path / "e.docx", "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("word/document.xml", b"0" * (220 * 2**20))
    rows(tmp_path / "f.jsonl", {"text": "没有编号"})
    (tmp_path / "g.exe").write_bytes(b"MZ")
    blank_pdf(tmp_path / "h.pdf", aes=True)
    Document().save(str(tmp_path / "whole.docx"))
    with zipfile.ZipFile(tmp_path / "whole.docx") as whole, zipfile.ZipFile(tmp_path / "i.docx", "w") as torn:
        for name in whole.namelist():
            torn.writestr(name, b"<w:document><oops" if name == "word/document.xml" else whole.read(name))
    (tmp_path / "k.pdf").write_bytes(b"%PDF-1.7\ngarbage")
    with (tmp_path / "l.txt").open("wb") as huge:
        huge.truncate(51 * 2**20)
    reasons = {
        "a.md": "空", "b.txt": "编码", "c.pdf": "扫描", "d.pdf": "密码", "e.docx": "太大", "f.jsonl": "第 1 行",
        "g.exe": "不支持", "h.pdf": "加", "i.docx": "损坏", "j.md": "找不到", "k.pdf": "损坏", "l.txt": "上限 50 MB",
    }  # fmt: skip
    good = tmp_path / "z.md"
    good.write_text("好的文件照样进来。", encoding="utf-8")
    report = index.add_files([*(tmp_path / name for name in reasons), good])
    assert report.added == 1
    assert [name for name, _ in report.skipped] == list(reasons)
    for name, reason in report.skipped:
        assert reasons[name] in reason and "\n" not in reason, (name, reason)


def test_text_no_engine_takes_is_made_harmless(index: Index, tmp_path: Path) -> None:
    (tmp_path / "s.jsonl").write_text('{"id": "a\\ud800", "text": "征信\\ud800异议"}\n', encoding="utf-8")
    assert index.add_files([tmp_path / "s.jsonl"]).added == 1
    assert index.find("征信\ud800")[0].text == "征信?异议"


def test_pieces_are_short_whole_and_complete() -> None:
    text = "第一条 先跟后带。" + "客户的话要先接住。" * 80 + "\n第二条 再解释。\n" + "没有标点的长句" * 100
    cut = pieces(text)
    assert all(len(p) <= 400 for p in cut)
    assert "".join("".join(cut).split()) == "".join(text.split())
    assert any(p.startswith("第二条") for p in cut)


def test_the_lines_of_a_page_are_joined_where_a_sentence_runs_on() -> None:
    page = "客户提出征\n信异议的，\n应当受理。\n第二条 二十日内\n答复。\n- 一\n- 二"
    assert unwrapped(page) == "客户提出征信异议的，应当受理。\n第二条 二十日内答复。\n- 一\n- 二"


def test_a_title_is_searched_but_an_id_is_not() -> None:
    assert Chunk("a#0", "a", "异议", "二十日。").said == "异议\n二十日。"
    assert Chunk("q1#0", "q1", "q1", "二十日。").said == "二十日。"


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="找不到"):
        from_file(tmp_path / "无.md")


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


def test_progress_moves_within_one_big_file(index: Index, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    many = rows(tmp_path / "many.jsonl", *({"id": f"d{n}", "text": f"第{n}笔"} for n in range(130)))
    index.add_files([many], progress=lambda done, total, what: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen) and len({done for done, _ in seen}) > 3
    assert seen[-1][0] == seen[-1][1]


def test_what_somebody_else_writes_is_seen_without_a_restart(tmp_path: Path) -> None:
    reader, writer = Index.open(settings(tmp_path / "home")), Index.open(settings(tmp_path / "home"))
    note = notes(tmp_path / "规定.md", 甲="还款日每年改一次。", 乙="宽限期三天。")
    writer.add_files([note])
    assert reader.find("还款日", k=1)[0].text == "还款日每年改一次。"
    writer.add_files([notes(note, 甲="还款日每年改两次。", 乙="宽限期三天。")])  # as many chunks as before
    assert reader.find("还款日", k=1)[0].text == "还款日每年改两次。"
    writer.add_files([notes(note, 丙="还款日每年改三次。", 乙="宽限期三天。")])
    found = reader.find("还款日", k=1)[0]
    assert found.text == "还款日每年改三次。"
    assert found.score == pytest.approx(1)  # best by both: its vector is seen as well as its words


def test_threads_may_search_while_one_writes(index: Index, tmp_path: Path) -> None:
    note = notes(tmp_path / "规定.md", 甲="还款日每年改一次。")
    index.add_files([note])
    stop = threading.Event()

    def search() -> int:
        count = 0
        while not stop.is_set():
            assert index.find("还款日", k=1)[0].doc == "规定.md"
            count += 1
        return count

    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(search) for _ in range(3)]
        try:
            for n in range(8):
                index.add_files([notes(note, 甲=f"还款日每年改{n}次。", **{f"丁{n}": "宽限期三天。"})])
        finally:
            stop.set()
        assert all(a.result() > 0 for a in asked)


def test_a_corrupt_index_is_said_and_moved_aside(tmp_path: Path) -> None:
    home = settings(tmp_path)
    home.index_dir.mkdir(parents=True)
    (home.index_dir / "chroma.sqlite3").write_bytes(b"garbage" * 1000)
    with pytest.raises(SetupError, match="--rebuild"):
        Index.open(home)
    index = Index.rebuild(home)
    assert index.collections() == {}
    assert (tmp_path / "index.broken-1" / "chroma.sqlite3").exists()
    index.add_files([notes(tmp_path / "规定.md", 甲="还款日每年改一次。")])
    again = Index.rebuild(home)  # a sound one too, in the same process
    assert again.collections() == {} and again.find("还款日") == ()
    assert (tmp_path / "index.broken-2" / "chroma.sqlite3").exists()


def test_vectors_lost_under_an_open_index_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "passages", _cheap)
    home = settings(tmp_path)
    many = rows(tmp_path / "many.jsonl", *({"id": f"d{n}", "text": f"第{n}笔"} for n in range(1100)))
    Index.open(home).add_files([many])  # enough for Chroma to write its vector files
    broken = list(home.index_dir.rglob("*.bin"))
    for file in broken:
        file.write_bytes(b"garbage!" * 50)
    assert broken
    with pytest.raises(SetupError, match="--rebuild"):
        Index.open(home).find("第七笔")


def _cheap(texts: list[str]) -> embedding.Vectors:
    import numpy as np

    made = np.random.default_rng(7).normal(size=(len(texts), embedding.DIMENSIONS)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def test_an_index_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "index").write_text("a file is in the way", encoding="utf-8")
    with pytest.raises(SetupError, match="HUASU_DATA_DIR"):
        Index.open(settings(tmp_path))


class Server:
    """A real `chroma run`."""

    def __init__(self, folder: Path, port: int) -> None:
        command = shutil.which("chroma", path=str(Path(sys.executable).parent)) or "chroma"
        self.url = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(
            [command, "run", "--path", str(folder), "--host", "127.0.0.1", "--port", str(port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for _ in range(120):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.25)

    def stop(self) -> None:
        """End the server; a second call does nothing."""
        self._process.terminate()
        self._process.wait(10)


@pytest.fixture
def chroma_server(tmp_path: Path, free_port: int) -> Iterator[Server]:
    server = Server(tmp_path / "server", free_port)
    yield server
    server.stop()


def test_a_chroma_server_serves_the_same(chroma_server: Server, tmp_path: Path) -> None:
    note = notes(tmp_path / "规定.md", 还款日="每年可以改一次还款日。", 征信="异议二十日内答复。")
    remote = Index.open(settings(tmp_path / "home", chroma_url=chroma_server.url))
    assert remote.add_files([note]).added == 2
    again = Index.open(settings(tmp_path / "other", chroma_url=chroma_server.url))
    assert again.rank("征信异议多久答复", "library", 1)[0][0] == "规定.md"
    remote.add_files([notes(note, 还款日="每年可以改一次还款日。", 征信="异议三十日内答复。")])
    assert again.find("征信异议多久答复", "library", 1)[0].text.startswith("异议三十日")
    remote.add_files([rows(tmp_path / "r.jsonl", {"id": "R1", "text": "内置的"})], "regulations")
    rebuilt = Index.rebuild(settings(tmp_path / "home", chroma_url=chroma_server.url))
    assert rebuilt.collections() == {"library": 2}  # only what can be built again was dropped
    chroma_server.stop()
    with pytest.raises(SetupError, match="Chroma 服务"):
        again.find("征信")


def test_a_missing_server_is_a_clear_message(tmp_path: Path, free_port: int) -> None:
    with pytest.raises(SetupError, match="HUASU_CHROMA_URL"):
        Index.open(settings(tmp_path, chroma_url=f"http://127.0.0.1:{free_port}"))


def test_a_server_that_never_answers_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.retrieval.client.KNOCK", 0.5)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(SetupError, match="HUASU_CHROMA_URL"):
            Index.open(settings(tmp_path, chroma_url=f"http://127.0.0.1:{silent.getsockname()[1]}"))


def test_no_embedding_function_of_chromas_own_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from chromadb.utils.embedding_functions import DefaultEmbeddingFunction, ONNXMiniLM_L6_V2

    for kind in (DefaultEmbeddingFunction, ONNXMiniLM_L6_V2):
        monkeypatch.setattr(kind, "__init__", lambda *a, **k: pytest.fail("it would download a model"))
    index = Index.open(settings(tmp_path))
    index.add_files([notes(tmp_path / "规定.md", 甲="还款日每年改一次。")])
    assert index.find("还款日") and index.collections() == {"library": 1}


def test_the_same_content_under_another_name_is_not_taken_in_twice(index: Index, tmp_path: Path) -> None:
    first, copy = notes(tmp_path / "规定.md", 甲="还款日每年改一次。"), tmp_path / "副本.md"
    shutil.copy(first, copy)
    report = index.add_files([first, copy])
    assert report.added == 1 and report.skipped == [("副本.md", "与 规定.md 内容相同，没有重复加入")]
    first.rename(tmp_path / "改名.md")  # no copy any more: the same file under a new name
    report = index.add_files([tmp_path / "改名.md"])
    assert report.added == 1 and report.skipped == []


def test_rows_that_share_an_id_are_reported(index: Index, tmp_path: Path) -> None:
    report = index.add_files(
        [rows(tmp_path / "r.jsonl", {"id": "a", "text": "甲方案。"}, {"id": "a", "text": "乙方案。"})]
    )
    assert report.added == 2 and report.skipped == []
    assert "重复" in report.notices[0][1] and "a" in report.notices[0][1]


def test_files_made_to_hurt_end_as_a_line(index: Index, tmp_path: Path) -> None:
    from docx import Document

    Document().save(str(tmp_path / "whole.docx"))

    def document(name: str, xml: str) -> None:
        with zipfile.ZipFile(tmp_path / "whole.docx") as whole, zipfile.ZipFile(tmp_path / name, "w") as made:
            for part in whole.namelist():
                made.writestr(part, xml if part == "word/document.xml" else whole.read(part))

    body = ('<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r>'
            "<w:t>正文&x;</w:t></w:r></w:p></w:body></w:document>")  # fmt: skip
    laughs = "".join(f'<!ENTITY x{n} "{f"&x{n - 1};" * 10}">' for n in range(1, 10))
    document("a.docx", f'<!DOCTYPE d [<!ENTITY x0 "哈"> {laughs}<!ENTITY x "&x9;">]>{body}')
    (tmp_path / "secret.txt").write_text("不该读到", encoding="utf-8")
    document("b.docx", f'<!DOCTYPE d [<!ENTITY x SYSTEM "file://{tmp_path}/secret.txt">]>{body}')
    (tmp_path / "c.jsonl").write_text("[" * 200_000, encoding="utf-8")
    (tmp_path / "d.txt").write_text("".join(f"第{n}条 一。\n" for n in range(20_001)), encoding="utf-8")
    (tmp_path / "e.txt").write_bytes(bytes(range(1, 256)) * 400)
    aliases = "".join(f"k{n}: &k{n} [{','.join([f'*k{n - 1}'] * 9)}]\n" for n in range(1, 12))
    (tmp_path / "f.md").write_text(f"---\nk0: &k0 [哈]\n{aliases}title: *k11\n---\n正文在这里。", encoding="utf-8")
    report = index.add_files(
        [tmp_path / f"{name}" for name in ("a.docx", "b.docx", "c.jsonl", "d.txt", "e.txt", "f.md")]
    )
    reasons = dict(report.skipped)
    assert set(reasons) >= {"a.docx", "c.jsonl", "d.txt", "e.txt"}
    assert "第 1 行" in reasons["c.jsonl"] and "拆分" in reasons["d.txt"] and "编码" in reasons["e.txt"]
    held = "".join(p.text for p in (*index.read("b.docx"), *index.read("f.md")))
    assert "正文在这里" in held and "不该读到" not in held

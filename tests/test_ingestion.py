"""Taking in files: every kind, followed as they change, and a line for each that is broken or made to hurt."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest
from pypdf import PdfWriter
from pypdf.generic import ByteStringObject, DictionaryObject, NameObject, NumberObject, StreamObject

from bot.retrieval import Index
from bot.retrieval.chunks import pieces
from bot.retrieval.readers import Unreadable, from_file, unwrapped
from tests.material import notes, rows


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
        "g.exe": "不支持", "h.pdf": "密", "i.docx": "损坏", "j.md": "找不到", "k.pdf": "损坏", "l.txt": "上限 50 MB",
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


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="找不到"):
        from_file(tmp_path / "无.md")


def test_progress_moves_within_one_big_file(index: Index, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    many = rows(tmp_path / "many.jsonl", *({"id": f"d{n}", "text": f"第{n}笔"} for n in range(130)))
    index.add_files([many], progress=lambda done, total, what: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen) and len({done for done, _ in seen}) > 3
    assert seen[-1][0] == seen[-1][1]


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


def test_a_small_pdf_that_unfolds_without_end_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(name: str, steps: bytes, pages: int) -> Path:
        writer, stream = PdfWriter(), StreamObject()
        stream.set_data(steps)
        shared = writer._add_object(stream.flate_encode())
        font = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
        fonts = DictionaryObject({NameObject("/F1"): DictionaryObject(
            {NameObject(k): NameObject(v) for k, v in font.items()})})  # fmt: skip
        for _ in range(pages):  # every page draws the same
            page = writer.add_blank_page(200, 200)
            page[NameObject("/Contents")] = shared
            page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        writer.write(tmp_path / name)
        return tmp_path / name

    with pytest.raises(Unreadable, match="多得不正常"):
        from_file(drawn("one.pdf", b"q Q\n" * 1_500_000, 1))
    monkeypatch.setattr("bot.retrieval.readers.MAX_STEPS", 500)
    with pytest.raises(Unreadable, match="多得不正常"):
        from_file(drawn("many.pdf", b"BT /F1 9 Tf (a) Tj ET\n" * 50, 50))

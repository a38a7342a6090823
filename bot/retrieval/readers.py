"""Reading files of every kind into chunks. Files come from anywhere: whatever is wrong with one is one line about it."""

from __future__ import annotations

import json
import logging
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.retrieval.chunks import Chunk, encodable, markdown, pieces, plain

if TYPE_CHECKING:
    from pypdf import PdfReader

MAX_BYTES = 50 * 2**20
MAX_CHUNKS = 20_000  # about a quarter of an hour of embedding
MAX_PAGES = 3_000
MAX_DRAWN = 5 * 2**20  # bytes of drawing on one page; a page of text has some thousands
MAX_STEPS = 3_000_000  # drawing steps in one file: a small file may unfold into hours of work
MAX_ODD = 0.1  # the share of unprintable characters that makes a decoded file no text
CROWDED = "页面内容多得不正常，请另存为普通的 PDF 或文本"
KINDS = (".md", ".txt", ".pdf", ".docx", ".jsonl")
_WRAP = re.compile(
    r"(?<=[\u4e00-\u9fff，、“（])[ \t]*\n[ \t]*(?=[\u4e00-\u9fff，、。；：”）])"
    r"(?!第[一二三四五六七八九十百千零〇两\d]+[条编章节])"
)


class Unreadable(Exception):  # noqa: N818 - it is an outcome, reported per file
    """A file that cannot be taken in; the message is the reason for people."""


def from_file(path: Path, doc: str = "") -> list[Chunk]:
    """The chunks of one file, known as `doc` (its name unless given). Raises `Unreadable` with the reason."""
    if path.suffix.lower() not in KINDS:
        raise Unreadable("不支持这种文件，可用 md、txt、pdf、docx、jsonl")
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise Unreadable(f"太大（{size / 2**20:.0f} MB），上限 50 MB，请拆分")
        if size == 0:
            raise Unreadable("空文件")
        chunks = _read(path, doc or path.name)
    except FileNotFoundError:
        raise Unreadable("找不到这个文件") from None
    except OSError:
        raise Unreadable("读不了，请检查权限") from None
    except (RecursionError, MemoryError):
        raise Unreadable("结构太深或太大，不像正常的文件") from None
    if not chunks:
        raise Unreadable(
            "没有可用的文字（可能是扫描件，请先做文字识别）" if path.suffix.lower() == ".pdf" else "没有文字"
        )
    if len(chunks) > MAX_CHUNKS:
        raise Unreadable(f"内容太多（{len(chunks)} 段），一个文件最多 {MAX_CHUNKS} 段，请拆分")
    return chunks


def repeated(chunks: list[Chunk]) -> str:
    """A remark about rows that share their id, or nothing."""
    counted = Counter(c.id for c in chunks)
    twice = [name.rsplit("#", 1)[0] for name, n in counted.items() if n > 1 and name.endswith("#0")]
    if not twice:
        return ""
    return f"{len(twice)} 个编号或标题重复（如 {twice[0][:40]}），都已收入，请核对"


def decoded(data: bytes) -> str:
    """Text from UTF-8 (with or without BOM), UTF-16 with BOM, or GB18030. Raises `Unreadable` for anything else."""
    marked = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    for codec in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(codec)
        except UnicodeDecodeError:
            continue
        sample = text[:20_000]
        odd = sum(not (ch.isprintable() or ch.isspace()) for ch in sample)
        if "\x00" not in text and odd <= MAX_ODD * len(sample):
            return text.replace("\r\n", "\n").replace("\r", "\n")
    raise Unreadable("不是文本，或编码认不出，请另存为 UTF-8")


def unwrapped(text: str) -> str:
    """Page text with lines joined where a Chinese sentence runs on; lists, headings and articles keep their lines."""
    return _WRAP.sub("", text)


def _read(path: Path, doc: str) -> list[Chunk]:
    kind = path.suffix.lower()
    if kind == ".pdf":
        return markdown(doc, _pdf(path), title=path.stem)
    if kind == ".docx":
        return markdown(doc, _docx(path), title=path.stem)
    text = decoded(path.read_bytes())
    if kind == ".jsonl":
        return list(_jsonl(text))
    return markdown(doc, text, title=path.stem)


def _pdf(path: Path) -> str:
    from pypdf import PdfReader
    from pypdf.errors import DependencyError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it grumbles about every oddity it can live with
    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("有密码，请先去掉密码")
        if len(reader.pages) > MAX_PAGES:
            raise Unreadable(f"太长（{len(reader.pages)} 页），一个文件最多 {MAX_PAGES} 页，请拆分")
        return unwrapped("\n".join(_pages(reader)))
    except (Unreadable, OSError):
        raise
    except DependencyError:
        raise Unreadable("加了密，请另存为不加密的 PDF") from None
    except Exception:  # a hostile file can make the parser raise anything
        raise Unreadable("PDF 已损坏或无法解析") from None


def _pages(reader: PdfReader) -> Iterator[str]:
    """The text of each page. Raises `Unreadable` for a file that would take for ever."""
    steps = count(1)

    def step(*_: object) -> None:
        if next(steps) > MAX_STEPS:
            raise Unreadable(CROWDED)

    for page in reader.pages:
        drawn = page.get_contents()
        if drawn is not None and len(drawn.get_data()) > MAX_DRAWN:
            raise Unreadable(CROWDED)
        yield page.extract_text(visitor_operand_before=step) or ""


def _docx(path: Path) -> str:
    from docx import Document

    try:
        with zipfile.ZipFile(path) as packed:
            if sum(i.file_size for i in packed.infolist()) > 4 * MAX_BYTES:
                raise Unreadable("展开后太大，请拆分")
        document = Document(str(path))
        lines = []
        for p in document.paragraphs:
            level = p.style.name if p.style is not None else ""
            heading = str(level).startswith(("Heading", "标题", "Title")) and p.text.strip()
            lines.append(f"## {p.text.strip()}" if heading else p.text)
        for table in document.tables:
            lines += ["　".join(cell.text for cell in row.cells) for row in table.rows]
    except (Unreadable, OSError):
        raise
    except Exception:  # a hostile file can make the parser raise anything
        raise Unreadable("有密码、已损坏，或不是真正的 docx") from None
    return "\n".join(lines)


def _jsonl(text: str) -> Iterator[Chunk]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row: dict[str, Any] = json.loads(line)
            doc, body = encodable(str(row["id"])), encodable(str(row["text"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Unreadable(f"第 {number} 行不是 {{id, text}}") from None
        extra = {
            encodable(k): plain(v)
            for k, v in row.items()
            if k not in ("id", "text", "title") and isinstance(v, str | int | float)
        }
        title = encodable(str(row.get("title") or doc))
        for i, piece in enumerate(pieces(body)):
            yield Chunk(f"{doc}#{i}", doc, title, piece, extra)

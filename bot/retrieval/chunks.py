"""Turn files and content into chunks of text: by heading, by article, by paragraph, never mid-sentence."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

HIDDEN = "hidden"  # metadata: "true" keeps a chunk out of every search that does not ask for it
SUCCESSOR = "superseded_by"  # metadata: the id of the document that replaced this one
MAX_CHARS = 400
MAX_BYTES = 50 * 2**20
KINDS = (".md", ".txt", ".pdf", ".docx", ".jsonl")
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*$", re.M)
_ARTICLE = re.compile(r"(?=^第[一二三四五六七八九十百零\d]+[条章节])", re.M)
_SENTENCE = re.compile(r"[^。！？!?；;\n]*[。！？!?；;\n]?")
_KEPT = (
    "ref",
    "short",
    "level",
    "status",
    "issuer",
    "module",
    "kind",
    SUCCESSOR,
    HIDDEN,
)  # front matter that goes with every chunk
_CONF = re.compile(r"（([ABC])）\s*$")
_WRAP = re.compile(
    r"(?<=[\u4e00-\u9fff，、“（])[ \t]*\n[ \t]*(?=[\u4e00-\u9fff，、。；：”）])(?!第[一二三四五六七八九十百零\d]+[条章节])"
)


class Unreadable(Exception):  # noqa: N818 - it is an outcome, reported per file
    """A file that cannot be taken in; the message is the reason for people."""


@dataclass(frozen=True)
class Chunk:
    """A piece of a document. `id` is stable as long as its document and section are; `digest` follows the text."""

    id: str
    doc: str
    title: str
    text: str
    meta: dict[str, str] = field(default_factory=dict)

    @property
    def said(self) -> str:
        """What is embedded and searched: the text under its title, unless the title is only the document's id."""
        return self.text if self.title in ("", self.doc) else f"{self.title}\n{self.text}"

    @property
    def digest(self) -> str:
        """The hash that decides whether the stored chunk is still the same."""
        whole = json.dumps([self.doc, self.title, self.said, self.meta], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(whole.encode()).hexdigest()[:16]

    @property
    def stored(self) -> dict[str, str | int]:
        """The metadata to store; `lead` is where the text begins in `said`."""
        lead = len(self.said) - len(self.text)
        return {**self.meta, "doc": self.doc, "title": self.title, "digest": self.digest, "lead": lead}

    def of(self, file: str) -> Chunk:
        """The same chunk, marked with the file it was read from."""
        return replace(self, meta={**self.meta, "file": file})


def front_matter(text: str) -> tuple[dict[str, str], str]:
    """The YAML head of a Markdown file (empty when there is none or it is not a mapping) and the rest."""
    if text.startswith("---\n") and (end := text.find("\n---", 4)) > 0:
        try:
            head = yaml.safe_load(text[4:end])
        except yaml.YAMLError:
            return {}, text
        if isinstance(head, dict):
            return {str(k): _plain(v) for k, v in head.items()}, text[end + 4 :]
    return {}, text


def sections(text: str) -> Iterator[tuple[str, str]]:
    """(heading, body) pairs; text before the first heading has an empty heading."""
    marks = list(_HEADING.finditer(text))
    first = marks[0].start() if marks else len(text)
    if text[:first].strip():
        yield "", text[:first].strip()
    for mark, following in zip(marks, [*marks[1:], None], strict=False):
        body = text[mark.end() : following.start() if following else len(text)].strip()
        if body:
            yield mark.group(1), body


def pieces(text: str, size: int = MAX_CHARS) -> list[str]:
    """Text cut at articles, then at paragraphs and sentences, into pieces of at most about `size` characters."""
    found: list[str] = []
    for article in (a.strip() for a in _ARTICLE.split(text)):
        if article:
            found += [article] if len(article) <= size else _packed(article, size)
    return found


def _packed(text: str, size: int) -> list[str]:
    found, current = [], ""
    for sentence in _SENTENCE.findall(text):
        for part in (sentence[i : i + size] for i in range(0, len(sentence), size)):
            if current and len(current) + len(part) > size:
                found.append(current.strip())
                current = ""
            current += part
    return [p for p in [*found, current.strip()] if p]


def markdown(doc: str, text: str, **extra: str) -> list[Chunk]:
    """The chunks of a Markdown text with optional front matter; a heading's trailing （A|B|C） is its confidence."""
    head, body = front_matter(text)
    doc = head.get("id") or doc
    title = head.get("title") or extra.get("title") or doc
    shared = {k: head[k] for k in _KEPT if head.get(k)}
    chunks: list[Chunk] = []
    for heading, section in sections(body):
        conf = _CONF.search(heading)
        meta = {**shared, **extra, **({"conf": conf.group(1)} if conf else {})}
        name = _CONF.sub("", heading).strip()
        for i, piece in enumerate(pieces(section)):
            label = f"{title} {name}".strip() if name != title else title
            chunks.append(Chunk(f"{doc}#{name or '0'}#{i}", doc, label, piece, meta))
    return chunks


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
    if not chunks:
        raise Unreadable(
            "没有可用的文字（可能是扫描件，请先做文字识别）" if path.suffix.lower() == ".pdf" else "没有文字"
        )
    return chunks


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


def decoded(data: bytes) -> str:
    """Text from UTF-8 (with or without BOM), UTF-16 with BOM, or GB18030. Raises `Unreadable` for anything else."""
    marked = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    for codec in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(codec)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text.replace("\r\n", "\n")
    raise Unreadable("不是文本，或编码认不出，请另存为 UTF-8")


def encodable(text: str) -> str:
    """The text with every lone surrogate (which JSON may smuggle in and no engine takes) as a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def unwrapped(text: str) -> str:
    """Page text with lines joined where a Chinese sentence runs on; lists, headings and articles keep their lines."""
    return _WRAP.sub("", text)


def _pdf(path: Path) -> str:
    from pypdf import PdfReader
    from pypdf.errors import DependencyError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it grumbles about every oddity it can live with
    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("有密码，请先去掉密码")
        return unwrapped("\n".join(page.extract_text() or "" for page in reader.pages))
    except (Unreadable, OSError):
        raise
    except DependencyError:
        raise Unreadable("加了密，请另存为不加密的 PDF") from None
    except Exception:  # a hostile file can make the parser raise anything
        raise Unreadable("PDF 已损坏或无法解析") from None


def _docx(path: Path) -> str:
    import zipfile

    from docx import Document

    try:
        with zipfile.ZipFile(path) as packed:
            if sum(i.file_size for i in packed.infolist()) > 4 * MAX_BYTES:
                raise Unreadable("展开后太大，请拆分")
        document = Document(str(path))
        lines = []
        for p in document.paragraphs:
            level = p.style.name if p.style is not None else ""
            lines.append(f"## {p.text}" if str(level).startswith("Heading") and p.text.strip() else p.text)
        for table in document.tables:
            lines += ["　".join(cell.text for cell in row.cells) for row in table.rows]
    except (Unreadable, OSError):
        raise
    except Exception:  # a hostile file can make the parser raise anything
        raise Unreadable("有密码、已损坏，或不是真正的 docx") from None
    return "\n".join(lines)


def _plain(value: object) -> str:
    """A metadata value as the string it is stored and searched by."""
    return str(value).lower() if isinstance(value, bool) else encodable(str(value))


def _jsonl(text: str) -> Iterator[Chunk]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row: dict[str, Any] = json.loads(line)
            doc, body = encodable(str(row["id"])), encodable(str(row["text"]))
        except (ValueError, KeyError, TypeError):
            raise Unreadable(f"第 {number} 行不是 {{id, text}}") from None
        extra = {
            encodable(k): _plain(v)
            for k, v in row.items()
            if k not in ("id", "text", "title") and isinstance(v, str | int | float)
        }
        title = encodable(str(row.get("title") or doc))
        for i, piece in enumerate(pieces(body)):
            yield Chunk(f"{doc}#{i}", doc, title, piece, extra)

"""Chunks of documents: cut by heading, by article, by paragraph, never mid-sentence."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from bot.scenarios import split_front_matter

HIDDEN = "hidden"  # metadata: "true" keeps a chunk out of every search that does not ask for it
SUCCESSOR = "superseded_by"  # metadata: the ids of the documents that replaced this one
ASKS = "asks"  # metadata: questions the chunk answers, one a line
LINKS = "links"  # metadata: the chunks it cites, one a line, each as document#section
MAX_CHARS = 400
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*$", re.M)
_NUMERAL = r"[一二三四五六七八九十百千零〇两\d]+"
_CHAPTER = re.compile(rf"^[ \t　]*(第{_NUMERAL}[编章节](?:[ \t　]*\S.{{0,40}})?)[ \t　]*$", re.M)
_ARTICLE = re.compile(rf"^[ \t　]*(?=第{_NUMERAL}条)", re.M)
_LABEL = re.compile(rf"第{_NUMERAL}条(?:之{_NUMERAL})?")
_SENTENCE = re.compile(r"[^。！？!?；;\n]*[。！？!?；;\n]?")
_KEPT = ("ref", "short", "level", "status", "issuer", "module", "kind", SUCCESSOR, HIDDEN)  # goes with every chunk
_CONF = re.compile(r"（([ABC])）\s*$")


@dataclass(frozen=True)
class Chunk:
    """A piece of a document. `id` is stable as long as its document and section are; `digest` follows the text."""

    id: str
    doc: str
    title: str
    text: str
    meta: dict[str, str] = field(default_factory=dict)
    seq: int = 0  # place in the document

    @property
    def said(self) -> str:
        """What is embedded and searched: the text under its title, unless the title is only the document's id."""
        return self.text if self.title in ("", self.doc) else f"{self.title}\n{self.text}"

    @property
    def place(self) -> str:
        """The section as ids name it: the same for all pieces of one section."""
        return section_of(self.id).removeprefix(f"{self.doc}#")

    @property
    def digest(self) -> str:
        """The hash that decides whether the stored chunk is still the same."""
        whole = json.dumps([self.doc, self.title, self.said, self.meta, self.seq], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(whole.encode()).hexdigest()[:16]

    @property
    def stored(self) -> dict[str, str | int]:
        """The metadata to store; `lead` is where the text begins in `said`."""
        lead = len(self.said) - len(self.text)
        return {
            **self.meta, "doc": self.doc, "title": self.title, "digest": self.digest, "lead": lead, "seq": self.seq,
        }  # fmt: skip

    def with_meta(self, **more: str) -> Chunk:
        """The same chunk with more metadata."""
        return replace(self, meta={**self.meta, **more})


def front_matter(text: str) -> tuple[dict[str, str], str]:
    """The plain values in the YAML head of a text, as strings, and the rest; nothing and all of it when none parses."""
    head, body = split_front_matter(text)
    if head is None:
        return {}, text
    return {str(k): plain(v) for k, v in head.items() if _is_plain(v)}, body


def sections(text: str) -> Iterator[tuple[str, str]]:
    """(heading, body) pairs, at Markdown headings or else at chapters; text before the first has an empty heading."""
    mark = _HEADING if _HEADING.search(text) else _CHAPTER
    marks = list(mark.finditer(text))
    first = marks[0].start() if marks else len(text)
    if text[:first].strip():
        yield "", text[:first].strip()
    for found, following in zip(marks, [*marks[1:], None], strict=False):
        body = text[found.end() : following.start() if following else len(text)].strip()
        if body:
            yield found.group(1).strip(), body


def articles(text: str) -> Iterator[tuple[str, str]]:
    """(label, text) of each article, the label still in the text; empty labels where a text has no articles."""
    for part in _ARTICLE.split(text):
        if body := part.strip():
            label = _LABEL.match(body)
            yield label.group() if label else "", body


def pieces(text: str, size: int = MAX_CHARS) -> list[str]:
    """Text cut at articles, then at paragraphs and sentences, into pieces of at most about `size` characters."""
    return [piece for _, article in articles(text) for piece in _packed(article, size)]


def _packed(text: str, size: int) -> list[str]:
    if len(text) <= size:
        return [text]
    found, current = [], ""
    for sentence in _SENTENCE.findall(text):
        for part in (sentence[i : i + size] for i in range(0, len(sentence), size)):
            if current and len(current) + len(part) > size:
                found.append(current.strip())
                current = ""
            current += part
    return [p for p in [*found, current.strip()] if p]


def markdown(doc: str, text: str, **extra: str) -> list[Chunk]:
    """The chunks of a text with optional front matter and headings; a heading's trailing （A|B|C） is its confidence."""
    head, body = front_matter(text)
    doc = head.get("id") or doc
    title = head.get("title") or extra.get("title") or doc
    shared = {k: head[k] for k in _KEPT if head.get(k)}
    chunks: list[Chunk] = []
    for heading, section in sections(body):
        conf = _CONF.search(heading)
        meta = {**shared, **extra, **({"conf": conf.group(1)} if conf else {})}
        name = _CONF.sub("", heading).strip()
        shown = "" if name == title else name
        for label, article in articles(section):
            place = " ".join(p for p in (shown, "" if label in shown else label) if p)
            for i, piece in enumerate(_packed(article, MAX_CHARS)):
                found = {**meta, "section": place} if place else meta
                chunks.append(Chunk(f"{doc}#{place or '0'}#{i}", doc, f"{title} {place}".strip(), piece, found))
    return chunks


def section_of(name: str) -> str:
    """A chunk's id without the number of the piece: the same for all pieces of one section."""
    section, _, piece = name.rpartition("#")
    if not piece.isdigit():
        return name
    return section if "#" in section else f"{section}#"


def encodable(text: str) -> str:
    """The text with every lone surrogate (which JSON may smuggle in and no engine takes) as a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def plain(value: object) -> str:
    """A metadata value as the string it is stored and searched by."""
    return str(value).lower() if isinstance(value, bool) else encodable(str(value))


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float | date)

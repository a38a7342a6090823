"""Where a rule stands: the documents in ``knowledge/`` and the sections that a citation leads to.

Two ways to cite are understood. Red lines name a document and its articles as people do (``第18、19条``); everything
else writes ``R02 第18条 投诉处理时限``: the document's id, a space, the beginning of a section's heading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from bot.errors import ContentError
from bot.records import Citation, Document, Section
from bot.scenarios import build, read_front_matter

_HEADING = re.compile(r"^## (.+?)(?:（([ABC])）)?\s*$", re.M)
UNNUMBERED = "条号待核"
_ARTICLES = re.compile(r"第([\d、]+)条(.*)")
_LISTED = re.compile(r"(.+?)(之[一二三四五六七八](?:、之[一二三四五六七八])+)")


class Shelf:
    """Every document under ``knowledge/regulations`` and ``knowledge/concepts``, by id. Read-only once built."""

    def __init__(self, root: Path, lenient: bool = False) -> None:
        """Raises `ContentError` for a document that is wrong; `lenient` leaves it out instead."""
        self.documents: dict[str, Document] = {}
        for folder in ("regulations", "concepts"):
            for path in sorted((root / "knowledge" / folder).glob("*.md")):
                try:
                    document = _document(path)
                except ContentError:
                    if lenient:
                        continue
                    raise
                if document.id in self.documents:
                    raise ContentError(f"{path.name}：编号 {document.id} 已经用过，请换一个。")
                self.documents[document.id] = document

    def find(self, cited: str) -> tuple[Section, ...]:
        """The sections behind ``R02 第18条 投诉处理时限``; empty when it leads nowhere."""
        doc, _, section = cited.partition(" ")
        document = self.documents.get(doc)
        return _sections(document, section) if document and section else ()

    def resolve(self, citation: Citation) -> tuple[Section, ...]:
        """The sections behind a red line's citation; empty when any article of it leads nowhere."""
        found = [
            _sections(d, citation.article)
            for d in self.documents.values()
            if citation.ref in (d.id, d.ref) and d.short in citation.doc
        ]
        return next((sections for sections in found if sections), ())


@lru_cache(maxsize=4)
def load_shelf(root: Path) -> Shelf:
    """The documents of a content folder, loaded once per process."""
    return Shelf(root)


def _document(path: Path) -> Document:
    head, body = read_front_matter(path)
    known = {k: head[k] for k in ("id", "ref", "title", "short", "level", "status", "superseded_by") if k in head}
    sections = [
        {"doc": known.get("id"), "name": m[1].replace(UNNUMBERED, "").strip(), "conf": m[2] or ""}
        for m in _HEADING.finditer(body)
    ]
    named = {"ref": known.get("id"), "short": known.get("title")}
    return build(Document, {**named, **known, "sections": sections}, path)


def _sections(document: Document, article: str) -> tuple[Section, ...]:
    found: list[Section] = []
    for part in _parts(article):
        hits = _named(document, part) or _named(document, re.sub(r"（[^（）]*）$", "", part))
        if not hits:
            return ()
        found += hits
    return tuple(dict.fromkeys(found))


def _named(document: Document, part: str) -> list[Section]:
    """Sections whose heading is, or begins with, the part as a whole word: 第253条 is not 第253条之一."""
    return [s for s in document.sections if s.name == part or s.name.startswith((f"{part} ", f"{part}（"))]


def _parts(article: str) -> Iterator[str]:
    for piece in (p.strip() for p in article.split("；") if p.strip()):
        if (m := _ARTICLES.fullmatch(piece)) and "、" in m[1]:
            yield from (f"第{n}条" for n in m[1].split("、"))
        elif m := _LISTED.fullmatch(piece):
            yield from (m[1] + which for which in m[2].split("、"))
        else:
            yield piece

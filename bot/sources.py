"""How a source looks: its badges, the sections behind a citation with a link to them, and what a search matched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from bot import view
from bot.citations import UNNUMBERED, Shelf
from bot.records import REPEALED, Citation, Passage
from bot.view import Span

OWN = "课程口径"
SOFT = {"行业自律": "自律", "推荐性标准": "推荐性标准", OWN: OWN}
KINDS = {
    "rule": "法规", "redline": "红线", "case": "案例", "exemplar": "示范", "technique": "技巧", "anti": "反模式",
    "violation": "违规", "concept": "概念",
}  # fmt: skip
Badge = tuple[str, str]


@dataclass(frozen=True)
class Source:
    """A citation as shown. `links` are (words, address) of the sections it leads to; none when it leads nowhere."""

    text: str
    badges: tuple[Badge, ...]
    links: tuple[tuple[str, str], ...] = ()


def badges(status: str, level: str, conf: str) -> tuple[Badge, ...]:
    """(words, colour) of each badge: in force or not, whether it binds, and how far it was verified."""
    found: list[Badge] = []
    if status:
        found.append((status if status != "待核" else "未核实", "bad" if status in REPEALED else
                      "good" if status == "现行" else "warn"))  # fmt: skip
    if level in SOFT:
        found.append((SOFT[level], ""))
    if conf:
        found.append((f"确信度 {conf}" + ("，未核实" if conf == "C" else ""), "warn" if conf == "C" else ""))
    return tuple(dict.fromkeys(found))


def source(citation: Citation, shelf: Shelf, linked: bool = True) -> Source:
    """A citation with the standing of its document; one that leads nowhere says that it must be checked."""
    sections = shelf.resolve(citation)
    if not sections:
        return Source(view.cited(citation), (("未找到原文条目，引用前请核对", "warn"), *badges("", "", citation.conf)))
    document = shelf.documents[sections[0].doc]
    links = tuple((f"{document.short} {s.name}", address(s.doc, s.name)) for s in sections if linked)
    return Source(view.cited(citation), badges(document.status, document.level, citation.conf), links)


def reference(cited: str, shelf: Shelf, linked: bool = True) -> Source:
    """A citation as content writes it (``R02 第18条 投诉处理时限``); a card of the course is named, never cited as a rule."""
    sections = shelf.find(cited)
    if not sections:
        return Source(cited, (("未找到原文条目，引用前请核对", "warn"),))
    document = shelf.documents[sections[0].doc]
    named = "、".join(s.name for s in sections)
    conf = max(s.conf for s in sections)
    if not conf or document.level == OWN:
        text = f"参考“{document.title}”：{named}"
    else:
        verb = "参照" if any(word in document.title for word in view.ADVISORY) else "依据"
        text = f"{verb}《{document.title}》{named}{view.DOUBT if conf == 'C' else ''}"
    links = tuple(("原文", address(s.doc, s.name)) for s in sections if linked)
    return Source(text, badges(document.status if conf else "", document.level, conf), links)


def plainly(citation: Citation, shelf: Shelf) -> str:
    """A citation with its badges in one line of plain text."""
    found = source(citation, shelf)
    return f"{found.text}（{'，'.join(words for words, _ in found.badges)}）"


def address(doc: str, section: str = "") -> str:
    """The address of a document on the knowledge page, at one of its sections when named."""
    return "knowledge?" + urlencode({"doc": doc, **({"at": section} if section else {})})


def place(passage: Passage) -> str:
    """The name of a passage's section, as citations write it."""
    return passage.section.replace(UNNUMBERED, "").strip()


def marked(text: str, terms: Sequence[str]) -> tuple[Span, ...]:
    """A text cut so that every occurrence of a term stands out; longer terms first, overlaps joined."""
    lit = [False] * len(text)
    for term in terms:
        at = text.find(term)
        while term and at >= 0:
            lit[at : at + len(term)] = [True] * len(term)
            at = text.find(term, at + 1)
    found: list[Span] = []
    for ch, on in zip(text, lit, strict=True):
        kind: view.Kind = "good" if on else "plain"
        if found and found[-1].kind == kind:
            found[-1] = Span(found[-1].text + ch, kind)
        else:
            found.append(Span(ch, kind))
    return tuple(found)

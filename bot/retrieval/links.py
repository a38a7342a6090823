"""What the content cites: red lines, violations and concepts lead to the sections behind them.

Whoever asks about one wants the other too, so that what a good hit cites stands higher (see ``search``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from bot.citations import UNNUMBERED, Shelf
from bot.errors import ContentError
from bot.records import Section
from bot.retrieval.chunks import Chunk
from bot.scenarios import Library, read_front_matter


def citing(library: Library, chunks: Iterable[Chunk]) -> dict[str, str]:
    """For each document that cites anything, the sections of `chunks` it cites, one a line as document#section."""
    shelf = Shelf(library.root, lenient=True)
    known = {(c.doc, c.place.replace(UNNUMBERED, "").strip()): f"{c.doc}#{c.place}" for c in chunks}

    def places(sections: Iterable[Section]) -> list[str]:
        return [known[s.doc, s.name] for s in sections if (s.doc, s.name) in known]

    found: dict[str, list[str]] = {}
    for red in library.redlines.values():
        found[red.id] = [p for c in red.citations for p in places(shelf.resolve(c))]
    for card in library.taxonomy.violations.values():
        rules = [p for cited in card.regulations for p in places(shelf.find(cited))]
        found[card.code] = [*rules, *(known[name, ""] for name in card.redlines if (name, "") in known)]
    for doc, citations in _concepts(library.root / "knowledge" / "concepts"):
        found[doc] = [p for cited in citations for p in places(shelf.find(cited))]
    return {doc: "\n".join(dict.fromkeys(cited)) for doc, cited in found.items() if cited}


def _concepts(folder: Path) -> Iterator[tuple[str, list[str]]]:
    for path in sorted(folder.glob("*.md")):
        try:
            head, _ = read_front_matter(path)
        except ContentError:
            continue  # reported where its text is read
        if isinstance(cited := head.get("citations"), list):
            yield str(head.get("id", path.stem)), [str(c) for c in cited]

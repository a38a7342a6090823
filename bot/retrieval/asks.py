"""Everyday questions that a section answers, written beside the content: one more wording to find it by.

They live in ``knowledge/retrieval/asks/*.yaml``, by document and, where it has sections, by section. They are searched
but never shown, and change nothing in the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bot.errors import ContentError
from bot.retrieval.chunks import ASKS, Chunk
from bot.scenarios import read_yaml

WHOLE = ""  # the section of questions that are about a whole document


class Asks:
    """The questions of a content folder, by document and section."""

    def __init__(self, folder: Path) -> None:
        """Raises `ContentError` naming a file that does not parse or is not lists of questions."""
        self._known: dict[tuple[str, str], str] = {}
        for path in sorted(folder.glob("*.yaml")):
            for doc, section, questions in _entries(read_yaml(path), path.name):
                self._known[doc, section] = "\n".join(questions)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """(document, section) of every entry."""
        return iter(self._known)

    def added(self, chunk: Chunk) -> Chunk:
        """The chunk with the questions of its section, or of its document."""
        asked = self._known.get((chunk.doc, chunk.place)) or self._known.get((chunk.doc, WHOLE))
        return chunk.with_meta(**{ASKS: asked}) if asked else chunk


def asked(row: object) -> list[str]:
    """The questions stored with a chunk."""
    return [line for line in str(row or "").split("\n") if line.strip()]


def _entries(data: object, name: str) -> Iterator[tuple[str, str, list[str]]]:
    if not isinstance(data, dict):
        raise ContentError(f"{name}：应当是“编号: [问句, …]”或“编号: {{节名: [问句, …]}}”，请改正。")
    for doc, value in data.items():
        for section, questions in (value if isinstance(value, dict) else {WHOLE: value}).items():
            if not isinstance(questions, list) or not all(isinstance(q, str) for q in questions):
                raise ContentError(f"{name}：{doc} {section} 应当是问句的列表，请改正。")
            yield str(doc), str(section), questions

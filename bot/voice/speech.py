"""Cuts a stream of words into sentences as soon as each is complete."""

from __future__ import annotations

from collections.abc import Iterator

_ENDS = "。！？!?…\n"
_OPENS, _CLOSES = "“「『（(‘", "”」』）)’"
_LONGEST = 160


def sentences(pieces: Iterator[str]) -> Iterator[str]:
    """The text of the pieces, cut after every sentence; never inside quotes or a stage direction, unless they run on."""
    held: list[str] = []
    depth = 0
    quoted = False
    for piece in pieces:
        for ch in piece:
            held.append(ch)
            depth = max(0, depth + (ch in _OPENS) - (ch in _CLOSES))
            quoted = quoted != (ch == '"')
            inside = (depth or quoted) and len(held) < _LONGEST
            if ch in _ENDS and not inside:
                yield "".join(held)
                held, depth, quoted = [], 0, False
    if held:
        yield "".join(held)

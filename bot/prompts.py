"""Prompts are files: loaded, filled, versioned by hash. Untrusted text goes in only through `fence`.

A template uses ``$name`` placeholders. A missing or an unknown variable is a `ContentError` that names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template

from bot.errors import ContentError
from bot.scenarios import digest

OPEN, CLOSE = "〖", "〗"


class Prompt:
    """One template file. `version` is the hash of its text."""

    def __init__(self, path: Path) -> None:
        try:
            self.text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise ContentError(f"读不了提示词 {path.name}（应在 {path.parent}，UTF-8 编码）。请恢复该文件。") from None
        self.name = path.name
        self.version = digest(self.text.encode())
        self._template = Template(self.text)

    def fill(self, variables: Mapping[str, str]) -> str:
        """The text with every placeholder filled; values are inserted as they are, never expanded again."""
        wanted = set(self._template.get_identifiers())
        if missing := sorted(wanted - set(variables)):
            raise ContentError(f"提示词 {self.name} 缺少变量：{'、'.join(missing)}。")
        if unknown := sorted(set(variables) - wanted):
            raise ContentError(f"提示词 {self.name} 没有用到变量：{'、'.join(unknown)}。请检查拼写。")
        try:
            return self._template.substitute(variables)
        except ValueError:
            raise ContentError(f"提示词 {self.name} 里有写错的 $ 符号。要写美元符号请用 $$。") from None


def fence(label: str, text: str) -> str:
    """Untrusted text between marks it cannot contain, so that it reads as data and not as an instruction."""
    inner = text.replace(OPEN, "[").replace(CLOSE, "]")
    return f"{OPEN}{label}开始{CLOSE}\n{inner}\n{OPEN}{label}结束{CLOSE}"

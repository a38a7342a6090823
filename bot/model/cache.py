"""Answers kept on disk for evaluations, so that a second run asks nothing and says the same.

An answer is found again only when everything that could change it is the same: endpoint, model, sampling, format,
every character of every message, and the number of the sample.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.errors import SetupError
from bot.model.calls import Message


class Cache:
    """A folder of answers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @staticmethod
    def key(messages: Sequence[Message], matters: Mapping[str, Any]) -> str:
        """The name of an answer: a hash of all that matters."""
        content = {"messages": [list(m) for m in messages], **matters}
        return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()

    def get(self, key: str) -> str | None:
        """The answer, or None; a damaged file is no answer."""
        try:
            kept = json.loads(self._path(key).read_text(encoding="utf-8"))
            return str(kept["answer"]) if kept["key"] == key else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, key: str, answer: str) -> None:
        """Keep an answer; a reader sees the whole of it or nothing."""
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as draft:
                json.dump({"key": key, "answer": answer}, draft, ensure_ascii=False)
            os.replace(draft.name, path)
        except OSError:
            raise SetupError(f"写不了模型缓存 {self._folder}。请检查 HUASU_MODEL_CACHE 的路径和权限。") from None

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"

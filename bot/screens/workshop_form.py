"""The pieces of the workshop's forms: a field with plain help, its errors under it, and the body it writes to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import streamlit as st

from bot.records import ContentKind, Problem
from bot.workshop import fields

SUGGESTED = "　:orange[建议，请核对]"


class Form:
    """A form over a body. Every field returns nothing: it puts what was typed into `body`, only where it differs."""

    def __init__(
        self, kind: ContentKind, body: Mapping[str, Any], key: str, suggested: Collection[str] = ()
    ) -> None:  # fmt: skip
        self.kind, self.key, self.suggested = kind, key, suggested
        self.body: dict[str, Any] = {k: dict(v) if isinstance(v, Mapping) else v for k, v in body.items()}
        self._notes: dict[str, Any] = {}

    # ── fields ───────────────────────────────────────────────────────────────────────────────────────

    def text(self, path: str, *, lines: int = 1, name: str = "", hint: str = "", most: int = 2000) -> None:
        """A line or a paragraph."""
        now = str(self.value(path, "") or "")
        common: dict[str, Any] = {
            "value": now, "key": self._key(path), "help": hint or self._help(path), "max_chars": most,
        }  # fmt: skip
        if lines == 1:
            typed = st.text_input(self._label(path, name), **common)
        else:
            typed = st.text_area(self._label(path, name), height=28 + 26 * lines, **common)
        self.note(path)
        self.put(path, typed.strip(), "")

    def listed(self, path: str, *, lines: int = 3) -> None:
        """Several lines, one entry each."""
        now = [str(x) for x in self.value(path, []) or []]
        typed = st.text_area(self._label(path), value="\n".join(now), key=self._key(path), height=28 + 26 * lines,
                             help=self._help(path) or "一行一条。", max_chars=4000)  # fmt: skip
        self.note(path)
        self.put(path, [x.strip() for x in typed.splitlines() if x.strip()], [])

    def choice(self, path: str, options: Mapping[Any, str], default: Any, name: str = "") -> None:
        """One of some options, by their names."""
        now = self.value(path, default)
        keys = list(options) if now in options else [now, *options]
        picked = st.selectbox(self._label(path, name), keys, index=keys.index(now), key=self._key(path),
                              help=self._help(path) or None, format_func=lambda k: options.get(k, str(k)))  # fmt: skip
        self.note(path)
        self.put(path, picked, default)

    def several(self, path: str, options: Mapping[str, str]) -> None:
        """Any number of some options."""
        now = [str(x) for x in self.value(path, []) or []]
        known = list(dict.fromkeys([*options, *now]))
        picked = st.multiselect(self._label(path), known, default=now, key=self._key(path),
                                help=self._help(path) or None, placeholder="请选择",
                                format_func=lambda k: options.get(k, f"{k}（已不存在）"))  # fmt: skip
        self.note(path)
        self.put(path, picked, [])

    def number(self, path: str, low: int, high: int, step: int = 1, default: int = 0) -> None:
        """A whole number."""
        now = self.value(path, default)
        now = int(now) if isinstance(now, int | float) else default
        typed = st.number_input(self._label(path), low, high, min(high, max(low, now)), step, key=self._key(path),
                                help=self._help(path) or None)  # fmt: skip
        self.note(path)
        self.put(path, int(typed), default)

    def slider(
        self, path: str, name: str, hint: str, low: float, high: float, step: float, default: float | None = None
    ) -> None:
        """A slider with a word for a name."""
        held = self.value(path, default if default is not None else low)
        now = float(held) if isinstance(held, int | float) else low
        whole = step >= 1
        cast: Any = int if whole else float
        typed = st.slider(name, cast(low), cast(high), cast(min(high, max(low, now))), cast(step), help=hint,
                          key=self._key(path), format="%d" if whole else "%.2f")  # fmt: skip
        self.note(path)
        if low <= now <= high and abs(float(typed) - now) < step / 2:
            return  # a value between two steps stays as it was written
        self.put(path, typed, default)

    def switch(self, path: str, name: str, hint: str = "") -> None:
        """On or off."""
        typed = st.toggle(name, value=bool(self.value(path, False)), key=self._key(path), help=hint or None)
        self.put(path, typed, False)

    # ── the body ─────────────────────────────────────────────────────────────────────────────────────

    def value(self, path: str, default: Any = None) -> Any:
        """What the body says at a path of at most two names."""
        head, _, tail = path.partition(".")
        held = self.body.get(head)
        if not tail:
            return default if held is None else held
        return held.get(tail, default) if isinstance(held, Mapping) else default

    def put(self, path: str, value: Any, default: Any) -> None:
        """Write a value unless the body says so already, or says nothing and it is the default."""
        head, _, tail = path.partition(".")
        if not tail:
            if not _same(value, self.body.get(head, default)):
                self.body[head] = value
            return
        held = self.body.get(head)
        holder = dict(held) if isinstance(held, Mapping) else {}
        if not _same(value, holder.get(tail, default)):
            holder[tail] = value
            self.body[head] = holder

    def drop(self, path: str) -> None:
        """Take a dotted entry out of the body."""
        head, _, tail = path.partition(".")
        held = self.body.get(head)
        if isinstance(held, Mapping) and tail in held:
            self.body[head] = {k: v for k, v in held.items() if k != tail}

    # ── errors ───────────────────────────────────────────────────────────────────────────────────────

    def note(self, path: str) -> None:
        """Where the errors of a field will stand."""
        self._notes[path] = st.empty()

    def say(self, problems: Sequence[Problem]) -> None:
        """Put every error under its field, once the whole form has been read."""
        for p in problems:
            spot = self._notes.get(p.field) or self._notes.get(p.field.partition(".")[0])
            if spot is not None:
                spot.markdown(f":red[{plain(str(p))}]")

    def _label(self, path: str, name: str = "") -> str:
        return (name or fields.label(self.kind, path).split("·")[-1]) + (SUGGESTED if path in self.suggested else "")

    def _help(self, path: str) -> str:
        return fields.help_of(self.kind, path)

    def _key(self, path: str) -> str:
        return f"{self.key}-{path}"


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return list(a) == list(b)
    return bool(a == b)


def plain(text: str) -> str:
    """Text that markdown leaves as it is: what was typed must not become a link or a picture."""
    return "".join(f"\\{ch}" if ch in r"\`*_{}[]()#+-.!|<>$~:" else ch for ch in text)

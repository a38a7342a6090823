"""The banks of hand-written lines: a scenario's own, a persona's manner of speaking, the common one behind both.

A file has `acts` and `reactions` (key -> band or any -> lines), `facts`, `needs` and `refusals` (key -> lines) and
`offers` (policy -> accept/refuse -> lines). Reactions may hold `{quote}`, the manager's own words.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from bot.errors import ContentError
from bot.records import SLOTS, Band
from bot.scenarios import read_yaml

BANDS: tuple[Band, ...] = ("boil", "hot", "warm", "cool", "calm")
LENGTH: dict[Band, int] = {"boil": 25, "hot": 50, "warm": 60, "cool": 45, "calm": 45}
"""The most characters a line of each band should have."""
BEHAVIOURS = (
    "vent", "complain", "demand", "allege", "ask", "bargain", "interrupt", "outburst", "threaten_complaint",
    "threaten_media", "file_complaint", "crisis", "cry", "disclose", "withhold", "soften", "concede", "refuse",
    "provisional_accept", "accept", "accept_reality", "hang_up", "close", "promise_due", "silence",
)  # fmt: skip
SPECIAL = ("none", "injection", "repeat")
NEEDS = ("business", "emotional")
UNMET = ("T", "R", "D", "C", "H")
ANSWERS = ("accept", "refuse")
COMMON, MANNER = "common", "persona-"
KEYS = ("scenario", "acts", "reactions", "facts", "needs", "offers", "refusals")
_FIELD = re.compile(r"\{[^{}]*\}")

Tiers = tuple[tuple[str, ...], ...]
"""Lists of lines, the most fitting list first; a later list is used only when the earlier ones are used up."""


class LineBank:
    """Lines by purpose and by how hot he is, the scenario's and the persona's before the common ones."""

    def __init__(
        self, own: Mapping[str, Any], common: Mapping[str, Any], manner: Mapping[str, Any] | None = None,
        manner_first: bool = False,
    ) -> None:  # fmt: skip
        self._own, self._common, self._manner = own, common, manner or {}
        near = (self._manner, own) if manner_first else (own, self._manner)
        self._banks = (*near, common)

    def mannered(self, first: bool) -> LineBank:
        """The same bank with the persona's lines before or behind the scenario's."""
        return LineBank(self._own, self._common, self._manner, first)

    def act(self, behaviour: str, band: Band) -> Tiers:
        """Lines of a behaviour for a band."""
        return self._banded("acts", behaviour, band)

    def anywhere(self, behaviour: str, band: Band) -> Tiers:
        """Lines of a behaviour in the far bands, nearest first, for when the near ones have run out."""
        banks = [bank.get("acts", {}).get(behaviour) or {} for bank in self._banks]
        return _filled(held.get(name) for name in _by_distance(band)[1] for held in banks)

    def reaction(self, code: str, band: Band) -> Tiers:
        """Lines that answer a code the manager just showed, or one of none, injection, repeat."""
        return self._banded("reactions", code, band)

    def habit(self, band: Band) -> Tiers:
        """What the persona is in the habit of saying before anything else."""
        return _filled((self._manner.get("reactions", {}).get("none") or {}).get(name) for name in (band, "any"))

    def fact(self, key: str) -> Tiers:
        """Lines that tell a 6W3H slot, or a need given as need_business or need_emotional."""
        section, name = ("needs", key.removeprefix("need_")) if key.startswith("need_") else ("facts", key)
        return _filled(bank.get(section, {}).get(name) for bank in (self._own, self._common))

    def refusal(self, unmet: str) -> Tiers:
        """Lines that refuse for the sake of one unmet variable: T, R, D, C or H."""
        return _filled(bank.get("refusals", {}).get(unmet) for bank in self._banks)

    def offer(self, policies: Collection[str], answer: str) -> Tiers:
        """Lines that accept or refuse one of these policies; those written for the scenario only."""
        held = self._own.get("offers", {})
        return _filled([[line for p in policies for line in held.get(p, {}).get(answer, [])]])

    def any_offer(self, answer: str) -> Tiers:
        """Lines that accept or refuse whatever was put on the table."""
        banks = (self._own, self._common)
        return _filled(bank.get("offers", {}).get("any", {}).get(answer) for bank in banks)

    def _banded(self, section: str, key: str, band: Band) -> Tiers:
        held = [bank.get(section, {}).get(key) or {} for bank in self._banks]
        near, far = _by_distance(band)
        order = [(lines, name) for lines in held for name in (band, "any", *near)]
        found = _filled(lines.get(name) for lines, name in order)
        return found or _filled(lines.get(name) for name in far for lines in held)


def _by_distance(band: Band) -> tuple[list[Band], list[Band]]:
    """The neighbouring bands and the farther ones, nearest first and the cooler of two first."""
    at = BANDS.index(band)
    others = sorted((b for b in BANDS if b != band), key=lambda b: (abs(BANDS.index(b) - at), -BANDS.index(b)))
    near = [b for b in others if abs(BANDS.index(b) - at) == 1]
    return near, [b for b in others if b not in near]


def _filled(lists: Iterable[list[str] | None]) -> Tiers:
    return tuple(tuple(lines) for lines in lists if lines)


@lru_cache(maxsize=128)
def load_bank(folder: Path, scenario: str, persona: str = "") -> LineBank:
    """The bank of a scenario and a persona; a file that is not there adds nothing. Raises `ContentError`."""
    manner = _lines(folder, f"{MANNER}{persona}") if persona else None
    return LineBank(_lines(folder, scenario), _lines(folder, COMMON), manner)


@lru_cache(maxsize=256)
def _lines(folder: Path, name: str) -> Mapping[str, Any]:
    """A checked file, read once; nothing when it is not there, except that the common one must be."""
    path = folder / f"{name}.yaml"
    if name == COMMON:
        return load_file(path)
    return load_file(path, _lines(folder, COMMON)["reactions"]) if path.is_file() else {}


def load_file(path: Path, codes: Collection[str] = ()) -> Mapping[str, Any]:
    """One checked file of lines; `codes` are the reactions it may use. Raises `ContentError` naming file and key."""
    data = read_yaml(path)
    _need(isinstance(data, dict), path, "整个文件", "应由 " + "、".join(KEYS) + " 组成")
    _known(path, "", data, KEYS)
    _need(data.get("scenario") == path.stem, path, "scenario", f"应与文件名一致，写 {path.stem}")
    for section in KEYS[1:]:
        _need(isinstance(data.get(section, {}), dict), path, section, "下面应是一组键")
    for section, keys in (("acts", BEHAVIOURS), ("reactions", codes or data.get("reactions", {}))):
        _known(path, section, data.get(section, {}), keys)
        for key, bands in data.get(section, {}).items():
            _grouped(path, f"{section}.{key}", bands, (*BANDS, "any"), section == "reactions")
    for section, keys in (("facts", SLOTS), ("needs", NEEDS), ("refusals", UNMET)):
        _grouped(path, section, data.get(section, {}), keys)
    for key, answers in data.get("offers", {}).items():
        _grouped(path, f"offers.{key}", answers, ANSWERS)
    if path.stem == COMMON:
        _complete(path, data)
    return dict(data)


def _complete(path: Path, data: Mapping[str, Any]) -> None:
    """The common file is the last resort, so it must have every behaviour, refusal and special reaction."""
    for section, keys in (("acts", BEHAVIOURS), ("refusals", UNMET), ("reactions", SPECIAL)):
        for key in keys:
            _need(bool(data.get(section, {}).get(key)), path, f"{section}.{key}", "缺少台词，请补上")
    for answer in ANSWERS:
        _need(bool(data.get("offers", {}).get("any", {}).get(answer)), path, f"offers.any.{answer}", "缺少台词，请补上")


def _grouped(path: Path, where: str, group: Any, keys: Collection[str], quotes: bool = False) -> None:
    _need(isinstance(group, dict), path, where, "下面应按 " + "、".join(keys) + " 分开写")
    _known(path, where, group, keys)
    for key, lines in group.items():
        spot = f"{where}.{key}"
        whole = isinstance(lines, list) and lines and all(isinstance(x, str) and x.strip() for x in lines)
        _need(bool(whole), path, spot, "应是一列台词，每句不能为空")
        allowed = {"{quote}"} if quotes else set()
        _need(all(set(_FIELD.findall(x)) <= allowed for x in lines), path, spot,
              "里的花括号不对，只有 reactions 可以写 {quote}")  # fmt: skip


def _known(path: Path, where: str, group: Mapping[str, Any], keys: Collection[str]) -> None:
    for key in group:
        spot = f"{where}.{key}" if where else str(key)
        _need(key in keys, path, spot, "不认识，可用 " + "、".join(map(str, keys)))


def _need(ok: bool, path: Path, where: str, message: str) -> None:
    if not ok:
        raise ContentError(f"{path.name}：{where} {message}。")

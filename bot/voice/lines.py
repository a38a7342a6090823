"""The banks of hand-written lines: a scenario's own first, the common one behind it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from bot.errors import ContentError
from bot.records import Band
from bot.scenarios import read_yaml

BANDS: tuple[Band, ...] = ("boil", "hot", "warm", "cool", "calm")
KEYS = {"scenario", "acts", "reactions", "facts", "needs", "offers", "refusals"}


class LineBank:
    """Lines by purpose and by how hot he is."""

    def __init__(self, own: Mapping[str, Any], common: Mapping[str, Any]) -> None:
        self._own, self._common = own, common

    def banded(self, section: str, key: str, band: Band) -> list[str]:
        """Lines of an act or a reaction for a band, the nearest band where it has none; the scenario's first."""
        return [
            line for bank in (self._own, self._common) for line in _nearest(bank.get(section, {}).get(key) or {}, band)
        ]

    def anywhere(self, section: str, key: str) -> list[str]:
        """Lines of an act in any band, for when his own band has run out of fresh ones."""
        banks = [bank.get(section, {}).get(key) or {} for bank in (self._own, self._common)]
        return [line for bands in banks for lines in bands.values() for line in lines]

    def listed(self, section: str, key: str, sub: str = "") -> list[str]:
        """Lines of a fact, need, refusal or offer."""
        found: list[str] = []
        for bank in (self._own, self._common):
            held = bank.get(section, {}).get(key) or bank.get(section, {}).get("any") or []
            found += list(held.get(sub, []) if isinstance(held, dict) else held)
        return found


def _nearest(by_band: Mapping[str, list[str]], band: Band) -> list[str]:
    at = BANDS.index(band)
    order = sorted(BANDS, key=lambda b: (abs(BANDS.index(b) - at), BANDS.index(b)))
    own = list(by_band.get(band, []))
    general = list(by_band.get("any", []))
    if own or general:
        return [*own, *general]
    return next((list(by_band[b]) for b in order if by_band.get(b)), [])


@lru_cache(maxsize=128)
def load_bank(folder: Path, scenario: str) -> LineBank:
    """The bank of a scenario. Raises `ContentError` naming the file and key that is wrong."""
    own = folder / f"{scenario}.yaml"
    return LineBank(_checked(own) if own.exists() else {}, _checked(folder / "common.yaml"))


def _checked(path: Path) -> Mapping[str, Any]:
    data = read_yaml(path)
    if not isinstance(data, dict) or not set(data) <= KEYS:
        wrong = "、".join(sorted(map(str, set(data) - KEYS))) if isinstance(data, dict) else "整个文件"
        raise ContentError(f"{path.name}：{wrong} 不认识，可用 {'、'.join(sorted(KEYS))}。")
    for section in ("acts", "reactions"):
        for key, bands in (data.get(section) or {}).items():
            if not isinstance(bands, dict) or not set(bands) <= {*BANDS, "any"}:
                raise ContentError(f"{path.name}：{section}.{key} 下面应按 {'、'.join((*BANDS, 'any'))} 分档。")
            for band, lines in bands.items():
                if not all(isinstance(x, str) and x.strip() for x in lines):
                    raise ContentError(f"{path.name}：{section}.{key}.{band} 应是一列台词。")
    return data

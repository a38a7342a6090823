"""Personal data in typed text: found by checksum where there is one, and masked before anything is stored or sent.

Balances, case numbers and short service numbers (12378, 95xxx) are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_ID_CARD = re.compile(r"(?<!\d)(\d{6})(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![\dXx])")
_CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){15,18}(?!\d)")
_MOBILE = re.compile(r"(?<!\d)1[3-9]\d(?:[ -]?\d{4}){2}(?!\d)")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"


def mask(text: str) -> tuple[str, tuple[str, ...]]:
    """The text with identity-card, bank-card and mobile numbers masked, and the kinds found, e.g. ("手机号",)."""
    kinds: list[str] = []

    def hide(kind: str, keep: int) -> Callable[[re.Match[str]], str]:
        def replace(match: re.Match[str]) -> str:
            digits = re.sub(r"[ -]", "", match.group())
            if not _valid(kind, digits):
                return match.group()
            kinds.append(kind)
            return digits[:keep] + "*" * (len(digits) - keep - 2) + digits[-2:]

        return replace

    text = _ID_CARD.sub(hide("身份证号", 4), text)
    text = _CARD.sub(hide("银行卡号", 4), text)
    text = _MOBILE.sub(hide("手机号", 3), text)
    return text, tuple(dict.fromkeys(kinds))


def _valid(kind: str, digits: str) -> bool:
    if kind == "身份证号":
        return _CHECK[sum(int(d) * w for d, w in zip(digits[:17], _WEIGHTS, strict=True)) % 11] == digits[-1].upper()
    return kind != "银行卡号" or _luhn(digits)


def _luhn(digits: str) -> bool:
    total = 0
    for i, d in enumerate(reversed(digits)):
        n = int(d) * (2 if i % 2 else 1)
        total += n - 9 if n > 9 else n
    return total % 10 == 0

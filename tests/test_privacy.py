"""Masking: real-looking numbers by checksum, and no false alarms on balances and service numbers."""

from __future__ import annotations

import pytest

from bot.privacy import mask


@pytest.mark.parametrize(
    ("text", "kind", "gone"),
    [
        ("身份证11010519491231002X请核对", "身份证号", "11010519491231002X"),
        ("打我手机13812345678", "手机号", "13812345678"),
        ("138 1234 5678", "手机号", "138 1234 5678"),
        ("卡号6222021234567890128转账", "银行卡号", "6222021234567890128"),
    ],
)
def test_personal_numbers_are_masked(text: str, kind: str, gone: str) -> None:
    masked, kinds = mask(text)
    assert kinds == (kind,) and gone not in masked and "*" in masked


@pytest.mark.parametrize(
    "text",
    ["余额86000元，逾期47天", "打12378或95588", "工号0217", "编号20260101000123", "身份证110105194912310021", "2860块，430000元",
     "流水号1234567890123456"],
)  # fmt: skip
def test_ordinary_numbers_are_left_alone(text: str) -> None:
    assert mask(text) == (text, ())

"""Masking: hundreds of made-up numbers in every form they are typed in, and thousands of clean sentences left alone."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bot import privacy
from bot.privacy import CARD, ID_CARD, NAME, PHONE, mask
from evals.appraisal import data

DICE = random.Random(20)
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")


def digits(n: int) -> str:
    return "".join(DICE.choice("0123456789") for _ in range(n))


def id_card() -> str:
    born = f"{DICE.randint(1945, 2006)}{DICE.randint(1, 12):02}{DICE.randint(1, 28):02}"
    body = DICE.choice(("110105", "440305", "330106", "510107", "610103")) + born + digits(3)
    return body + privacy._CHECK[sum(int(d) * w for d, w in zip(body, privacy._WEIGHTS, strict=True)) % 11]


def card() -> str:
    body = DICE.choice(("622202", "621700", "436742", "520082", "625905")) + digits(DICE.choice((9, 12)))
    return next(body + d for d in "0123456789" if privacy._luhn(body + d))


def mobile() -> str:
    return "1" + DICE.choice("3456789") + digits(9)


def grouped(number: str, sizes: tuple[int, ...], gap: str) -> str:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(number[at : at + size])
        at += size
    return gap.join([*pieces, number[at:]] if number[at:] else pieces)


def made_up() -> list[tuple[str, str]]:
    """(text, kind): every form, many times."""
    said = str.maketrans("0123456789", "零幺二三四五六七八九")
    made: list[tuple[str, str]] = []
    for _ in range(25):
        made += [
            (f"我身份证{id_card()}，您查查", ID_CARD),
            (f"{id_card().lower()}是我爱人的", ID_CARD),
            (f"证件号：{grouped(id_card(), (6, 8), ' ')}", ID_CARD),
            (id_card().translate(WIDE), ID_CARD),
            (f"钱打到{card()}上", CARD),
            (f"卡号 {grouped(card(), (4, 4, 4, 4), ' ')}", CARD),
            (f"{grouped(card(), (4, 4, 4, 4), '-')}，工行的", CARD),
            (f"打我手机{mobile()}", PHONE),
            (f"电话 {grouped(mobile(), (3, 4, 4), ' ')} 找我", PHONE),
            (grouped(mobile(), (3, 4, 4), "-"), PHONE),
            (f"+86 {mobile()}", PHONE),
            (f"微信同号，{grouped(mobile(), (3, 3), ' ')}", PHONE),
            (mobile().translate(WIDE), PHONE),
            (f"座机0{DICE.choice(('10', '21', '571', '755'))}-{DICE.choice('5678')}{digits(7)}", PHONE),
            (f"号码是{mobile().translate(said)}", PHONE),
            (f"客户{DICE.choice('王李赵陈周')}{DICE.choice(('建国', '秀英', '海涛', '磊', '丽华'))}，余额{digits(2)}000元", NAME),
            (f"{DICE.choice('刘孙郑何')}{DICE.choice(('志强', '晓梅', '国栋'))}欠了我们{DICE.randint(1, 9)}万", NAME),
        ]  # fmt: skip
    return made


def test_personal_data_is_found_in_every_form_it_is_typed_in() -> None:
    made = made_up()
    missed = [(text, kind) for text, kind in made if kind not in mask(text)[1]]
    assert len(made) >= 400
    assert len(missed) <= 0.01 * len(made), missed[:10]


@pytest.mark.parametrize(
    ("text", "gone", "left"),
    [
        ("身份证11010519491231002X请核对", "19491231002", "1101************2X"),
        ("打我手机13812345678", "13812345678", "138******78"),
        ("卡号6222021234567890128转账", "1234567890", "6222*************28"),
        ("幺三八一二三四五六七八", "八一二三", "138******78"),
        ("借款人王建国，贷款86000元", "王建国", "王**"),
    ],
)
def test_what_is_left_still_shows_what_it_was(text: str, gone: str, left: str) -> None:
    masked, _ = mask(text)
    assert gone not in masked and left in masked


def test_a_number_that_is_called_a_card_needs_no_checksum() -> None:
    assert mask("账号6222021234567890123")[1] == (CARD,)
    assert mask("身份证110105194912310021")[1] == (ID_CARD,)


def test_the_people_of_the_case_keep_their_names() -> None:
    assert mask("客户李建军，余额86000元", known=("李建军",)) == ("客户李建军，余额86000元", ())


@pytest.mark.parametrize(
    "text",
    ["余额86000元，逾期47天", "打12378或95588", "工号0217", "编号20260101000123", "2860块，430000元", "金额13800000000.00元",
     "流水号1234567890123456", "合同号HT202601130001234567", "2026-11-29 13:45:12", "月供1,865.32元，剩138期", "法〔2026〕1380号",
     "王先生您欠款8600元", "李总，您那笔贷款还有3万", "张姐欠着2万", "一二三四五六七八九十", "第13812条"],
)  # fmt: skip
def test_ordinary_numbers_are_left_alone(text: str) -> None:
    assert mask(text) == (text, ())


def test_thousands_of_clean_loan_sentences_raise_no_alarm() -> None:
    folder = Path(data.FOLDER)
    rows = [r for path in sorted(folder.glob("[A-Z].jsonl")) for r in data.read(path.stem)]
    said = [text for r in rows for text in (r.reply, r.customer) if text]
    alarms = [text for text in said if mask(text)[1]]
    assert len(said) >= 10_000
    assert len(alarms) <= 0.001 * len(said), alarms[:10]


def test_masking_twice_changes_nothing_more() -> None:
    for text, _ in made_up()[:200]:
        once, _ = mask(text)
        assert mask(once) == (once, ())

"""Personal data in typed text: found by form and checksum, and masked before anything is stored or sent.

Identity-card and bank-card numbers must pass their checksum unless the text itself calls them one; phone numbers may be
spaced, full-width, or read out in Chinese digits; a full name is masked only where it is tied to an amount of debt.
Balances, case numbers, dates and short service numbers (12378, 95xxx) are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

ID_CARD, CARD, PHONE, NAME = "身份证号", "银行卡号", "电话号码", "姓名与金额"
_WIDE = str.maketrans("０１２３４５６７８９Ｘｘ－—–．·　", "0123456789Xx---.. ")
_READ_OUT = str.maketrans("零〇一幺二两三四五六七八九", "0011223456789")
_GAP = r"[ .-]{0,2}"
_ENDS = r"(?!\d|\.\d|元|块|万)"  # an amount is not a number to call
_BIRTH = rf"(?:19|20)\d{{2}}{_GAP}(?:0[1-9]|1[0-2]){_GAP}(?:0[1-9]|[12]\d|3[01])"
_ID = re.compile(rf"(?<![\dA-Za-z])\d{{6}}{_GAP}{_BIRTH}{_GAP}\d{{3}}{_GAP}[\dXx](?![\dA-Za-z])")
_OLD_ID = re.compile(r"(?<![\dA-Za-z])\d{6}\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}(?![\dA-Za-z])")
_LONG = re.compile(r"(?<![\dA-Za-z])\d(?:[ -]?\d){14,18}(?![\dA-Za-z])")
_CALLED_ID = re.compile(r"(?:身份证|证件)[^，。；！？\d]{0,8}$")
_CALLED_CARD = re.compile(r"(?:卡号|账号|帐号|账户|帐户|银行卡|储蓄卡|借记卡|信用卡|卡)[^，。；！？\d]{0,6}$")
_MOBILE = re.compile(rf"(?<![\d.])(?:\(?(?:\+|00)?86\)?{_GAP})?0?1[3-9]\d(?:{_GAP}\d{{4}}){{2}}{_ENDS}")
_SPACED = re.compile(r"(?<![\d.])1[ .-]?[3-9](?:[ .-]?\d){9}" + _ENDS)
_LANDLINE = re.compile(
    r"(?<![\d.])\(?0(?:10|2\d|[3-9]\d{2})\)?[ -]{0,2}[2-8]\d{2,3}[ -]?\d{4}(?:[ -转]{1,2}\d{1,5})?(?!\d)"
)
_SPOKEN = re.compile(
    r"(?<![零〇一幺二两三四五六七八九十])[一幺][三四五六七八九](?:[ -]?[零〇一幺二两三四五六七八九]){9}(?![零〇一幺二两三四五六七八九十百千万])"
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_SURNAME = (
    "(?:欧阳|司马|上官|诸葛|司徒|夏侯|皇甫|尉迟|[王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋"
    "余于杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范廖石金韦贾夏付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤])"
)
_FULL_NAME = rf"(?P<name>{_SURNAME}(?![某总工经姐哥叔姨老小大先女师阿局行行科处])[一-龥]{{1,2}})"
_AMOUNT = r"\d[\d,.，]*\s*(?:元|块|万|千|百)|[一二两三四五六七八九十百]+(?:万|千|百)"
_OWES = r"(?:还)?(?:欠(?:了|着|款|我们|咱)?|逾期(?:了)?|贷(?:了|款)|借(?:了|款)|的?(?:余额|房贷|车贷|贷款|欠款|借款|本金|月供|账单))"
_NAMED = re.compile(
    rf"(?:客户|借款人|户名|姓名|户主|名叫|本人|叫)[：:是为 ]{{0,2}}{_FULL_NAME}(?=[，,、。；:： 的欠（(]|{_OWES})"
)
_OWING = re.compile(rf"(?:^|(?<=[，,。；！？：:、 ]))(?:{_FULL_NAME}){_OWES}")
_SENTENCE = re.compile(r"[^。！？；\n]+")


@dataclass(frozen=True)
class Found:
    """One piece of personal data: its kind and where it stands."""

    kind: str
    start: int
    end: int


def mask(text: str, known: Collection[str] = ()) -> tuple[str, tuple[str, ...]]:
    """The text with personal data masked, and the kinds found, e.g. ("电话号码",).

    `known` are names that may stay: the fictional people of a case.
    """
    kinds, pieces, at = [], [], 0
    for found in find(text, known):
        kinds.append(found.kind)
        pieces += [text[at : found.start], _hidden(found.kind, text[found.start : found.end])]
        at = found.end
    return "".join([*pieces, text[at:]]), tuple(dict.fromkeys(kinds))


def find(text: str, known: Collection[str] = ()) -> list[Found]:
    """Personal data in a text, in order, without overlaps; where two kinds fit, the stronger proof wins."""
    plain = text.translate(_WIDE)
    taken: list[Found] = []
    for found in (*_ids(plain), *_cards(plain), *_phones(plain), *_names(plain, known)):
        if all(found.end <= t.start or found.start >= t.end for t in taken):
            taken.append(found)
    return sorted(taken, key=lambda f: f.start)


def _ids(text: str) -> Iterator[Found]:
    for match in _ID.finditer(text):
        digits = re.sub(r"[^\dXx]", "", match.group())
        if _id_checks(digits) or _CALLED_ID.search(text[: match.start()]):
            yield Found(ID_CARD, *match.span())
    for match in _OLD_ID.finditer(text):  # fifteen digits carry no checksum: only where it is called one
        if _CALLED_ID.search(text[: match.start()]):
            yield Found(ID_CARD, *match.span())


def _cards(text: str) -> Iterator[Found]:
    for match in _LONG.finditer(text):
        digits = re.sub(r"\D", "", match.group())
        called = bool(_CALLED_CARD.search(text[: match.start()]))
        if called or (len(digits) >= 16 and digits[0] in "3456" and _luhn(digits)):
            yield Found(CARD, *match.span())


def _phones(text: str) -> Iterator[Found]:
    for pattern in (_MOBILE, _LANDLINE, _SPOKEN):
        for match in pattern.finditer(text):
            yield Found(PHONE, *match.span())
    for match in _SPACED.finditer(text):  # in groups of any size, or digit by digit
        if len(match.group()) - 11 in (0, 1, 2, 3, 4, 10):
            yield Found(PHONE, *match.span())


def _names(text: str, known: Collection[str]) -> Iterator[Found]:
    for sentence in _SENTENCE.finditer(text):
        if not re.search(_AMOUNT, sentence.group()):
            continue
        for pattern in (_NAMED, _OWING):
            for match in pattern.finditer(sentence.group()):
                if not any(match["name"] in name or name in match["name"] for name in known):
                    yield Found(NAME, sentence.start() + match.start("name"), sentence.start() + match.end("name"))


def _hidden(kind: str, text: str) -> str:
    if kind == NAME:
        return text[0] + "*" * (len(text) - 1)
    plain = re.sub(r"[^\dXx]", "", text.translate(_WIDE).translate(_READ_OUT))
    keep = 4 if kind in (ID_CARD, CARD) else 3
    return plain[:keep] + "*" * (len(plain) - keep - 2) + plain[-2:]


def _id_checks(digits: str) -> bool:
    return _CHECK[sum(int(d) * w for d, w in zip(digits[:17], _WEIGHTS, strict=True)) % 11] == digits[-1].upper()


def _luhn(digits: str) -> bool:
    doubled = [int(d) * (2 if i % 2 else 1) for i, d in enumerate(reversed(digits))]
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0

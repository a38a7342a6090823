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


_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛范彭郎鲁韦马苗凤方俞任袁柳鲍史唐费薛雷贺倪汤罗毕郝安常乐于傅齐康伍余元卜顾孟平黄穆萧尹姚邵汪毛狄米明臧戴宋庞熊纪舒项祝董梁杜阮蓝季贾路江童颜郭梅林钟徐邱骆高夏蔡田樊胡凌霍虞万柯管卢莫房解应宗丁邓洪包石崔吉龚程邢裴陆翁荀惠曲封储靳焦谷车侯全班宁仇栾甘厉武符刘景詹龙叶幸司黎薄白蒲赖卓屠蒙池乔温庄晏柴瞿阎充慕连习艾向古易廖耿匡国文寇广东欧利师聂晁勾敖冷辛那简饶曾沙养鞠丰关相查荆游权盖益桓公涂"
_LABELLED = re.compile(
    rf"((?:姓名|客户姓名|投诉人|投诉客户|客户|借款人|联系人|担保人|当事人|来电人|申请人|本人|配偶|经办人|客户经理)[^\S\n]*[：:是为叫]?[^\S\n]*)"
    rf"([{_SURNAMES}][\u4e00-\u9fff]{{1,2}})(?=[^\u4e00-\u9fff]|先生|女士|来电|于|称|表示|反映|投诉|要求|致电|到|在|$)"
)
_TITLED = re.compile(rf"(?<![\u4e00-\u9fff])([{_SURNAMES}][\u4e00-\u9fff]{{1,2}})(?=先生|女士)")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LANDLINE = re.compile(r"(?<!\d)0\d{2,3}[- ]\d{7,8}(?!\d)")
_ACCOUNT = re.compile(
    r"((?:微信号?|QQ号?|合同号|合同编号|借据号|账号|贷款账号|客户号|工单号)[^\S\n]*[：:是为]?[^\S\n]*)([A-Za-z0-9_-]{5,})",
    re.I,
)
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][·• ]?[A-Z0-9]{5,6}(?![A-Za-z0-9])"
)
_ADDRESS = re.compile(r"[\u4e00-\u9fff]{2,12}?(?:路|街|道|巷|弄)\d+号(?:院)?(?:[\u4e00-\u9fff]{0,8}?\d+(?:栋|幢|号楼|座))?(?:\d+单元)?(?:\d+室?)?"
                      r"|\d+(?:栋|幢|号楼)\d*(?:单元)?\d+室?")  # fmt: skip
_ORDINARY = {"客户", "女士", "先生", "本人", "经理", "于是", "应该", "全部", "那么", "相关", "关于", "安排", "高兴"}


def mask_record(text: str) -> tuple[str, tuple[str, ...]]:
    """As `mask`, for a record of a complaint: names said to be names (王某), addresses, landlines, accounts and plates too."""
    masked, kinds = mask(text)
    found = list(kinds)
    names = {m[2] for m in _LABELLED.finditer(masked)} | {m[1] for m in _TITLED.finditer(masked)}
    for name in sorted(names - _ORDINARY, key=len, reverse=True):
        masked = masked.replace(name, f"{name[0]}某")
        found.append("姓名")
    for kind, pattern, put in (
        ("邮箱", _EMAIL, "***@***"), ("座机号", _LANDLINE, "0***-*******"), ("账号", _ACCOUNT, r"\1***"),
        ("车牌", _PLATE, "**·*****"), ("住址", _ADDRESS, "某处"),
    ):  # fmt: skip
        masked, n = pattern.subn(put, masked)
        found += [kind] * bool(n)
    return masked, tuple(dict.fromkeys(found))

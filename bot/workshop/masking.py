"""Personal data in a record of a complaint: what `bot.privacy` finds everywhere, and what only such records are full of.

Names that are said to be names (王某 instead), addresses, accounts, plates and mail addresses: a record is written about
a real person, so more is hidden here than in a learner's reply.
"""

from __future__ import annotations

import re

from bot import privacy

_SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏窦章云苏潘葛范彭郎鲁韦马苗凤方俞任袁柳鲍史唐费薛雷贺倪汤罗毕郝安乐于傅齐康伍余"
    "元卜顾孟黄穆萧尹姚邵汪毛狄米臧戴宋庞熊纪舒项祝董梁杜阮蓝季贾路江童颜郭梅林钟徐邱骆高夏蔡田樊胡凌霍虞万柯管卢莫房解应宗丁邓洪包石崔吉龚程邢裴陆翁荀曲"
    "储靳焦谷车侯全班宁仇栾甘厉武刘景詹龙叶司黎薄白赖卓蒙池乔温庄晏柴瞿阎慕连习艾向易廖耿匡文寇欧聂冷辛简饶曾沙关查荆游涂"
)
_LABEL = (
    "客户姓名|姓名|投诉人|投诉客户|客户经理|客户|借款人|联系人|担保人|当事人|来电人|申请人|本人|配偶|经办人|"
    "丈夫|妻子|老公|老婆|父亲|母亲|儿子|女儿"
)
_AFTER = "先生|女士|来电|来行|来访|于|称|表示|反映|投诉|要求|致电|到|在|的"
_LABELLED = re.compile(
    rf"(?:{_LABEL})[^\S\n]*[：:是为叫]?[^\S\n]*([{_SURNAMES}][\u4e00-\u9fff]{{1,2}}?)(?=[^\u4e00-\u9fff]|{_AFTER}|$)"
)
_TITLED = re.compile(rf"(?<![\u4e00-\u9fff])([{_SURNAMES}][\u4e00-\u9fff]{{1,2}})(?=先生|女士)")
_ORDINARY = {"关于", "于是", "应该", "全部", "安排", "高兴", "万元", "云云", "相关", "方面", "经理"}
_MAIL = re.compile(r"[A-Za-z0-9_.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_ACCOUNT = re.compile(
    r"((?:微信号?|QQ号?|合同(?:编)?号|借据号|贷款账号|账号|客户号|工单号)[^\S\n]*[：:是为]?[^\S\n]*)([A-Za-z0-9_-]{5,})",
    re.I,
)
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][·• ]?[A-Z0-9]{5,6}(?![A-Za-z0-9])"
)
_ADDRESS = re.compile(
    r"[\u4e00-\u9fff]{2,12}?(?:路|街|道|巷|弄)\d+号(?:院)?(?:[\u4e00-\u9fff]{0,8}?\d+(?:栋|幢|号楼|座))?(?:\d+单元)?(?:\d+室?)?"
    r"|\d+(?:栋|幢|号楼)\d*(?:单元)?\d+室?"
)


def mask(text: str) -> tuple[str, tuple[str, ...]]:
    """The record with personal data masked, and the kinds found, e.g. ("姓名", "电话号码", "住址")."""
    found: list[str] = []
    names = {m[1] for m in (*_LABELLED.finditer(text), *_TITLED.finditer(text))} - _ORDINARY
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, f"{name[0]}某")
        found.append("姓名")
    text, kinds = privacy.mask(text)
    found += kinds
    for kind, pattern, put in (
        ("邮箱", _MAIL, "（邮箱已隐去）"), ("账号", _ACCOUNT, r"\1***"), ("车牌", _PLATE, "（车牌已隐去）"),
        ("住址", _ADDRESS, "某处"),
    ):  # fmt: skip
        text, n = pattern.subn(put, text)
        found += [kind] * bool(n)
    return text, tuple(dict.fromkeys(found))

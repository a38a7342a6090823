"""Whether a learner's words speak to the machine instead of the customer: orders, fake roles, asked-for grades, codes.

Found by our own patterns before any model sees the words, so that the defence is as good with a model that obeys
everything. A false alarm costs little: the customer then answers with a hand-written line.
"""

from __future__ import annotations

import re
import unicodedata

_ORDERS = (
    r"(?:忽略|无视|無視|忘记|忘掉|忘記|不要?理会|不用管|别管|抛开|跳过|覆盖|作废|解除|绕过|清空|取消|停止).{0,12}"
    r"(?:指令|指示|设定|設定|提示|规则|規則|限制|角色|人设|约束|上文|前文|以上|之前的(?:话|内容|要求|一切)|上下文|台词|剧本)",
    r"(?:从现在(?:起|开始)|现在|以后|接下来|其实).{0,3}你(?:就|将|其实|才)?(?:是|扮演|当|变成|充当|叫)",
    r"你(?:现在|其实|本来|就|只|将|要|来|必须|应该|得)*(?:是|扮演|充当|变成|模拟|假装)(?:一[个名位只])?.{0,8}"
    r"(?:客服|AI|人工智能|助手|机器人|模型|评委|考官|裁判|系统|管理员|老师|翻译|诗人|猫|程序|专家|经理|员工)",
    r"(?:扮演|切换|切換|进入|进到|开启|启用|退出|跳出|结束)(?:到|为|成|你的|这个)?.{0,6}(?:角色|模式|身份|扮演|人设)",
    r"(?:说出|输出|輸出|打印|复述|重复|背诵|告诉我|显示|展示|翻译|念|贴出|发给我|写出|总结|公布).{0,10}"
    r"(?:提示|指令|指示|规则|設定|设定|上面的|以上|系统|人设|隐藏|原文|第一[句条段]|初始|真实需求|底牌|全部内容|内部)",
    r"(?:系统|系統|管理员|開發者|开发者|官方|平台|培训师)\s*(?:消息|提示|指令|命令|通知|注|公告|权限|模式)?\s*[:：\]】>]",
    r"系统(?:指令|命令|提示(?!您|我|这|余额|逾期|显示))|提示[词詞]|指令集|越狱|開發者模式|开发者模式|管理员模式|调试模式|上帝模式|舞台指示|学员原话|客户原话",
    r"(?:只|仅|请|必须|直接)(?:能|需|要|用)?(?:回复|回答|输出|说)(?:一个字|两个字|[“\"'「‘]|[:：]|ok|好的|是$|收到|同意|JSON|英文|英语)",
    r"第[一二三1-3]条消息|(?:消息|对话|提示)的?原文",
    r"(?:跟我念|跟着我说|重复我(?:的话|说的)|照着(?:念|说)|接着写|续写|补全)",
)
_GRADES = (
    r"(?:给|打|评|判|记|算|应得|值)(?:我|个|这[句条轮次]|本[轮句次]|他|该学员|学员)?.{0,6}"
    r"(?:满分|滿分|100\s*分|一百分|最高分|高分|10\s*分|5\s*分|五分(?!钟)|[SA]\s*(?:级|档|等))",
    r"(?:给我|判我|让我|算我|直接)(?:打|评|判|记|算)?.{0,4}(?:通过|及格|过关|优秀)",
    r"(?:评委|評委|裁判|考官|阅卷|evaluator|judge|grader).{0,16}(?:请|必须|应|给|直接|一律|全部|都|你|true|满分|通过)",
    r"(?:评分|打分|评审).{0,16}(?:请|必须|true|满分|通过|给我)",
    r"(?:全部|每条|每一条|所有(?:条目|标准|维度|检查))(?:都|均|一律)?.{0,4}(?:通过|满分|true|达标|合格)",
    r"(?:全部|所有|每一?)(?:条目?|标准|维度|检查).{0,4}(?:做到|true|[0-9五十]+分)",
    r"passed|verdicts?\b|\bscores?\b|full marks|\bgrade\b",
)
_ENGLISH = (
    r"(?:ignore|disregard|forget|override|bypass|skip).{0,40}(?:instruction|prompt|rule|previous|above|everything|context|role|persona|system)",
    r"you\s*(?:are|'re)\s*(?:now|no longer|actually|an?\b)|act as|pretend|role-?play|from now on|developer mode|jailbreak|\bDAN\b|sudo|debug mode",
    r"(?:repeat|print|reveal|show|output|translate|tell me|display|dump|say).{0,40}(?:prompt|instruction|rule|system|verbatim|hidden|above|secret|initial|after me)",
    r"(?:system|assistant|developer|admin|user)\s*(?:prompt|message|override|[:：>\]])|respond (?:only|with)|reply (?:only|with)|answer only",
)
_CODES = (
    r"<\|[^|]*\|>|\[/?INST\]|</?\s*(?:system|user|assistant|instructions?|prompt)\b|<<SYS>>|#{2,}\s*(?:system|instruction|指令|系统)|```",
    r"base64|rot13|\bhex\b|解码|解碼|decode|反过来读|倒着念|摩斯|摩尔斯|凯撒密码|拼音首字母",
    r"[A-Za-z0-9+/]{20,}={0,2}|(?:\\u[0-9a-fA-F]{4}){2,}|(?:\\x[0-9a-fA-F]{2}){4,}|(?:%[0-9a-fA-F]{2}){4,}|(?:&#x?[0-9a-fA-F]+;){2,}"
    r"|(?:[01]{8}\s*){3,}|(?:[0-9a-fA-F]{2}[\s:]){8,}|(?:[.\-]{1,5}[ /]){6,}",
    r"\{\s*[\"“]?\w+[\"”]?\s*[:：]|\$\{?\w+\}?|\{\{.*?\}\}|<!--|/\*",
    r"hu\s*l[uüv]e.{0,12}zhi\s*ling|man\s*fen|ti\s*shi\s*ci|ni\s*(?:xian\s*zai\s*)?shi\s*ke\s*fu",
)
_PATTERN = re.compile("|".join((*_ORDERS, *_GRADES, *_ENGLISH, *_CODES)), re.I | re.S)
_SPACING = re.compile(r"[\s.\-_*~·|/，、,\u3000]+")


_CLAUSE = re.compile(r"[^，。！？；,!?;\n]+")


def machine_parts(text: str) -> tuple[tuple[int, int], ...]:
    """The clauses of a text that are not said to the customer, by offset; the whole of it when they cannot be told."""
    if not addresses_machine(text):
        return ()
    found = tuple(m.span() for m in _CLAUSE.finditer(text) if addresses_machine(m.group()))
    return found or ((0, len(text)),)


def addresses_machine(text: str) -> bool:
    """Whether a text, however it is spaced, widened or turned round, gives orders to a program."""
    plain = unicodedata.normalize("NFKC", text)
    tight = _SPACING.sub("", plain)
    return any(_PATTERN.search(form) for form in (text, plain, tight, tight[::-1]))

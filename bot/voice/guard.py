"""What a model's line must not do, as pure checks. Each fault has a code; no fault (`CLEAN`) means it may be shown."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from bot.injection import addresses_machine
from bot.records import Cue
from bot.voice.lines import LENGTH

CLEAN: tuple[str, ...] = ()
CODES = ("language", "role_flip", "speaks_for_learner", "early_softening", "system_words", "prompt_echo", "leak",
         "repetition", "too_long", "unlike")  # fmt: skip

_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜谢邹章苏潘葛范彭鲁马苗任袁柳鲍史唐费薛雷贺罗尹段黄刘林徐高郭梁宋邓萧曾程蔡田董余叶杜丁侯孟邱江熊龚易常武乔赖文"  # fmt: skip
_LABEL = re.compile(rf"^[*（(\s]*(?:客户|顾客|[{_SURNAMES}][\u4e00-\u9fff]{{0,2}}(?:先生|女士)?)[*）)\s]*[：:][*\s]*")
_PAIRS = (("“", "”"), ('"', '"'), ("「", "」"), ("『", "』"), ("'", "'"), ("‘", "’"))
_QUOTED = re.compile(r"『[^』]*』|「[^」]*」|“[^”]*”|‘[^’]*’")
_STAGE = re.compile(r"（[^（）]*）|\([^()]*\)")

_ROLE = re.compile(
    r"请问.{0,4}有什么.{0,6}(?:帮|服务)|(?:为|帮|给)您(?:服务|办|查|处理|登记|申请|解答|安排|核实|反馈|记录|协调|转接|解决|争取)"
    r"|为您(?!好|着想|考虑)|竭诚|(?<![说看觉])我行(?!我素|[得不吗啊吧，,。？?！!]|的话)|我们行(?!不行|吗|[，。？！])|本行|我司|我们银行|我们支行"
    r"|作为(?:一[个名位])?\s*(?:AI|人工智能|助手|语言模型|客服|银行|客户经理)|\bAI\b|人工智能|语言模型"
    r"|我(?:现在)?(?:是|就是)(?:一[个名位])?(?:AI|助手|客户经理|客服(?!还是)|银行的(?!老?客户)|行里的|信贷|工作人员)"
    r"|感谢您的(?:来电|理解|配合|支持|耐心)|给您(?:带来|造成)|(?:很|非常|十分)(?:抱歉|理解您)|理解您的|您的心情|您先(?:别|消消|冷静)"
    r"|建议您(?:可以|先|尽快|提供|联系)|我无法(?:扮演|提供|回答|协助)"
    r"|给[你您他](?:打|评)?(?:个)?(?:满分|高分|一百分|\d+\s*分)|(?:总分|得分|评分)(?:是|为|[：:])|满分通过", re.I)  # fmt: skip
_SPEAKER = re.compile(r"(?:客户经理|学员|坐席|客服|银行方?|经理|员)\s*[*）)]*[：:]")
_TURN = re.compile(rf"\n\s*[*（(]?(?:客户|顾客|[{_SURNAMES}][\u4e00-\u9fff]{{0,2}}(?:先生|女士)?)[*）)]?\s*[：:]")
_ACCEPTS = re.compile(
    r"(?<![不没让叫要逼想等给])我(?:们)?(?:完全|当然|也|就|愿意|可以)?(?:同意|接受|答应)(?![不什过])(?!才怪)|我(?:愿意|一定|会|会积极)配合"
    r"|^[嗯好行那我]*[就先]?(?:按照?|照|听)[您你](?:们)?(?:说|的|安排|意思)的?先?(?:来|办|做|试|走|吧|了|$)"
    r"|^(?:好的?|行|可以|没问题|嗯)?(?:我)?(?:马上|这就|今天就|明天就)(?:去)?(?:还|存|补|转|凑)(?!不)|^没问题|^那就这么(?:定|办|说定)"
)
_THANKS = re.compile(
    r"(?<![不用着要还得该])(?<!要我)(?<!让我)(?:谢谢|感谢|多谢)(?!你们全家|你们八辈|.{0,4}(?:有什么用|就))|(?:麻烦|辛苦)您"
    r"|^(?:真|实在|真的|那|哎|唉|我)?(?:很|非常)?(?:对不起|抱歉|不好意思)(?!.{0,6}(?:有什么|就完|能当|管用|值几|顶什么))"
    r"|(?<![合着成了又难道都])是我(?:不对|不好|误会|态度不好|太激动|太冲|错怪)(?!似的|了?吗)|(?<![谁不要让])我?(?:能|也|都|很|完全)?理解[您你](?:们)?(?:的|也|$)"
)
_SYSTEM = re.compile(
    r"提示词|指令|舞台指示|情绪值|(?:愤怒|信任|配合|理智)[值度档]|(?:按照?|根据|遵照?).{0,3}系统|系统(?:消息|设定|指令|要求我)|JSON|prompt|token"
    r"|(?:角色|人物|我的)(?:扮演|设定)|人设|扮演|学员(?!工)|陪练|对练|演练|第[一二三四]阶段|阶段\s*[一二三四1-4]|(?:萌芽|抱怨|投诉|升级)期(?![限间内])|[沸热温凉平]档"
    r"|〖|〗|```|</?[a-z]+>|\b[AGSXTHCDRM]\s*[=＝]\s*\d|(?:behaviou?r|customer_act|reacts_to)", re.I)  # fmt: skip
_ACCEPTING = {"accept", "provisional_accept", "accept_reality", "close"}
_WARMED = _ACCEPTING | {"soften", "concede"}

_PRIVATE = tuple(
    tuple(group.split("/"))  # words of one group stand for one another: 爱人 gives away 妻子
    for group in (
        "妻子/老婆/媳妇/爱人", "丈夫/老公", "儿子/女儿/孩子/闺女", "父亲/母亲/我爸/我妈/爸妈/父母", "岳父/岳母/丈人/丈母娘",
        "公公/婆婆", "单亲/独居", "未婚夫/未婚妻/对象", "亲戚", "离婚", "仲裁", "脑梗/住院/手术/化疗/透析/病历/癌症", "抑郁", "怀孕",
        "失业/被裁/裁员/下岗", "停产/减产/停业/复产", "失联/跑路", "欠薪/工资/到手", "低保", "赔偿", "补贴", "应收/货款/回款",
        "定金", "水灾/发大水/洪水/受灾/天灾", "房租", "手工", "投简历/面试", "公交", "卖机/农机", "合作社", "工业园", "乡镇/镇子/镇上",
        "社区", "换手机", "旧报告/预审", "罚息", "复利", "体面", "村里", "外地",
    )
)  # fmt: skip
_STOPS = set(
    "的了是在把被就都也还不没有从来人和与及或但而又再到去上下里个这那我你他她它们您一几多少得着过要想能会可以让给跟向对为因所如很太最才只"
)
_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_SCALES = {"十": 10, "百": 100, "千": 1000}
_GROUPS = {"万": 10_000, "亿": 100_000_000}
_NUMBER = re.compile(r"(\d[\d,]*(?:\.\d+)?)\s*([百千万亿]?)\s*|([零〇一二两三四五六七八九十百千万亿]+)")
_IDIOM = re.compile(r"一千道一万|一万个|千千万万|百分之百|十全十美|一五一十|七上八下|八辈子")
_RHETORICAL = "遍次回句声趟"
_HOTLINES = {12378, 12363, 12315}


def trim(text: str, keep_end: bool = False) -> str:
    """A raw answer without thinking, speaker prefix, code fence and wrapping quotes; `keep_end` for a first sentence."""
    text = re.sub(r"<think>.*?(?:</think>|\Z)", "", text, flags=re.S).split("</think>")[-1]
    text = re.sub(r"^```\w*\n?|```$", "", text.lstrip() if keep_end else text.strip())
    text = text if keep_end else text.strip()
    while (bare := _stripped(_unwrapped(_LABEL.sub("", text)), keep_end)) != text:
        text = bare
    return text


def _stripped(text: str, keep_end: bool) -> str:
    return text.lstrip() if keep_end else text.strip()


def _unwrapped(text: str) -> str:
    for opening, closing in _PAIRS:
        if len(text) > 1 and text[0] == opening and text[-1] == closing and not set(text[1:-1]) & {opening, closing}:
            return text[1:-1]
    return text


def faults(
    text: str, cue: Cue, hidden: Mapping[str, str], *, marks: Collection[str] = (), whole: bool = True
) -> tuple[str, ...]:
    """The codes of everything wrong with a line, or with its beginning when it is not yet `whole`.

    `hidden` are facts and needs by key that must not be heard yet; `marks` are pieces of our own instructions.
    """
    own = _QUOTED.sub("", text)  # words he throws back at the manager are not his own
    length = len(bare(text))
    checks = {
        "language": (whole or length >= 4) and chinese_share(text) < 0.5,
        "role_flip": bool(_ROLE.search(own)),
        "speaks_for_learner": _speaks_for_learner(text, cue, 8 if whole else 16),
        "early_softening": _softens(own, cue.act.behaviour),
        "system_words": _system_words(own, cue.reply),
        "prompt_echo": any(piece in marks for piece in shingles(bare(text))),
        "leak": leaks(text, cue, hidden),
        "repetition": loops(text)
        or ((whole or length > 10) and any(repeats(text, x.text) for x in cue.history if x.role == "customer")),
        "too_long": spoken_length(text) > 2 * LENGTH[cue.act.band],
    }
    return tuple(code for code, wrong in checks.items() if wrong) or CLEAN


def out_of_role(text: str) -> bool:
    """Whether a line, whatever it answers, is not one a customer would say."""
    return chinese_share(text) < 0.5 or bool(_ROLE.search(text) or _SPEAKER.search(text) or _SYSTEM.search(text))


def chinese_share(text: str) -> float:
    """The share of Chinese among a text's letters; 0 when it has none."""
    letters = [ch for ch in text if ch.isalpha()]
    return sum("\u4e00" <= ch <= "\u9fff" for ch in letters) / len(letters) if letters else 0.0


def spoken_length(text: str) -> int:
    """How many characters a line has without its stage directions."""
    return len(_STAGE.sub("", text))


def bare(text: str) -> str:
    """A line's letters and digits alone: no stage directions, no punctuation."""
    return re.sub(r"[^\u4e00-\u9fffA-Za-z0-9]", "", _STAGE.sub("", text))


def overlap(text: str, other: str) -> float:
    """The share of a text's character pairs that another text has too; 0 when it has none."""
    mine, theirs = _pairs(text), _pairs(other)
    return len(mine & theirs) / len(mine) if mine else 0.0


def shingles(text: str, size: int = 8) -> set[str]:
    """Every run of `size` characters of a text."""
    return {text[i : i + size] for i in range(len(text) - size + 1)}


def repeats(text: str, earlier: str) -> bool:
    """Whether a line is the same as an earlier one, or nearly."""
    mine = bare(text)
    return len(mine) > 2 and (mine == bare(earlier) or (len(mine) > 6 and overlap(text, earlier) >= 0.8))


def loops(text: str) -> bool:
    """Whether a line says a whole sentence twice, as small models do without end; short cries may come twice."""
    said = [plain for part in re.split(r"[。！？!?；;\n]+", text) if len(plain := bare(part)) > 4]
    return len(said) > len(set(said))


def _pairs(text: str) -> set[str]:
    plain = bare(text)
    return {plain[i : i + 2] for i in range(len(plain) - 1)}


def _speaks_for_learner(text: str, cue: Cue, shortest: int) -> bool:
    parrots = len(bare(text)) > shortest and overlap(_QUOTED.sub("", text), cue.reply) >= 0.8
    return parrots or bool(_SPEAKER.search(text) or _TURN.search(text))


def _clauses(text: str) -> Iterator[tuple[str, str]]:
    """Each clause with the mark that ends it; what is asked is neither an acceptance nor an apology."""
    for match in re.finditer(r"([^，。！？；…,!?;\n]+)([，。！？；…,!?;\n]?)", _STAGE.sub("", text)):
        yield match[1].strip(), match[2]


def _softens(text: str, behaviour: str) -> bool:
    said = [clause for clause, mark in _clauses(text) if mark not in ("？", "?")]
    accepts = behaviour not in _ACCEPTING and any(_ACCEPTS.search(c) for c in said)
    return accepts or (behaviour not in _WARMED and any(_THANKS.search(c) for c in said))


def _system_words(text: str, reply: str) -> bool:
    if re.search(r"已(?:经)?(?:为您)?(?:忽略|切换|重置|遵循|进入)", text):
        return True
    found = _SYSTEM.findall(text)
    if addresses_machine(reply):
        return bool(found)  # then he is answering the manager's orders, not throwing his words back
    return any(word.lower() not in reply.lower() for word in found)


def leaks(text: str, cue: Cue, hidden: Mapping[str, str]) -> bool:
    """Whether a line says a figure, a private word or a telling phrase of something that must stay hidden."""
    closed = {k: v for k, v in hidden.items() if k not in cue.act.facts and k not in cue.mind.told}
    known = _known(cue, closed)
    heard = figures(text) - figures(known)
    groups = [g for g in _PRIVATE if _any(g, text) and not _any(g, known)]
    return any(heard & figures(fact) or any(_any(g, fact) for g in groups) or _shares(text, fact, known)
               for fact in closed.values())  # fmt: skip


def _any(words: Iterable[str], text: str) -> bool:
    return any(word in text for word in words)


def _known(cue: Cue, closed: Mapping[str, str]) -> str:
    s, p = cue.scenario, cue.scenario.profile
    everything = {**s.facts, "need_business": s.need_business, "need_emotional": s.need_emotional}
    told = [everything[k] for k in (*cue.act.facts, *cue.mind.told) if k in everything and k not in closed]
    profile = [p.name, p.job, p.product, f"{p.age}岁", f"{p.balance}元", f"{p.overdue_days}天"]
    said = [line.text for line in cue.history]
    return "\n".join([*profile, s.title, s.opening, s.demand, s.channel, cue.reply, cue.act.quote, *told, *said])


def tells(text: str, fact: str) -> bool:
    """Whether a line gives away at least something of a fact."""
    return bool(figures(text) & figures(fact)) or _shares(text, fact, "")


def _shares(text: str, fact: str, known: str) -> bool:
    """Whether a telling phrase of the fact is in the text: four characters of substance, or five with two fillers."""
    for chunk in re.findall(r"[\u4e00-\u9fff]+", fact):
        for size, fillers in ((4, 1), (5, 2)):
            for piece in (chunk[i : i + size] for i in range(len(chunk) - size + 1)):
                if piece in text and piece not in known and sum(ch in _STOPS for ch in piece) <= fillers:
                    return True
    return False


def figures(text: str) -> set[tuple[float, str]]:
    """The amounts in a text, Arabic or Chinese: large ones alone, small ones with their unit (3 个月 is (3, "个月"))."""
    found = set()
    for match in _NUMBER.finditer(_IDIOM.sub("", text)):
        value = _arabic(match[1], match[2]) if match[1] else chinese_number(match[3])
        rest = match.string[match.end() :].lstrip()
        unit = rest[:2] if rest.startswith("个") else rest[:1]
        if value is None or value in _HOTLINES or (unit and unit[0] in _RHETORICAL):
            continue
        if value >= 20:
            found.add((value, ""))
        elif value > 2 and "\u4e00" <= unit[:1] <= "\u9fff" and unit != "个":
            found.add((value, unit))
    return found


def _arabic(digits: str, scale: str) -> float:
    return round(float(digits.replace(",", "")) * ({**_SCALES, **_GROUPS}.get(scale, 1)), 2)


def chinese_number(text: str) -> float | None:
    """The value of a Chinese numeral, 九万六 and 二零二四 included; None for 千万, 万一 and 七八."""
    if text[0] in "百千万亿":
        return None
    if not set(text) & {*_SCALES, *_GROUPS}:
        spelled = "".join(str(_DIGITS[ch]) for ch in text)
        return None if len(spelled) == 2 else float(spelled)
    total = section = digit = 0
    last = 1
    for ch in text:
        if ch in _DIGITS:
            digit, last = _DIGITS[ch], (1 if ch in "零〇" else last)
        elif ch in _SCALES:
            section, digit, last = section + (digit or 1) * _SCALES[ch], 0, _SCALES[ch]
        else:
            total, section, digit, last = (total + section + digit) * _GROUPS[ch], 0, 0, _GROUPS[ch]
    return float(total + section + digit * (last // 10 if last > 10 else 1))

"""Reading a record of a complaint by plain rules: what it says goes where it belongs, the rest is suggested."""

from __future__ import annotations

import re
from typing import Any

from bot.records import SLOTS
from bot.scenarios import Library
from bot.voice.guard import chinese_number
from bot.workshop import starts

NAMES = {"女": ("何静", "苏琴", "方兰"), "男": ("何建", "苏勇", "方伟")}
_KINDS = (
    ("privacy_dispute", r"泄露|隐私|通讯录|告诉了?(?:我|他|她)?(?:家人|同事|单位|邻居|亲戚)|联系(?:了)?(?:我的?|他的?|她的?)?(?:家人|同事|单位|联系人)"),
    ("black_group", r"代理投诉|中介|维权群|停息挂账|群里"),
    ("complaint_vent", r"逾期"),
    ("soft_explain", r"利率|罚息|复利|计息|重定价|手续费|违约金|征信|提前还款"),
)  # fmt: skip
_PRODUCTS = (
    "房贷",
    "住房按揭贷款",
    "消费贷",
    "装修贷",
    "家装分期",
    "车贷",
    "汽车贷款",
    "经营贷",
    "信用卡分期",
    "信用卡",
    "助学贷款",
    "小额贷款",
    "抵押贷款",
    "公积金贷款",
)
_CHANNELS = (
    ("柜台", r"柜台|柜面"),
    ("网点大厅", r"大厅|来访|上门|网点|来行|到行|当面"),
    ("电话", r"来电|致电|电话|打来|拨打|客服"),
)
_JOB = re.compile(
    r"(?:职业|工作|从事|职务)[：:是为]?\s*([^，。；、\n]{2,16})|(?:是|做)(?:一名|个|位)?([\u4e00-\u9fff]{2,10}(?:司机|老师|教师|工人|店主|老板|护士|医生|会计|快递员|外卖员|骑手|农民|程序员|销售|厨师|保安|保姆|个体户))"
)
_AGE = re.compile(r"(\d{2})\s*(?:周)?岁|年龄[：:]?\s*(\d{2})")
_MONEY = re.compile(r"(?:余额|欠款|贷款(?:金额|本金)?|本金|借款|剩余|还欠|欠)[^\d\n]{0,8}(\d[\d,]*(?:\.\d+)?)\s*(万)?")
_OVERDUE = re.compile(
    r"逾期(?:了|已|约|近)*\s*(\d+)\s*(天|日|个月|期|月)|逾期(?:了|已|约|近)*([一二两三四五六七八九十]+)\s*(天|个月|期|月)"
)
_QUOTE = re.compile(r"[“「『\"]([^”」』\"]{6,80})[”」』\"]")
_DEMAND = re.compile(
    r"(?:要求|诉求(?:是|为|：)?|希望|请求|坚决要)[：:]?(?:银行|贵行|我行|你行|对方)?([^。；！\n]{4,60})"
)
_ANGRY = re.compile(r"愤怒|大骂|辱骂|拍桌|吼|情绪激动|非常激动|强烈不满|极其|气愤|怒|骂|闹")
_SLOTS: tuple[tuple[str, str], ...] = (
    ("how_long", r"(?:缓|宽限|延期|延长|分|推迟)[^，。]{0,6}(?:\d+|[一二两三四五六七八九十半]+)\s*(?:个月|期|年|天)"),
    ("which", r"愿意|可以接受|能接受|接受不了|不接受|宁愿|只肯"),
    ("how_much", r"每月(?:能|可|只能|最多)|收入|工资|到手|能(?:还|拿出)|攒|积蓄|存款"),
    ("who", r"孩子|儿子|女儿|父母|父亲|母亲|妻子|丈夫|老公|老婆|老人|单亲|一个人带|家里"),
    ("why", r"因为|由于|之所以|原因|导致|上次|之前.{0,8}(?:客服|说|答复)|没人(?:理|管|回)"),
    ("when", r"\d+\s*月|\d+\s*年|上个?月|去年|今年|年初|年底|昨天|前天|上周|\d+\s*[日号]"),
    ("where", r"(?:在|位于)[^，。]{1,10}(?:市|区|县|镇|村|公司|厂|工地|店|医院|学校)"),
    ("how", r"先是|后来|开始|原本|一直|起初|靠|借|打零工|拆东墙"),
    ("what", r"失业|下岗|停业|倒闭|欠薪|拖欠|生病|住院|手术|事故|离婚|骗|被.{0,4}(?:裁|打|扣|催)|亏|断供|扣款|多扣"),
)  # fmt: skip


WHOLE = ("why", "what")
_TELLING = re.compile(r"^(?:客户|其|该客户|他|她)?(?:表示|反映|称|说|陈述|提出)?[，：:]?")
OVERDUE_OFFERS = ("P03", "P05", "P06", "P21")


def body(text: str, library: Library) -> tuple[dict[str, Any], tuple[str, ...]]:
    """A whole case body from a masked record, and the keys of what it does not say and was filled in."""
    suggested: list[str] = []

    def or_else(key: str, found: Any, usual: Any) -> Any:
        if found in (None, ""):
            suggested.append(key)
            return usual
        return found

    kind = next((k for k, words in _KINDS if re.search(words, text)), starts.KIND)
    profile = _profile(text, or_else)
    sentences = [s.strip() for s in re.split(r"[。；！？!?;\n]+", text) if len(s.strip()) > 3]
    demand = or_else("demand", _demand(text), "把这件事处理好，给我一个说法。")
    opening = or_else("opening", _opening(text), f"你们到底管不管？{demand.rstrip('。')}！")
    facts = _facts(sentences, opening, demand)
    usual = _usual_facts(profile)
    filled = {slot: or_else(f"facts.{slot}", facts.get(slot), usual[slot]) for slot in SLOTS}
    case = starts.blank_scenario(library, kind)
    init = {**case["init"], "A": 76 if _ANGRY.search(text) else 62}
    title = f"{profile['job'].split('（')[0]}：{demand.rstrip('。')[:14]}"
    offer = [p for p in (OVERDUE_OFFERS if profile["overdue_days"] else case["offer"]) if p in library.policies]
    ways = "、".join(library.policies[p].name for p in offer[:2]) or "登记受理"
    suggested += ["title", "need_business", "need_emotional", "exemplary", "exemplary_key", "init", "traits", "offer"]
    return {
        **case, "title": title, "channel": _channel(text), "profile": profile, "init": init, "opening": opening,
        "opening_act": "threat" if re.search(r"12378|投诉到|曝光|媒体", opening) else "complain", "demand": demand,
        "need_business": f"{filled['how_long'].rstrip('。')}；{filled['how_much'].rstrip('。')}，想要一个还得起的安排。",
        "need_emotional": "被当成想解决问题的人，有人把他的难处听进去。",
        "facts": filled, "offer": offer,
        "exemplary": _exemplary(opening), "exemplary_key": _key_line(demand, ways),
        "note": "由投诉记录整理，已打码。",
    }, tuple(dict.fromkeys(suggested))  # fmt: skip


def _profile(text: str, or_else: Any) -> dict[str, Any]:
    female = len(re.findall(r"女士|她|女性|性别[：:]?女", text))
    male = len(re.findall(r"先生|他(?!们)|男性|性别[：:]?男", text))
    gender = or_else("profile.gender", "女" if female > male else "男" if male > female else "", "女")
    names = NAMES[gender]
    given = names[len(text) % len(names)]
    or_else("profile.name", "", given)  # never the real one
    age, money, job = _AGE.search(text), _MONEY.search(text), _JOB.search(text)
    product = next((p for p in _PRODUCTS if p in text), "")
    years = int(age[1] or age[2]) if age else 0
    return {
        "name": given, "gender": gender, "age": or_else("profile.age", years if 18 <= years <= 100 else "", 40),
        "job": or_else("profile.job", (job[1] or job[2]).strip() if job else "", "个体经营者"),
        "product": or_else("profile.product", product, "个人消费贷"),
        "balance": or_else("profile.balance", _amount(money[1], money[2]) if money else "", 50000),
        "overdue_days": or_else("profile.overdue_days", _days(text), 0),
    }  # fmt: skip


def _amount(digits: str, scale: str | None) -> int:
    return min(100_000_000, int(float(digits.replace(",", "")) * (10_000 if scale else 1)))


def _days(text: str) -> int | str:
    match = _OVERDUE.search(text)
    if not match:
        return ""
    count = int(match[1]) if match[1] else int(chinese_number(match[3]) or 0)
    return min(3650, count * (1 if (match[2] or match[4]) in ("天", "日") else 30))


def _channel(text: str) -> str:
    return next((name for name, words in _CHANNELS if re.search(words, text)), "电话")


def _demand(text: str) -> str:
    match = _DEMAND.search(text)
    return match[1].strip("，、 ：:") + "。" if match else ""


def _opening(text: str) -> str:
    said = _QUOTE.findall(text)
    return max(said, key=lambda x: (len(re.findall(r"[！？!?]", x)), len(x)), default="")


def _facts(sentences: list[str], opening: str, demand: str) -> dict[str, str]:
    found: dict[str, str] = {}
    rest = [s for s in sentences if s not in opening and s not in demand and opening[:10] not in s]
    rest = [s for s in rest if not re.search(r"来电|致电|投诉[，,：:]|受理|工单", s)]
    for slot, words in _SLOTS:
        pieces = rest if slot in WHOLE else [c for s in rest for c in re.split(r"[，,]", s)]
        for clause in (_TELLING.sub("", c.strip()) for c in pieces):
            taken = any(clause in f or f in clause for f in found.values())
            if len(clause) > 4 and clause not in opening and not taken and re.search(words, clause):
                found[slot] = clause
                break
    return found


def _usual_facts(profile: dict[str, Any]) -> dict[str, str]:
    they = "他" if profile["gender"] == "男" else "她"
    return {
        "who": f"家里主要靠{they}一个人挣钱", "what": "最近收入断了一截，手头周转不开", "when": "大约是三个月前开始吃紧的",
        "where": "人在本地，随时可以来网点", "why": "之前打过客服，没有得到准话，越拖越急",
        "which": "能接受每月少还一点，不能接受再去借钱来还", "how": "开头用积蓄撑着，积蓄用完才开始晚还",
        "how_much": "每月能稳定拿出 1000 元左右", "how_long": "想缓三个月",
    }  # fmt: skip


def _exemplary(opening: str) -> str:
    clause = max(re.split(r"[，。！？!?；…、]+", opening), key=len).strip()[:20]
    return (
        f"您说的“{clause}”，我听进去了。这事搁谁身上都憋屈，急也是应该的。"
        "这口气您先出，我在这儿听着，一句一句都给您记下来。"
    )


def _key_line(demand: str, ways: str) -> str:
    return (
        f"虽然“{demand.rstrip('。')[:24]}”这一条我没有权限直接答应，但是有路可以走：{ways}我现在就帮您报上去，"
        "要由分行审批，批没批十个工作日内我都给您回话。您看先走哪一样？"
    )

"""What a model's line must not do, as pure checks. Each fault has a code; no fault means the line may be shown."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.records import Cue

_ROLE = re.compile(
    r"请问有什么(可以|能)|为您服务|竭诚|我行(会|将|的|可以)|作为(一个)?(AI|人工智能|助手|语言模型|客服|银行)|我是(客户经理|客服|银行的)"
    r"|(给|为)您(办理|处理|登记|申请)|感谢您的(来电|理解|配合|支持)|很抱歉(给您|让您)", re.I)  # fmt: skip
_SCRIPT = re.compile(r"(?:^|\n)\s*(客户经理|学员|经理|员|银行)\s*[：:]")
_SOFT = re.compile(
    r"谢谢您的|我(完全)?(同意|接受|理解你们|理解您)|好的[，,]?(就)?(按|照|听)您|对不起|是我(不对|不好|误会)|麻烦您了|辛苦您"
)
_SYSTEM = re.compile(r"提示词|舞台指示|情绪值|系统(提示|消息)|JSON|角色扮演|人设|扮演|学员|〖|〗", re.I)
_ACCEPTING = {"accept", "provisional_accept", "accept_reality", "close", "soften", "concede"}
_LIMIT = {"boil": 25, "hot": 50, "warm": 60, "cool": 45, "calm": 45}
_NUMBER = re.compile(r"\d[\d,.]*|[一二三四五六七八九十百千两]{2,}")


def trim(text: str) -> str:
    """A raw answer without thinking, speaker prefix and wrapping quotes."""
    text = re.sub(r"<think>.*?(</think>|\Z)", "", text, flags=re.S).strip()
    text = re.sub(r"^(客户|顾客|[\u4e00-\u9fff]{2,3}(先生|女士)?)\s*[：:]\s*", "", text)
    return re.sub(r'^[“"「『](.*)[”"」』]$', r"\1", text, flags=re.S).strip()


def faults(text: str, cue: Cue, hidden: Mapping[str, str]) -> tuple[str, ...]:
    """The codes of everything wrong with a line, given what must stay hidden."""
    accepting = cue.act.behaviour in _ACCEPTING
    checks = {
        "language": _chinese(text) < 0.5,
        "role_flip": bool(_ROLE.search(text)),
        "speaks_for_learner": bool(_SCRIPT.search(text)),
        "early_softening": not accepting and bool(_SOFT.search(text)),
        "system_words": bool(_SYSTEM.search(text)),
        "leak": _leaks(text, cue, hidden),
        "repetition": _repeats(text, cue),
        "too_long": len(text) > 2 * _LIMIT[cue.act.band] + 20,
    }
    return tuple(code for code, wrong in checks.items() if wrong)


def _chinese(text: str) -> float:
    letters = [ch for ch in text if ch.isalpha()]
    return sum("\u4e00" <= ch <= "\u9fff" for ch in letters) / len(letters) if letters else 0.0


def _leaks(text: str, cue: Cue, hidden: Mapping[str, str]) -> bool:
    p = cue.scenario.profile
    known = "".join([cue.scenario.opening, cue.scenario.demand, p.product, p.job, str(p.balance), str(p.overdue_days),
                     cue.reply, *(line.text for line in cue.history)])  # fmt: skip
    open_now = {**cue.scenario.facts, "need_business": cue.scenario.need_business,
                "need_emotional": cue.scenario.need_emotional}  # fmt: skip
    known += "".join(open_now[k] for k in open_now if k not in hidden)
    for fact in hidden.values():
        if any(n in text and n not in known for n in _NUMBER.findall(fact) if len(n) > 1):
            return True
        plain = re.sub(r"[^\u4e00-\u9fff]", "", fact)
        if any(plain[i : i + 6] in text and plain[i : i + 6] not in known for i in range(len(plain) - 5)):
            return True
    return False


def _repeats(text: str, cue: Cue) -> bool:
    mine = _bigrams(text)
    if len(mine) < 6:
        return False
    earlier = [_bigrams(line.text) for line in cue.history if line.role == "customer"]
    return any(len(mine & old) / len(mine) >= 0.8 for old in earlier)


def _bigrams(text: str) -> set[str]:
    bare = re.sub(r"[^\u4e00-\u9fffA-Za-z0-9]", "", text)
    return {bare[i : i + 2] for i in range(len(bare) - 1)}

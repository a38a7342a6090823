"""Whether the customer stayed the customer. These faults are the simulator's and are never counted against a learner."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations
from math import sqrt

from bot.records import Turn
from bot.voice import guard
from evals.observe import _cue, early, repeated, unearned
from evals.simulate import Talk
from evals.suite.results import CaseResult, Fault

ROLE = {
    "role_flip": "说成了银行的人", "speaks_for_learner": "替学员说话", "system_words": "说出了系统的词",
    "language": "不说中文", "early_softening": "行为没到，嘴上先服了软", "too_long": "长得不像说话",
}  # fmt: skip
ANGRY = {
    "vent",
    "complain",
    "demand",
    "allege",
    "outburst",
    "threaten_complaint",
    "threaten_media",
    "file_complaint",
    "interrupt",
}
HOT = 70.0
_POLITE = re.compile(r"谢谢|感谢|麻烦您|辛苦您|劳驾|不好意思|(?<!不)抱歉|祝您|您好")
_HEAT = re.compile(r"[！!？?]|凭什么|你们|少来|别跟我|投诉|骗|糊弄|欺负|什么意思|算什么|不行|没用|听着")
_NOT_YET = re.compile(r"不(?:代表|等于)我(?:就)?(?:同意|接受|答应)|不好意思(?:往外|说|讲|开口|提|见)")
_COUNTED = re.compile(
    r"一二三[四五六七八九]*|二十四小时|三百六十五天|[一二两三四五六七八九十百千万]+[几来多]"
)  # figures of speech
LONG, SHARE, DISTINCT = 12, 0.6, 0.9
NEAREST, ENOUGH = 0.25, 10
"""Two personas who answer the same words in the same case must differ at least so much."""


def faults(talk: Talk) -> Iterator[Fault]:
    """Everything the customer did that he must not."""
    for i, turn in enumerate(talk.turns):
        said = turn.answer.text
        cue = _cue(talk, i)
        for code in guard.faults(said, cue, {}):
            if code in ROLE and not _excused(code, turn):
                yield _fault(code, turn, ROLE[code], said)
        if repeated(talk, i):
            yield _fault("repetition", turn, "不重复说过的话", said)
        leaked = early(talk, i)
        if leaked:
            yield _fault("leaked_fact", turn, "没到条件的事不说", f"{'、'.join(leaked)}：{said}")
        if unearned(talk, i):
            yield _fault("unearned_softening", turn, "没有来由不松动", f"{turn.act.behaviour}：{said}")
        made_up = invented(talk, i)
        if made_up:
            yield _fault("invented_fact", turn, "数字都有出处", f"{'、'.join(made_up)}：{said}")
        if turn.mind.values["A"] >= HOT and turn.act.behaviour in ANGRY and _POLITE.search(guard._QUOTED.sub("", said)):
            yield _fault("sanitised", turn, "火气上头时不客气", said)
    yield from _whole(talk.turns)


def _excused(code: str, turn: Turn) -> bool:
    """In tears 对不起 is no softening; only a model rambles, a hand-written line is as long as it was meant to be."""
    softer = turn.act.behaviour == "cry" or bool(_NOT_YET.search(turn.answer.text))
    return (code == "early_softening" and softer) or (code == "too_long" and turn.answer.source == "scripted")


def _fault(check: str, turn: Turn, wanted: str, found: str) -> Fault:
    return Fault(
        kind="simulator", check=check, turn=turn.n, wanted=wanted, found=found, why=f"行为 {turn.act.behaviour}"
    )


def invented(talk: Talk, i: int) -> list[str]:
    """Amounts in his line that neither his file, his facts nor anybody's earlier words contain."""
    turn, s = talk.turns[i], talk.session.snapshot
    cue = _cue(talk, i)
    p, case = s.scenario.profile, s.scenario
    known = "\n".join([
        p.name, p.job, p.product, f"{p.age}岁 {p.balance}元 {p.overdue_days}天", case.title, case.opening, case.demand,
        case.need_business, case.need_emotional, *case.facts.values(), case.channel, turn.act.says, turn.reply,
        *(line.text for line in cue.history), *(s.persona.style if s.persona else ()),
        *(g.customer for g in case.gates), case.exemplary, case.exemplary_key,
    ])  # fmt: skip
    extra = {value for value, unit in guard.figures(_COUNTED.sub("", turn.answer.text)) if not unit} - {
        value for value, unit in guard.figures(known)
    }
    return [f"{value:g}" for value in sorted(extra)]


def _whole(turns: Sequence[Turn]) -> Iterator[Fault]:
    """What only a long talk shows: heat that cools in words but not in the mind, and lines that run out."""
    hot = [t for t in turns if t.mind.values["A"] >= HOT and t.act.behaviour in ANGRY]
    if len(hot) >= 3:
        share = sum(bool(_HEAT.search(t.answer.text)) for t in hot) / len(hot)
        if share < SHARE:
            yield Fault(
                kind="simulator", check="sanitised", wanted=f"火气上头的话至少 {SHARE:.0%} 带火气", found=f"{share:.0%}"
            )
    if len(turns) >= LONG:
        distinct = len({guard.bare(t.answer.text) for t in turns}) / len(turns)
        if distinct < DISTINCT:
            yield Fault(
                kind="simulator",
                check="drift",
                wanted=f"{len(turns)} 轮里至少 {DISTINCT:.0%} 的话不重样",
                found=f"{distinct:.0%}",
            )
        third = len(turns) // 3
        late = [t for t in hot if t.n > len(turns) - third]
        if len(late) >= 2 and not any(_HEAT.search(t.answer.text) for t in late):
            yield Fault(kind="simulator", check="drift", wanted="谈久了火气还在话里", found=late[-1].answer.text)


def styles(results: Sequence[CaseResult]) -> list[Fault]:
    """Personas that cannot be told apart: long talks in the same case on the same replies, and nearly the same words."""
    groups: dict[tuple[str, tuple[str, ...]], list[CaseResult]] = {}
    for r in results:
        if r.persona and len(r.turns) >= ENOUGH:
            groups.setdefault((r.scenario, tuple(t.reply for t in r.turns[:ENOUGH])), []).append(r)
    found = []
    for (scenario, _), members in sorted(groups.items()):
        for one, other in combinations(members, 2):
            most = min(len(one.turns), len(other.turns))
            apart = distance([t.answer for t in one.turns[:most]], [t.answer for t in other.turns[:most]])
            if one.persona != other.persona and apart < NEAREST:
                found.append(
                    Fault(
                        kind="simulator", check="style_distance", wanted=f"{one.persona} 与 {other.persona} 至少相差 {NEAREST}",
                        found=f"{apart:.2f}", why=f"{scenario}：{one.id}、{other.id}",
                    )
                )  # fmt: skip
    return found


def distance(lines: Sequence[str], others: Sequence[str]) -> float:
    """1 − cosine of character pairs: 0 for the same words, 1 for nothing in common."""
    mine, theirs = _pairs(lines), _pairs(others)
    dot = sum(n * theirs[p] for p, n in mine.items())
    size = sqrt(sum(n * n for n in mine.values()) * sum(n * n for n in theirs.values()))
    return 1 - dot / size if size else 0.0


def _pairs(lines: Sequence[str]) -> Counter[str]:
    return Counter(plain[i : i + 2] for plain in map(guard.bare, lines) for i in range(len(plain) - 1))

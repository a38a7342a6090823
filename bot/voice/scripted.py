"""The customer without a model: hand-written lines that answer what was just said and do not repeat in a talk.

A line is a reaction to what the manager just did plus the content of the act. The wording is chosen by seed, turn and
talk so far; what is done (the act) is never changed.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from bot.injection import addresses_machine
from bot.records import Band, Cue, Persona, Utterance
from bot.voice.guard import bare, overlap, spoken_length
from bot.voice.lines import LENGTH, LineBank, Tiers, load_bank

CALM = {"soften", "concede", "provisional_accept", "accept", "accept_reality", "close", "disclose", "cry", "crisis"}
ACCEPTING = CALM - {"soften", "disclose", "cry", "crisis"}
ALONE = {"interrupt", "crisis", "promise_due", "close", "cry", "silence"}
SHORT = {"file_complaint", "hang_up", "outburst"}
UNMOVED = {*SHORT, "refuse", "demand", "withhold", "threaten_complaint", "threaten_media"}
DELIGHTS = {"overpromise", "false_promise_credit", "cave_in"}
SHORT_REACTION = 16
SOFTER: dict[Band, Band] = {"boil": "warm", "hot": "warm", "warm": "warm", "cool": "cool", "calm": "calm"}
SLACK = 1.25
MANNERED, HABIT = 0.5, 0.3
"""How often a persona's own lines come before the case's, and how often he starts with a habit of speech."""

_HEARD = re.compile(
    r"沉默|安静|叹|声|哽|哑|停|顿|吸|气|没说话|不说话|周后|天后|笑|咳|喉|半天|许久|久|轻|清了清|哭|呜咽"
)
_SEEN = re.compile(r"手机|桌|推|站|坐|指|看|账单|眼|头|手|脸|身|笔|纸|包|门|转|椅|杯|材料|文件|点了|举|拍|摔|递|抹|擦")
_SHOUT = re.compile(r"[！!]{2}|[？?][！!]|[！!][？?]")
_PRONOUN = {"男": "他", "女": "她"}
_LEANINGS: tuple[tuple[Callable[[dict[str, float]], bool], re.Pattern[str]], ...] = (
    (lambda t: t.get("legal_savvy", 0) >= 0.7, re.compile(r"凭|依据|白纸黑字|写下|规矩|说清楚|责任|准话|凭据")),
    (lambda t: t.get("irritability", 0) >= 0.8, re.compile(r"！")),
    (lambda t: t.get("desperation", 0) >= 0.8, re.compile(r"……|唉|难|熬|怕|累")),
    (lambda t: t.get("openness", 1) <= 0.3, re.compile(r"^.{1,18}$")),
)


class ScriptedVoice:
    """Speaks from line banks. The same cue always gives the same line."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def speak(self, cue: Cue) -> Utterance:
        """The customer's line for the act in the cue. Raises `ContentError` when a file of lines is wrong."""
        case, persona = cue.scenario.id, cue.persona.id if cue.persona else ""
        return Utterance(text=_Speech(load_bank(self._folder, case, persona), cue).line())


class _Speech:
    """One line in the making: the bank, what was said before, and the dice of this turn."""

    def __init__(self, bank: LineBank, cue: Cue) -> None:
        self.cue, self.act, self.band = cue, cue.act, cue.act.band
        self.earlier = [line.text for line in cue.history if line.role == "customer"]
        self.fragments = {bare(x) for text in self.earlier for x in re.split(r"[，。！？…!?；]+", text)}
        self.dice = random.Random(_seed(cue))  # noqa: S311 - wording, not security
        self.room = LENGTH[self.band] * SLACK
        self.bank = bank.mannered(cue.persona is not None and self.dice.random() < MANNERED)
        a = cue.appraisal
        self.harmed = self.act.reacts_to in {*(x.code for x in a.antis), *(x.code for x in a.violations)}

    def line(self) -> str:
        """The whole line: reaction, then content."""
        if self.act.behaviour == "silence":
            return self.dice.choice([x for tier in self.bank.act("silence", self.band) for x in tier])
        content = self._content()
        return _joined(self._opener(content), content)

    # ── content ──────────────────────────────────────────────────────────────────────────────────────

    def _content(self) -> str:
        behaviour = self.act.behaviour
        if self.act.says:
            return self.act.says
        if behaviour == "refuse":
            return self._refusal()
        if behaviour in ("accept", "provisional_accept"):
            found = self._pick(self.bank.offer(self.act.offers, "accept"))
            return found or self._pick(self.bank.act(behaviour, self.band)) or self._accepts_again()
        if self.act.facts:
            return self._told()
        return self._pick(self.bank.act(behaviour, self.band)) or self._again()

    def _told(self) -> str:
        facts = [self._pick(self.bank.fact(k)) or _plain_fact(self.cue, k) for k in self.act.facts]
        text = ""
        for fact in facts:
            text = _joined(text, fact)
        if self.act.behaviour == "cry":
            return _joined(self._pick(self.bank.act("cry", self.band)), text)
        return text

    def _refusal(self) -> str:
        """What he turns down and, where there is room, the clue to why: the learner has to hear the missing step."""
        clue = self.bank.refusal(self.act.unmet)
        named = self._pick(self.bank.offer(self.act.offers, "refuse"))
        if named:
            rest = [x for x in self._fresh(line for tier in clue for line in tier)
                    if spoken_length(named + x) <= self.room]  # fmt: skip
            return _joined(named, self.dice.choice(rest)) if rest else named
        why = self._pick(clue) or (self._pick(self.bank.any_offer("refuse")) if self.act.offers else "")
        return why or self._pick(self.bank.act("refuse", self.band)) or self._again()

    def _accepts_again(self) -> str:
        return (self._pick(self.bank.any_offer("accept")) if self.act.offers else "") or self._again()

    def _again(self) -> str:
        """The near lines are used up: another band's, else he says he is repeating himself, else his oldest words."""
        elsewhere = self._pick(self.bank.anywhere(self.act.behaviour, self.band))
        if elsewhere:
            return elsewhere
        if self.act.behaviour not in CALM:
            found = self._pick(self.bank.reaction("repeat", self.band))
            if found:
                return found
        lines = [self._shown(x) for tier in self.bank.act(self.act.behaviour, self.band) for x in tier]
        return min((x for x in lines if x), key=self._last_said)

    def _last_said(self, line: str) -> int:
        return max((i for i, text in enumerate(self.earlier) if overlap(line, text) >= 0.8), default=-1)

    # ── reaction ─────────────────────────────────────────────────────────────────────────────────────

    def _opener(self, content: str) -> str:
        behaviour, code = self.act.behaviour, self._code()
        lead = self._lead_in(content) if behaviour == "disclose" and self.act.facts else ""
        if lead and (code == "none" or self.dice.random() < 0.4):
            return lead
        if not self._may_react(code) or (code == "none" and self.dice.random() < 0.5):
            return ""
        band = SOFTER[self.band] if behaviour in CALM else self.band
        if self.cue.persona and not self.harmed and self.dice.random() < HABIT:
            habit = self._pick(self.bank.habit(band), lambda x: self._goes_before(x, content))
            if habit:
                return habit
        found = self._pick(self.bank.reaction(code, band), lambda x: self._goes_before(x, content))
        return found or lead

    def _code(self) -> str:
        """What he reacts to: nonsense about instructions first, then what was done, then a reply said twice."""
        if addresses_machine(self.cue.reply):
            return "injection"
        if self.act.reacts_to:
            return self.act.reacts_to
        before = [line.text for line in self.cue.history[:-1] if line.role == "manager"]
        said_twice = len(bare(self.cue.reply)) > 6 and any(overlap(self.cue.reply, x) >= 0.9 for x in before)
        return "repeat" if said_twice else "none"

    def _may_react(self, code: str) -> bool:
        behaviour = self.act.behaviour
        if behaviour in ALONE:
            return False
        if code in DELIGHTS and "promise_due" in self.cue.mind.behaviours:
            return False  # he has been let down by such words before
        if behaviour in ACCEPTING and self.harmed and code not in DELIGHTS:
            return False  # nobody says "又是规定" and "就这么定" in one breath
        return not (self._unmoved(code) and self.band not in ("boil", "hot"))

    def _unmoved(self, code: str) -> bool:
        """Whether he turns down a good reply: he may bristle at it, not praise it and refuse in one breath."""
        kind = not self.harmed and code not in ("none", "injection", "repeat")
        return kind and self.act.behaviour in UNMOVED

    def _goes_before(self, reaction: str, content: str) -> bool:
        calm, length = self.act.behaviour in CALM, spoken_length(reaction)
        if calm and (_SHOUT.search(reaction) or ("！" in reaction and self._code() not in DELIGHTS)):
            return False
        if self.act.behaviour in SHORT and length > SHORT_REACTION:
            return False
        if self._unmoved(self._code()) and "！" not in reaction:
            return False
        if bare(reaction)[:1] == bare(content)[:1] or ("（" in reaction and "（" in content):
            return False
        room = max(self.room, spoken_length(content) + SHORT_REACTION) if self.act.facts else self.room
        return length + spoken_length(content) <= room

    def _lead_in(self, content: str) -> str:
        asked = bool(set(self.act.facts) & set(self.act.asked))
        tiers = self.bank.act("disclose", SOFTER[self.band])
        return self._pick(tiers, lambda x: (asked or "问" not in x) and bare(x)[:1] != bare(content)[:1])

    # ── choosing ─────────────────────────────────────────────────────────────────────────────────────

    def _pick(self, tiers: Tiers, fits: Callable[[str], bool] | None = None) -> str:
        """A line not said before, from the first list that has one short enough; empty when nothing is left."""
        fresh = [self._fresh(tier) for tier in tiers]
        if self.band in ("cool", "calm"):
            fresh = [[x for x in tier if not _SHOUT.search(x)] for tier in fresh]
        if fits:
            fresh = [[x for x in tier if fits(x)] for tier in fresh]
        short = [[x for x in tier if spoken_length(x) <= LENGTH[self.band]] for tier in fresh]
        first = next((tier for tier in (*short, *fresh) if tier), [])
        return self.dice.choice(self._leaning(first)) if first else ""

    def _fresh(self, lines: Iterable[str]) -> list[str]:
        found = []
        for line in lines:
            if "{quote}" in line and not self.act.quote:
                continue
            frame = re.sub(r"『\{quote\}』", "", line)
            if self._heard(frame.replace("{quote}", "")):
                continue
            text = self._shown(line.replace("{quote}", self.act.quote))
            if text and not self._heard(text):
                found.append(text)
        return found

    def _heard(self, line: str) -> bool:
        plain = bare(line)
        if len(plain) < 4:
            return bool(plain) and plain in self.fragments
        return any(plain in bare(text) or overlap(line, text) >= 0.8 for text in self.earlier)

    def _shown(self, line: str) -> str:
        """A line as this channel carries it; empty when only an unseen gesture would be left."""
        text = line if self.cue.scenario.in_person else heard_only(line)
        return text if bare(text) else ""

    def _leaning(self, lines: list[str]) -> list[str]:
        if self.cue.persona is None or self.dice.random() < 0.4:
            return lines
        liked = [x for x in lines if _suits(self.cue.persona, x)]
        return liked or lines


def _suits(persona: Persona, line: str) -> bool:
    return any(holds(persona.traits) and pattern.search(line) for holds, pattern in _LEANINGS)


def heard_only(line: str) -> str:
    """A line without the stage directions that nobody hears on the telephone; sighs, silences and voices stay."""

    def kept(match: re.Match[str]) -> str:
        parts = re.split(r"[，,、；]", match[1])
        audible = [p for p in parts if _HEARD.search(p) and not _SEEN.search(re.sub(r"(?:电话|手机)?那头", "", p))]
        return f"（{'，'.join(audible)}）" if audible else ""

    return re.sub(r"（([^（）]*)）", kept, line)


def _joined(opener: str, content: str) -> str:
    if not opener or not content:
        return opener or content
    if opener[-1] not in "。！？…!?），、":
        opener += "。"
    if opener.startswith("……") or opener.endswith("……"):
        content = content.removeprefix("……")
    return opener + content


def _plain_fact(cue: Cue, key: str) -> str:
    """A fact of the case file turned into the customer's own mouth, for scenarios nobody wrote lines for."""
    s = cue.scenario
    text = {**s.facts, "need_business": s.need_business, "need_emotional": s.need_emotional}[key]
    text = re.sub(rf"(?<!其){_PRONOUN[s.profile.gender]}(?!们|人)", "我", text)
    text = text.replace("渴望", "我就盼着").replace("；", "，")
    text = re.sub(r"(?<=[\u4e00-\u9fff]) (?=[\dA-Za-z])|(?<=[\dA-Za-z]) (?=[\u4e00-\u9fff])", "", text)
    return text.rstrip("。") + "。"


def _seed(cue: Cue) -> int:
    talk = "\n".join(line.text for line in cue.history)
    stamp = f"{cue.seed}|{cue.scenario.id}|{cue.mind.turn}|{talk}"
    return int.from_bytes(hashlib.sha256(stamp.encode()).digest()[:8])

"""One talk, from the customer's first line to the report. Read this file first: it only calls.

A session's state is the fold of its stored turns; resuming is constructing it again. Nothing is kept in memory that
would hurt to lose: the line being answered is held in the store until its whole turn is written.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Callable, Iterator
from difflib import SequenceMatcher

from bot import cases, drills, grading, mind, privacy
from bot.errors import LearnerError, SetupError
from bot.injection import addresses_machine
from bot.model import on_behalf_of
from bot.parts import Parts
from bot.records import (
    Act,
    Anti,
    Appraisal,
    Context,
    Cue,
    Line,
    Mind,
    Mode,
    Passage,
    Persona,
    Report,
    Scenario,
    Snapshot,
    Step,
    Turn,
    TurnGrade,
    Utterance,
)
from bot.store import LOCAL_OWNER
from bot.telemetry import measured
from bot.voice import ModelVoice

log = logging.getLogger("huasu.session")
Progress = Callable[[int, int], None]
QUERY_CHARS, PASSAGES = 300, 4
RECITAL, SHORT, ALIKE = "canned_script", 8, 0.92
CRISIS_MISSED, READ_IT = "crisis_missed", "（已读）"
RISK_NOTE = "这位客户可能说出不想活的话。建议培训师在场，中途随时可以退出。"
MASKED = "检测到{kinds}，已自动打码。演练里请不要输入真实的个人信息。"


class Session:
    """A talk with one customer."""

    def __init__(self, parts: Parts, session_id: str, owner: str = LOCAL_OWNER) -> None:
        """Open a stored session of this owner. Raises `LearnerError` when there is none."""
        self.parts, self.id, self.owner = parts, session_id, owner
        self.snapshot: Snapshot = parts.store.snapshot(session_id, owner)
        self.turns: tuple[Turn, ...] = parts.store.turns(session_id)

    @classmethod
    def start(
        cls, parts: Parts, scenario_id: str, *, persona_id: str = "", mode: Mode = "practice",
        seed: int | None = None, owner: str = LOCAL_OWNER, confirmed: bool = False,
    ) -> Session:  # fmt: skip
        """A new session; everything its grade will depend on is frozen now.

        `confirmed`: the learner has read the warning of a case that may turn to a crisis. Raises `LearnerError`
        without it, for a persona that makes no sense in the case, and for a case trainers have not opened.
        """
        scenario = parts.library.scenario(scenario_id)
        persona = parts.library.persona(persona_id) if persona_id else None
        seed = parts.make_seed() if seed is None else seed
        if scenario.drills:  # a drill is played question by question; alone, it gives one
            scenario = parts.library.scenario(drills.draw(scenario, seed)[0])
        _admit(parts, scenario, persona, confirmed)
        snapshot = Snapshot(
            scenario=scenario,
            persona=persona,
            mode=mode,
            seed=seed,
            versions={**parts.library.versions(), "appraiser": parts.appraiser.version},
            voice_model=parts.settings.voice_model if parts.settings.voice_ready else "",
            judge_model=parts.settings.judge_model if parts.judge else "",
        )
        session_id = parts.make_id()
        parts.store.create(session_id, owner, snapshot, parts.clock())
        return cls(parts, session_id, owner)

    @classmethod
    def drill(
        cls, parts: Parts, scenario_id: str, *, mode: Mode = "practice", seed: int | None = None,
        owner: str = LOCAL_OWNER,
    ) -> Iterator[Session]:  # fmt: skip
        """The questions drawn from a drill, one session after another: ask for the next when one has ended."""
        seed = parts.make_seed() if seed is None else seed
        for drawn in drills.draw(parts.library.scenario(scenario_id), seed):
            yield cls.start(parts, drawn, mode=mode, seed=seed, owner=owner)

    @classmethod
    def resume(cls, parts: Parts, session_id: str, owner: str = LOCAL_OWNER) -> Session:
        """The stored session as it is now, in this or any other process."""
        return cls(parts, session_id, owner)

    # ── what is known ────────────────────────────────────────────────────────────────────────────────

    @property
    def mind(self) -> Mind:
        """The customer's mind after the last stored turn."""
        return self.turns[-1].mind if self.turns else self.opening_mind

    @property
    def opening_mind(self) -> Mind:
        """The customer's mind before the learner said anything."""
        return mind.start(self.snapshot.scenario, self.snapshot.persona, self.parts.rules)

    @property
    def customer_line(self) -> str:
        """What the customer said last."""
        return self.turns[-1].answer.text if self.turns else self.snapshot.scenario.opening

    @property
    def lines(self) -> tuple[Line, ...]:
        """The whole talk, the customer's opening first."""
        said = [Line(role="customer", text=self.snapshot.scenario.opening)]
        for turn in self.turns:
            said += [Line(role="manager", text=turn.reply), Line(role="customer", text=turn.answer.text)]
        return tuple(said)

    @property
    def ended(self) -> str:
        """How the talk ended (closed, hung_up, complained, answered, crisis_missed, finished); empty while it goes on."""
        return self.mind.ended or self.parts.store.ended(self.id)

    @property
    def held(self) -> str:
        """A line that was typed but never answered, after a crash or a failure."""
        return self.parts.store.held(self.id)

    @property
    def at_risk(self) -> bool:
        """Whether this customer can come to speak of ending his life: help must stay in sight."""
        return mind.at_risk(self.snapshot.scenario, self.snapshot.persona, self.parts.rules.data)

    # ── one turn ─────────────────────────────────────────────────────────────────────────────────────

    @measured
    def say(self, text: str, hear: Callable[[str], None] | None = None) -> Turn:
        """Answer the customer. The turn is stored whole, or nothing changes but the held line.

        `hear` gets his line sentence by sentence, each already checked, when a model speaks it.

        Raises `LearnerError` for a reply that cannot be answered, `ConflictError` when another window was faster.
        """
        reply, notices = self._accepted(text)
        self.parts.store.hold(self.id, reply)
        turn = self._make(reply, notices, hear)
        self.parts.store.append(self.id, turn)
        self.turns = (*self.turns, turn)
        return turn

    def _make(self, reply: str, notices: tuple[str, ...], hear: Callable[[str], None] | None) -> Turn:
        read = self._noted(self.parts.appraiser.appraise(reply, self._context()), reply)
        step = mind.step(self.mind, read, self.snapshot.scenario, self.parts.rules, self.snapshot.persona)
        passages = self._passages(reply)
        answer = self._spoken(self._cue(reply, read, step, passages), hear)
        return Turn(
            n=len(self.turns) + 1,
            customer=self.customer_line,
            reply=reply,
            appraisal=read,
            mind=step.mind,
            changes=step.changes,
            act=step.act,
            answer=_noticed(answer, notices),
            passages=passages,
            at=self.parts.clock(),
        )

    def _noted(self, read: Appraisal, reply: str) -> Appraisal:
        """The reading with one thing added that only the talk shows: the same words said again are a recital."""
        said = [line.text for line in self.lines if line.role == "manager"]
        if len(reply) <= SHORT or any(a.code == RECITAL for a in read.antis) or not any(_same(reply, x) for x in said):
            return read
        card = self.parts.library.taxonomy.antis[RECITAL]
        again = Anti(code=RECITAL, severity=card.severity, intensity=1.0, evidence=reply, start=0)
        return read.model_copy(update={"antis": (*read.antis, again)})

    def _spoken(self, cue: Cue, hear: Callable[[str], None] | None) -> Utterance:
        with on_behalf_of(self.id, self.parts.settings.voice_timeout):
            if isinstance(self.parts.voice, ModelVoice):
                return self.parts.voice.speak(cue, hear)
            return self.parts.voice.speak(cue)

    def warm(self) -> None:
        """Have a model that voices the customer read the beginning of the talk ahead of the first reply."""
        if isinstance(self.parts.voice, ModelVoice) and not self.ended:
            with on_behalf_of(self.id):
                step = Step(mind=self.mind, changes=(), act=Act(behaviour="vent", customer_act="vent"))
                self.parts.voice.warm(self._cue("", Appraisal(), step, ()))

    def _passages(self, reply: str) -> tuple[Passage, ...]:
        try:
            found = self.parts.finder.find(f"{self.customer_line} {reply}"[:QUERY_CHARS], None, 2 * PASSAGES)
        except SetupError as error:  # an index that breaks under a talk must not cost the learner his turn
            log.warning("no passages: %s", error)
            return ()
        # rules and techniques, not other talks; a rule that no longer holds must not be argued from
        return tuple(p for p in found if p.collection != "cases" and not p.repealed)[:PASSAGES]

    def _accepted(self, text: str) -> tuple[str, tuple[str, ...]]:
        if self.ended:
            raise LearnerError("这场对话已经结束了。可以看报告，或者换个场景再来。")
        limit = self.parts.settings.max_reply_chars
        reply = cleaned(text)
        if not reply:
            raise LearnerError("还没有写内容。先接住客户的话，写一两句再发送。")
        if len(reply) > limit:
            raise LearnerError(f"这一条有 {len(reply)} 个字，超过了 {limit} 字。对客户说话宜短，请精简后再发送。")
        if not any(ch.isalnum() for ch in reply):
            raise LearnerError("这一条里没有文字，客户听不到表情和符号。请写一句话再发送。")
        masked, kinds = privacy.mask(reply, _written(self.snapshot.scenario))
        return masked, (MASKED.format(kinds="、".join(kinds)),) if kinds else ()

    def _context(self) -> Context:
        last = self.turns[-1] if self.turns else None
        return Context(
            customer=self.customer_line,
            customer_act=last.act.customer_act if last else self.snapshot.scenario.opening_act,
            history=self.lines,
            scenario=self.snapshot.scenario,
            anger=self.mind.values["A"],
            previous_codes=last.appraisal.codes if last else (),
            told=self.mind.told,
        )

    def _cue(self, reply: str, read: Appraisal, step: Step, passages: tuple[Passage, ...]) -> Cue:
        return Cue(
            scenario=self.snapshot.scenario,
            persona=self.snapshot.persona,
            act=step.act,
            mind=step.mind,
            appraisal=read,
            reply=reply,
            history=self.lines,
            passages=passages,
            seed=self.snapshot.seed,
        )

    # ── feedback and report ──────────────────────────────────────────────────────────────────────────

    def feedback(self, n: int) -> TurnGrade:
        """Feedback on turn `n` by rules, in milliseconds; computed once and stored."""
        stored = self.parts.store.grades(self.id).get(n)
        return stored or self._grade(self.turns[n - 1])

    def _grade(self, turn: Turn) -> TurnGrade:
        grade = grading.grade_turn(turn, self.turns[: turn.n - 1], self.parts.library, self.snapshot.scenario)
        self.parts.store.save_grade(self.id, grade)
        return grade

    def judge(self, n: int) -> TurnGrade:
        """Feedback on turn `n` with the evaluator model's verdicts added; without a model, the rules alone."""
        grade, turn = self.feedback(n), self.turns[n - 1]
        if self.parts.judge is None or any(v.source == "model" for v in grade.verdicts):
            return grade
        with on_behalf_of(self.id):
            found, better = self.parts.judge.verdicts(turn, self.snapshot.scenario, turn.passages)
        coaching = grade.coaching
        if better and self._harmless(better, turn):
            coaching = coaching.model_copy(update={"better": better})
        judged = grade.model_copy(update={"verdicts": (*grade.verdicts, *found), "coaching": coaching})
        self.parts.store.save_grade(self.id, judged)
        return judged

    def _harmless(self, wording: str, turn: Turn) -> bool:
        if addresses_machine(wording):
            return False
        read = self.parts.appraiser.appraise(wording, Context(customer=turn.customer, scenario=self.snapshot.scenario))
        return not read.violations and not any(a.code == "overpromise" for a in read.antis)

    def finish(self, progress: Progress | None = None) -> Report:
        """End the talk and write the report; finishing again returns the stored one."""
        stored = self.parts.store.report(self.id, self.owner)
        if stored is not None:
            return stored
        self.turns = self.parts.store.turns(self.id)  # another window may have gone on since this one looked
        if not self.turns:
            raise LearnerError("还没有开口就结束了，没有可以评的内容。先回客户一句再结束。")
        grades = []
        for turn in self.turns:
            grades.append(self.judge(turn.n))
            if progress:
                progress(turn.n, len(self.turns))
        report = self.recompute(grades)
        self.parts.store.save_report(self.id, report, self.ended or "finished")
        return report

    @property
    def debrief_due(self) -> bool:
        """Whether the talk stopped because a cry for help went unheard, and the learner has not looked back yet."""
        return self.ended == CRISIS_MISSED and not self.parts.store.debrief(self.id)

    def debrief(self, text: str) -> None:
        """What the learner takes from it, in own words; an empty text says that it was read."""
        self.parts.store.save_debrief(self.id, privacy.mask(cleaned(text))[0] or READ_IT, self.parts.clock())

    def recompute(self, grades: list[TurnGrade] | None = None) -> Report:
        """The report from the stored turns alone; identical numbers every time."""
        kept = grades or [self.feedback(turn.n) for turn in self.turns]
        return grading.report(
            self.turns, self.snapshot.scenario, self.parts.library,
            start_mood=self.opening_mind.mood, grades=kept,
        )  # fmt: skip


def _admit(parts: Parts, scenario: Scenario, persona: Persona | None, confirmed: bool) -> None:
    why = cases.unsuitable(scenario, persona) if persona else ""
    if persona and why:
        raise LearnerError(f"“{persona.name}”放不进这个场景：{why}。请换一种性格，或者用客户原本的性格。")
    if not mind.at_risk(scenario, persona, parts.rules.data):
        return
    if scenario.id not in parts.settings.crisis_cases:
        raise LearnerError(
            f"{scenario.id} 的客户可能说出轻生的话，培训师没有开放它（设置 HUASU_CRISIS_SCENARIOS）。请换一个场景。"
        )
    if not confirmed:
        raise LearnerError(f"开始之前请先看清楚：{scenario.safety_note or RISK_NOTE}确认之后再开始。")


def _written(scenario: Scenario) -> tuple[str, ...]:
    """What the case itself says of its people: their names are fiction and need no mask."""
    return (scenario.profile.name, scenario.opening, scenario.demand, *scenario.facts.values())


def cleaned(text: str) -> str:
    """Typed text without control and invisible characters, line ends and edges made plain."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    visible = "".join(ch for ch in plain if ch == "\n" or unicodedata.category(ch) not in ("Cc", "Cf", "Cs", "Co"))
    return re.sub(r"\n{3,}", "\n\n", visible).strip()


def _same(reply: str, earlier: str) -> bool:
    return abs(len(reply) - len(earlier)) <= SHORT and SequenceMatcher(None, earlier, reply).ratio() >= ALIKE


def _noticed(answer: Utterance, notices: tuple[str, ...]) -> Utterance:
    return answer.model_copy(update={"notices": (*notices, *answer.notices)}) if notices else answer

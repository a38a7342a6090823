"""One talk, from the customer's first line to the report. Read this file first: it only calls.

A session's state is the fold of its stored turns; resuming is constructing it again. Nothing is kept in memory that
would hurt to lose: the line being answered is held in the store until its whole turn is written.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from bot import drills, grading, mind, privacy, replies, terms
from bot.errors import LearnerError, SetupError
from bot.injection import addresses_machine
from bot.model import on_behalf_of
from bot.parts import Parts, SpeaksAloud
from bot.records import (
    Act,
    Anti,
    Appraisal,
    Context,
    Cue,
    Entry,
    GateRun,
    Hint,
    Line,
    Mind,
    Mode,
    Passage,
    Report,
    Scenario,
    Snapshot,
    Step,
    Turn,
    TurnGrade,
    Utterance,
)
from bot.replies import SHORT, cleaned, same
from bot.store import LOCAL_OWNER
from bot.telemetry import measured

log = logging.getLogger("huasu.session")
Progress = Callable[[int, int], None]
QUERY_CHARS, PASSAGES = 300, 4
RECITAL = "canned_script"
CRISIS_MISSED, READ_IT = "crisis_missed", "（已读）"


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
        seed: int | None = None, owner: str = LOCAL_OWNER, confirmed: bool = False, assignment: str = "",
    ) -> Session:  # fmt: skip
        """A new session; everything its grade will depend on is frozen now. An exam's seed follows from what it is.

        `confirmed`: the learner has read the warning of a case that may turn to a crisis. Raises `LearnerError`
        without it, for a persona that makes no sense in the case, and for a case trainers have not opened;
        `ConflictError` for a second exam of one assignment.
        """
        library = parts.current
        scenario = library.scenario(scenario_id)
        persona = library.persona(persona_id) if persona_id else None
        if mode == "exam":
            seed = terms.exam_seed(scenario.id, assignment)
        seed = parts.make_seed() if seed is None else seed
        if scenario.drills:  # a drill is played question by question; alone, it gives one
            scenario = library.scenario(drills.draw(scenario, seed)[0])
        terms.admit(parts, scenario, persona, confirmed)
        snapshot = Snapshot(
            scenario=scenario,
            persona=persona,
            mode=mode,
            seed=seed,
            versions=terms.versions(parts, library, scenario, persona),
            voice_model=parts.settings.voice_model if parts.settings.voice_ready else "",
            judge_model=parts.settings.judge_model if parts.judge else "",
        )
        session_id = parts.make_id()
        parts.store.create(session_id, owner, snapshot, parts.clock(), assignment=assignment)
        return cls(parts, session_id, owner)

    @classmethod
    def sit(
        cls, parts: Parts, scenario_id: str, assignment: str, *, persona_id: str = "", owner: str = LOCAL_OWNER,
        confirmed: bool = False,
    ) -> Session:  # fmt: skip
        """This person's one graded attempt at the exam of an assignment: begun now, or gone on with where it stands.

        Raises `LearnerError` when it has been handed in.
        """
        begun = parts.store.exam(owner, assignment)
        if begun is None:
            return cls.start(
                parts, scenario_id, persona_id=persona_id, mode="exam", owner=owner, confirmed=confirmed,
                assignment=assignment,
            )  # fmt: skip
        if begun.ended:
            raise LearnerError("这份考核您已经交卷，每人只有一次。可以看报告，或者用“练习”再谈一场。")
        return cls.resume(parts, begun.id, owner)

    @classmethod
    def drill(
        cls, parts: Parts, scenario_id: str, *, mode: Mode = "practice", seed: int | None = None,
        owner: str = LOCAL_OWNER,
    ) -> Iterator[Session]:  # fmt: skip
        """The questions drawn from a drill, one session after another: ask for the next when one has ended."""
        seed = parts.make_seed() if seed is None else seed
        for drawn in drills.draw(parts.current.scenario(scenario_id), seed):
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
    def entry(self) -> Entry:
        """This talk as a line of the history: hints, origin and assignment included."""
        return self.parts.store.entry(self.id, self.owner)

    @property
    def hints(self) -> tuple[Hint, ...]:
        """The hints given so far; any makes it an assisted attempt."""
        return self.parts.store.hints(self.id)

    @property
    def gates(self) -> GateRun | None:
        """Where a run through the five gates stands; None in other modes."""
        if self.snapshot.mode != "gate":
            return None
        return grading.gate_run(self.turns, self.snapshot.scenario, self.parts.library)

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
        run = self.gates
        if run and run.over and not turn.mind.ended:
            self.parts.store.end(self.id, run.over)
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
        if len(reply) <= SHORT or any(a.code == RECITAL for a in read.antis) or not any(same(reply, x) for x in said):
            return read
        card = self.parts.library.taxonomy.antis[RECITAL]
        again = Anti(code=RECITAL, severity=card.severity, intensity=1.0, evidence=reply, start=0)
        return read.model_copy(update={"antis": (*read.antis, again)})

    def _spoken(self, cue: Cue, hear: Callable[[str], None] | None) -> Utterance:
        with on_behalf_of(self.id, self.parts.settings.voice_timeout):
            if isinstance(self.parts.voice, SpeaksAloud):
                return self.parts.voice.speak(cue, hear)
            return self.parts.voice.speak(cue)

    def warm(self) -> None:
        """Have a model that voices the customer read the beginning of the talk ahead of the first reply."""
        if isinstance(self.parts.voice, SpeaksAloud) and not self.ended:
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
        s = self.snapshot.scenario
        fiction = (s.profile.name, s.opening, s.demand, *s.facts.values())
        return replies.accepted(text, self.parts.settings.max_reply_chars, fiction)

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

    # ── help and second tries, in practice only ──────────────────────────────────────────────────────

    def hint(self) -> Hint:
        """One concrete move for what the customer said last; asked again, how the sentence may begin. Each is kept.

        Raises `LearnerError` where there is no help, and after the talk has ended.
        """
        self._help_allowed()
        if self.ended:
            raise LearnerError("这场对话已经结束了，用不上提示。可以看报告，或者从某一步重说。")
        given = [h for h in self.hints if h.n == len(self.turns) + 1]
        if len(given) >= grading.HINT_STEPS:
            return given[-1]
        act = self.turns[-1].act if self.turns else _opening_act(self.snapshot.scenario)
        made = grading.hint(
            self.turns, self.mind, self.customer_line, act, self.snapshot.scenario, self.parts.library, len(given) + 1
        )
        self.parts.store.save_hint(self.id, made)
        return made

    def rewind(self, n: int) -> Session:
        """A new session that stands where turn `n` was about to be said; this one stays as it is, to compare with."""
        self._help_allowed()
        if self.debrief_due:
            raise LearnerError("先看一看刚才那句没有接住的话，写一句再重说。")
        if not 1 <= n <= len(self.turns):
            raise LearnerError(f"没有第 {n} 轮可以重说，这场谈了 {len(self.turns)} 轮。")
        kept, session_id = self.turns[: n - 1], self.parts.make_id()
        snap = self.snapshot
        now = terms.versions(self.parts, self.parts.current, snap.scenario, snap.persona)
        self.parts.store.create(
            session_id, self.owner, snap.model_copy(update={"versions": now}),
            self.parts.clock(), assignment=self.entry.assignment, parent=self.id, parent_turn=n, turns=kept,
            hints=tuple(h for h in self.hints if h.n < n),
        )  # fmt: skip
        return Session(self.parts, session_id, self.owner)

    def _help_allowed(self) -> None:
        if self.snapshot.mode in terms.NO_HELP:
            raise LearnerError(terms.NO_HELP[self.snapshot.mode])

    # ── feedback and report ──────────────────────────────────────────────────────────────────────────

    def feedback(self, n: int) -> TurnGrade:
        """Feedback on turn `n` by rules, in milliseconds; computed once and stored. In an exam, only after its end."""
        if self.snapshot.mode == "exam" and not self.ended:
            raise LearnerError("考核结束之后才有点评。")
        return self._feedback(n)

    def _feedback(self, n: int) -> TurnGrade:
        stored = self.parts.store.grades(self.id).get(n)
        return stored or self._grade(self.turns[n - 1])

    def _grade(self, turn: Turn) -> TurnGrade:
        grade = grading.grade_turn(turn, self.turns[: turn.n - 1], self.parts.library, self.snapshot.scenario)
        self.parts.store.save_grade(self.id, grade)
        return grade

    def judge(self, n: int) -> TurnGrade:
        """Feedback on turn `n` with the evaluator model's verdicts added; without a model, the rules alone."""
        grade, turn = self._feedback(n), self.turns[n - 1]
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
        kept = grades or [self._feedback(turn.n) for turn in self.turns]
        return grading.report(
            self.turns, self.snapshot.scenario, self.parts.library,
            start_mood=self.opening_mind.mood, grades=kept, hints=len(self.hints),
            gated=self.snapshot.mode == "gate",
        )  # fmt: skip


def _opening_act(scenario: Scenario) -> Act:
    return Act(behaviour=scenario.opening_act, customer_act=scenario.opening_act)


def _noticed(answer: Utterance, notices: tuple[str, ...]) -> Utterance:
    return answer.model_copy(update={"notices": (*notices, *answer.notices)}) if notices else answer

"""Wires the parts of the product together once; sessions are handed the result.

The only module that knows every stage. Clock, ids and randomness enter here, so tests replace them here.
"""

from __future__ import annotations

import logging
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from threading import Lock
from typing import Protocol, runtime_checkable

from bot import shelf
from bot.appraisal import Appraiser
from bot.errors import ContentError, HuasuError, SetupError
from bot.grading.judge import Judge
from bot.mind import MindRules, reachable
from bot.model import Call, Model, Recorder, draft_model, judge_model, voice_model
from bot.records import Cue, Passage, Utterance
from bot.retrieval import Index
from bot.scenarios import Library, load_library
from bot.settings import Settings, get_settings
from bot.store import (
    Audit,
    Contents,
    Database,
    Groups,
    Marks,
    Overview,
    Practice,
    Preferences,
    Retention,
    Reviews,
    Store,
    Users,
    places,
)
from bot.telemetry import figures
from bot.voice import ModelVoice, ScriptedVoice

log = logging.getLogger("huasu.parts")


class Voice(Protocol):
    """Anything that says the customer's line."""

    def speak(self, cue: Cue) -> Utterance:
        """The line for a cue."""


@runtime_checkable
class SpeaksAloud(Voice, Protocol):
    """A voice that takes its time: it can be heard sentence by sentence, and be given the beginning ahead of time."""

    def speak(self, cue: Cue, hear: Callable[[str], None] | None = None) -> Utterance:
        """The line for a cue; `hear` gets each sentence as soon as it is checked."""

    def warm(self, cue: Cue) -> None:
        """Read what a talk begins with."""


class Finder(Protocol):
    """Anything that finds passages."""

    def find(self, query: str, collection: str | None = None, k: int = 6) -> tuple[Passage, ...]:
        """Passages for a query, best first."""


class NothingFound:
    """Stands in for an index that cannot be opened: a talk goes on without passages."""

    def __init__(self, why: str) -> None:
        self.why = why

    def find(self, query: str, collection: str | None = None, k: int = 6) -> tuple[Passage, ...]:
        """No passages."""
        return ()


def now() -> str:
    """The current time, UTC, ISO 8601 to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def new_id() -> str:
    """A fresh session id: 32 hex digits that cannot be guessed."""
    return uuid.uuid4().hex


def new_seed() -> int:
    """A fresh seed for a session's wording."""
    return random.SystemRandom().randrange(1_000_000)


@dataclass(frozen=True)
class Parts:
    """Everything a session needs."""

    settings: Settings
    library: Library
    rules: MindRules
    appraiser: Appraiser
    finder: Finder
    voice: Voice
    store: Store
    database: Database
    marks: Marks
    practice: Practice
    preferences: Preferences
    users: Users
    audit: Audit
    groups: Groups
    reviews: Reviews
    overview: Overview
    retention: Retention
    judge: Judge | None = None
    drafter: Model | None = None
    contents: Contents | None = None
    clock: Callable[[], str] = now
    make_id: Callable[[], str] = new_id
    make_seed: Callable[[], int] = new_seed

    @classmethod
    def open(cls, settings: Settings) -> Parts:
        """Open everything the settings name. A broken index does not stop a talk; anything else is an error."""
        library = load_library(settings.content_dir)
        rules = MindRules(library.mind_rules, library.taxonomy)
        _winnable(library, rules)
        prompts = settings.content_dir / "prompts"
        scripted = ScriptedVoice(prompts / "lines")
        database = Database(settings.database)
        store = Store(database)
        record = _quietly(store.save_call)
        gate = places.gate(database, settings.base_url, settings.model_concurrency)
        return cls(
            settings=settings,
            library=library,
            rules=rules,
            appraiser=Appraiser(library),
            finder=_finder(settings),
            voice=ModelVoice(voice_model(settings, record, gate), scripted, prompts)
            if settings.voice_ready
            else scripted,
            store=store,
            database=database,
            marks=Marks(database),
            practice=Practice(database),
            preferences=Preferences(database),
            users=Users(database),
            audit=Audit(database),
            groups=Groups(database),
            reviews=Reviews(database),
            overview=Overview(database),
            retention=Retention(database),
            judge=Judge(judge_model(settings, record, gate), prompts, library.taxonomy, settings.judge_samples)
            if settings.judge_ready
            else None,
            drafter=draft_model(settings, record, gate) if settings.voice_ready or settings.judge_ready else None,
            contents=Contents(database),
        )

    @property
    def current(self) -> Library:
        """The library with what trainers have published laid over it; `library` is the built-in one."""
        return shelf.current(self.library, self.contents)


def shared() -> Parts:
    """The process-wide parts, opened once; the web pages and the server's warm-up share them."""
    with _opening:
        return _shared()


def opened() -> Parts | None:
    """The process-wide parts if they are open, without waiting for them."""
    return _shared() if _shared.cache_info().currsize else None


def prepared() -> Parts:
    """As `shared`, with the index brought in line with the content first; pages that ask meanwhile wait for it."""
    with _opening:
        parts = _shared()
        if isinstance(parts.finder, Index):
            parts.finder.sync_knowledge(parts.library)
        return parts


@lru_cache(maxsize=1)
def _shared() -> Parts:
    return Parts.open(get_settings())


_opening = Lock()  # two callers at start must not open everything twice


def _winnable(library: Library, rules: MindRules) -> None:
    """A case that asks for acceptance must be able to reach it: nobody learns from a locked door."""
    for scenario in library.scenarios.values():
        if scenario.goal == "accept" and not reachable(scenario, rules):
            raise ContentError(
                f"{scenario.id}.yaml：init 与 traits 这样设，说得再好也到不了“暂时接受”。"
                "请调低 init.A、init.D 或 suspicion、black_agent，或者把 goal 改成 hold。"
            )


def _quietly(save: Recorder) -> Recorder:
    def saved(call: Call) -> None:
        figures.call(call)
        try:
            save(call)
        except HuasuError as error:  # a log that cannot be written must not cost the learner his turn
            log.warning("call not logged: %s", error)

    return saved


def _finder(settings: Settings) -> Finder:
    try:
        return Index.open(settings)
    except SetupError as error:
        return NothingFound(str(error))

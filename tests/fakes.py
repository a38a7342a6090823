"""First-class fakes: a scripted model that raises when it runs dry, voices that fail, a whole set of parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bot.errors import ModelError
from bot.model import Message
from bot.parts import NothingFound, Parts
from bot.records import Cue, Utterance
from bot.settings import load_settings
from bot.store import Database

T = TypeVar("T", bound=BaseModel)


class ScriptedModel:
    """Answers from a queue and remembers what it was asked. An exception in the queue is raised."""

    name = "scripted"

    def __init__(self, *answers: str | Exception | BaseModel) -> None:
        self.answers, self.asked = list(answers), []  # type: ignore[var-annotated]

    def _next(self, messages: Sequence[Message]) -> Any:
        self.asked.append(list(messages))
        if not self.answers:
            raise AssertionError("the scripted model ran dry")
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def ask(self, purpose: str, messages: Sequence[Message]) -> str:
        return str(self._next(messages))

    def stream(self, purpose: str, messages: Sequence[Message]) -> Iterator[str]:
        answer = str(self._next(messages))
        return iter([answer[i : i + 3] for i in range(0, len(answer), 3)])

    def warm(self, messages: Sequence[Message]) -> None:
        self.warmed = list(messages)

    def ask_as(self, purpose: str, messages: Sequence[Message], kind: type[T], sample: int = 0) -> T:
        answer = self._next(messages)
        try:
            return answer if isinstance(answer, kind) else kind.model_validate_json(str(answer))
        except ValidationError:
            raise ModelError("模型两次都没有按格式回答。") from None


class BrokenVoice:
    """A voice that always fails."""

    def speak(self, cue: Cue) -> Utterance:
        raise RuntimeError("the voice broke")


class EchoVoice:
    """A voice that says which act it was given."""

    def __init__(self) -> None:
        self.cues: list[Cue] = []

    def speak(self, cue: Cue) -> Utterance:
        self.cues.append(cue)
        return Utterance(text=f"（{cue.act.behaviour}）第{cue.mind.turn}句")


DOWN = ModelError("连不上模型服务。")


def make_parts(folder: Path, root: Path, **changes: Any) -> Parts:
    """Real parts on a fresh SQLite database with the embedded default, and no index unless one is given."""
    settings = load_settings(content_dir=root, data_dir=folder, _env_file=None)
    parts = Parts.open(settings)
    ticks = iter(range(100_000))
    fixed = {
        "finder": NothingFound("not needed here"),
        "clock": lambda: f"2026-01-01T00:{next(ticks) // 60:02d}:{0:02d}+00:00",
        "make_seed": lambda: 7,
    }
    return replace(parts, **{**fixed, **changes})


def on_fresh_database(parts: Parts, folder: Path) -> Parts:
    """Parts that are already open, on a database of their own: for tests that need many databases and one of the rest."""
    settings = parts.settings.model_copy(update={"data_dir": folder, "database_url": ""})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "huasu.db").write_bytes(_empty_database())
    database = Database(settings.database)
    repositories = {name: getattr(parts, name) for name in REPOSITORIES}
    fresh = {name: type(kept)(database) for name, kept in repositories.items()}
    return replace(parts, settings=settings, database=database, **fresh)


@lru_cache(maxsize=1)
def _empty_database() -> bytes:
    with TemporaryDirectory() as folder:
        Database(f"sqlite:///{folder}/empty.db").close()
        return (Path(folder) / "empty.db").read_bytes()


REPOSITORIES = (
    "store", "marks", "practice", "preferences", "users", "audit", "groups", "reviews", "overview", "retention",
    "contents",
)  # fmt: skip

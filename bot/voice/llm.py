"""The customer voiced by a language model, held to the act the mind chose.

Every sentence is checked before anyone hears it. A fault in the first one is named and the line asked for once more;
a fault after enough has been said ends the line there; what is still missing then is said by the scripted voice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from bot.errors import ModelError
from bot.injection import addresses_machine
from bot.model import Message
from bot.records import Cue, Repair, Utterance
from bot.voice import guard, manners
from bot.voice.request import Request, fact_text, hidden_facts
from bot.voice.speech import sentences

Hear = Callable[[str], None]
UNAVAILABLE = "模型暂时没有答上来，这一句由内置台词接上，对练照常继续。（{reason}）"
BROKEN_OFF = "模型说到一半断了，客户这一句就说到这里，对练照常继续。（{reason}）"
INJECTION, UNLIKE = "injection", "unlike"
ENOUGH = 6


class Streams(Protocol):
    """Anything that answers messages piece by piece; `bot.model.Model` does, and so do the fakes in tests."""

    name: str

    def stream(self, purpose: str, messages: list[Message]) -> Iterator[str]:
        """The answer to some messages, or `ModelError`."""

    def warm(self, messages: list[Message]) -> None:
        """Read the beginning of a talk ahead of time."""


class Speaks(Protocol):
    """Anything that can say the customer's line."""

    def speak(self, cue: Cue) -> Utterance:
        """The customer's line for a cue."""


class ModelVoice:
    """Speaks through a model; falls back to another voice when the model fails or keeps breaking the rules."""

    def __init__(self, model: Streams, fallback: Speaks, prompts: Path) -> None:
        self._model, self._fallback, self._request = model, fallback, Request(prompts)

    def speak(self, cue: Cue, hear: Hear | None = None) -> Utterance:
        """One line; `hear` gets each sentence once it is checked. Never raises for the model's sake."""
        line = _Line(cue, self._request.marks, hear)
        if addresses_machine(cue.reply):
            line.faults.append(INJECTION)  # words meant for the machine never reach it
            return self._scripted(line)
        messages = self._request.messages(cue)
        try:
            for attempt in range(2):
                faults = line.take(self._model.stream("voice", messages))
                if not faults:
                    return line.utterance("retried" if attempt else "")
                if line.enough():
                    return line.utterance("cut")
                messages = [
                    *messages[: len(messages) - 2 * attempt],
                    *self._request.again(line.text, line.refused, faults),
                ]
        except ModelError as error:
            return self._after_failure(line, error)
        return self._scripted(line)

    @property
    def marks(self) -> frozenset[str]:
        """Pieces of our own instructions, none of which may ever be heard."""
        return self._request.marks

    def warm(self, cue: Cue) -> None:
        """Have the model read what a talk begins with while the learner reads the file."""
        self._model.warm(self._request.prefix(cue))

    def messages(self, cue: Cue) -> list[Message]:
        """What the model is sent for a cue."""
        return self._request.messages(cue)

    def _after_failure(self, line: _Line, error: ModelError) -> Utterance:
        if line.enough():
            return line.utterance("cut", BROKEN_OFF.format(reason=error))
        return self._scripted(line, UNAVAILABLE.format(reason=error))

    def _scripted(self, line: _Line, notice: str = "") -> Utterance:
        return line.finished_by(self._fallback.speak(line.cue), notice)


class _Line:
    """A line while it is being said."""

    def __init__(self, cue: Cue, marks: frozenset[str], hear: Hear | None) -> None:
        self.cue, self._marks, self._hear = cue, marks, hear
        self._hidden = hidden_facts(cue)
        self.text, self.refused = "", ""
        self.faults: list[str] = []

    def take(self, pieces: Iterator[str]) -> tuple[str, ...]:
        """Say what may be said of an answer; the faults of the first sentence that may not, or of the whole."""
        start = len(self.text)
        try:
            for said in sentences(pieces):
                sentence = guard.trim(said, keep_end=True) if len(self.text) == start else said
                if not guard.bare(sentence) and "（" not in sentence:
                    self.text += sentence.strip() if self.text[start:] else ""  # the rest of a mark: ！！ or ……
                elif found := self._found(self.text + sentence, whole=False):
                    return self._refuse(sentence, found)
                else:
                    self._say(sentence)
        finally:
            if close := getattr(pieces, "close", None):
                close()  # the server need not finish what nobody will hear
        return self._refuse("", self._found(self.text, whole=True))

    def enough(self) -> bool:
        """Whether what has been said can stand as the whole line."""
        told = all(guard.tells(self.text, fact_text(self.cue, key)) for key in self.cue.act.facts)
        return len(guard.bare(self.text)) >= ENOUGH and told and not self.cue.act.ends

    def utterance(self, repair: Repair, *notices: str) -> Utterance:
        """The line as the model said it."""
        return Utterance(
            text=self.text.strip(), source="model", faults=tuple(self.faults), repair=repair, notices=notices
        )

    def finished_by(self, other: Utterance, notice: str) -> Utterance:
        """The line as another voice said it, after what had been heard already."""
        if self._hear:
            self._hear(other.text)
        text = f"{self.text.strip()}{other.text}"
        notices = (notice,) if notice else ()
        return other.model_copy(
            update={"text": text, "notices": notices, "faults": tuple(self.faults), "repair": "replaced"}
        )

    def _found(self, text: str, whole: bool) -> tuple[str, ...]:
        found = guard.faults(text, self.cue, self._hidden, marks=self._marks, whole=whole)
        unlike = manners.forbidden(text, manners.principles(self.cue))
        return (*found, UNLIKE) if unlike else found

    def _refuse(self, sentence: str, found: tuple[str, ...]) -> tuple[str, ...]:
        self.refused = sentence
        self.faults += found
        return found

    def _say(self, sentence: str) -> None:
        self.text += sentence
        if self._hear:
            self._hear(sentence)

"""A store that forgets: for talks nobody will ever want back, such as those of simulated learners."""

from __future__ import annotations

from bot.records import Report, Snapshot, Turn, TurnGrade


class Memory:
    """The part of a `Store` that a talk needs, in memory."""

    def __init__(self) -> None:
        self.snapshots: dict[str, Snapshot] = {}
        self.kept: dict[str, list[Turn]] = {}

    def create(self, session_id: str, owner: str, snapshot: Snapshot, at: str, *, assignment: str = "") -> None:
        """A new talk."""
        self.snapshots[session_id], self.kept[session_id] = snapshot, []

    def snapshot(self, session_id: str, owner: str) -> Snapshot:
        """What a talk was started with."""
        return self.snapshots[session_id]

    def turns(self, session_id: str) -> tuple[Turn, ...]:
        """Its turns."""
        return tuple(self.kept[session_id])

    def append(self, session_id: str, turn: Turn) -> None:
        """One more turn."""
        self.kept[session_id].append(turn)

    def hold(self, session_id: str, line: str) -> None:
        """Nothing survives a crash here."""

    def ended(self, session_id: str) -> str:
        """Ended only when the customer ended it."""
        return ""

    def grades(self, session_id: str) -> dict[int, TurnGrade]:
        """No feedback is kept."""
        return {}

    def report(self, session_id: str, owner: str) -> Report | None:
        """No report is kept."""
        return None

"""Who acts, and who has an account: a name for the record and the roles that decide what he may do."""

from __future__ import annotations

from typing import Literal

from bot.records.base import Record

Role = Literal["learner", "trainer", "admin"]
ROLES: tuple[Role, ...] = ("learner", "trainer", "admin")


class Actor(Record):
    """A person at work. Core functions that write take one and check its roles; pages only supply it.

    `id` is whose talks and marks are his; somebody without one owns nothing.
    """

    id: str = ""
    name: str
    roles: tuple[Role, ...] = ("learner",)

    def may(self, role: Role) -> bool:
        """Whether he has the role; an administrator may do what a trainer may."""
        return role in self.roles or (role == "trainer" and "admin" in self.roles)


LOCAL_ACTOR = Actor(id="local", name="本机", roles=ROLES)
"""The one person of an installation without accounts."""


class User(Record):
    """A person with an account; never his password."""

    id: str
    login: str
    name: str
    roles: tuple[Role, ...] = ("learner",)
    must_change: bool = False
    disabled: bool = False
    created_at: str = ""

    @property
    def actor(self) -> Actor:
        """Him at work."""
        return Actor(id=self.id, name=self.name, roles=self.roles)


class Audited(Record):
    """One line of the audit log."""

    at: str
    actor: str
    name: str
    what: str
    on: str
    detail: str = ""

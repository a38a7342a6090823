"""Accounts, sign-ins and failed attempts. Knows hashes, never a password or a token as it was given."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from bot.errors import LearnerError
from bot.records import Role, User
from bot.store.database import Database
from bot.store.tables import FailedLoginRow, TokenRow, UserRow


class Users:
    """The accounts. Safe to share between threads; every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, *users: User, hashes: dict[str, str] | None = None, subject: str | None = None) -> None:
        """Store new accounts, all or none. Raises `LearnerError` when a login is taken."""
        rows = [
            UserRow(
                **{**u.model_dump(exclude={"roles"}), "roles": ",".join(u.roles)},
                password=(hashes or {}).get(u.id, ""), subject=subject,
            )
            for u in users
        ]  # fmt: skip
        try:
            with self._database.transaction() as t:
                t.add_all(rows)
        except IntegrityError:
            raise LearnerError("这个登录名已经有人用了。请换一个，或者给原来的账号重置密码。") from None

    def all(self) -> tuple[User, ...]:
        """Every account, by login."""
        with self._database.transaction() as t:
            return tuple(_user(row) for row in t.scalars(select(UserRow).order_by(UserRow.login)))

    def count(self) -> int:
        """How many accounts there are."""
        with self._database.transaction() as t:
            return t.scalar(select(func.count()).select_from(UserRow)) or 0

    def get(self, user_id: str) -> User | None:
        """An account by its id."""
        with self._database.transaction() as t:
            row = t.get(UserRow, user_id)
            return _user(row) if row else None

    def named(self, login: str) -> tuple[User, str] | None:
        """An account by its login, with the hash of its password."""
        return self._one(UserRow.login == login)

    def subject(self, subject: str) -> User | None:
        """The account of a person at the bank's own sign-in."""
        found = self._one(UserRow.subject == subject)
        return found[0] if found else None

    def _one(self, where: Any) -> tuple[User, str] | None:
        with self._database.transaction() as t:
            row = t.scalar(select(UserRow).where(where))
            return (_user(row), row.password) if row else None

    def set_password(self, user_id: str, hashed: str, must_change: bool) -> None:
        """Replace a password; every sign-in of the account ends."""
        self._set(user_id, password=hashed, must_change=must_change)
        self.drop_tokens(user_id)

    def set_roles(self, user_id: str, roles: tuple[Role, ...]) -> None:
        """Replace the roles."""
        self._set(user_id, roles=",".join(roles))

    def set_disabled(self, user_id: str, disabled: bool) -> None:
        """Lock an account out, or let it in again; locking ends its sign-ins."""
        self._set(user_id, disabled=disabled)
        if disabled:
            self.drop_tokens(user_id)

    def _set(self, user_id: str, **values: Any) -> None:
        with self._database.transaction() as t:
            t.execute(update(UserRow).where(UserRow.id == user_id).values(**values))

    def admins(self) -> int:
        """How many administrators can still sign in."""
        return sum("admin" in u.roles and not u.disabled for u in self.all())

    # ── sign-ins ─────────────────────────────────────────────────────────────────────────────────────

    def keep_token(self, hashed: str, user_id: str, expires_at: str) -> None:
        """Remember a sign-in."""
        with self._database.transaction() as t:
            t.add(TokenRow(hash=hashed, user_id=user_id, expires_at=expires_at))

    def holder(self, hashed: str, now: str) -> User | None:
        """Whose sign-in this is; None when it is unknown or over, or the account is locked."""
        with self._database.transaction() as t:
            row = t.scalar(
                select(UserRow)
                .join(TokenRow, TokenRow.user_id == UserRow.id)
                .where(TokenRow.hash == hashed, TokenRow.expires_at > now, UserRow.disabled.is_(False))
            )
            return _user(row) if row else None

    def drop_token(self, hashed: str, now: str) -> None:
        """End one sign-in, and forget those that are over anyway."""
        with self._database.transaction() as t:
            t.execute(delete(TokenRow).where((TokenRow.hash == hashed) | (TokenRow.expires_at <= now)))

    def drop_tokens(self, user_id: str) -> None:
        """End every sign-in of an account."""
        with self._database.transaction() as t:
            t.execute(delete(TokenRow).where(TokenRow.user_id == user_id))

    # ── failed attempts ──────────────────────────────────────────────────────────────────────────────

    def failures(self, key: str, since: str) -> int:
        """How many attempts failed under a login or from an address since then."""
        with self._database.transaction() as t:
            return t.scalar(select(func.count()).where(FailedLoginRow.key == key, FailedLoginRow.at > since)) or 0

    def failed(self, keys: tuple[str, ...], at: str) -> None:
        """Count one failed attempt under each key."""
        with self._database.transaction() as t:
            t.add_all(FailedLoginRow(key=key, at=at) for key in keys)

    def forgive(self, key: str, before: str) -> None:
        """Forget the failures of one key, and everybody's old ones."""
        with self._database.transaction() as t:
            t.execute(delete(FailedLoginRow).where((FailedLoginRow.key == key) | (FailedLoginRow.at <= before)))


def _user(row: UserRow) -> User:
    values = {k: getattr(row, k) for k in User.model_fields if k != "roles"}
    return User(**values, roles=tuple(r for r in row.roles.split(",") if r))

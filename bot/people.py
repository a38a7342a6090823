"""Accounts and roles, the audit log, and how long talks are kept: everything an administrator decides.

Roles are checked here, not in the pages: `require` is the first line of whatever writes or reads other people's data.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot import login
from bot.errors import ForbiddenError, LearnerError
from bot.parts import Parts
from bot.records import ROLES, Actor, Audited, Group, Role, User
from bot.rosters import Row

ROLE_NAMES: dict[Role, str] = {"learner": "学员", "trainer": "培训师", "admin": "管理员"}
KEEP_DAYS, KEEP_HOW, SWEPT, EVERYBODY = "keep-days", "keep-how", "swept", ""
DELETE, ANONYMISE = "delete", "anonymise"
CONSOLE = Actor(id="console", name="命令行", roles=ROLES)
SYSTEM = Actor(id="system", name="系统", roles=())
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def require(actor: Actor, role: Role) -> None:
    """Raises `ForbiddenError` unless the person has the role."""
    if not actor.may(role):
        name = ROLE_NAMES[role]
        raise ForbiddenError(f"这里只对{name}开放。请换{name}账号登录，或者请管理员给您{name}的角色。")


def first_password() -> str:
    """A password to begin with, easy to read out; it must be changed at the first sign-in."""
    return "".join(secrets.choice(ALPHABET) for _ in range(10))


class People:
    """An administrator at work. Raises `ForbiddenError` for anybody else. Every change is in the audit log."""

    def __init__(self, parts: Parts, actor: Actor) -> None:
        require(actor, "admin")
        self.parts, self.actor, self.users = parts, actor, parts.users

    def all(self) -> tuple[User, ...]:
        """Every account."""
        return self.users.all()

    def add(self, name_to_sign_in: str, name: str, roles: Sequence[Role] = ("learner",)) -> tuple[User, str]:
        """A new account, with the password to begin with. Raises `LearnerError` for a login that is taken or odd."""
        user, password = self._made(login.clean_login(name_to_sign_in), login.clean_name(name), roles)
        self.users.add(user, hashes={user.id: login.hashed(password)})
        self._note("建账号", user, "、".join(ROLE_NAMES[r] for r in user.roles))
        return user, password

    def _made(self, name_to_sign_in: str, name: str, roles: Sequence[Role]) -> tuple[User, str]:
        kept = tuple(r for r in ROLES if r in roles)
        if not kept:
            raise LearnerError("至少要有一个角色：学员、培训师或管理员。")
        user = User(
            id=self.parts.make_id(), login=name_to_sign_in, name=name, roles=kept, must_change=True,
            created_at=self.parts.clock(),
        )  # fmt: skip
        return user, first_password()

    def reset(self, user_id: str) -> str:
        """A new first password; whoever is signed in with the account is signed out."""
        user, password = self._user(user_id), first_password()
        self.users.set_password(user.id, login.hashed(password), must_change=True)
        self.users.forgive(login.key(user.login), "")
        self._note("重置密码", user)
        return password

    def set_roles(self, user_id: str, roles: Sequence[Role]) -> None:
        """Other roles for an account. The last administrator stays one."""
        user, kept = self._user(user_id), tuple(r for r in ROLES if r in roles)
        if not kept:
            raise LearnerError("至少要有一个角色：学员、培训师或管理员。")
        if "admin" not in kept:
            self._not_the_last(user)
        if kept != user.roles:
            self.users.set_roles(user.id, kept)
            self._note("改角色", user, "、".join(ROLE_NAMES[r] for r in kept))

    def set_disabled(self, user_id: str, disabled: bool) -> None:
        """Lock an account, or open it again. The last administrator cannot be locked."""
        user = self._user(user_id)
        if disabled:
            self._not_the_last(user)
        self.users.set_disabled(user.id, disabled)
        self._note("停用账号" if disabled else "启用账号", user)

    def _not_the_last(self, user: User) -> None:
        if "admin" in user.roles and not user.disabled and self.users.admins() <= 1:
            raise LearnerError("这是最后一个能登录的管理员，不能停用也不能去掉管理员角色。请先给别人管理员角色。")

    def find(self, name_to_sign_in: str) -> User:
        """The account of a login."""
        found = self.users.named(name_to_sign_in.strip().lower())
        if found is None:
            raise LearnerError(f"没有登录名为 {name_to_sign_in[:40]} 的账号。运行 huasu user list 查看。")
        return found[0]

    def take_in(
        self, rows: Sequence[Row], progress: Callable[[int, int], None] | None = None
    ) -> tuple[tuple[User, str], ...]:
        """Accounts for the new people of a roster, and everybody on it into his class; the first passwords."""
        new = [r for r in rows if r.state == "new"]
        made = [self._made(r.login, r.name, ("learner",)) for r in new]
        hashes = {}
        for n, (user, password) in enumerate(made, 1):
            hashes[user.id] = login.hashed(password)
            if progress:
                progress(n, len(made))
        self.users.add(*(u for u, _ in made), hashes=hashes)
        ids = {u.login: u.id for u in self.users.all()}
        for name in dict.fromkeys(r.group for r in rows if r.ok and r.group):
            self.parts.groups.join(
                self._group(name).id, [ids[r.login] for r in rows if r.ok and r.group == name], "learner"
            )
        self.parts.audit.note(self.actor, self.parts.clock(), "导入学员", f"{len(made)} 人")
        return tuple(made)

    def _group(self, name: str) -> Group:
        found = next((g for g in self.parts.groups.all() if g.name == name), None)
        if found is None:
            found = Group(id=self.parts.make_id(), name=name, created_at=self.parts.clock())
            self.parts.groups.add(found)
        return found

    def _user(self, user_id: str) -> User:
        user = self.users.get(user_id)
        if user is None:
            raise LearnerError("这个账号已经不在了。请刷新页面。")
        return user

    def _note(self, what: str, user: User, detail: str = "") -> None:
        self.parts.audit.note(self.actor, self.parts.clock(), what, f"{user.name}（{user.login}）", detail)

    # ── what is kept ─────────────────────────────────────────────────────────────────────────────────

    def log(self, find: str = "", limit: int = 200) -> tuple[Audited, ...]:
        """The audit log, the newest first."""
        return self.parts.audit.latest(limit, find.strip())

    def keep(self, days: int, how: str) -> None:
        """Keep talks for so many days (0: for ever), then delete or anonymise them."""
        if days < 0 or days > 3650 or how not in (DELETE, ANONYMISE):
            raise LearnerError("保留天数要在 0 到 3650 之间；0 表示一直保留。")
        self.parts.preferences.put(EVERYBODY, KEEP_DAYS, str(days))
        self.parts.preferences.put(EVERYBODY, KEEP_HOW, how)
        self.parts.audit.note(self.actor, self.parts.clock(), "改保留期", f"{days} 天" if days else "一直保留", how)

    def sweep(self) -> int:
        """Delete or anonymise now what is past its time; how many talks."""
        return sweep(self.parts, self.actor)

    def forget(self, user_id: str, how: str) -> int:
        """On a person's request: delete his talks, or keep them as nobody's, and close the account."""
        user = self._user(user_id)
        self._not_the_last(user)
        keeping = self.parts.retention
        count = keeping.delete_of(user.id) if how == DELETE else keeping.anonymise_of(user.id)
        self.users.set_disabled(user.id, True)  # where the account is still there
        self._note("删除个人数据" if how == DELETE else "匿名个人数据", user, f"{count} 场")
        return count


def kept_for(parts: Parts) -> tuple[int, str]:
    """For how many days talks are kept (0: for ever), and what happens then."""
    days = parts.preferences.get(EVERYBODY, KEEP_DAYS)
    return int(days or 0), parts.preferences.get(EVERYBODY, KEEP_HOW) or ANONYMISE


def sweep(parts: Parts, actor: Actor = SYSTEM) -> int:
    """Delete or anonymise the talks that are past their time; how many."""
    days, how = kept_for(parts)
    if not days:
        return 0
    line = (datetime.fromisoformat(parts.clock()) - timedelta(days=days)).isoformat(timespec="seconds")
    count = parts.retention.delete_before(line) if how == DELETE else parts.retention.anonymise_before(line)
    if count:
        parts.audit.note(
            actor, parts.clock(), "到期删除" if how == DELETE else "到期匿名", f"{count} 场", f"早于 {line}"
        )
    return count


def sweep_daily(parts: Parts) -> None:
    """As `sweep`, at most once a day."""
    today = parts.clock()[:10]
    if parts.preferences.get(EVERYBODY, SWEPT) != today:
        parts.preferences.put(EVERYBODY, SWEPT, today)
        sweep(parts)

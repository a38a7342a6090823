"""Signing in: passwords, sign-ins that end, and a limit to guessing. The browser holds a token, we hold its hash."""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from bot.errors import ForbiddenError, LearnerError
from bot.parts import Parts
from bot.records import Actor, Role, User
from bot.settings import Settings

WRONG = "登录名或密码不对。请再试一次；忘了密码，请管理员重置。"
LIMIT, ADDRESS_LIMIT, MINUTES = 5, 60, 15
SHORTEST, LONGEST = 8, 200
_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


def sign_in(parts: Parts, name: str, password: str, address: str = "") -> str:
    """A token for whoever knows the password. Raises `LearnerError`: wrong, locked, or tried too often."""
    typed = name.strip().lower()[:80]
    keys = (key(typed), *((f"address:{address}"[:120],) if address else ()))
    _not_too_often(parts, keys)
    found = parts.users.named(typed)
    right = _matches(found[1] if found else _nobody(), password[:LONGEST])
    if found is None or not right:
        parts.users.failed(keys, parts.clock())
        parts.audit.note(Actor(name=typed or "？"), parts.clock(), "登录失败", address)
        raise LearnerError(WRONG)
    user = found[0]
    if user.disabled:
        raise LearnerError("这个账号已经停用。请联系管理员。")
    parts.users.forgive(keys[0], _ago(parts))
    parts.audit.note(user.actor, parts.clock(), "登录", address)
    return _issued(parts, user)


def who(parts: Parts, token: str) -> User | None:
    """Whose token it is; None when it is unknown, over, or the account is locked."""
    return parts.users.holder(_digest(token), parts.clock()) if token else None


def sign_out(parts: Parts, token: str) -> None:
    """End a sign-in."""
    parts.users.drop_token(_digest(token), parts.clock())


def change_password(parts: Parts, token: str, old: str, new: str) -> str:
    """A new password and, as every sign-in ends with the old one, a new token. Raises `LearnerError` with the reason."""
    user = who(parts, token)
    found = parts.users.named(user.login) if user else None
    if user is None or found is None:
        raise LearnerError("登录已经过期。请重新登录后再改密码。")
    _not_too_often(parts, (key(user.login),))
    if not _matches(found[1], old[:LONGEST]):
        parts.users.failed((key(user.login),), parts.clock())
        raise LearnerError("现在的密码不对。请再输入一次。")
    _good(new, user.login, old)
    parts.users.set_password(user.id, hashed(new), must_change=False)
    parts.audit.note(user.actor, parts.clock(), "改密码", user.login)
    return _issued(parts, user)


def from_outside(parts: Parts, claims: Mapping[str, Any]) -> User:
    """The account of somebody whom the bank's own sign-in vouches for; made at the first visit, roles as it says.

    Raises `ForbiddenError` for a locked account and `LearnerError` for claims that name nobody.
    """
    subject = "|".join(str(claims.get(k) or "") for k in ("iss", "sub"))
    if not claims.get("sub"):
        raise LearnerError("统一登录没有说明您是谁（缺少 sub）。请联系管理员检查登录设置。")
    roles, found = _claimed(parts.settings, claims), parts.users.subject(subject)
    if found is None:
        return _introduced(parts, claims, subject, roles)
    if found.disabled:
        raise ForbiddenError("这个账号已经停用。请联系管理员。")
    if found.roles != roles:
        parts.users.set_roles(found.id, roles)
        parts.audit.note(found.actor, parts.clock(), "改角色", found.login, "统一登录：" + "、".join(roles))
    return found.model_copy(update={"roles": roles})


def _introduced(parts: Parts, claims: Mapping[str, Any], subject: str, roles: tuple[Role, ...]) -> User:
    name = str(claims.get("name") or claims.get("email") or claims["sub"])
    user = User(id=parts.make_id(), login=f"oidc:{_digest(subject)[:16]}", name=clean_name(name[:40]), roles=roles,
                created_at=parts.clock())  # fmt: skip
    parts.users.add(user, subject=subject)
    parts.audit.note(user.actor, parts.clock(), "建账号", f"{user.name}（统一登录）", "、".join(roles))
    return user


def _claimed(settings: Settings, claims: Mapping[str, Any]) -> tuple[Role, ...]:
    said = claims.get(settings.oidc_role_claim) or ()
    values = {said} if isinstance(said, str) else {str(v) for v in said}
    roles: list[Role] = ["learner"]
    if values & _listed(settings.oidc_trainers):
        roles.append("trainer")
    if values & _listed(settings.oidc_admins):
        roles.append("admin")
    return tuple(roles)


def _listed(text: str) -> set[str]:
    return {v.strip() for v in text.split(",") if v.strip()}


# ── passwords and tokens ─────────────────────────────────────────────────────────────────────────────


def hashed(password: str) -> str:
    """A password as it is stored."""
    return _HASHER.hash(password)


def key(name: str) -> str:
    """Under what the failures of a login are counted."""
    return f"login:{name}"[:120]


def clean_login(text: str) -> str:
    """A login as it is stored. Raises `LearnerError` for one that could not be typed again."""
    name = unicodedata.normalize("NFKC", text).strip().lower()
    if not re.fullmatch(r"[\w.@-]{2,60}", name):
        raise LearnerError(f"登录名“{text[:40]}”不行：用 2 到 60 个字母、数字或 . _ - @，例如工号。")
    return name


def clean_name(text: str) -> str:
    """A person's name as it is shown. Raises `LearnerError` when it is empty or too long."""
    name = "".join(ch for ch in text if unicodedata.category(ch)[0] != "C").strip()
    if not 1 <= len(name) <= 40:
        raise LearnerError("姓名要有 1 到 40 个字。")
    return name


def _good(new: str, name: str, old: str) -> None:
    if not SHORTEST <= len(new) <= LONGEST:
        raise LearnerError(f"新密码要有 {SHORTEST} 到 {LONGEST} 个字。")
    if new == old:
        raise LearnerError("新密码和现在的一样。请换一个。")
    kinds = sum(bool(re.search(p, new)) for p in (r"[A-Za-z]", r"\d", r"[^A-Za-z\d]"))
    if kinds < 2 or name in new.lower():
        raise LearnerError("新密码太容易猜。字母、数字、符号至少用两种，也不要包含登录名。")


def _not_too_often(parts: Parts, keys: tuple[str, ...]) -> None:
    since = _ago(parts)
    for one, limit in zip(keys, (LIMIT, ADDRESS_LIMIT), strict=False):
        if parts.users.failures(one, since) >= limit:
            raise LearnerError(f"试错太多次了。请 {MINUTES} 分钟后再试，或者请管理员重置密码。")


def _ago(parts: Parts) -> str:
    return (datetime.fromisoformat(parts.clock()) - timedelta(minutes=MINUTES)).isoformat(timespec="seconds")


def _matches(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (Argon2Error, InvalidHashError):
        return False


@lru_cache(maxsize=1)
def _nobody() -> str:
    """A hash nothing matches, so that an unknown login takes as long as a known one."""
    return hashed(secrets.token_urlsafe(32))


def _issued(parts: Parts, user: User) -> str:
    token = secrets.token_urlsafe(32)
    until = datetime.fromisoformat(parts.clock()) + timedelta(hours=parts.settings.login_hours)
    parts.users.keep_token(_digest(token), user.id, until.isoformat(timespec="seconds"))
    return token


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

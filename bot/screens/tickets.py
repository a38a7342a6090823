"""How a sign-in gets into a cookie that no script can read: the page cannot set one, so the browser asks a route for it.

A ticket is good once and for a minute; the token itself never stands in an address. Tickets live in this process, like
the page that gave them.
"""

from __future__ import annotations

import secrets
import time
from base64 import b64decode
from threading import Lock

from starlette.requests import Request
from starlette.responses import Response

from bot.screens.frame import TOKEN
from bot.settings import get_settings

PATH, SECONDS = "/keep", 60.0
_DOT = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_waiting: dict[str, tuple[str, float]] = {}
_lock = Lock()


def give(token: str) -> str:
    """A ticket for a token; for an empty one, to forget what the browser holds."""
    ticket, now = secrets.token_urlsafe(24), time.monotonic()
    with _lock:
        for old in [t for t, (_, until) in _waiting.items() if until < now]:
            del _waiting[old]
        _waiting[ticket] = token, now + SECONDS
    return ticket


def keep(request: Request) -> Response:
    """The route: a dot of a picture, with the cookie of a ticket that is still good."""
    with _lock:
        token, until = _waiting.pop(request.query_params.get("t", ""), ("", 0.0))
    answer = Response(_DOT, media_type="image/gif", headers={"cache-control": "no-store"})
    if until >= time.monotonic():
        secure = "https" in (request.url.scheme, request.headers.get("x-forwarded-proto", ""))
        age = get_settings().login_hours * 3600 if token else 0
        answer.set_cookie(TOKEN, token, max_age=age, path="/", secure=secure, httponly=True, samesite="strict")
    return answer

"""Starts the web server in this process, with our settings, nothing sent home and nothing cut off when it stops."""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import re
import signal
import sys
import threading
import time
import webbrowser
from contextlib import suppress
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot import live
from bot.errors import HuasuError
from bot.parts import opened
from bot.screens import tickets

DRAIN_SECONDS = 25.0
OPENING_TRIES = 240
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",  # the address of a page names the talk
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), payment=(), usb=()",
}
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


@lru_cache(maxsize=1)
def headers() -> dict[str, str]:
    """What every answer says: scripts are the web framework's own and nobody else's, and nothing goes elsewhere.

    Its page has a few lines of script in it, which are named by their hash; styles it writes into the page as it goes.
    """
    page = (Path(st.__file__).parent / "static" / "index.html").read_text("utf-8")
    hashes = [base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() for code in _INLINE.findall(page)]
    policy = {
        "default-src": "'self'", "script-src": " ".join(["'self'", *(f"'sha256-{h}'" for h in hashes)]),
        "style-src": "'self' 'unsafe-inline'", "img-src": "'self' data: blob:", "media-src": "'self' data: blob:",
        "font-src": "'self' data:", "connect-src": "'self'", "worker-src": "'self' blob:", "object-src": "'none'",
        "base-uri": "'self'", "form-action": "'self'", "frame-ancestors": "'none'",
    }  # fmt: skip
    return {"content-security-policy": "; ".join(f"{k} {v}" for k, v in policy.items()), **HEADERS}


def run(script: Path, host: str, port: int, headless: bool) -> None:
    """Serve the app until interrupted. The working folder becomes the script's, where the theme is read from."""
    os.chdir(script.parent)
    sys.argv = [str(script)]
    told = threading.Event()

    def leave(*_: Any) -> None:
        told.set()
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, leave)
    if not headless:
        threading.Thread(target=_show, args=(f"http://{_reached(host)}:{port}",), daemon=True).start()
    try:
        application(script).run(
            config={
                "server.address": host, "server.port": port, "server.headless": True,
                "browser.gatherUsageStats": False, "logger.hideWelcomeMessage": True,
            }
        )  # fmt: skip
    finally:
        live.drain(DRAIN_SECONDS)
        if told.is_set():  # threads of native libraries may crash while the interpreter takes itself apart
            logging.shutdown()
            os._exit(0)


def _reached(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104 - compared with, not bound to


def _show(address: str) -> None:
    """Open a browser once the server answers; where there is no screen, nothing happens."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return
    for _ in range(OPENING_TRIES):
        time.sleep(0.25)
        with suppress(OSError), urlopen(f"{address}/ready") as answer:  # noqa: S310 - our own address
            if answer.status == HTTPStatus.OK:
                webbrowser.open(address)
                return


def application(script: Path) -> st.App:
    """The web app with our headers and the page that says whether it can take people."""
    return st.App(
        script, middleware=[Middleware(Headers)], routes=[Route("/ready", ready), Route(tickets.PATH, tickets.keep)]
    )


def ready(_request: Request) -> JSONResponse:
    """For load balancers: 200 when everything is open and the database answers."""
    try:
        parts = opened()
        if parts is None:
            return JSONResponse({"ready": False, "why": "starting"}, 503)
        parts.database.ping()
    except HuasuError:
        return JSONResponse({"ready": False, "why": "database"}, 503)
    return JSONResponse({"ready": True})


class Headers:
    """Adds what keeps a browser from doing for others what only the page may do."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and dress its answer."""

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = [(k.encode(), v.encode()) for k, v in headers().items()]
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        await self._app(scope, receive, dressed if scope["type"] == "http" else send)

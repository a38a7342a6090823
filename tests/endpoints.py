"""OpenAI-compatible endpoints that misbehave on purpose, on loopback."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[[dict[str, Any], int], tuple[int, str, bytes]]


class Endpoint:
    """A server whose answers a function decides: (request body, call number) -> (status, content type, body)."""

    def __init__(self, reply: Reply) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))) or b"{}")
                outer.requests.append(body)
                outer.headers.append(dict(self.headers))
                status, kind, data = reply(body, len(outer.requests))
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", kind)
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)
                except OSError:
                    pass  # the client gave up, which is what a timeout test wants

            def log_message(self, *_args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def stream(*pieces: str) -> tuple[int, str, bytes]:
    """A well-formed streamed answer."""
    lines = []
    for piece in pieces:
        chunk = {
            "id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{"index": 0, "delta": {"role": "assistant", "content": piece}, "finish_reason": None}],
        }  # fmt: skip
        lines.append(f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n")
    done = {
        "id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
    }  # fmt: skip
    lines += [f"data: {json.dumps(done)}\n\n", "data: [DONE]\n\n"]
    return 200, "text/event-stream", "".join(lines).encode()


def status(code: int) -> Reply:
    """Always this HTTP error."""
    return lambda _body, _n: (code, "application/json", b'{"error": {"message": "no"}}')


def garbage(_body: dict[str, Any], _n: int) -> tuple[int, str, bytes]:
    """A web page where an API should be."""
    return 200, "text/html", b"<html><body>It works!</body></html>"


def broken_stream(_body: dict[str, Any], _n: int) -> tuple[int, str, bytes]:
    """An event stream of nonsense."""
    return 200, "text/event-stream", b"data: {not json\n\ndata: [1,2\n\n"


def hang(seconds: float) -> Reply:
    """Says nothing for a while."""

    def reply(_body: dict[str, Any], _n: int) -> tuple[int, str, bytes]:
        time.sleep(seconds)
        return stream("太晚了")

    return reply

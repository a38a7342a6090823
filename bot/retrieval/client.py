"""Opening Chroma, in a folder or on a server, and turning its failures into a `SetupError` that says the fix."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import chromadb
import httpx
from chromadb.api import ClientAPI
from chromadb.api.shared_system_client import SharedSystemClient
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError
from langchain_core.embeddings import Embeddings

from bot import embedding
from bot.errors import SetupError
from bot.retrieval.vectors import Vectors
from bot.settings import Settings

CORRUPT = "检索索引打不开（可能已损坏）。请运行 huasu index --rebuild 重建；对练不受影响。"
UNUSABLE = "检索索引的文件夹 {folder} 用不了（没有权限，或被同名文件占了）。请检查后重试，或用 HUASU_DATA_DIR 换一处。"
AWAY = "连不上 Chroma 服务。请检查 HUASU_CHROMA_URL 和服务是否已启动。"
FAILED = "检索索引读写失败。内置索引请运行 huasu index --rebuild 重建；用 Chroma 服务的，请检查服务是否正常。"
KNOCK, PATIENCE = 5.0, 30.0  # seconds for a server to answer at all, and to answer one request
_FAULTS = (ChromaError, httpx.HTTPError, sqlite3.Error, OSError)


class Local(Embeddings):
    """The bundled embedding model, as langchain wants it."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """The vectors of texts to be found."""
        return [vector.tolist() for vector in self._vectors.passages(texts)]

    def embed_query(self, text: str) -> list[float]:
        """The vector of something searched for."""
        return [float(x) for x in embedding.query(text)]


@contextmanager
def answering() -> Iterator[None]:
    """Wrap every use of an open Chroma: whatever it raises becomes a `SetupError`."""
    try:
        yield
    except _FAULTS:
        raise SetupError(FAILED) from None


def connect(settings: Settings) -> ClientAPI:
    """The Chroma the settings name. Raises `SetupError` when it is corrupt or does not answer."""
    quiet = ChromaSettings(anonymized_telemetry=False)
    return _server(settings.chroma_url, quiet) if settings.chroma_url else _embedded(settings.index_dir, quiet)


def move_aside(folder: Path) -> None:
    """Rename an index folder to the next free ``index.broken-N``; nothing is deleted."""
    if not folder.exists():
        return
    n = next(i for i in range(1, 10_000) if not folder.with_name(f"{folder.name}.broken-{i}").exists())
    try:
        folder.rename(folder.with_name(f"{folder.name}.broken-{n}"))
    except OSError:
        raise SetupError(UNUSABLE.format(folder=folder)) from None


def _embedded(folder: Path, quiet: ChromaSettings) -> ClientAPI:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        raise SetupError(UNUSABLE.format(folder=folder)) from None
    if not _sound(folder / "chroma.sqlite3"):
        raise SetupError(CORRUPT)
    # Chroma keeps one open copy of a folder per process and hands it out again, even when the folder has since been
    # written by another process or moved away
    SharedSystemClient.clear_system_cache()
    try:
        client = chromadb.PersistentClient(str(folder), settings=quiet)
        client.list_collections()
    except (*_FAULTS, ValueError, RuntimeError):
        raise SetupError(CORRUPT) from None
    return client


def _sound(file: Path) -> bool:
    """Whether Chroma's SQLite file, if there is one, is a whole database: Chroma itself may panic on garbage."""
    if not file.exists():
        return True
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as db:
            return bool(db.execute("PRAGMA quick_check").fetchone()[0] == "ok")
    except sqlite3.OperationalError:
        return True  # busy, not broken: somebody is writing to it
    except sqlite3.Error:
        return False


def _server(url: str, quiet: ChromaSettings) -> ClientAPI:
    try:
        parts = urlsplit(url)
        ssl = parts.scheme == "https"
        port = parts.port or (443 if ssl else 8000)
        host = parts.hostname or ""
        named = f"[{host}]" if ":" in host else host
        httpx.get(f"{parts.scheme}://{named}:{port}/api/v2/heartbeat", timeout=KNOCK).raise_for_status()
        client = chromadb.HttpClient(host, port, ssl=ssl, settings=quiet)
    except (*_FAULTS, ValueError, httpx.InvalidURL):
        raise SetupError(AWAY) from None
    session = getattr(getattr(client, "_server", None), "_session", None)
    if isinstance(session, httpx.Client):
        session.timeout = httpx.Timeout(PATIENCE)  # Chroma waits for ever and has no setting for it
    return client

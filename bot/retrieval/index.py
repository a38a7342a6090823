"""The Chroma index: embedded by default, a server by URL. Dense and lexical ranks are fused."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import chromadb
from chromadb.api import ClientAPI
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError
from langchain_chroma import Chroma
from langchain_core.embeddings import Embeddings

from bot import embedding
from bot.errors import LearnerError, SetupError
from bot.records import Passage
from bot.retrieval.chunks import KINDS, Chunk, Unreadable, from_file
from bot.retrieval.content import builtin
from bot.retrieval.lexical import Bm25
from bot.scenarios import Library
from bot.settings import Settings

Progress = Callable[[int, int, str], None]
PREFIX, SPACE = "huasu-", {"hnsw:space": "cosine"}
DEPTH, RRF = 40, 60  # candidates per ranking; the constant of reciprocal-rank fusion (Cormack et al. 2009)
BATCH = 64
CORRUPT = "检索索引打不开（可能已损坏）。请运行 huasu index --rebuild 重建；对练不受影响。"


class _Local(Embeddings):
    """The bundled embedding model, as langchain wants it."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[float(x) for x in v] for v in embedding.passages(texts)]

    def embed_query(self, text: str) -> list[float]:
        return [float(x) for x in embedding.query(text)]


@dataclass
class IndexReport:
    """What an update did."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class _Words:
    count: int
    bm25: Bm25
    rows: dict[str, tuple[str, dict[str, Any]]]


class Index:
    """All collections of one Chroma. One instance may be shared by threads."""

    def __init__(self, client: ClientAPI) -> None:
        self._client = client
        self._stores: dict[str, Chroma] = {}
        self._lexical: dict[str, _Words] = {}
        self._lock = Lock()

    @classmethod
    def open(cls, settings: Settings) -> Index:
        """The index the settings name. Raises `SetupError` when it is corrupt or the server does not answer."""
        quiet = ChromaSettings(anonymized_telemetry=False)
        if settings.chroma_url:
            return cls(_server(settings.chroma_url, quiet))
        settings.index_dir.mkdir(parents=True, exist_ok=True)
        if not _sound(settings.index_dir):
            raise SetupError(CORRUPT)
        try:
            client = chromadb.PersistentClient(str(settings.index_dir), settings=quiet)
            client.list_collections()
        except (ChromaError, ValueError, RuntimeError, OSError, sqlite3.Error):
            raise SetupError(CORRUPT) from None
        return cls(client)

    @classmethod
    def rebuild(cls, settings: Settings) -> Index:
        """A clean embedded index; the old folder is moved aside, not deleted."""
        folder = settings.index_dir
        if not settings.chroma_url and folder.exists():
            n = next(i for i in range(1, 10_000) if not folder.with_name(f"{folder.name}.broken-{i}").exists())
            folder.rename(folder.with_name(f"{folder.name}.broken-{n}"))
        return cls.open(settings)

    def collections(self) -> dict[str, int]:
        """Chunks per collection that has any."""
        counts = {name: self._store(name)._collection.count() for name in self._names()}
        return {name: n for name, n in counts.items() if n}

    def sync_knowledge(self, library: Library, progress: Progress | None = None) -> IndexReport:
        """Bring the built-in collections in line with the content; unchanged chunks cost nothing."""
        report, built = IndexReport(), builtin(library)
        total, done = sum(map(len, built.values())), 0
        for name, chunks in built.items():
            self._sync(name, chunks, None, report, _step(progress, done, total, name))
            done += len(chunks)
        return report

    def add_files(
        self, paths: Sequence[Path], collection: str = "library", progress: Progress | None = None
    ) -> IndexReport:
        """Take in files and folders. A bad file is reported and the rest goes on."""
        report = IndexReport()
        files = [f for p in paths for f in (sorted(x for x in p.rglob("*") if x.is_file()) if p.is_dir() else [p])]
        for i, path in enumerate(files):
            if progress:
                progress(i, len(files), path.name)
            if path.suffix.lower() not in KINDS and len(files) > len(paths):
                continue  # a folder may hold anything; a file named outright deserves its reason
            try:
                chunks = from_file(path)
            except Unreadable as reason:
                report.skipped.append((path.name, str(reason)))
                continue
            tagged = [Chunk(c.id, c.doc, c.title, c.text, {**c.meta, "file": path.name}) for c in chunks]
            self._sync(collection, tagged, path.name, report, None)
        if progress:
            progress(len(files), len(files), "")
        return report

    def find(self, query: str, collection: str | None = None, k: int = 6) -> tuple[Passage, ...]:
        """The best passages, best first; over every collection unless one is named."""
        if not query.strip():
            raise LearnerError("要找什么？请写几个字再搜。")
        names = [self._known(collection)] if collection else self._names()
        words = {name: self._words(name) for name in names}
        depth, vector = max(k, DEPTH), _Local().embed_query(query)
        near = sorted(hit for name in names for hit in self._dense(name, vector, min(depth, len(words[name].rows))))
        worded = sorted((-s, name, key) for name in names for key, s in words[name].bm25.rank(query, depth))
        scores: dict[tuple[str, str], float] = {}
        for order in (near[:depth], worded[:depth]):
            for place, (_, name, key) in enumerate(order):
                scores[name, key] = scores.get((name, key), 0.0) + 1 / (RRF + place + 1)
        best = sorted(scores, key=lambda at: (-scores[at], at))[:k]
        return tuple(_passage(name, key, *words[name].rows[key], scores[name, key]) for name, key in best)

    def rank(self, query: str, collection: str | None = None, k: int = 10) -> list[tuple[str, float]]:
        """Documents by their best passage, best first, with falling scores."""
        best: dict[str, float] = {}
        for p in self.find(query, collection, max(DEPTH, 4 * k)):
            best.setdefault(p.doc, p.score)
        return list(best.items())[:k]

    def _dense(self, name: str, vector: list[float], k: int) -> list[tuple[float, str, str]]:
        if not k:
            return []
        hits = self._store(name).similarity_search_by_vector_with_relevance_scores(embedding=vector, k=k)
        # despite that name these are cosine distances: smaller is nearer
        return [(distance, name, str(d.metadata["chunk"])) for d, distance in hits]

    def _names(self) -> list[str]:
        found = self._client.list_collections()
        return sorted(c.name.removeprefix(PREFIX) for c in found if c.name.startswith(PREFIX))

    def _known(self, name: str) -> str:
        have = self.collections()
        if name not in have:
            raise LearnerError(f"没有集合 {name!r}。现有：{'、'.join(have) or '（空）'}。先用 huasu index 建立。")
        return name

    def _store(self, name: str) -> Chroma:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}[A-Za-z0-9]|[A-Za-z0-9]", name):
            raise LearnerError("集合名只能用字母、数字、点、横线和下划线，首尾用字母或数字。")
        with self._lock:
            if name not in self._stores:
                self._stores[name] = Chroma(
                    PREFIX + name, embedding_function=_Local(), client=self._client, collection_metadata=SPACE
                )
            return self._stores[name]

    def _words(self, name: str) -> _Words:
        store = self._store(name)
        count = store._collection.count()  # another process may have added to it
        with self._lock:
            held = self._lexical.get(name)
            if held is None or held.count != count:
                got = store.get(include=["documents", "metadatas"])
                rows = {str(m["chunk"]): (str(t), m) for t, m in zip(got["documents"], got["metadatas"], strict=True)}
                held = _Words(count, Bm25({key: f"{m['title']} {text}" for key, (text, m) in rows.items()}), rows)
                self._lexical[name] = held
            return held

    def _sync(
        self,
        name: str,
        chunks: Sequence[Chunk],
        file: str | None,
        report: IndexReport,
        step: Callable[[int], None] | None,
    ) -> None:
        store = self._store(name)
        where: dict[str, Any] = {"where": {"file": file}} if file else {}
        rows = store.get(include=["metadatas"], **where)
        stored = {key: str(m.get("digest", "")) for key, m in zip(rows["ids"], rows["metadatas"], strict=True)}
        wanted = _numbered(chunks, file)
        gone = [key for key in stored if key not in wanted]
        fresh = [(key, c) for key, c in wanted.items() if stored.get(key) != c.digest]
        report.added += sum(key not in stored for key, _ in fresh)
        report.updated += sum(key in stored for key, _ in fresh)
        report.unchanged += len(wanted) - len(fresh)
        report.removed += len(gone)
        if gone:
            store.delete(gone)
        if step:
            step(len(wanted) - len(fresh))
        for i in range(0, len(fresh), BATCH):
            part = fresh[i : i + BATCH]
            store.add_texts(
                [c.text for _, c in part],
                [{**c.meta, "chunk": key, "doc": c.doc, "title": c.title, "digest": c.digest} for key, c in part],
                [key for key, _ in part],
            )
            if step:
                step(len(wanted) - len(fresh) + i + len(part))
        if gone or fresh:
            self._lexical.pop(name, None)


def _numbered(chunks: Sequence[Chunk], file: str | None) -> dict[str, Chunk]:
    wanted: dict[str, Chunk] = {}
    for c in chunks:
        key = f"{file}::{c.id}" if file else c.id
        while key in wanted:  # two sections may share a heading
            key += "+"
        wanted[key] = c
    return wanted


def _passage(collection: str, key: str, text: str, meta: dict[str, Any], score: float) -> Passage:
    return Passage(
        id=key, doc=str(meta["doc"]), collection=collection, title=str(meta["title"]), text=text, score=score,
        status=str(meta.get("status", "")), conf=str(meta.get("conf", "")),
    )  # fmt: skip


def _step(progress: Progress | None, done: int, total: int, name: str) -> Callable[[int], None] | None:
    return (lambda n: progress(done + n, total, name)) if progress else None


def _server(url: str, quiet: ChromaSettings) -> ClientAPI:
    parts = urlsplit(url)
    ssl = parts.scheme == "https"
    try:
        client = chromadb.HttpClient(
            parts.hostname or "", parts.port or (443 if ssl else 8000), ssl=ssl, settings=quiet
        )
        client.heartbeat()
    except Exception:  # the client raises whatever its transport raises
        raise SetupError("连不上 Chroma 服务。请检查 HUASU_CHROMA_URL 和服务是否已启动。") from None
    return client


def _sound(folder: Path) -> bool:
    """Whether the index's SQLite file, if there is one, is a database: Chroma itself may panic on garbage."""
    file = folder / "chroma.sqlite3"
    if not file.exists():
        return True
    try:
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as db:
            return bool(db.execute("PRAGMA quick_check").fetchone()[0] == "ok")
    except sqlite3.Error:
        return False

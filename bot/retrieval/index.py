"""The index: what is in it, keeping it in line with its sources, and finding in it.

Chroma keeps the chunks; a collection that is searched is held in memory whole, so that every chunk is scored exactly,
by meaning and by wording, and the two scores are fused (`ranking`).
"""

from __future__ import annotations

import hashlib
import re
import uuid
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, islice
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from chromadb.api import ClientAPI
from chromadb.api.collection_configuration import CreateCollectionConfiguration
from langchain_chroma import Chroma
from numpy.typing import NDArray

from bot import embedding
from bot.errors import LearnerError
from bot.records import Passage
from bot.retrieval import ranking
from bot.retrieval.chunks import HIDDEN, SUCCESSOR, Chunk, Unreadable, encodable, from_file
from bot.retrieval.client import Local, answering, connect, move_aside
from bot.retrieval.content import BUILTIN, builtin
from bot.retrieval.files import gathered, within
from bot.retrieval.lexical import Bm25, worded
from bot.retrieval.vectors import Vectors
from bot.retrieval.wording import Everyday
from bot.scenarios import Library
from bot.settings import Settings

Progress = Callable[[int, int, str], None]
Step = Callable[[int, int], None]
Where = Mapping[str, str | Collection[str]]
PREFIX = "huasu-"
COSINE = CreateCollectionConfiguration(hnsw={"space": "cosine"})
BATCH = 64
SHARES = 1000  # progress counts thousandths of a file, so that one big file moves too


@dataclass
class IndexReport:
    """What an update did to the chunks; `skipped` lists (file, reason)."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class _Held:
    """One collection as last read, its lists in the same order. `mark` changes with every write, by any process."""

    name: str
    mark: str
    keys: list[str]
    rows: list[dict[str, Any]]
    texts: list[str]
    vectors: embedding.Vectors
    words: Bm25
    docs: dict[str, list[int]]
    hidden: NDArray[np.bool_]


@dataclass(frozen=True)
class _Ranked:
    """Every chunk of some collections with its score for one question."""

    held: list[_Held]
    starts: list[int]
    score: NDArray[np.float64]

    def best(self) -> Iterator[tuple[_Held, int, float]]:
        """Collection, place and score of what may be shown, best first."""
        for at in np.argsort(-self.score, kind="stable"):
            if self.score[at] == -np.inf:
                return
            n = bisect_right(self.starts, at) - 1
            yield self.held[n], int(at) - self.starts[n], float(self.score[at])


class Index:
    """All collections of one Chroma. One instance may be shared by threads."""

    def __init__(
        self, client: ClientAPI, vectors: Vectors, everyday: Everyday, reopen: Callable[[], ClientAPI] | None = None
    ) -> None:
        self._client, self._vectors, self._everyday = client, vectors, everyday
        self._centre = vectors.centre()
        self._reopen = reopen  # for a folder, whose vectors an open client never sees change under it
        self._name = uuid.uuid4().hex  # signs this instance's writes
        self._seen: dict[str, str] = {}
        self._read: dict[str, _Held] = {}
        self._lock = Lock()

    @classmethod
    def open(cls, settings: Settings) -> Index:
        """The index the settings name. Raises `SetupError` when it is corrupt or the server does not answer."""
        vectors = Vectors(settings.content_dir, settings.data_dir / "vectors.db")
        everyday = Everyday.load(settings.content_dir)
        return cls(connect(settings), vectors, everyday, None if settings.chroma_url else lambda: connect(settings))

    @classmethod
    def rebuild(cls, settings: Settings) -> Index:
        """A clean index. A folder is moved aside whole; on a server only the built-in collections are dropped."""
        if not settings.chroma_url:
            move_aside(settings.index_dir)
            return cls.open(settings)
        index = cls.open(settings)
        with answering():
            for name in BUILTIN & index._marks().keys():
                index._client.delete_collection(PREFIX + name)
        return index

    def collections(self) -> dict[str, int]:
        """Chunks per collection that has any."""
        with answering():
            found = {c.name.removeprefix(PREFIX): c for c in self._client.list_collections()}
            counts = {name: c.count() for name, c in sorted(found.items()) if c.name.startswith(PREFIX)}
        return {name: n for name, n in counts.items() if n}

    def sync_knowledge(self, library: Library, progress: Progress | None = None) -> IndexReport:
        """Bring the built-in collections in line with the content; unchanged chunks cost nothing."""
        report = IndexReport()
        built = builtin(library, report.skipped)
        total, done = sum(map(len, built.values())), 0
        for name, chunks in built.items():
            stored = self._stored(name).get("", {})
            self._write(name, _keyed("", chunks), stored, report, _step(progress, done, total, name))
            done += len(chunks)
        return report

    def add_files(
        self, paths: Sequence[Path], collection: str = "library", progress: Progress | None = None
    ) -> IndexReport:
        """Take in files and folders; a bad file is reported and the rest goes on.

        A file that has gone from a folder named here goes from the index. Progress counts thousandths of a file.
        """
        report = IndexReport()
        files, folders = gathered(paths, report.skipped)
        stored = self._stored(collection)
        for i, (path, doc) in enumerate(files.items()):
            step = _step(progress, i, len(files), doc, SHARES)
            step(0, 1)
            try:
                chunks = from_file(path, doc)
            except Unreadable as reason:
                report.skipped.append((doc, str(reason)))
                continue
            self._write(collection, _keyed(str(path), chunks), stored.get(str(path), {}), report, step)
        for name in stored.keys() - {str(f) for f in files}:
            if within(Path(name), folders):
                self._write(collection, {}, stored[name], report, _step(None, 0, 0, ""))
        _step(progress, len(files), len(files), "", SHARES)(0, 1)
        return report

    def find(
        self, query: str, collection: str | None = None, k: int = 6, where: Where | None = None
    ) -> tuple[Passage, ...]:
        """The best passages, best first; over every collection unless one is named.

        `where` names metadata (kind, status, scenario …) that must equal a value, or one of several. What is marked
        hidden is found only when `where` asks for it. A rule that no longer holds stands below its successor.
        """
        best = islice(self._ranked(query, collection, where or {}).best(), max(k, 0))
        return tuple(_passage(held, at, score) for held, at, score in best)

    def rank(self, query: str, collection: str | None = None, k: int = 10) -> list[tuple[str, float]]:
        """Documents by their best passage, best first, with strictly falling scores."""
        found: dict[str, float] = {}
        for held, at, score in self._ranked(query, collection, {}).best():
            if len(found) >= k:
                break
            last = next(reversed(found.values()), score + 1)
            found.setdefault(str(held.rows[at]["doc"]), min(score, last - 1e-5))
        return list(found.items())

    def _ranked(self, query: str, collection: str | None, where: Where) -> _Ranked:
        asked = encodable(query)
        if not asked.strip():
            raise LearnerError("要找什么？请写几个字再搜。")
        held = self._held(collection)
        if not held:
            return _Ranked([], [], np.zeros(0))
        allowed = np.concatenate([_allowed(one, where) for one in held])
        toward = ranking.direction(asked, self._centre)
        near = np.concatenate([one.vectors @ toward for one in held]).astype(np.float64)
        shared = np.concatenate(worded([one.words for one in held], self._everyday.asked(asked)))
        starts = list(accumulate((len(one.keys) for one in held[:-1]), initial=0))
        places = [(start + i, one.rows[i]) for one, start in zip(held, starts, strict=True) for i in _repealed(one)]
        score = ranking.standing(
            ranking.fused(near, shared, allowed),
            [(at, str(row.get(SUCCESSOR, ""))) for at, row in places],
            lambda doc: [start + i for one, start in zip(held, starts, strict=True) for i in one.docs.get(doc, [])],
        )
        return _Ranked(held, starts, score)

    def _marks(self) -> dict[str, str]:
        """A mark per collection that changes with every write; opens the folder anew if somebody else has written."""
        with self._lock, answering():
            marks = {
                c.name.removeprefix(PREFIX): f"{c.id} {(c.metadata or {}).get('revision')}"
                for c in sorted(self._client.list_collections(), key=lambda c: c.name)
                if c.name.startswith(PREFIX)
            }
            foreign = [n for n, m in marks.items() if self._seen.get(n, m) != m and self._name not in m]
            if foreign and self._reopen:
                self._client = self._reopen()
                self._read.clear()
            self._seen = marks
        return marks

    def _store(self, name: str) -> Chroma:
        if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,58}[A-Za-z0-9])?", name):
            raise LearnerError("集合名只能用字母、数字、点、横线和下划线，首尾用字母或数字。")
        with answering():
            return Chroma(
                PREFIX + name,
                embedding_function=Local(self._vectors),
                client=self._client,
                collection_configuration=COSINE,
            )

    def _held(self, collection: str | None) -> list[_Held]:
        named = [(name, mark) for name, mark in self._marks().items() if collection in (None, name)]
        held = [one for name, mark in named if (one := self._current(name, mark)).keys]
        if collection is not None and not held:
            have = "、".join(self.collections()) or "（空）"
            raise LearnerError(f"没有集合 {collection!r}。现有：{have}。先用 huasu index 建立。")
        return held

    def _current(self, name: str, mark: str) -> _Held:
        with self._lock:
            held = self._read.get(name)
            if held is None or held.mark != mark:
                held = self._read[name] = _load(name, mark, self._store(name))
            return held

    def _stored(self, name: str) -> dict[str, dict[str, str]]:
        """Digest by chunk key, by the file they came from (empty for built-in content)."""
        self._marks()  # never write on top of a state that is out of date
        store = self._store(name)
        with answering():
            rows = store.get(include=["metadatas"])
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for key, meta in zip(rows["ids"], rows["metadatas"], strict=True):
            found[str(meta.get("file", ""))][key] = str(meta.get("digest", ""))
        return dict(found)

    def _write(
        self, name: str, wanted: Mapping[str, Chunk], stored: Mapping[str, str], report: IndexReport, step: Step
    ) -> None:
        """Make the stored chunks of one source the wanted ones, batch by batch, and count what was done."""
        gone = [key for key in stored if key not in wanted]
        fresh = [(key, c) for key, c in wanted.items() if stored.get(key) != c.digest]
        kept = len(wanted) - len(fresh)
        report.added += sum(key not in stored for key, _ in fresh)
        report.updated += sum(key in stored for key, _ in fresh)
        report.unchanged += kept
        report.removed += len(gone)
        step(kept, len(wanted))
        if not gone and not fresh:
            return
        store = self._store(name)
        if gone:
            with answering():
                store.delete(gone)
                self._revise(name)
        for i in range(0, len(fresh), BATCH):
            part = fresh[i : i + BATCH]
            with answering():
                store.add_texts([c.said for _, c in part], [c.stored for _, c in part], [key for key, _ in part])
                self._revise(name)
            step(kept + i + len(part), len(wanted))

    def _revise(self, name: str) -> None:
        """Tell every reader, in this process or another, that what it has read is out of date."""
        found = self._client.get_collection(PREFIX + name, embedding_function=None)
        found.modify(metadata={"revision": f"{self._name}-{uuid.uuid4().hex}"})


def _load(name: str, mark: str, store: Chroma) -> _Held:
    with answering():
        got = store.get(include=["documents", "metadatas", "embeddings"])
    texts, rows = [str(t) for t in got["documents"]], [dict(row) for row in got["metadatas"]]
    docs: dict[str, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        docs[str(row["doc"])].append(i)
    vectors = np.asarray(got["embeddings"], dtype=np.float32).reshape(len(rows), embedding.DIMENSIONS)
    hidden = np.array([row.get(HIDDEN) == "true" for row in rows], dtype=bool)
    return _Held(name, mark, list(got["ids"]), rows, texts, vectors, Bm25(texts), dict(docs), hidden)


def _allowed(held: _Held, where: Where) -> NDArray[np.bool_]:
    allowed = np.ones(len(held.keys), dtype=bool) if HIDDEN in where else ~held.hidden
    for name, value in where.items():
        wanted = (value,) if isinstance(value, str) else tuple(value)
        allowed &= np.array([row.get(name, "") in wanted for row in held.rows], dtype=bool)
    return allowed


def _repealed(held: _Held) -> list[int]:
    return [i for i, row in enumerate(held.rows) if row.get("status") in ranking.REPEALED]


def _keyed(file: str, chunks: Sequence[Chunk]) -> dict[str, Chunk]:
    """Chunks by a key that is stable, unlike any other file's, and does not show where the file lies."""
    source = f"{Path(file).name}@{hashlib.sha256(file.encode()).hexdigest()[:8]}::" if file else ""
    keyed: dict[str, Chunk] = {}
    for c in chunks:
        key = source + c.id
        while key in keyed:  # two sections may share a heading
            key += "+"
        keyed[key] = c.of(file) if file else c
    return keyed


def _passage(held: _Held, at: int, score: float) -> Passage:
    meta = held.rows[at]
    shown = {name: str(meta.get(name, "")) for name in ("status", "conf", "kind", "level")}
    return Passage(
        id=held.keys[at], doc=str(meta["doc"]), collection=held.name, title=str(meta["title"]), score=score,
        text=held.texts[at][int(meta.get("lead", 0)) :], **shown,
    )  # fmt: skip


def _step(progress: Progress | None, done: int, total: int, what: str, share: int = 0) -> Step:
    """Report progress within one source: as so many items of `total`, or as a `share` of one item."""

    def step(part: int, whole: int) -> None:
        if progress and share:
            progress(done * share + (share * part // whole if whole else 0), total * share, what)
        elif progress:
            progress(done + part, total, what)

    return step

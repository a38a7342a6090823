"""The index: what is in it, keeping it in line with its sources, and finding in it.

A query is ranked twice, by cosine of embeddings and by BM25 over character bigrams, and the two ranks are fused.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from chromadb.api import ClientAPI
from chromadb.api.collection_configuration import CreateCollectionConfiguration
from langchain_chroma import Chroma

from bot.errors import LearnerError
from bot.records import Passage
from bot.retrieval.chunks import HIDDEN, Chunk, Unreadable, encodable, from_file
from bot.retrieval.client import Local, answering, connect, move_aside
from bot.retrieval.content import BUILTIN, builtin
from bot.retrieval.files import gathered, within
from bot.retrieval.lexical import Bm25
from bot.scenarios import Library
from bot.settings import Settings

Progress = Callable[[int, int, str], None]
Step = Callable[[int, int], None]
PREFIX = "huasu-"
COSINE = CreateCollectionConfiguration(hnsw={"space": "cosine"})
DEPTH = 40  # candidates taken from each of the two rankings
NEAR, WORDED, RRF = 2.0, 1.0, 10  # weights and constant of reciprocal-rank fusion, chosen by measuring both
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
    """One collection as last read. `mark` changes with every write, by whichever process."""

    mark: str
    store: Chroma
    bm25: Bm25
    rows: dict[str, dict[str, Any]]
    texts: dict[str, str]
    hides: bool


class Index:
    """All collections of one Chroma. One instance may be shared by threads."""

    def __init__(self, client: ClientAPI, reopen: Callable[[], ClientAPI] | None = None) -> None:
        self._client = client
        self._reopen = reopen  # for a folder, whose vectors an open client never sees change under it
        self._name = uuid.uuid4().hex  # signs this instance's writes
        self._seen: dict[str, str] = {}
        self._read: dict[str, _Held] = {}
        self._lock = Lock()

    @classmethod
    def open(cls, settings: Settings) -> Index:
        """The index the settings name. Raises `SetupError` when it is corrupt or the server does not answer."""
        return cls(connect(settings), None if settings.chroma_url else lambda: connect(settings))

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
        self, query: str, collection: str | None = None, k: int = 6, where: Mapping[str, str] | None = None
    ) -> tuple[Passage, ...]:
        """The best passages, best first; over every collection unless one is named.

        `where` names metadata that must be equal. What is marked hidden is found only when `where` asks for it.
        """
        asked = encodable(query)
        if not asked.strip():
            raise LearnerError("要找什么？请写几个字再搜。")
        held, wanted, depth = self._held(collection), dict(where or {}), max(k, DEPTH)
        scores: dict[tuple[str, str], float] = defaultdict(float)
        for weight, order in ((NEAR, _near(asked, held, wanted, depth)), (WORDED, _worded(asked, held, wanted, depth))):
            for place, at in enumerate(order, 1):
                scores[at] += weight / (RRF + place)
        best = sorted(scores, key=lambda at: (-scores[at], at))[: max(k, 0)]
        return tuple(_passage(name, key, held[name], scores[name, key]) for name, key in best)

    def rank(self, query: str, collection: str | None = None, k: int = 10) -> list[tuple[str, float]]:
        """Documents by their best passage, best first, with strictly falling scores."""
        depth = max(DEPTH, 4 * k)
        while True:
            passages, best = self.find(query, collection, depth), dict[str, float]()
            for p in passages:
                best.setdefault(p.doc, p.score)
            if len(best) >= k or len(passages) < depth:
                break
            depth *= 4  # a few long documents filled the list: look further down
        ranked: list[tuple[str, float]] = []
        for doc, score in list(best.items())[: max(k, 0)]:
            ranked.append((doc, min(score, ranked[-1][1] * (1 - 1e-4)) if ranked else score))
        return ranked

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
                PREFIX + name, embedding_function=Local(), client=self._client, collection_configuration=COSINE
            )

    def _held(self, collection: str | None) -> dict[str, _Held]:
        named = [(name, mark) for name, mark in self._marks().items() if collection in (None, name)]
        held = {name: one for name, mark in named if (one := self._current(name, mark)).rows}
        if collection is not None and not held:
            have = "、".join(self.collections()) or "（空）"
            raise LearnerError(f"没有集合 {collection!r}。现有：{have}。先用 huasu index 建立。")
        return held

    def _current(self, name: str, mark: str) -> _Held:
        with self._lock:
            held = self._read.get(name)
            if held is None or held.mark != mark:
                held = self._read[name] = _load(mark, self._store(name))
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


def _load(mark: str, store: Chroma) -> _Held:
    with answering():
        got = store.get(include=["documents", "metadatas"])
    texts = dict(zip(got["ids"], map(str, got["documents"]), strict=True))
    rows = dict(zip(got["ids"], got["metadatas"], strict=True))
    return _Held(mark, store, Bm25(texts), rows, texts, any(HIDDEN in meta for meta in rows.values()))


def _near(query: str, held: Mapping[str, _Held], wanted: Mapping[str, str], depth: int) -> list[tuple[str, str]]:
    """The `depth` nearest chunks by cosine, as (collection, key), best first."""
    vector = Local().embed_query(query) if held else []
    found = []
    for name, one in held.items():
        with answering():
            # despite that name these are cosine distances: smaller is nearer
            hits = one.store.similarity_search_by_vector_with_relevance_scores(
                embedding=vector,
                k=min(depth, len(one.rows)),
                filter=_rule(wanted, one.hides),
            )
        # a chunk written since `one` was read is left for the next query
        found += [(far, name, d.id) for d, far in hits if d.id in one.rows]
    return [(name, key) for _, name, key in sorted(found)[:depth]]


def _worded(query: str, held: Mapping[str, _Held], wanted: Mapping[str, str], depth: int) -> list[tuple[str, str]]:
    """The `depth` chunks that share most with the query's wording, as (collection, key), best first."""
    found = [
        (-score, name, key)
        for name, one in held.items()
        for key, score in one.bm25.scores(query).items()
        if _fits(one.rows[key], wanted)
    ]
    return [(name, key) for _, name, key in sorted(found)[:depth]]


def _rule(wanted: Mapping[str, str], hides: bool) -> dict[str, Any] | None:
    """`_fits`, as Chroma wants it said."""
    rules: list[dict[str, Any]] = [{key: value} for key, value in wanted.items()]
    if hides and HIDDEN not in wanted:
        rules.append({HIDDEN: {"$ne": "true"}})
    return {"$and": rules} if len(rules) > 1 else next(iter(rules), None)


def _fits(meta: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    if meta.get(HIDDEN) == "true" and HIDDEN not in wanted:
        return False
    return all(meta.get(key) == value for key, value in wanted.items())


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


def _passage(collection: str, key: str, held: _Held, score: float) -> Passage:
    meta = held.rows[key]
    return Passage(
        id=key, doc=str(meta["doc"]), collection=collection, title=str(meta["title"]), score=score,
        text=held.texts[key][int(meta.get("lead", 0)) :],
        status=str(meta.get("status", "")), conf=str(meta.get("conf", "")),
    )  # fmt: skip


def _step(progress: Progress | None, done: int, total: int, what: str, share: int = 0) -> Step:
    """Report progress within one source: as so many items of `total`, or as a `share` of one item."""

    def step(part: int, whole: int) -> None:
        if progress and share:
            progress(done * share + (share * part // whole if whole else 0), total * share, what)
        elif progress:
            progress(done + part, total, what)

    return step

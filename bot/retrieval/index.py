"""The index: what is in it, keeping it in line with its sources, and finding in it.

Chroma keeps the chunks; a collection that is searched is held in memory whole, so that every chunk is scored exactly,
by meaning and by wording, and the scores are fused (`search`).
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, islice
from pathlib import Path
from threading import Lock

from chromadb.api import ClientAPI
from chromadb.api.collection_configuration import CreateCollectionConfiguration
from langchain_chroma import Chroma

from bot.errors import LearnerError
from bot.records import Passage
from bot.retrieval import ranking
from bot.retrieval.asks import asked
from bot.retrieval.chunks import ASKS, Chunk, encodable
from bot.retrieval.client import Local, answering, connect, move_aside
from bot.retrieval.content import BUILTIN, builtin
from bot.retrieval.files import fingerprint, gathered, twin_of, within
from bot.retrieval.held import Held, Where
from bot.retrieval.readers import Unreadable, from_file, repeated
from bot.retrieval.search import Scores, Searched
from bot.retrieval.vectors import Vectors
from bot.retrieval.wording import Everyday
from bot.scenarios import Library
from bot.settings import Settings

Progress = Callable[[int, int, str], None]
Step = Callable[[int, int], None]
PREFIX = "huasu-"
COSINE = CreateCollectionConfiguration(hnsw={"space": "cosine"})
BATCH = 64
SHARES = 1000  # progress counts thousandths of a file, so that one big file moves too


@dataclass
class IndexReport:
    """What an update did to the chunks; `skipped` and `notices` list (file, what about it)."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    notices: list[tuple[str, str]] = field(default_factory=list)


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
        self._read: dict[str, Held] = {}
        self._last: Searched | None = None
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
            stored = self._stored(name)[0].get("", {})
            self._write(name, _keyed(chunks), stored, report, _step(progress, done, total, name))
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
        stored, sources = self._stored(collection)
        for i, (path, doc) in enumerate(files.items()):
            step = _step(progress, i, len(files), doc, SHARES)
            step(0, 1)
            mine, print_ = stored.get(str(path), {}), fingerprint(path)
            if twin := twin_of(path, print_, sources):
                report.skipped.append((doc, f"与 {twin} 内容相同，没有重复加入"))
                self._write(collection, {}, mine, report, step)
                continue
            try:
                chunks = from_file(path, doc)
            except Unreadable as reason:
                report.skipped.append((doc, str(reason)))
                continue
            report.notices += [(doc, said) for said in (repeated(chunks),) if said]
            self._write(collection, _keyed(chunks, str(path), print_), mine, report, step)
            sources[print_] = str(path)
        for name in stored.keys() - {str(f) for f in files}:
            if within(Path(name), folders):
                self._write(collection, {}, stored[name], report, _step(None, 0, 0, ""))
        _step(progress, len(files), len(files), "", SHARES)(0, 1)
        return report

    def forget(self, file: Path, collection: str = "library") -> IndexReport:
        """Take everything out that was read from one file."""
        report, (stored, _) = IndexReport(), self._stored(collection)
        self._write(collection, {}, stored.get(str(file), {}), report, _step(None, 0, 0, ""))
        return report

    def find(
        self, query: str, collection: str | None = None, k: int = 6, where: Where | None = None
    ) -> tuple[Passage, ...]:
        """The best passages, best first; over every collection unless one is named.

        `where` names metadata (kind, status, scenario …) that must equal a value, or one of several. What is marked
        hidden is found only when `where` asks for it. A rule that no longer holds stands below its successor.
        """
        searched, scores = self._scored(query, collection, where or {})
        best = islice(searched.best(searched.spread(scores)), max(k, 0))
        return tuple(held.passage(at, score) for held, at, score in best)

    def rank(self, query: str, collection: str | None = None, k: int = 10) -> list[tuple[str, float]]:
        """Documents by their best passage, best first, with strictly falling scores."""
        found: dict[str, float] = {}
        searched, scores = self._scored(query, collection, {})
        for held, at, score in searched.best(scores):
            if len(found) >= k:
                break
            last = next(reversed(found.values()), score + 1)
            found.setdefault(str(held.rows[at]["doc"]), min(score, last - 1e-5))
        return list(found.items())

    def terms(self, query: str) -> tuple[str, ...]:
        """What to point out in the passages found for a query."""
        return self._everyday.terms(self._everyday.plain(encodable(query)))

    def documents(self, collection: str | None = None) -> tuple[Passage, ...]:
        """The first passage of every document, by collection and name; what is marked hidden is left out."""
        return tuple(
            held.passage(places[0])
            for held in self.held(collection)
            for _, places in sorted(held.docs.items())
            if not held.hidden[places[0]]
        )

    def read(self, doc: str, collection: str | None = None) -> tuple[Passage, ...]:
        """A document's passages in their order; none when there is no such document."""
        return tuple(
            held.passage(at) for held in self.held(collection) for at in held.docs.get(doc, []) if not held.hidden[at]
        )

    def _scored(self, query: str, collection: str | None, where: Where) -> tuple[Searched, Scores]:
        said = self._everyday.plain(encodable(query))
        if not said.strip():
            raise LearnerError("要找什么？请写几个字再搜。")
        held = self.held(collection)
        if collection is not None and not held:
            have = "、".join(self.collections()) or "（空）"
            raise LearnerError(f"没有集合 {collection!r}。现有：{have}。先用 huasu index 建立。")
        searched = self._together(held)
        return searched, searched.scores(ranking.direction(said, self._centre), self._everyday.asked(said), where)

    def _together(self, held: list[Held]) -> Searched:
        """These collections as one; the last one is kept, for the next question is mostly put to the same."""
        last = self._last
        if last is None or len(last.held) != len(held) or any(a is not b for a, b in zip(last.held, held, strict=True)):
            last = self._last = Searched(held)
        return last

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

    def held(self, collection: str | None = None) -> list[Held]:
        """The collections as they are held in memory, read anew where somebody has written."""
        named = [(name, mark) for name, mark in self._marks().items() if collection in (None, name)]
        return [one for name, mark in named if (one := self._current(name, mark)).keys]

    def _current(self, name: str, mark: str) -> Held:
        with self._lock:
            held = self._read.get(name)
            if held is None or held.mark != mark:
                held = self._read[name] = Held.load(name, mark, self._store(name), self._vectors)
            return held

    def _stored(self, name: str) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
        """Digest by chunk key, by the file they came from (empty for built-in content); and that file by its hash."""
        self._marks()  # never write on top of a state that is out of date
        store = self._store(name)
        with answering():
            rows = store.get(include=["metadatas"])
        found: dict[str, dict[str, str]] = defaultdict(dict)
        sources: dict[str, str] = {}
        for key, meta in zip(rows["ids"], rows["metadatas"], strict=True):
            file = str(meta.get("file", ""))
            found[file][key] = str(meta.get("digest", ""))
            sources[str(meta.get("source", ""))] = file
        return dict(found), sources

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
            self._vectors.questions([q for _, c in part for q in asked(c.meta.get(ASKS))])  # so that reading is quick
            with answering():
                store.add_texts([c.said for _, c in part], [c.stored for _, c in part], [key for key, _ in part])
                self._revise(name)
            step(kept + i + len(part), len(wanted))

    def _revise(self, name: str) -> None:
        """Tell every reader, in this process or another, that what it has read is out of date."""
        found = self._client.get_collection(PREFIX + name, embedding_function=None)
        found.modify(metadata={"revision": f"{self._name}-{uuid.uuid4().hex}"})


def _keyed(chunks: Sequence[Chunk], file: str = "", print_: str = "") -> dict[str, Chunk]:
    """Chunks by a key that is stable, unlike any other file's, and does not show where the file lies."""
    source = f"{Path(file).name}@{hashlib.sha256(file.encode()).hexdigest()[:8]}::" if file else ""
    keyed: dict[str, Chunk] = {}
    more = {"file": file, "source": print_} if file else {}
    places: dict[str, count[int]] = defaultdict(count)
    for c in chunks:
        key = source + c.id
        while key in keyed:  # two sections may share a heading
            key += "+"
        keyed[key] = replace(c.with_meta(**more), seq=next(places[c.doc]))
    return keyed


def _step(progress: Progress | None, done: int, total: int, what: str, share: int = 0) -> Step:
    """Report progress within one source: as so many items of `total`, or as a `share` of one item."""

    def step(part: int, whole: int) -> None:
        if progress and share:
            progress(done * share + (share * part // whole if whole else 0), total * share, what)
        elif progress:
            progress(done + part, total, what)

    return step

"""Measure retrieval on questions as people ask them, beside wording alone and meaning alone, and its speed.

Run with ``python -m evals.retrieval [folder]`` (part of ``make bench``). Questions are the lines of every
``evals/retrieval/*.jsonl``: ``{id, query, gold: [document or chunk ids, any of which answers], split: dev|test}``.
Exits 1 when the test half misses the marks or a gold id is in no collection.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from bot import embedding
from bot.records import Passage
from bot.retrieval import Index
from bot.retrieval.held import Held
from bot.retrieval.lexical import Bm25, grams, worded
from bot.scenarios import load_library
from bot.settings import get_settings, load_settings

QUESTIONS = Path(__file__).parent / "retrieval"
DEPTH, BEST = 50, 10
WANTED_HIT = 0.95  # of the test half, within the first three
Search = Callable[[str], Sequence[Passage]]


@dataclass(frozen=True)
class Question:
    """A question and everything that answers it."""

    id: str
    query: str
    gold: frozenset[str]
    split: str

    def gains(self, found: Sequence[Passage]) -> list[bool]:
        """Which places of a result answer; a document counts once, at its first passage."""
        seen: set[str] = set()
        right: list[bool] = []
        for passage in found:
            name = passage.id if any("#" in g for g in self.gold) else passage.doc
            if name not in seen:
                seen.add(name)
                right.append(bool(self.gold & {passage.doc, passage.id, passage.id.rsplit("#", 1)[0]}))
        return right


@dataclass(frozen=True)
class Marks:
    """How one way of searching did on some questions."""

    hit1: float
    hit3: float
    hit5: float
    ndcg: float


def load(folder: Path = QUESTIONS) -> list[Question]:
    """Every question of a folder. Raises `ValueError` for one that is asked twice or has no answer."""
    found: dict[str, Question] = {}
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            question = Question(row["id"], row["query"], frozenset(row["gold"]), row["split"])
            if question.id in found or not question.gold or question.split not in ("dev", "test"):
                raise ValueError(f"{path.name}: {question.id}")
            found[question.id] = question
    return list(found.values())


def marks(questions: Sequence[Question], search: Search) -> Marks:
    """Hits within 1, 3 and 5 and nDCG@10, averaged."""
    gains = [q.gains(search(q.query)) for q in questions]
    hit1, hit3, hit5 = (statistics.fmean(any(g[:k]) for g in gains) for k in (1, 3, 5))
    return Marks(
        hit1, hit3, hit5, statistics.fmean(ndcg(g, len(q.gold)) for g, q in zip(gains, questions, strict=True))
    )


def ndcg(gains: Sequence[bool], answers: int) -> float:
    """Normalised discounted cumulative gain of the first ten places."""
    best = sum(1 / math.log2(place + 2) for place in range(min(BEST, answers)))
    return sum(1 / math.log2(place + 2) for place, right in enumerate(gains[:BEST]) if right) / best


def by_wording(held: Sequence[Held]) -> Search:
    """BM25 alone over the texts alone, with nothing but the words of the question."""
    plain = [Bm25(one.texts) for one in held]

    def search(query: str) -> list[Passage]:
        return _best(held, np.concatenate(worded(plain, dict.fromkeys(grams(query), 1.0))))

    return search


def by_meaning(held: Sequence[Held]) -> Search:
    """Cosine of embeddings alone."""
    return lambda query: _best(held, np.concatenate([one.vectors @ embedding.query(query) for one in held]))


def _best(held: Sequence[Held], score: np.ndarray) -> list[Passage]:
    places = [(one, i) for one in held for i in range(len(one.keys))]
    return [places[at][0].passage(places[at][1]) for at in np.argsort(-score, kind="stable")[:DEPTH]]


def latencies(index: Index, questions: Sequence[Question]) -> tuple[float, float]:
    """Median and 95th percentile of one search in milliseconds, each question worded so that nothing is cached."""
    taken = []
    for q in questions:
        start = time.perf_counter()
        index.find(f"{q.query}？", k=BEST)
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken), sorted(taken)[int(0.95 * (len(taken) - 1))]


def main(folder: Path = QUESTIONS) -> int:
    """Measure, print, judge."""
    root = get_settings().content_dir
    with tempfile.TemporaryDirectory() as home:
        start = time.perf_counter()
        index = Index.open(load_settings(data_dir=Path(home), content_dir=root, _env_file=None))
        added = index.sync_knowledge(load_library(root)).added
        print(f"首次建索引 {time.perf_counter() - start:.1f} 秒（{added} 段）")
        start = time.perf_counter()
        index.sync_knowledge(load_library(root))
        print(f"没有变化时 {time.perf_counter() - start:.2f} 秒")
        return _judged(index, load(folder))


def _judged(index: Index, questions: Sequence[Question]) -> int:
    held = index.held()
    known = {name for one in held for key, row in zip(one.keys, one.rows, strict=True)
             for name in (key, key.rsplit("#", 1)[0], str(row["doc"]))}  # fmt: skip
    lost = {q.id: sorted(q.gold - known) for q in questions if q.gold - known}
    median, slow = latencies(index, questions)
    table = Table("题组", "方法", "前1", "前3", "前5", "nDCG@10")
    ways = {"词面 BM25": by_wording(held), "语义": by_meaning(held), "融合": lambda q: index.find(q, k=DEPTH)}
    best: dict[str, dict[str, Marks]] = {}
    for split in ("dev", "test"):
        asked = [q for q in questions if q.split == split]
        best[split] = {name: marks(asked, search) for name, search in ways.items()}
        for name, m in best[split].items():
            row = (f"{x:.3f}" for x in (m.hit1, m.hit3, m.hit5, m.ndcg))
            table.add_row(f"{split}（{len(asked)} 题）", name, *row)
    Console().print(table)
    print(f"一次检索：中位 {median:.1f} ms，95% 在 {slow:.1f} ms 内（{sum(len(h.keys) for h in held)} 段）")
    for name, ids in lost.items():
        print(f"题 {name} 的答案不在知识库里：{'、'.join(ids)}")
    test = best["test"]
    fused, others = test["融合"], [m.ndcg for name, m in test.items() if name != "融合"]
    ok = fused.hit3 >= WANTED_HIT and fused.ndcg > max(others) and not lost
    print("通过" if ok else f"未达标：测试题前3命中应不低于 {WANTED_HIT}，且 nDCG@10 高于两种单一方法")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main(*(Path(a) for a in sys.argv[1:2])))

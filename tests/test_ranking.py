"""What is found first and why: wording, everyday speech, rules that no longer hold, and the vectors behind it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from bot import embedding
from bot.errors import ContentError
from bot.retrieval import Index, ranking
from bot.retrieval.asks import asked
from bot.retrieval.chunks import ASKS
from bot.retrieval.content import builtin
from bot.retrieval.lexical import Bm25, grams, worded
from bot.retrieval.vectors import Vectors, key, packed, unpacked
from bot.retrieval.wording import Everyday, arabic, chinese, numerals
from bot.scenarios import Library
from bot.settings import load_settings
from evals import retrieval as bench
from tests.conftest import ROOT
from tests.material import rows


def test_bm25_prefers_the_rarer_word_and_the_shorter_text() -> None:
    one = Bm25(["征信异议二十日内答复", "征信记录保存五年", "征信记录保存五年，另有规定的从其规定，并应当向本人说明"])
    scores = worded([one], dict.fromkeys(grams("征信异议"), 1.0))[0]
    assert scores.argmax() == 0 and scores[1] > scores[2] > 0
    assert worded([one], {})[0].tolist() == [0, 0, 0]
    assert Bm25([]).scores({1: 1.0}, 0).tolist() == []


def test_bm25_gives_the_textbook_score() -> None:
    """Robertson and Zaragoza 2009, k1 = 1.5, b = 0.75, worked out by hand for one gram in one of two texts."""
    score = worded([Bm25(["甲", "乙"])], dict.fromkeys(grams("甲"), 1.0))[0][0]
    assert score == pytest.approx(math.log(1 + 1.5 / 1.5) * 1 * 2.5 / (1 + 1.5))


def test_several_collections_score_as_one() -> None:
    texts = ["征信异议", "征信记录", "还款安排", "GB/T 45251 频次"]
    asked = dict.fromkeys(grams("征信 45251"), 1.0)
    whole = worded([Bm25(texts)], asked)[0]
    parts = np.concatenate(worded([Bm25(texts[:1]), Bm25(texts[1:])], asked))
    assert parts == pytest.approx(whole)


def test_numbers_are_read_in_both_ways_of_writing() -> None:
    for n in (1, 10, 12, 20, 25, 100, 105, 110, 115, 1005, 1042, 1100):
        assert arabic(chinese(n)) == n
    assert chinese(25) == "二十五" and chinese(1042) == "一千零四十二"
    assert numerals("第25条和第二十六条") == ["第二十五条", "第26条"]


def test_everyday_words_mean_the_terms_of_the_rules() -> None:
    words = Everyday({"老赖": ["失信被执行人"], "告": ["起诉"], "告诉": []}, ["怎么办", "怎么算"])
    assert words.formal("他是老赖，我要告他") == ["失信被执行人", "起诉"]
    assert words.formal("告诉他") == []
    wanted = words.asked("老赖怎么办")
    said, meant, usual = (next(iter(grams(w))) for w in ("赖", "失", "怎"))
    assert wanted[said] > wanted[meant] > 0
    assert wanted[usual] < wanted[said]  # every question says it


def test_a_dialect_is_read_as_the_written_language() -> None:
    words = Everyday({"不还": ["逾期"]}, ["怎么办"], {"唔还": "不还", "唔": "不", "佢": "他"})
    assert words.plain("佢唔还点算") == "他不还点算"
    assert "不喜欢" not in Everyday.load(ROOT).plain("我喜欢")
    assert Everyday.load(ROOT).plain("揾唔到佢屋企人点算") == "找不到他家里人怎么办"


def test_broken_everyday_words_are_said(tmp_path: Path) -> None:
    folder = tmp_path / "knowledge" / "retrieval"
    folder.mkdir(parents=True)
    (folder / "everyday.yaml").write_text("words: [一]", encoding="utf-8")
    with pytest.raises(ContentError, match="everyday"):
        Everyday.load(tmp_path)


def test_the_shipped_words_are_sound() -> None:
    words = Everyday.load(ROOT)
    assert "失信被执行人" in words.formal("老赖")
    assert words.formal("我告诉您") != words.formal("我要告您")


def test_a_law_is_found_by_its_number_in_the_other_writing(index: Index, tmp_path: Path) -> None:
    index.add_files([rows(tmp_path / "a.jsonl", *({"id": f"a{n}", "text": f"第{chinese(n)}条 本条规定第{n}号事项。"}
                                                  for n in range(20, 40)))])  # fmt: skip
    assert index.rank("第25条", None, 1)[0][0] == "a25"


def test_a_repealed_rule_stands_below_its_successor(index: Index, tmp_path: Path) -> None:
    index.add_files([rows(
        tmp_path / "a.jsonl",
        {"id": "old", "text": "催收频次每日不超过三次。", "status": "已废止", "superseded_by": "new"},
        {"id": "new", "text": "每天最多拨打三次，另有约定的除外。", "status": "现行"},
        {"id": "other", "text": "征信异议二十日内答复。", "status": "现行"},
    )])  # fmt: skip
    found = index.find("催收频次每日不超过三次")
    order = [p.doc for p in found]
    assert order.index("new") < order.index("old")
    assert {p.doc: p.repealed for p in found} == {"old": True, "new": False, "other": False}
    assert [p.doc for p in index.find("催收频次", where={"status": "现行"})] == ["new", "other"]
    assert {p.doc for p in index.find("催收频次", where={"status": ("现行", "已废止")})} == {"old", "new", "other"}


def test_standing_without_a_successor_only_fades() -> None:
    score = np.array([1.0, 0.2])
    assert ranking.standing(score, [(0, [])], lambda doc: []).tolist() == [1.0 - ranking.FADED, 0.2]
    assert ranking.standing(score, [(0, ["b"])], lambda doc: [1])[0] < 0.2


def test_scores_are_stretched_over_what_is_allowed() -> None:
    raw, allowed = np.array([9.0, 3.0, 1.0]), np.array([False, True, True])
    assert ranking.stretched(raw, allowed)[1:].tolist() == [1.0, 0.0]
    assert ranking.stretched(np.ones(3), allowed).tolist() == [0, 0, 0]
    assert ranking.weighed({"meaning": raw}, allowed)[0] == -np.inf


def test_a_document_is_read_in_its_order(index: Index, tmp_path: Path) -> None:
    law = tmp_path / "细则.txt"
    law.write_text(
        "第一章 总则\n第一条 为了规范，制定本细则。\n第二条 客户可以分期。\n第二章 附则\n第三条 自公布之日起施行。\n",
        encoding="utf-8",
    )
    index.add_files([law])
    assert [p.section for p in index.read("细则.txt")] == [
        "第一章 总则 第一条",
        "第一章 总则 第二条",
        "第二章 附则 第三条",
    ]
    assert [p.doc for p in index.documents()] == ["细则.txt"]
    ids = {p.id for p in index.read("细则.txt")}
    law.write_text(law.read_text(encoding="utf-8").replace("第二章", "第一条之一 新的一条。\n第二章"), encoding="utf-8")
    index.add_files([law])
    assert ids < {p.id for p in index.read("细则.txt")}  # what was there keeps its name


def test_vectors_are_made_once_and_survive_as_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = Vectors(ROOT, tmp_path / "vectors.db")
    text = "这一句只在这个测试里出现。"
    made = vectors.passages([text, text])
    assert made.shape == (2, embedding.DIMENSIONS) and np.linalg.norm(made[0]) == pytest.approx(1, abs=1e-5)
    assert float(made[0] @ embedding.passages([text])[0]) > 0.9995
    monkeypatch.setattr(embedding, "passages", lambda texts: pytest.fail("embedded again"))
    assert np.array_equal(Vectors(ROOT, tmp_path / "vectors.db").passages([text])[0], made[0])


def test_a_broken_cache_only_costs_time(tmp_path: Path) -> None:
    (tmp_path / "vectors.db").write_bytes(b"garbage" * 500)
    assert Vectors(ROOT, tmp_path / "vectors.db").passages(["坏了也能用的一句。"]).shape == (1, embedding.DIMENSIONS)


def test_packing_keeps_the_direction() -> None:
    vector = np.random.default_rng(1).normal(size=(3, embedding.DIMENSIONS)).astype(np.float32)
    back = unpacked(packed(vector))
    assert all(float(a @ b / np.linalg.norm(a)) > 0.999 for a, b in zip(vector, back, strict=True))


def test_the_shipped_vectors_are_of_the_shipped_texts(library: Library) -> None:
    """Fails when content has changed: run ``python -m bot.retrieval.ship``."""
    shipped = set(Vectors(ROOT, ROOT / "none").shipped)
    chunks = [c for found in builtin(library, []).values() for c in found]
    texts, asks = [c.said for c in chunks], {q for c in chunks for q in asked(c.meta.get(ASKS))}
    wanted = (
        {key("passage", t) for t in texts}
        | {key("question", q) for q in asks}
        | {key("asked", "\n".join(Vectors(ROOT, ROOT / "none").asked))}
    )
    assert wanted == shipped, "stale: python -m bot.retrieval.ship"
    sample = texts[:: len(texts) // 5]
    stored = Vectors(ROOT, ROOT / "none").passages(sample)
    assert all(float(a @ b) > 0.999 for a, b in zip(stored, embedding.passages(sample), strict=True))


def test_texts_embedded_side_by_side_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"第{n}条 并行的结果和一句一句的一样。" for n in range(40)]
    together = embedding.passages(texts)
    embedding._recent.clear()
    assert np.array_equal(together, np.vstack([embedding.passages([t]) for t in texts]))


def test_the_questions_are_whole_and_their_answers_exist(library: Library) -> None:
    questions = bench.load()
    docs = {name for chunks in builtin(library, []).values() for c in chunks for name in (c.doc, c.id)}
    assert len(questions) >= 200
    assert all(q.gold <= docs for q in questions), [q.id for q in questions if not q.gold <= docs]


def test_marks_are_worked_out_as_they_should_be() -> None:
    from bot.records import Passage

    def passage(doc: str, n: int = 0) -> Passage:
        return Passage(id=f"{doc}#{n}", doc=doc, collection="c", title="", text="", score=1)

    question = bench.Question("q", "?", frozenset({"b", "d"}), "dev")
    found = [passage("a"), passage("a", 1), passage("b"), passage("b", 1), passage("c"), passage("d")]
    assert question.gains(found) == [False, True, False, True]
    marks = bench.marks([question], lambda query: found)
    assert (marks.hit1, marks.hit3, marks.hit5) == (0, 1, 1)
    assert marks.ndcg == pytest.approx((1 / math.log2(3) + 1 / math.log2(5)) / (1 + 1 / math.log2(3)))


def test_fused_search_beats_either_method_on_the_questions(with_index: Path) -> None:
    index = Index.open(load_settings(data_dir=with_index, content_dir=ROOT, _env_file=None))
    asked = [q for q in bench.load() if q.split == "test"][::3]
    held = index.held()
    fused = bench.marks(asked, lambda query: index.find(query, k=bench.DEPTH))
    for search in (bench.by_wording(held), bench.by_meaning(held)):
        assert fused.ndcg > bench.marks(asked, search).ndcg
    assert fused.hit3 >= 0.85

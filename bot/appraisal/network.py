"""The trained reader at run time: a reply and the customer's line in, a score per code and its place out.

Plain data only: ``knowledge/appraisal/reader/`` holds an int8 ONNX network and its vocabulary, both made by
``evals/appraisal``. It runs in onnxruntime on one thread, so two readings of the same words are identical.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.appraisal.lexicon import Hit
from bot.appraisal.segments import Span, fold
from bot.errors import ContentError

Floats = NDArray[np.float32]
FOLDER, NETWORK, VOCABULARY, DECISIONS = "reader", "network.onnx", "vocabulary.json", "decisions.json"
CUSTOMER_TOKENS, REPLY_TOKENS = 64, 320
BEGIN, END = 0, 2
BY_ITSELF = frozenset({
    "threat_intimidate", "impersonate_authority", "disclose_third_party", "harass_contact", "induce_borrow", "insult",
    "false_promise_credit", "false_info", "hide_identity", "off_hours_freq", "obstruct_complaint", "private_payment",
    "leak_internal", "privacy_overcollect",
})  # fmt: skip
"""Breaches that are there whatever the customer said; an angry customer must not make a kind reply look like one."""
SURE = 0.8  # base strength of a code that only just reached its threshold
NEAR = 1.5  # tokens within this many logits of the best one belong to the evidence


@dataclass(frozen=True)
class Scores:
    """Logits per code, in the taxonomy's order; `mark` is the mark of 1–5 a trainer would give the reply."""

    codes: Floats
    tokens: Floats
    places: tuple[tuple[int, int], ...]
    mark: float

    def where(self, code: int) -> Span:
        """The words that speak most for a code, as a span of the reply."""
        if not self.places:
            return Span(0, 0)
        column = self.tokens[:, code]
        first = last = int(column.argmax())
        floor = column[first] - NEAR
        while first > 0 and column[first - 1] >= floor:
            first -= 1
        while last + 1 < len(column) and column[last + 1] >= floor:
            last += 1
        return Span(self.places[first][0], self.places[last][1])

    def placed(self, original: Callable[[int, int], tuple[int, int]]) -> Scores:
        """The same scores of a rewritten reply, with their places in the original."""
        return replace(self, places=tuple(original(start, end) for start, end in self.places))


class Network:
    """The network and what was decided from it, loaded once. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        """Raises `ContentError` when a file is missing or broken."""
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._tokens = Tokenizer.from_file(str(folder / VOCABULARY))
            self._network = onnxruntime.InferenceSession(
                str(folder / NETWORK), options, providers=["CPUExecutionProvider"]
            )
            decided = json.loads((folder / DECISIONS).read_text(encoding="utf-8"))["codes"]
        except Exception:  # both libraries raise bare exceptions of their own
            raise ContentError(
                f"识别模型损坏或缺失（{folder.name}）。请重新安装，或运行 make train-appraisal。"
            ) from None
        self._decided: dict[str, tuple[float, float]] = {c: (d["bonus"], d["threshold"]) for c, d in decided.items()}
        self._by_itself = [(i, *self._decided[code]) for i, code in enumerate(self._decided) if code in BY_ITSELF]

    def read(self, reply: str, customer: str = "") -> Scores:
        """Scores of one reply; a long one is read in windows and keeps the highest score of each code.

        A breach must show in the reply itself: one that shows beside the customer's line is read without it too, and
        the lower score counts.
        """
        said = self._tokens.encode(plain(reply), add_special_tokens=False)
        heard = self._tokens.encode(plain(customer), add_special_tokens=False).ids
        scores = self._windowed(said.ids, said.offsets, heard)
        if not heard or not any(scores.codes[i] + bonus >= bar for i, bonus, bar in self._by_itself):
            return scores  # the lower score counts, and this one charges nothing
        alone = self._windowed(said.ids, said.offsets, [])
        codes = scores.codes.copy()
        charged = [i for i, _, _ in self._by_itself]
        codes[charged] = np.minimum(codes, alone.codes)[charged]
        return replace(scores, codes=codes)

    def _windowed(self, said: Sequence[int], places: Sequence[tuple[int, int]], heard: Sequence[int]) -> Scores:
        starts = range(0, max(1, len(said)), REPLY_TOKENS)
        parts = [self._run(heard, said[i : i + REPLY_TOKENS]) for i in starts]
        codes = np.max([codes for codes, _, _ in parts], axis=0)
        tokens = np.concatenate([tokens for _, tokens, _ in parts])
        mark = float(np.clip(np.mean([mark for _, _, mark in parts]), 1.0, 5.0))
        return Scores(codes, tokens, tuple(places), mark)

    def _run(self, heard: Sequence[int], said: Sequence[int]) -> tuple[Floats, Floats, float]:
        ids, part, shift = framed(heard, said)
        given = {"ids": np.asarray([ids], np.int64), "part": np.asarray([part], np.int64)}
        codes, tokens, mark = self._network.run(None, given)
        return codes, tokens[shift : shift + len(said)], mark.item()

    def decide(self, scores: Scores, ruled: Sequence[Hit]) -> list[Hit]:
        """The codes whose score, raised where a word rule agrees, reaches its threshold, and what a rule is sure of."""
        by_rule: dict[str, list[Hit]] = defaultdict(list)
        for hit in ruled:
            by_rule[hit.code].append(hit)
        found: list[Hit] = []
        for i, (code, (bonus, threshold)) in enumerate(self._decided.items()):
            over = float(scores.codes[i]) + (bonus if code in by_rule else 0.0) - threshold
            if over < 0 and not any(h.sure for h in by_rule.get(code, ())):
                continue
            found += by_rule.get(code) or [Hit(code, scores.where(i), min(1.0, SURE + over / 10))]
        return sorted(found, key=lambda h: (h.span.start, h.code))


def plain(text: str) -> str:
    """Text as the network was trained on it; the same length as the original."""
    lower = text.lower()
    return fold(lower if len(lower) == len(text) else text)


def framed(customer: Sequence[int], reply: Sequence[int]) -> tuple[list[int], list[int], int]:
    """Token ids of `<s> customer </s> reply </s>`, 1 for tokens of the reply, and where the reply begins."""
    heard, said = list(customer[-CUSTOMER_TOKENS:]), list(reply[:REPLY_TOKENS])
    ids = [BEGIN, *heard, END, *said, END]
    shift = len(heard) + 2
    return ids, [0] * shift + [1] * len(said) + [0], shift

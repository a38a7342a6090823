"""Train the reader: ``python -m evals.appraisal.train`` (needs PyTorch; minutes on two cores; seeded).

Writes the weights to ``--out``; ``evals.appraisal.export`` turns them into what the product ships.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from bot.appraisal.network import REPLY_TOKENS, framed, plain
from bot.scenarios import load_library
from evals.appraisal import base, data, pieces
from evals.appraisal.data import Row
from evals.appraisal.net import Reader

ROOT = Path(__file__).parents[2]
EPOCHS, BATCH, PEAK_RATE, HEAD_RATE = 7, 24, 1.2e-4, 1.5e-3
OWN = 5  # how often more the replies are shown, when going on, that everything else is calibrated on
GO_ON = 0.5  # of the learning rate, when going on from trained weights
UNJUDGED, CONTRARY, TOKEN, MARK = 0.15, 2.0, 0.6, 0.15  # weights of parts of the loss
JOINED, UNHEARD = 0.35, 0.12  # how often two replies are joined, and the customer's line is left out
STEP = 16  # lengths are rounded up, since a shape not met before costs time to prepare
ALONE = frozenset(
    {"premature_lead", "early_explain", "vent_hold", "brush_off", "canned_script", "crisis_ignore", "warm_close"}
)


@dataclass(frozen=True)
class Sample:
    """A row as numbers: token ids, 1 for tokens of the reply, targets and weights per code, targets per token."""

    ids: list[int]
    part: list[int]
    target: Tensor
    weight: Tensor
    tokens: list[tuple[int, int, int]]  # code, first token, last token + 1
    mark: float


class Encoder:
    """Rows to samples."""

    def __init__(self, tokenizer: Tokenizer, codes: Sequence[str]) -> None:
        self.tokenizer, self.codes = tokenizer, {c: i for i, c in enumerate(codes)}

    def sample(self, row: Row) -> Sample:
        said, heard = plain(row.reply), plain(row.customer)
        reply = self.tokenizer.encode(said, add_special_tokens=False)
        customer = self.tokenizer.encode(heard, add_special_tokens=False)
        ids, part, shift = framed(customer.ids, reply.ids)
        target, weight = torch.zeros(len(self.codes)), torch.ones(len(self.codes))
        if row.judged is not None:
            weight.fill_(UNJUDGED)
            weight[[self.codes[c] for c in row.judged]] = 1.0
        tokens = []
        for code, evidence in row.labels.items():
            i = self.codes[code]
            target[i], weight[i] = 1.0, 1.0
            span = _span(reply.offsets[:REPLY_TOKENS], row.reply, evidence)
            if span:
                tokens.append((i, span[0] + shift, span[1] + shift))
        for code in row.contrary:
            weight[self.codes[code]] = CONTRARY
        return Sample(ids, part, target, weight, tokens, float(row.mark or 0))


def _span(offsets: Sequence[tuple[int, int]], reply: str, evidence: str) -> tuple[int, int] | None:
    start = reply.find(evidence) if evidence else -1
    if start < 0:
        return None
    end = start + len(evidence)
    inside = [i for i, (a, b) in enumerate(offsets) if a < end and b > start and b > a]
    return (inside[0], inside[-1] + 1) if inside else None


def varied(rows: Sequence[Row], dice: random.Random) -> list[Row]:
    """The rows of one epoch: some joined to another, some without the customer's line."""
    free = [r for r in rows if r.judged is None and not ALONE & r.labels.keys() and len(r.reply) < 90]
    made = []
    for row in rows:
        if row.judged is None and not ALONE & row.labels.keys() and len(row.reply) < 120 and dice.random() < JOINED:
            row = _joined(row, dice.choice(free))
        if row.customer and not ALONE & row.labels.keys() and dice.random() < UNHEARD:
            row = Row(row.reply, row.labels, "", row.contrary, None, row.source, row.judged)
        made.append(row)
    dice.shuffle(made)
    return made


def _joined(a: Row, b: Row) -> Row:
    first = a.reply if a.reply[-1:] in "。！？!?…" else a.reply + "。"
    labels = {**b.labels, **a.labels}
    contrary = tuple(c for c in {*a.contrary, *b.contrary} if c not in labels)
    return Row(first + b.reply, labels, a.customer, contrary, None, a.source, None)


def collate(samples: Sequence[Sample], codes: int) -> dict[str, Tensor]:
    """Padded tensors of a batch."""
    n, longest = len(samples), -(-max(len(s.ids) for s in samples) // STEP) * STEP
    ids = torch.ones((n, longest), dtype=torch.long)
    part, mask = torch.zeros((n, longest), dtype=torch.long), torch.zeros((n, longest), dtype=torch.long)
    tokens = torch.zeros((n, longest, codes))
    for row, s in enumerate(samples):
        ids[row, : len(s.ids)] = torch.tensor(s.ids)
        part[row, : len(s.ids)] = torch.tensor(s.part)
        mask[row, : len(s.ids)] = 1
        for code, start, end in s.tokens:
            tokens[row, start:end, code] = 1.0
    return {
        "ids": ids, "part": part, "mask": mask, "tokens": tokens,
        "target": torch.stack([s.target for s in samples]),
        "weight": torch.stack([s.weight for s in samples]),
        "mark": torch.tensor([s.mark for s in samples]),
    }  # fmt: skip


def loss(model: Reader, batch: dict[str, Tensor]) -> Tensor:
    """Codes, evidence and mark together."""
    codes, tokens, mark = model(batch["ids"], batch["part"], batch["mask"])
    each = nn.functional.binary_cross_entropy_with_logits(codes, batch["target"], reduction="none")
    total = (each * batch["weight"]).sum() / len(codes)
    said = (batch["part"] * batch["mask"]).unsqueeze(-1).float()
    near = nn.functional.binary_cross_entropy_with_logits(tokens.float(), batch["tokens"], reduction="none")
    full = batch["weight"].unsqueeze(1)
    total = total + TOKEN * (near * said * full).sum() / said.sum()
    rated = batch["mark"] > 0
    if rated.any():
        total = total + MARK * nn.functional.mse_loss(mark[rated].float(), batch["mark"][rated])
    return total


def train(model: Reader, rows: Sequence[Row], encoder: Encoder, seed: int, epochs: int, rate: float) -> Reader:
    """The reader, trained. The same rows and seed give the same weights on the same machine.

    `rate` scales the learning rate: 1 to teach a fresh reader, less to go on with a trained one.
    """
    torch.manual_seed(seed)
    torch.set_flush_denormal(True)  # fading averages become numbers that are slow to add
    dice = random.Random(seed)  # noqa: S311 - shuffling, not security
    model.words.requires_grad_(False)  # the meaning of words is kept; it is how they are read that is learnt
    heads = [p for n, p in model.named_parameters() if n.split(".")[0] in ("token", "whole", "rating")]
    body = [p for n, p in model.named_parameters() if n.split(".")[0] not in ("token", "whole", "rating", "words")]
    best = torch.optim.AdamW(
        [{"params": body, "lr": rate * PEAK_RATE}, {"params": heads, "lr": rate * HEAD_RATE}],
        weight_decay=0.01, fused=True,
    )  # fmt: skip
    steps = epochs * (len(rows) // BATCH + 1)
    plan = torch.optim.lr_scheduler.LambdaLR(best, lambda s: min((s + 1) / (0.1 * steps), max(0.02, 1 - s / steps)))
    model.train()
    for epoch in range(epochs):
        began, total, count = time.monotonic(), 0.0, 0
        samples = [encoder.sample(r) for r in varied(rows, dice)]
        for batch in batches(samples, dice):
            best.zero_grad()
            with torch.autocast("cpu", torch.bfloat16):  # several times faster where the processor knows it
                found = loss(model, collate(batch, len(encoder.codes)))
            found.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            best.step()
            plan.step()
            total, count = total + found.item(), count + 1
        sys.stdout.write(f"epoch {epoch + 1}: loss {total / count:.3f}, {time.monotonic() - began:.0f} s\n")
        sys.stdout.flush()
    return model.eval()


def batches(samples: list[Sample], dice: random.Random) -> list[list[Sample]]:
    """Batches of similar length, in random order."""
    pools = [samples[i : i + BATCH * 16] for i in range(0, len(samples), BATCH * 16)]
    made = []
    for pool in pools:
        pool.sort(key=lambda s: len(s.ids))
        made += [pool[i : i + BATCH] for i in range(0, len(pool), BATCH)]
    dice.shuffle(made)
    return made


@torch.no_grad()
def scores(model: Reader, encoder: Encoder, rows: Sequence[Row]) -> tuple[np.ndarray, np.ndarray]:
    """(n, codes) logits and (n,) marks."""
    samples = [encoder.sample(r) for r in rows]
    order = sorted(range(len(rows)), key=lambda i: len(samples[i].ids))
    logits, marks = np.zeros((len(rows), len(encoder.codes)), np.float32), np.zeros(len(rows), np.float32)
    for i in range(0, len(order), 64):
        part = order[i : i + 64]
        batch = collate([samples[j] for j in part], len(encoder.codes))
        with torch.autocast("cpu", torch.bfloat16):
            codes, _, mark = model(batch["ids"], batch["part"], batch["mask"])
        logits[part], marks[part] = codes.float().numpy(), mark.float().numpy()
    return logits, marks


def main() -> None:
    """Train on every training pass and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "data" / "appraisal.pt")
    parser.add_argument("--without", default="", help="a pass to leave out, to measure on it")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--from", type=Path, dest="earlier", help="weights to go on from, at a lower rate")
    chosen = parser.parse_args()
    library = load_library(ROOT)
    codes = data.codes(library)
    start = base.load()
    torch.manual_seed(chosen.seed)
    model = Reader(start, len(codes))
    if chosen.earlier:
        model.load_state_dict(torch.load(chosen.earlier, weights_only=True))
    encoder = Encoder(pieces.tokenizer(start), codes)
    names = [n for n in data.TRAINING if n not in chosen.without.split(",")]
    rows = [*data.written(library), *(r for n in names for r in data.read(n))]
    if chosen.earlier:
        rows += data.own(library, rows) * OWN
    sys.stdout.write(f"{len(rows)} rows of {'、'.join(names)}\n")
    train(model, rows, encoder, chosen.seed, chosen.epochs, GO_ON if chosen.earlier else 1.0)
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    torch.save(model.eval().state_dict(), chosen.out)
    before = json.loads(chosen.earlier.with_suffix(".json").read_text("utf-8"))["stages"] if chosen.earlier else []
    facts = {"stages": [*before, {"rows": len(rows), "epochs": chosen.epochs, "seed": chosen.seed}]}
    chosen.out.with_suffix(".json").write_text(json.dumps(facts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

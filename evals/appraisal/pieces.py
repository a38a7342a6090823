"""The cut vocabulary as a `tokenizers` file, the form the product ships and runs."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from evals.appraisal.base import MARK, Base


def tokenizer(base: Base) -> Tokenizer:
    """Unigram over the kept pieces; text must already be folded to plain characters."""
    made = Tokenizer(models.Unigram(base.pieces, unk_id=3, byte_fallback=False))
    made.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")])
    made.pre_tokenizer = pre_tokenizers.Metaspace(replacement=MARK, prepend_scheme="never")
    made.decoder = decoders.Metaspace(replacement=MARK, prepend_scheme="never")
    return made


def save(base: Base, path: Path) -> None:
    """Write the tokenizer as JSON."""
    tokenizer(base).save(str(path), pretty=False)

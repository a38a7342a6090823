"""Trained weights to what the product ships: an int8 ONNX network and its vocabulary, all plain data."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from bot.appraisal.network import FOLDER, NETWORK, VOCABULARY
from bot.scenarios import load_library
from evals.appraisal import base, data, pieces
from evals.appraisal.net import Reader

ROOT = Path(__file__).parents[2]
OPSET = 17


class Shipped(nn.Module):
    """One reply at a time: no padding, and only what the product needs."""

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self.reader = reader

    def forward(self, ids: Tensor, part: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        codes, tokens, mark = self.reader(ids, part, torch.ones_like(ids))
        return codes[0], tokens[0], mark


def export(reader: Reader, folder: Path) -> None:
    """Write the network (int8 weights) to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    ids = torch.tensor([[0, 10, 11, 2, 12, 13, 14, 2]])
    part = torch.tensor([[0, 0, 0, 0, 1, 1, 1, 0]])
    with tempfile.TemporaryDirectory() as held:
        whole = Path(held) / "network.onnx"
        torch.onnx.export(
            Shipped(reader.eval()), (ids, part), str(whole), opset_version=OPSET, dynamo=False,
            input_names=["ids", "part"], output_names=["codes", "tokens", "mark"],
            dynamic_axes={"ids": {1: "t"}, "part": {1: "t"}, "tokens": {0: "t"}},
        )  # fmt: skip
        quantize_dynamic(whole, folder / NETWORK, weight_type=QuantType.QInt8, per_channel=True, reduce_range=False)


def main() -> None:
    """Export trained weights into the content folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, default=ROOT / "data" / "appraisal.pt")
    parser.add_argument("--out", type=Path, default=ROOT / "knowledge" / "appraisal" / FOLDER)
    chosen = parser.parse_args()
    start = base.load()
    reader = Reader(start, len(data.codes(load_library(ROOT))))
    reader.load_state_dict(torch.load(chosen.weights, weights_only=True))
    export(reader, chosen.out)
    pieces.save(start, chosen.out / VOCABULARY)
    size = (chosen.out / NETWORK).stat().st_size / 2**20
    sys.stdout.write(f"{chosen.out / NETWORK}: {size:.1f} MB\n")


if __name__ == "__main__":
    main()

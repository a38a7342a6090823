"""化诉 (Huasu): role-play training for compliant, gentle collection and complaint handling."""

import os

__version__ = "0.1.0"

# onnxruntime reports to its maker over the network unless it is told not to before it is loaded. Nothing leaves here.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# One thread per call of the numeric libraries; ours work side by side instead (see `embedding`). Their own threads spin
# while they wait and fight over the cores: measured with other work on the machine, an embedding took seven times as
# long. Both limits are read once, when the libraries are first loaded, so they must be set before that.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

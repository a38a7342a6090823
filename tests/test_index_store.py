"""Where the index lives: shared by processes and threads, corrupt, locked away, or on a real Chroma server."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot import embedding
from bot.errors import SetupError
from bot.retrieval import Index
from tests.material import notes, rows, settings


def test_what_somebody_else_writes_is_seen_without_a_restart(tmp_path: Path) -> None:
    reader, writer = Index.open(settings(tmp_path / "home")), Index.open(settings(tmp_path / "home"))
    note = notes(tmp_path / "规定.md", 甲="还款日每年改一次。", 乙="宽限期三天。")
    writer.add_files([note])
    assert reader.find("还款日", k=1)[0].text == "还款日每年改一次。"
    writer.add_files([notes(note, 甲="还款日每年改两次。", 乙="宽限期三天。")])  # as many chunks as before
    assert reader.find("还款日", k=1)[0].text == "还款日每年改两次。"
    writer.add_files([notes(note, 丙="还款日每年改三次。", 乙="宽限期三天。")])
    found = reader.find("还款日", k=1)[0]
    assert found.text == "还款日每年改三次。"
    assert found.score == pytest.approx(1)  # best by both: its vector is seen as well as its words


def test_threads_may_search_while_one_writes(index: Index, tmp_path: Path) -> None:
    note = notes(tmp_path / "规定.md", 甲="还款日每年改一次。")
    index.add_files([note])
    stop = threading.Event()

    def search() -> int:
        count = 0
        while not stop.is_set():
            assert index.find("还款日", k=1)[0].doc == "规定.md"
            count += 1
        return count

    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(search) for _ in range(3)]
        try:
            for n in range(8):
                index.add_files([notes(note, 甲=f"还款日每年改{n}次。", **{f"丁{n}": "宽限期三天。"})])
        finally:
            stop.set()
        assert all(a.result() > 0 for a in asked)


def test_a_corrupt_index_is_said_and_moved_aside(tmp_path: Path) -> None:
    home = settings(tmp_path)
    home.index_dir.mkdir(parents=True)
    (home.index_dir / "chroma.sqlite3").write_bytes(b"garbage" * 1000)
    with pytest.raises(SetupError, match="--rebuild"):
        Index.open(home)
    index = Index.rebuild(home)
    assert index.collections() == {}
    assert (tmp_path / "index.broken-1" / "chroma.sqlite3").exists()
    index.add_files([notes(tmp_path / "规定.md", 甲="还款日每年改一次。")])
    again = Index.rebuild(home)  # a sound one too, in the same process
    assert again.collections() == {} and again.find("还款日") == ()
    assert (tmp_path / "index.broken-2" / "chroma.sqlite3").exists()


def test_vectors_lost_under_an_open_index_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "passages", _cheap)
    home = settings(tmp_path)
    many = rows(tmp_path / "many.jsonl", *({"id": f"d{n}", "text": f"第{n}笔"} for n in range(1100)))
    Index.open(home).add_files([many])  # enough for Chroma to write its vector files
    broken = list(home.index_dir.rglob("*.bin"))
    for file in broken:
        file.write_bytes(b"garbage!" * 50)
    assert broken
    with pytest.raises(SetupError, match="--rebuild"):
        Index.open(home).find("第七笔")


def _cheap(texts: list[str]) -> embedding.Vectors:
    import numpy as np

    made = np.random.default_rng(7).normal(size=(len(texts), embedding.DIMENSIONS)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def test_an_index_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "index").write_text("a file is in the way", encoding="utf-8")
    with pytest.raises(SetupError, match="HUASU_DATA_DIR"):
        Index.open(settings(tmp_path))


class Server:
    """A real `chroma run`."""

    def __init__(self, folder: Path, port: int) -> None:
        command = shutil.which("chroma", path=str(Path(sys.executable).parent)) or "chroma"
        self.url = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(
            [command, "run", "--path", str(folder), "--host", "127.0.0.1", "--port", str(port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for _ in range(120):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.25)

    def stop(self) -> None:
        """End the server; a second call does nothing."""
        self._process.terminate()
        self._process.wait(10)


@pytest.fixture
def chroma_server(tmp_path: Path, free_port: int) -> Iterator[Server]:
    server = Server(tmp_path / "server", free_port)
    yield server
    server.stop()


def test_a_chroma_server_serves_the_same(chroma_server: Server, tmp_path: Path) -> None:
    note = notes(tmp_path / "规定.md", 还款日="每年可以改一次还款日。", 征信="异议二十日内答复。")
    remote = Index.open(settings(tmp_path / "home", chroma_url=chroma_server.url))
    assert remote.add_files([note]).added == 2
    again = Index.open(settings(tmp_path / "other", chroma_url=chroma_server.url))
    assert again.rank("征信异议多久答复", "library", 1)[0][0] == "规定.md"
    remote.add_files([notes(note, 还款日="每年可以改一次还款日。", 征信="异议三十日内答复。")])
    assert again.find("征信异议多久答复", "library", 1)[0].text.startswith("异议三十日")
    remote.add_files([rows(tmp_path / "r.jsonl", {"id": "R1", "text": "内置的"})], "regulations")
    rebuilt = Index.rebuild(settings(tmp_path / "home", chroma_url=chroma_server.url))
    assert rebuilt.collections() == {"library": 2}  # only what can be built again was dropped
    chroma_server.stop()
    with pytest.raises(SetupError, match="Chroma 服务"):
        again.find("征信")


def test_a_missing_server_is_a_clear_message(tmp_path: Path, free_port: int) -> None:
    with pytest.raises(SetupError, match="HUASU_CHROMA_URL"):
        Index.open(settings(tmp_path, chroma_url=f"http://127.0.0.1:{free_port}"))


def test_a_server_that_never_answers_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.retrieval.client.KNOCK", 0.5)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(SetupError, match="HUASU_CHROMA_URL"):
            Index.open(settings(tmp_path, chroma_url=f"http://127.0.0.1:{silent.getsockname()[1]}"))


def test_no_embedding_function_of_chromas_own_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from chromadb.utils.embedding_functions import DefaultEmbeddingFunction, ONNXMiniLM_L6_V2

    for kind in (DefaultEmbeddingFunction, ONNXMiniLM_L6_V2):
        monkeypatch.setattr(kind, "__init__", lambda *a, **k: pytest.fail("it would download a model"))
    index = Index.open(settings(tmp_path))
    index.add_files([notes(tmp_path / "规定.md", 甲="还款日每年改一次。")])
    assert index.find("还款日") and index.collections() == {"library": 1}

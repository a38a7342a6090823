"""Everything that reads text from outside either understands it or says so in words; nothing else ever comes out."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from bot import privacy, transcripts
from bot.appraisal import Appraiser
from bot.errors import ContentError, HuasuError, LearnerError
from bot.model import typed
from bot.records import Persona, Scenario
from bot.retrieval.readers import KINDS, Unreadable, from_file
from bot.scenarios import Library, build, read_front_matter, read_yaml
from bot.session import cleaned
from bot.store import Database, load

FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FEWER = settings(FEW, max_examples=15)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["id", "reply", "turns", "role", "text", "history", "scenario", "x"]), inner)
    ),
    max_leaves=12,
)
ROWS = JSON.map(json.dumps) | st.text() | st.sampled_from(["[" * 5000, '{"id": 1e999, "reply": "x"}', "\ud800"])


@pytest.fixture(scope="module")
def appraiser(library: Library) -> Appraiser:
    return Appraiser(library)


@FEW
@given(ROWS)
def test_batch_rows(row: str) -> None:
    for kind in (transcripts.AppraiseLine, transcripts.GradeLine):
        with suppress(LearnerError):
            assert isinstance(transcripts.parsed(kind, row, 3), kind)


@FEWER
@given(reply=st.text(max_size=300), customer=st.text(max_size=100))
def test_any_reply_is_read_and_evidence_is_its_own_words(
    reply: str, customer: str, library: Library, appraiser: Appraiser
) -> None:
    text = cleaned(reply)
    read = transcripts.appraise(
        transcripts.AppraiseLine(id=1, reply=text, customer=cleaned(customer)), library, appraiser
    )
    for found in (*read["techniques"], *read["antis"], *read["violations"]):
        assert found["evidence"] in text
    json.dumps(read).encode()


@FEW
@given(
    st.text() | JSON.map(json.dumps) | st.sampled_from(["!!python/object/apply:os.system [id]", "&a [*a]", "a: b: c"])
)
def test_case_and_persona_files(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "SC99.yaml"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        for kind in (Scenario, Persona):
            with pytest.raises(ContentError):
                build(kind, read_yaml(path), path)
        path.write_bytes(b"---\n" + text.encode("utf-8", "surrogatepass") + b"\n---\n")
        with suppress(ContentError):
            read_front_matter(path)


def _packed(inside: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("word/document.xml", inside)
        packed.writestr("[Content_Types].xml", inside)
    return out.getvalue()


DATA = (
    st.binary(max_size=400)
    | st.text().map(lambda t: t.encode("utf-8", "surrogatepass"))
    | ROWS.map(lambda t: t.encode("utf-8", "surrogatepass"))
    | st.binary(max_size=200).map(lambda b: b"%PDF-1.7\n" + b + b"\ntrailer<</Root 1 0 R>>\nstartxref\n9\n%%EOF")
    | st.binary(max_size=200).map(_packed)
)


@FEW
@given(DATA, st.sampled_from(KINDS))
def test_uploaded_files(data: bytes, kind: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"上传{kind}"
        path.write_bytes(data)
        with suppress(Unreadable):
            for chunk in from_file(path):
                chunk.text.encode()


class Verdict(BaseModel):
    """What a model is asked for."""

    why: str
    ok: bool


@FEW
@given(ROWS | st.text().map(lambda t: "{" + t + "}"))
def test_what_a_model_answers(answer: str) -> None:
    with suppress(ValueError):
        typed.parse(answer, Verdict)


@FEW
@given(
    st.text(alphabet=st.sampled_from("0123456789Xx -一二三张王客户欠元万，。身份证卡号１２"), max_size=80) | st.text()
)
def test_masking_never_fails_and_masks_once(text: str) -> None:
    masked, kinds = privacy.mask(text)
    assert len(kinds) == len(set(kinds))
    assert masked == text or kinds


@FEWER
@given(st.binary(max_size=300), st.lists(JSON, max_size=5))
def test_backups(data: bytes, rows: list[object]) -> None:
    import gzip

    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/x.db")
        head = {"huasu": 1, "revision": "r0001", "tables": {"sessions": 1}}
        for content in (data, gzip.compress("\n".join(json.dumps(r) for r in [head, *rows]).encode())):
            (Path(folder) / "b.gz").write_bytes(content)
            with pytest.raises(HuasuError):
                load(database, Path(folder) / "b.gz", lambda _d, _t, _w: None)
        database.close()

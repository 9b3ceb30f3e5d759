"""What only object stores have: settings and secrets, refusals, servers that fail or do not answer."""

from __future__ import annotations

import os
import pickle
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sparkcore.child import child_environment
from sparkcore.errors import NoAnswerError, RequestError, StorageError
from sparkcore.storage import objects
from sparkcore.storage.objects import MemoryStorage
from sparkcore.storage.opening import open_storage
from tests.storage.s3_server import BUCKET, CREDENTIALS
from tests.storage.scripted_server import Answer, scripted_server

pytestmark = pytest.mark.timeout(30)  # a client with limits of its own would try for minutes
READER = "import pickle, sys; print(pickle.loads(bytes.fromhex(sys.argv[1])).read('a').decode())"


@pytest.fixture
def silent() -> Iterator[str]:
    """Give the address of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def refusal(uri: str) -> str:
    """Return the message of a failing check, which is one line."""
    with pytest.raises(RequestError) as caught:
        open_storage(uri).check()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_s3a_is_s3_and_a_prefix_is_part_of_the_place() -> None:
    assert open_storage("s3a://bucket/a/b/").uri == open_storage("S3://bucket//a/b").uri == "s3://bucket/a/b"


@pytest.mark.parametrize("uri", ["s3://", "s3:///key"])
def test_a_bucket_needs_a_name(uri: str) -> None:
    with pytest.raises(StorageError, match="such as s3://bucket/prefix"):
        open_storage(uri)


def test_credentials_in_an_address_are_refused_and_not_repeated() -> None:
    with pytest.raises(StorageError, match="without credentials") as caught:
        open_storage("s3://key:hunter2@bucket/a")
    assert "hunter2" not in str(caught.value)


def test_settings_travel_and_secrets_do_not(s3_prefix: str) -> None:
    open_storage(s3_prefix).write("a", b"content")
    pickled = pickle.dumps(open_storage(s3_prefix))
    assert os.environ["AWS_ENDPOINT_URL"].encode() in pickled
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        assert CREDENTIALS[name].encode() not in pickled
    bare = {name: value for name, value in child_environment().items() if not name.startswith("AWS_")}
    own = {name: CREDENTIALS[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    command = [sys.executable, "-c", READER, pickled.hex()]
    done = subprocess.run(command, env=bare | own, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "content\n"


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_wrong_keys(s3_prefix: str, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "wrong")
    assert refusal(s3_prefix) == (
        f"s3://{BUCKET}: access was denied. Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION."
    )
    with pytest.raises(StorageError, match="access was denied"):
        open_storage(s3_prefix).read("a")


@pytest.mark.usefixtures("s3_prefix")
def test_no_such_bucket() -> None:
    assert refusal("s3://no-such-bucket/a") == "s3://no-such-bucket: expected a bucket, received none. Check its name."
    with pytest.raises(FileNotFoundError):
        open_storage("s3://no-such-bucket").write("a", b"1")


def test_no_keys(monkeypatch: pytest.MonkeyPatch, silent: str) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for metadata in (CREDENTIALS["AWS_METADATA_ENDPOINT"], silent):
        monkeypatch.setenv("AWS_METADATA_ENDPOINT", metadata)
        assert refusal("s3://bucket") == (
            "s3://bucket: no credentials were found. Set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION."
        )


def test_no_network(monkeypatch: pytest.MonkeyPatch, silent: str) -> None:
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    for endpoint in ("http://127.0.0.1:1", silent):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        assert refusal("s3://bucket") == f"s3://bucket: no answer from {endpoint}. Check the network and the address."


def test_http_must_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert refusal("s3://bucket").endswith("is not encrypted. Use https, or set AWS_ALLOW_HTTP=true.")


def scripted(monkeypatch: pytest.MonkeyPatch, address: str) -> str:
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    return "s3://bucket"


@pytest.mark.parametrize(
    ("answers", "won"),
    [
        ([Answer(409), Answer(404), Answer(200)], True),  # the other writer failed
        ([Answer(409), Answer(200, b"theirs")], False),
        ([Answer(412), Answer(200, b"ours")], True),  # a repeated request meets itself
        ([Answer(412), Answer(200, b"theirs")], False),
    ],
)
def test_a_refused_creation_reads_the_object(monkeypatch: pytest.MonkeyPatch, answers: list[Answer], won: bool) -> None:
    with scripted_server(answers) as (address, requests):
        assert open_storage(scripted(monkeypatch, address)).write_new("a", b"ours") is won
    assert requests == ["PUT /bucket/a", "GET /bucket/a", "PUT /bucket/a"][: len(answers)]


@pytest.mark.parametrize("failure", [Answer(500), Answer(503, b"slow down"), Answer(200, b"content", cut=True)])
def test_a_failing_read_is_repeated(monkeypatch: pytest.MonkeyPatch, failure: Answer) -> None:
    with scripted_server([failure, failure, Answer(200, b"content")]) as (address, requests):
        assert open_storage(scripted(monkeypatch, address)).read("a") == b"content"
    assert len(requests) == 3


def test_a_server_that_keeps_failing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = r"^s3://bucket/a: the server answered 503 Service Unavailable\.$"
    with (
        scripted_server([Answer(503, b"<Secret>?X-Amz-Signature=1</Secret>")]) as (address, requests),
        pytest.raises(StorageError, match=expected),
    ):
        open_storage(scripted(monkeypatch, address)).read("a")
    assert len(requests) > 1


def test_temporary_files_of_a_writer_are_gone(s3_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    storage = open_storage(s3_prefix)
    with storage.open_writer("a") as file:
        file.write(b"1" * (6 << 20))  # in several parts
    assert storage.stat("a").size_bytes == 6 << 20
    assert list(tmp_path.iterdir()) == []


def test_a_large_object_goes_in_one_request(s3_prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    storage, content = open_storage(s3_prefix), bytes(12 << 20)

    def versions() -> list[str]:
        storage.write("a", content)
        with storage.open_writer("b") as file:
            file.write(content)
        return [storage.stat(name).version for name in ("a", "b")]

    # The entity tag of an object that went in several requests ends with their number.
    assert not any("-" in version for version in versions())
    monkeypatch.setattr(objects, "_ONE_REQUEST_BYTES", 8 << 20)
    assert all("-" in version for version in versions())
    assert storage.read("b") == content


class Interrupted(MemoryStorage):
    """Creates objects, but its answers are lost `losses` times."""

    losses = 1

    def _create(self, name: str, content: bytes) -> bool:
        created = super()._create(name, content)
        if self.losses:
            self.losses -= 1
            raise NoAnswerError("no answer")
        return created


def test_a_creation_whose_answer_is_lost_meets_its_own_content() -> None:
    storage = Interrupted("memory://lost")
    assert storage.write_new("receipt", b"ours")
    storage.losses = 2
    assert not storage.write_new("receipt", b"theirs")
    assert storage.read("receipt") == b"ours"
    storage.losses = 3
    with pytest.raises(NoAnswerError):
        storage.write_new("another", b"ours")

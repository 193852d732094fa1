"""Downloading from a server that resumes, does not resume, drops, lies, or is not there."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gramarye.errors import WeightsError
from gramarye.weights import OXFORD, SOURCES, Progress, Source, fetch, find, read

from .networks import random_network, write_pth

NAME = "vgg19-test"


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A small published file, and its bytes."""
    path = tmp_path_factory.mktemp("published") / "vgg19-test.pth"
    return write_pth(path, random_network(to="conv2_1")).read_bytes()


@pytest.fixture
def served(server, published, monkeypatch):
    """The server, serving the file that SOURCES[NAME] describes."""
    server.behaviour.body = published
    describe(monkeypatch, published)
    return server


def describe(monkeypatch, body, **changes):
    record = Source(
        name=NAME,
        network="vgg19",
        urls=("http://unreachable.invalid/vgg19-test.pth",),
        sha256=hashlib.sha256(body).hexdigest(),
        size=len(body),
        licence="none",
        convention=OXFORD,
        citation="nobody",
        first_kernel=(9.0, 9.0, 9.0),
    )
    monkeypatch.setitem(SOURCES, NAME, replace(record, **changes))


def fetch_all(**options):
    """All the progress, and the path."""
    steps = fetch(NAME, pause=0.01, timeout=5, **options)
    progress = []
    while True:
        try:
            progress.append(next(steps))
        except StopIteration as end:
            return progress, end.value


def parts(home):
    return sorted(path.name for path in home.glob("*")) if home.exists() else []


def test_a_plain_download_is_imported(served, home, published):
    progress, path = fetch_all()
    assert path == find("vgg19") == home / "vgg19.safetensors"
    assert parts(home) == ["vgg19.safetensors"]
    assert progress[0] == Progress(0, len(published))
    assert progress[-1] == Progress(len(published), len(published))
    assert [step.done_bytes for step in progress] == sorted(step.done_bytes for step in progress)
    weights = read(path)
    assert (weights.source, weights.convention, weights.depth) == (NAME, OXFORD, "conv2_1")
    expected = random_network(to="conv2_1")
    assert all(torch.equal(weights.tensors[name], tensor) for name, tensor in expected.items())
    assert served.requests[0]["path"] == "/vgg19-test.pth"
    assert served.requests[0]["accept-encoding"] == "identity"


def test_nothing_happens_until_it_is_pulled(served, home):
    fetch(NAME)
    assert not served.requests
    assert not home.exists()


def test_dropped_connections_are_resumed(served, published):
    served.behaviour.drops = [300_000, 50_000, 0]
    progress, _ = fetch_all()
    assert progress[-1].done_bytes == len(published)
    ranges = [request.get("range") for request in served.requests]
    assert ranges[0] is None
    assert ranges[1] == "bytes=300000-"
    assert ranges[2] == ranges[3] == "bytes=350000-"
    assert served.requests[1]["if-range"] == '"one"'


def test_a_server_without_range_starts_again(served, published):
    served.behaviour.ranges = False
    served.behaviour.drops = [300_000]
    progress, path = fetch_all()
    assert progress[-1].done_bytes == len(published)
    assert 0 in [step.done_bytes for step in progress[1:]]
    assert path.is_file()


def test_too_many_dropped_connections_keep_the_part(served, home):
    served.behaviour.drops = [1000] * 10
    with pytest.raises(WeightsError, match=r"connection ended after 3000 of \d+ bytes.*weights import"):
        fetch_all(retries=2)
    assert "vgg19-test.pth.part" in parts(home)
    assert len(served.requests) == 3
    served.behaviour.drops = []
    fetch_all()
    assert served.requests[-1]["range"] == "bytes=3000-"
    assert parts(home) == ["vgg19.safetensors"]


def test_stopping_to_pull_keeps_the_part_for_the_next_time(served, home):
    steps = fetch(NAME)
    while (done := next(steps).done_bytes) == 0:
        pass
    steps.close()
    assert (home / "vgg19-test.pth.part").stat().st_size == done
    fetch_all()
    assert served.requests[-1]["range"] == f"bytes={done}-"


def test_a_file_that_changed_meanwhile_is_fetched_whole(served, published, home):
    served.behaviour.body = bytes(len(published))
    served.behaviour.drops = [200_000]
    served.behaviour.body_after_drop, served.behaviour.etag_after_drop = published, '"two"'
    _, path = fetch_all()
    assert path.is_file()
    assert [request.get("range") for request in served.requests] == [None, "bytes=200000-"]


def test_a_file_that_changed_unnoticed_is_fetched_once_more(served, published, home):
    """Without an entity tag only the hash tells that the two halves are of different files."""
    served.behaviour.body, served.behaviour.etag = bytes(len(published)), None
    served.behaviour.drops = [200_000]
    served.behaviour.body_after_drop = published
    _, path = fetch_all()
    assert path.is_file()
    assert [request.get("range") for request in served.requests] == [None, "bytes=200000-", None]


def test_a_file_that_became_shorter_is_fetched_whole(served, published, home):
    home.mkdir(parents=True)
    (home / "vgg19-test.pth.part").write_bytes(bytes(len(published) + 10))
    _, path = fetch_all()
    assert path.is_file()


def test_a_part_that_was_complete_needs_no_more_bytes(served, published, home):
    home.mkdir(parents=True)
    (home / "vgg19-test.pth.part").write_bytes(published)
    progress, path = fetch_all()
    assert path.is_file()
    assert progress == []


@pytest.mark.parametrize("shift", [-100, 100])
def test_a_server_that_resumes_elsewhere_is_not_believed(served, shift):
    served.behaviour.drops = [200_000]
    served.behaviour.shift = shift
    _, path = fetch_all()
    assert path.is_file()


def test_wrong_bytes_are_removed(served, published, home):
    served.behaviour.body = published[:-1] + b"!"
    with pytest.raises(WeightsError, match=r"SHA-256.*removed"):
        fetch_all()
    assert parts(home) == []
    assert len(served.requests) == 1


def test_a_short_body_of_the_announced_length_is_removed(served, published, home):
    served.behaviour.body = published[:-5]
    with pytest.raises(WeightsError, match=rf"{len(published) - 5} bytes"):
        fetch_all()
    assert parts(home) == []


def test_a_published_prefix_of_the_hash_is_checked(served, published, monkeypatch, home):
    right = hashlib.sha256(published).hexdigest()[:8]
    describe(monkeypatch, published, sha256=right, size=None)
    assert fetch_all()[1].is_file()
    describe(monkeypatch, published, sha256="00000000", size=None)
    with pytest.raises(WeightsError, match="begins 00000000"):
        fetch_all()
    assert parts(home) == ["vgg19.safetensors"]


def test_right_bytes_that_are_no_network_leave_nothing(served, monkeypatch, home):
    served.behaviour.body = b"not a network"
    describe(monkeypatch, b"not a network")
    with pytest.raises(WeightsError, match=r"weights are \.pth"):
        fetch_all()
    assert parts(home) == []


def test_an_unknown_length_is_none(served, monkeypatch, published):
    describe(monkeypatch, published, size=None)
    served.behaviour.says_length = False
    progress, path = fetch_all()
    assert {step.total_bytes for step in progress} == {None}
    assert path.is_file()


def test_a_known_length_finds_a_drop_that_the_server_hides(served):
    served.behaviour.says_length = False
    served.behaviour.drops = [200_000]
    assert fetch_all()[1].is_file()


@pytest.mark.parametrize("status", [403, 404, 410])
def test_refusals_say_what_to_do_by_hand(served, status, home):
    served.behaviour.status = status
    with pytest.raises(WeightsError, match=rf"{status}.*weights import vgg19-test\.pth") as caught:
        fetch_all()
    assert "\n" not in str(caught.value)
    assert "http://unreachable.invalid/vgg19-test.pth" in str(caught.value)
    assert len(served.requests) == 1
    assert parts(home) == []


def test_a_busy_server_is_asked_again(served):
    served.behaviour.statuses = [503, 429]
    assert fetch_all()[1].is_file()


def test_the_next_mirror_is_asked(served, monkeypatch, published):
    monkeypatch.delenv("GRAMARYE_MIRROR")
    describe(monkeypatch, published, urls=("ftp://elsewhere/vgg19-test.pth", f"{served.url}/vgg19-test.pth"))
    assert fetch_all()[1].is_file()


def test_nobody_listening_is_said(home, monkeypatch, published, server):
    describe(monkeypatch, published)
    monkeypatch.setenv("GRAMARYE_MIRROR", "http://127.0.0.1:9")
    with pytest.raises(WeightsError, match=r"must be reachable; got http://127\.0\.0\.1:9/.*no connection"):
        fetch_all(retries=1)


@pytest.mark.parametrize("mirror", ["file:///etc", "nonsense", "http://", "http://[", "http://127.0.0.1:x"])
def test_impossible_mirrors_are_said(home, monkeypatch, published, mirror):
    describe(monkeypatch, published)
    monkeypatch.setenv("GRAMARYE_MIRROR", mirror)
    with pytest.raises(WeightsError, match="must be reachable"):
        fetch_all(retries=0)


def test_unknown_sources_are_said():
    with pytest.raises(WeightsError, match="vgg19-torchvision"):
        next(fetch("vgg19-torchvison"))


def test_a_store_that_cannot_be_made_is_said(served, home):
    home.parent.mkdir(parents=True)
    home.write_text("a file where the folder should be")
    with pytest.raises(WeightsError, match=r"GRAMARYE_HOME"):
        fetch_all()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_said(served, home, monkeypatch):
    home.mkdir(parents=True)

    def opened(part, offset):
        return Path("/dev/full").open("wb", buffering=0)

    monkeypatch.setattr("gramarye.weights.download._Part.opened", opened)
    with pytest.raises(WeightsError, match="No space left"):
        fetch_all()
    assert parts(home) == ["vgg19-test.pth.part.etag"]

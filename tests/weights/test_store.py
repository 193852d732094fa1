"""Where weights lie, which are chosen, and that they stay as they were written."""

from __future__ import annotations

import errno
import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from gramarye.errors import WeightsError
from gramarye.weights import (
    LITE,
    OXFORD,
    SOURCES,
    TORCHVISION,
    choose,
    content_digest,
    embedded,
    find,
    folder,
    import_file,
    load,
    read,
    verify,
    write,
)

from .networks import random_network, write_npz, write_pth, write_safetensors


@pytest.fixture
def lite(tmp_path, monkeypatch):
    """An embedded network."""
    path = tmp_path / "package" / "vgg19-lite.safetensors"
    path.parent.mkdir()
    tensors = {name: tensor.half() for name, tensor in random_network("vgg19-lite", to="conv2_1").items()}
    write_safetensors(path, tensors | {"calibration.relu1_1": torch.eye(16).half()})
    monkeypatch.setattr("gramarye.weights.store.embedded", lambda: path)
    return path


@pytest.fixture
def full(tmp_path):
    return write_pth(tmp_path / "full.pth", random_network(to="conv2_1"))


def metadata(path):
    with safe_open(path, framework="pt") as file:
        return file.metadata()


def test_the_store_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("GRAMARYE_HOME", str(tmp_path / "elsewhere"))
    assert folder() == tmp_path / "elsewhere" / "weights"
    monkeypatch.delenv("GRAMARYE_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert folder().parent.name == "gramarye"
    assert not list(tmp_path.iterdir())


def test_looking_makes_nothing(home, lite):
    assert find("vgg19") is None
    assert choose().network == "vgg19-lite"
    assert not home.exists()


def test_the_embedded_network_is_in_the_package():
    assert embedded().parts[-3:] == ("gramarye", "networks", "vgg19-lite.safetensors")


def test_auto_takes_the_full_network_once_it_is_there(home, lite, full):
    choice = choose("auto")
    assert (choice.network, choice.path) == ("vgg19-lite", lite)
    assert "weights fetch vgg19-torchvision" in choice.reason
    assert load().network == "vgg19-lite"
    stored = import_file(full)
    choice = choose("auto")
    assert (choice.network, choice.path) == ("vgg19", stored)
    assert "--network vgg19-lite" in choice.reason
    assert load().network == "vgg19"
    assert choose("vgg19-lite").path == lite
    assert choose("vgg19").path == stored
    assert all("\n" not in choose(name).reason for name in ("auto", "vgg19", "vgg19-lite"))


@pytest.mark.parametrize("network", ["vgg19", "vgg16"])
def test_missing_weights_name_the_commands(network, home):
    with pytest.raises(WeightsError, match=rf"gramarye weights fetch {network}-torchvision.*--weights FILE"):
        load(network)


def test_a_missing_embedded_network_is_said(home, monkeypatch, tmp_path):
    monkeypatch.setattr("gramarye.weights.store.embedded", lambda: tmp_path / "none")
    with pytest.raises(WeightsError, match="Install gramarye again"):
        choose()


def test_unknown_networks_get_the_nearest(home):
    for call in (choose, load):
        with pytest.raises(WeightsError, match="Did you mean 'vgg19'"):
            call("vgg-19")


def test_a_named_file_is_used(home, lite, full):
    choice = choose("auto", full)
    assert (choice.network, choice.path) == ("vgg19", full)
    assert load("auto", full).depth == "conv2_1"
    assert load("vgg19", str(full)).network == "vgg19"
    with pytest.raises(WeightsError, match="vgg19-lite"):
        choose("vgg19-lite", full)


def test_imported_files_say_what_they_are(home, full):
    original = read(full)
    stored = import_file(full)
    said = metadata(stored)
    assert said["network"] == "vgg19"
    assert json.loads(said["convention"])["order"] == "RGB"
    assert said["source_sha256"] == original.sha256
    assert said["source"] == "file"
    assert sorted(path.name for path in home.iterdir()) == ["vgg19.safetensors"]
    again = read(stored)
    assert again.convention == TORCHVISION
    assert again.evidence == "the file's metadata"
    assert content_digest(again) == content_digest(original)


def test_licence_and_citation_go_along(home, full):
    said = metadata(import_file(full, source="vgg19-oxford"))
    record = SOURCES["vgg19-oxford"]
    assert (said["licence"], said["citation"]) == (record.licence, record.citation)


def test_a_refused_import_leaves_the_store_as_it_was(home, full, tmp_path):
    stored = import_file(full)
    before = stored.read_bytes()
    bad = random_network(to="conv2_1") | {"conv1_1.bias": torch.full((64,), float("inf"))}
    with pytest.raises(WeightsError):
        import_file(write_npz(tmp_path / "bad.npz", bad))
    assert stored.read_bytes() == before
    assert [path.name for path in home.iterdir()] == ["vgg19.safetensors"]


def test_a_store_that_cannot_be_written_is_said(home, full):
    home.parent.mkdir(parents=True)
    home.write_text("in the way")
    with pytest.raises(WeightsError, match="GRAMARYE_HOME"):
        import_file(full)


@pytest.mark.skipif(os.name == "nt", reason="no umask")
def test_others_may_read_the_store_as_the_umask_has_it(home, full):
    before = os.umask(0o022)
    try:
        assert stat.S_IMODE(import_file(full).stat().st_mode) == 0o644
    finally:
        os.umask(before)


def test_a_full_disk_is_said_and_leaves_nothing(home, full, monkeypatch):
    def no_space(number):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", no_space)
    with pytest.raises(WeightsError, match=r"weights are kept in .*no space left on device\. Free space"):
        import_file(full)
    assert list(home.iterdir()) == []


def test_the_store_can_be_imported_from_itself(home, full):
    stored = import_file(full, convention=OXFORD)
    assert import_file(stored) == stored
    assert read(stored).convention == OXFORD


def test_float16_is_kept_only_without_loss(home, tmp_path):
    tensors = random_network(to="conv1_1")
    assert load_file(import_file(write_npz(tmp_path / "a.npz", tensors)))["conv1_1.bias"].dtype == torch.float32
    halves = {name: tensor.half() for name, tensor in tensors.items()}
    stored = load_file(import_file(write_npz(tmp_path / "b.npz", halves)))
    assert stored["conv1_1.bias"].dtype == torch.float16


def test_a_distilled_network_is_written_with_its_calibration(tmp_path, lite):
    weights = read(lite)
    path = write(weights, tmp_path / "new" / "lite.safetensors", trained="here")
    again = read(path)
    assert (again.network, again.convention) == ("vgg19-lite", LITE)
    assert torch.equal(again.calibration["relu1_1"], torch.eye(16))
    assert metadata(path)["trained"] == "here"
    assert verify(path).network == "vgg19-lite"


def test_verify_finds_changed_values(home, full):
    stored = import_file(full)
    assert verify(stored).depth == "conv2_1"
    tensors, said = load_file(stored), metadata(stored)
    tensors["conv1_2.bias"][3] += 1e-3
    save_file(tensors, stored, metadata=said)
    with pytest.raises(WeightsError, match="as they were written"):
        verify(stored)


def test_verify_finds_cut_files(home, full):
    stored = import_file(full)
    stored.write_bytes(stored.read_bytes()[:-1])
    with pytest.raises(WeightsError):
        verify(stored)


def test_verify_checks_published_names(tmp_path):
    path = write_pth(tmp_path / "vgg19-dcbb9e9d.pth", random_network(to="conv1_1"))
    with pytest.raises(WeightsError, match="begins dcbb9e9d"):
        verify(path)


def test_a_summary_is_one_line(full):
    text = str(read(full))
    assert text.startswith("vgg19 to conv2_1 (file, sha256 ")
    assert str(replace(read(full), path=Path("elsewhere"))) == text

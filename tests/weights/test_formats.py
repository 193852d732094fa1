"""Files that are missing, damaged, of another kind or malicious: one clear line, and nothing executed."""

from __future__ import annotations

import os
import pickle
import random
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gramarye.errors import MissingExtraError, WeightsError
from gramarye.weights import read

from .networks import WRITERS, random_network, write_keras_1, write_npz, write_pth


class Malice:
    """Unpickling this makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def refused(path, says=None):
    with pytest.raises(WeightsError, match=says) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_missing_files_and_folders_are_refused(tmp_path):
    refused(tmp_path / "none.pth", "existing file")
    refused(tmp_path, "the folder")


def test_empty_text_and_other_files_are_refused(tmp_path):
    path = tmp_path / "a.pth"
    path.write_bytes(b"")
    refused(path, "must not be empty")
    path.write_text("<html>404 not found</html>")
    refused(path, r"weights are \.pth")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    refused(path, r"weights are \.pth")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    refused(path, "another kind of ZIP")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root reads everything")
def test_unreadable_files_are_refused(tmp_path):
    path = write_pth(tmp_path / "a.pth", random_network(to="conv1_1"))
    path.chmod(0)
    refused(path, "readable")


@pytest.mark.parametrize("protocol", [2, 4])
def test_pickles_are_not_executed(protocol, tmp_path):
    made = tmp_path / "made"
    path = tmp_path / "a.pth"
    path.write_bytes(pickle.dumps({"features.0.weight": Malice(made)}, protocol=protocol))
    refused(path)
    assert not made.exists()


@pytest.mark.parametrize("modern", [True, False])
def test_torch_files_with_objects_are_not_executed(modern, tmp_path):
    made = tmp_path / "made"
    path = tmp_path / "a.pth"
    state = {"features.0.weight": torch.zeros(64, 3, 3, 3), "x": Malice(made)}
    torch.save(state, path, _use_new_zipfile_serialization=modern)
    refused(path, "plain state dict")
    assert not made.exists()


def test_a_whole_pickled_model_is_refused(tmp_path):
    torch.save(torch.nn.Sequential(torch.nn.Conv2d(3, 64, 3)), tmp_path / "model.pth")
    refused(tmp_path / "model.pth", "plain state dict")


@pytest.mark.parametrize("loaded", [torch.zeros(3), [torch.zeros(3)], {}, {"state_dict": {}}, {"a": 1}])
def test_torch_files_without_a_state_dict_are_refused(loaded, tmp_path):
    torch.save(loaded, tmp_path / "a.pth")
    refused(tmp_path / "a.pth")


def test_object_arrays_are_not_executed(tmp_path):
    made = tmp_path / "made"
    path = tmp_path / "a.npz"
    with path.open("wb") as file:
        np.savez(file, **{"conv1_1.weight": np.array([Malice(made)], dtype=object)})
    refused(path)
    assert not made.exists()


def test_oversized_arrays_are_refused_before_they_are_read(tmp_path):
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conv1_1.weight.npy", bytes(30_000_000))
    refused(path, "no larger")
    path = tmp_path / "bomb.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("block1_conv1/kernel:0", shape=(1 << 40,), dtype="f4", chunks=(1024,))
    refused(path, "no larger")


def test_links_out_of_a_keras_file_are_not_followed(tmp_path):
    other = write_keras_1(tmp_path / "other.h5", random_network(to="conv1_1"))
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["block1_conv1"] = h5py.ExternalLink(str(other), "/block1_conv1")
    refused(path, "VGG's convolutions")


def test_keras_without_h5py_names_the_command(tmp_path, monkeypatch):
    path = write_keras_1(tmp_path / "a.h5", random_network(to="conv1_1"))
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match=r"pip install gramarye\[keras\]"):
        read(path)


def test_big_endian_arrays_are_read(tmp_path):
    tensors = random_network(to="conv1_1")
    path = tmp_path / "a.npz"
    with path.open("wb") as file:
        np.savez(file, **{name: tensor.numpy().astype(">f4") for name, tensor in tensors.items()})
    assert torch.equal(read(path).tensors["conv1_1.weight"], tensors["conv1_1.weight"])


@pytest.mark.parametrize("writer", WRITERS)
def test_files_cut_anywhere_are_refused(writer, tmp_path):
    path = WRITERS[writer](tmp_path / writer, random_network(to="conv1_2"))
    whole = path.read_bytes()
    for length in (1, 7, 9, 60, len(whole) // 3, len(whole) // 2, len(whole) - 100, len(whole) - 1):
        path.write_bytes(whole[:length])
        refused(path)


@pytest.mark.parametrize("writer", WRITERS)
def test_damaged_files_raise_nothing_but_weights_errors(writer, tmp_path):
    path = WRITERS[writer](tmp_path / writer, random_network(to="conv1_1"))
    whole = path.read_bytes()
    chance = random.Random(0)
    for _ in range(12):
        damaged = bytearray(whole)
        for _ in range(20):  # mostly in the structure, which lies at both ends
            place = chance.choice([chance.randrange(600), -chance.randrange(1, 600), chance.randrange(len(whole))])
            damaged[place] = chance.randrange(256)
        path.write_bytes(damaged)
        with suppress(WeightsError):  # what is damaged may be of no importance
            read(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([b"", b"\x80\x02", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"\x10\0\0\0\0\0\0\0{"]),
    st.binary(max_size=200),
)
def test_arbitrary_bytes_raise_nothing_but_weights_errors(tmp_path, start, rest):
    path = tmp_path / "any"
    path.write_bytes(start + rest)
    with pytest.raises(WeightsError):
        read(path)


def test_classifiers_are_not_read(tmp_path):
    tensors = random_network(to="conv1_1") | {"fc6_W": torch.full((10,), float("nan"))}
    assert read(write_npz(tmp_path / "a.npz", tensors)).depth == "conv1_1"

"""Files of arrays, opened without executing anything that they contain.

The format is told by a file's first bytes, not by its name. A caller says which keys it wants, so that
the classifier of a VGG (nine tenths of the file) is never read where the format allows that.
"""

from __future__ import annotations

import hashlib
import importlib
import pickle
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

from gramarye.errors import GramaryeError, MissingExtraError, WeightsError

LARGEST = 512 * 512 * 3 * 3  # elements of the largest array of any VGG convolution
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
KNOWN = ".pth or .pt (a state dict), .safetensors, .npz, .h5 (Keras)"
NESTS = ("state_dict", "model_state_dict", "model")  # where training programs put the state dict

Wanted = Callable[[str], bool]


@dataclass(frozen=True)
class Arrays:
    """What a file holds: the wanted arrays, the names of all, and the file's own description."""

    kind: str  # torch, safetensors, npz or keras
    tensors: Mapping[str, Tensor]
    keys: tuple[str, ...]
    metadata: Mapping[str, str]


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal; raises WeightsError when it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError("weights must be a readable file", f"{path} ({error.strerror})") from None


def open_arrays(path: Path, wanted: Wanted) -> Arrays:
    """The arrays of `path` whose keys are `wanted`, in any known format.

    Raises WeightsError for every file that is missing, damaged, of another kind, or that would need
    code to be executed; MissingExtraError for a Keras file without h5py.
    """
    kind = _kind(path)
    try:
        return _READERS[kind](path, wanted)
    except GramaryeError:
        raise
    except Exception as error:  # a damaged file can raise anything inside four libraries
        reason = str(error).strip().splitlines() or [type(error).__name__]
        received = f"{path}, which cannot be read as {kind} ({reason[0][:160]})"
        remedy = "the file is damaged or incomplete: fetch or copy it again"
        raise WeightsError("weights must be a complete file", received, remedy) from None


def _kind(path: Path) -> str:
    """The format of a file, from its first bytes."""
    head = _head(path)
    if head.startswith(HDF5_SIGNATURE):
        return "keras"
    if head.startswith(b"PK\x03\x04"):
        return _zip_kind(path)
    if head[8:9] == b"{" and head[4:8] == b"\0\0\0\0":  # a header length under 4 GiB, then JSON
        return "safetensors"
    if head.startswith(b"\x80"):  # a pickle: how torch.save wrote before 1.6
        return "torch"
    raise WeightsError(f"weights are {KNOWN}", f"{path}, which is none of these", None)


def _head(path: Path) -> bytes:
    """The first bytes of a file; raises WeightsError when there are none to read."""
    if path.is_dir():
        raise WeightsError("weights are a file", f"the folder {path}", "name the file in it")
    if not path.exists():
        raise WeightsError("weights must be an existing file", path, "check the name and the folder")
    if not path.is_file():
        raise WeightsError("weights are a regular file", path)
    try:
        with path.open("rb") as stream:
            head = stream.read(16)
    except OSError as error:
        raise WeightsError("weights must be a readable file", f"{path} ({error.strerror})") from None
    if not head:
        raise WeightsError("weights must not be empty", f"{path} of 0 bytes", "fetch or copy it again")
    return head


def _zip_kind(path: Path) -> str:
    """Whether a ZIP archive is torch's or numpy's."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        received = f"{path} ({error})"
        remedy = "the file is damaged or incomplete: fetch or copy it again"
        raise WeightsError("weights must be a complete file", received, remedy) from None
    if any(name.endswith("data.pkl") for name in names):
        return "torch"
    if any(name.endswith(".npy") for name in names):
        return "npz"
    raise WeightsError(f"weights are {KNOWN}", f"{path}, another kind of ZIP archive")


def _read_torch(path: Path, wanted: Wanted) -> Arrays:
    """A state dict; `weights_only` lets nothing but tensors and plain containers be unpickled."""
    is_zip = zipfile.is_zipfile(path)  # only the newer layout can be mapped into memory
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's own, about its older layout
            loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip)
    except pickle.UnpicklingError:
        remedy = "save it again as torch.save(model.state_dict(), FILE), or as .safetensors"
        received = f"{path}, which is damaged or would have to execute code to be read"
        raise WeightsError("a .pth file must be a plain state dict of tensors", received, remedy) from None
    for nest in NESTS:
        if isinstance(loaded, dict) and isinstance(loaded.get(nest), dict):
            loaded = loaded[nest]
    if not isinstance(loaded, dict):
        raise WeightsError("a .pth file must be a state dict", f"{path}, which holds a {type(loaded).__name__}")
    tensors = {str(key): value for key, value in loaded.items() if isinstance(value, Tensor)}
    return Arrays("torch", {key: tensors[key] for key in tensors if wanted(key)}, tuple(tensors), {})


def _read_safetensors(path: Path, wanted: Wanted) -> Arrays:
    """A safetensors file, with its metadata."""
    with safe_open(path, framework="pt", device="cpu") as file:
        keys = tuple(file.keys())
        tensors = {key: file.get_tensor(key) for key in keys if wanted(key)}
        return Arrays("safetensors", tensors, keys, file.metadata() or {})


def _read_npz(path: Path, wanted: Wanted) -> Arrays:
    """A numpy archive; arrays of objects, which are pickles, are refused."""
    with zipfile.ZipFile(path) as archive:
        sizes = {info.filename.removesuffix(".npy"): info.file_size for info in archive.infolist()}
    for key, size in sizes.items():
        if wanted(key) and size > 8 * LARGEST + 1024:  # float64, and the header
            raise WeightsError("an array is no larger than a VGG convolution", f"{key} of {size} bytes in {path}")
    with np.load(path, allow_pickle=False) as archive:
        keys = tuple(archive.files)
        tensors = {key: _tensor(archive[key]) for key in keys if wanted(key)}
    return Arrays("npz", tensors, keys, {})


def _read_keras(path: Path, wanted: Wanted) -> Arrays:
    """An HDF5 file of Keras; the key of an array is its path from the root."""
    try:
        h5py = importlib.import_module("h5py")
    except ImportError:
        raise MissingExtraError("reading Keras weights needs h5py", path, "run pip install gramarye[keras]") from None
    keys: list[str] = []
    tensors: dict[str, Tensor] = {}

    def visit(key: str, item: Any) -> None:
        if not isinstance(item, h5py.Dataset) or "optimizer" in key:
            return
        keys.append(key)
        if wanted(key):
            if item.size is None or item.size > LARGEST:
                received = f"{key} of {item.size} elements in {path}"
                raise WeightsError("an array is no larger than a VGG convolution", received)
            tensors[key] = _tensor(item[()])

    with h5py.File(path, "r") as file:
        file.visititems(visit)  # follows no links, so no other file is opened
    return Arrays("keras", tensors, tuple(keys), {})


def _tensor(array: Any) -> Tensor:
    """A numpy array as a tensor, in the machine's byte order."""
    array = np.asarray(array)
    native = array.astype(array.dtype.newbyteorder("="), copy=True)
    return torch.from_numpy(native)


_READERS: dict[str, Callable[[Path, Wanted], Arrays]] = {
    "torch": _read_torch,
    "safetensors": _read_safetensors,
    "npz": _read_npz,
    "keras": _read_keras,
}

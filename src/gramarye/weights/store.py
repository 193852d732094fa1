"""The user's store of weights: which network is used, keeping and verifying what is there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as as_safetensors
from torch import Tensor

from gramarye.errors import ImageError, WeightsError, unknown_name
from gramarye.files import write_atomically
from gramarye.layers import CONVOLUTIONS_PER_BLOCK
from gramarye.weights import scales
from gramarye.weights.importing import Weights, read
from gramarye.weights.places import EMBEDDED_NETWORK, FULL_NETWORK, HOME_VARIABLE, embedded, find, folder
from gramarye.weights.sources import SOURCES, InputConvention


@dataclass(frozen=True)
class Choice:
    """Which network will be used, from which file, and in one line why and how to change it."""

    network: str
    path: Path
    reason: str


def choose(network: str = "auto", file: Path | str | None = None) -> Choice:
    """The file that `network` will be read from.

    A named file is used as it is; otherwise "auto" takes the full VGG-19 if the store has it, else the
    embedded vgg19-lite. Raises WeightsError with the commands that help when there is no such file.
    """
    if network not in ("auto", *CONVOLUTIONS_PER_BLOCK):
        raise WeightsError(*unknown_name("network", network, ("auto", *CONVOLUTIONS_PER_BLOCK)))
    if file is not None:
        weights = read(file, network)
        return Choice(weights.network, weights.path, f"{weights.network} from {weights.path}, as asked")
    if network == EMBEDDED_NETWORK:
        return _embedded("vgg19-lite, embedded, as asked")
    stored = find(FULL_NETWORK if network == "auto" else network)
    if stored is not None and network == "auto":
        return Choice(FULL_NETWORK, stored, f"vgg19 from {stored}; for the faster one: --network vgg19-lite")
    if stored is not None:
        return Choice(network, stored, f"{network} from {stored}, as asked")
    if network == "auto":
        return _embedded("vgg19-lite, embedded; for the full one: gramarye weights fetch vgg19-torchvision")
    remedy = f"run gramarye weights fetch {network}-torchvision, or name a file with --weights FILE"
    raise WeightsError(f"{network} needs its weights", f"none in {folder()}", remedy)


def _embedded(reason: str) -> Choice:
    """The embedded network; raises WeightsError when the installation lacks it."""
    path = embedded()
    if not path.is_file():
        remedy = "install gramarye again, or name a file with --weights FILE"
        raise WeightsError("the embedded network is part of the package", f"no {path}", remedy)
    return Choice(EMBEDDED_NETWORK, path, reason)


def load(network: str = "auto", file: Path | str | None = None) -> Weights:
    """The weights that `choose` chooses; with a file of any known format, those in it."""
    if file is not None:
        return read(file, network)
    choice = choose(network)
    return read(choice.path, choice.network)


def import_file(
    file: Path | str,
    network: str | None = None,
    convention: InputConvention | str | None = None,
    *,
    where: Path | None = None,
    source: str | None = None,
) -> Path:
    """Check a file and keep its convolutions in the store as safetensors; returns where.

    Replaces what the store had for that network. `source` names the `Source` that the file is known to be.
    Raises WeightsError, leaving the store as it was.
    """
    weights = read(file, network, convention)
    weights = replace(weights, source=source or weights.source)
    return write(weights, (where or folder()) / f"{weights.network}.safetensors")


def write(weights: Weights, path: Path, **metadata: str) -> Path:
    """Save weights as safetensors with their metadata, atomically, in float16 when nothing is lost.

    The size of their activations is measured and recorded, if it is not known yet. More `metadata` may be
    given (text only). Raises WeightsError when the folder cannot be written.
    """
    record = SOURCES.get(weights.source)
    described = {
        "network": weights.network,
        "convention": weights.convention.to_json(),
        "source": weights.source,
        "source_sha256": weights.sha256,
        "content_sha256": content_digest(weights),
        scales.KEY: scales.to_json(weights.scales or scales.measured(weights)),
    }
    if record is not None:
        described |= {"licence": record.licence, "citation": record.citation}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, as_safetensors(_narrowed(_all_tensors(weights)), described | metadata))
    except (OSError, ImageError) as error:
        received = error.received if isinstance(error, ImageError) else error
        remedy = f"free space or permissions, or another folder in ${HOME_VARIABLE}"
        raise WeightsError(f"weights are kept in {path.parent}", received, remedy) from None
    return path


def verify(path: Path | str) -> Weights:
    """Read weights and check them against what is known of them; returns them when all is well.

    A file written here must have the contents that it was written with; a file under a published name
    must have the published SHA-256. Raises WeightsError otherwise.
    """
    weights = read(path)
    expected = _metadata(weights.path).get("content_sha256")
    if expected is not None and content_digest(weights) != expected:
        remedy = "import or fetch them again"
        raise WeightsError("stored weights are as they were written", f"other values in {path}", remedy)
    for record in SOURCES.values():
        if weights.path.name == record.filename and not record.matches(weights.sha256):
            rule = f"the SHA-256 of {record.filename} begins {record.sha256}"
            raise WeightsError(rule, f"{weights.sha256} for {path}", "fetch or copy it again")
    return weights


def content_digest(weights: Weights) -> str:
    """The SHA-256 of all values as float32, in the order of their names; the same for every file format."""
    total = hashlib.sha256()
    for name, tensor in sorted(_all_tensors(weights).items()):
        total.update(f"{name} {tuple(tensor.shape)}\n".encode())
        total.update(tensor.float().contiguous().numpy().tobytes())
    return total.hexdigest()


def _all_tensors(weights: Weights) -> dict[str, Tensor]:
    calibration = {f"calibration.{name}": matrix for name, matrix in weights.calibration.items()}
    return {**weights.tensors, **calibration}


def _narrowed(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors in float16 if every value survives, otherwise in float32."""
    narrow = {name: tensor.half() for name, tensor in tensors.items()}
    if all(torch.equal(narrow[name].float(), tensor) for name, tensor in tensors.items()):
        return narrow
    return {name: tensor.float().contiguous() for name, tensor in tensors.items()}


def recorded_scales(source: str) -> dict[str, float]:
    """The size of the activations of the published network `source`, by ReLU layer, if it was imported here."""
    path = find(SOURCES[source].network)
    said = _metadata(path) if path else {}
    return scales.from_json(said[scales.KEY]) if said.get("source") == source and scales.KEY in said else {}


def _metadata(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file; none for other formats."""
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError):
        return {}

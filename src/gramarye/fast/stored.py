"""Feed-forward painters in files: safetensors with a card that says how each was trained. Nothing in them is executed.

Weights are float16 and made float32 when they are read. The one entry of the metadata, `gramarye`, is JSON: which kind
of painter it is, what it takes to build it, and its card. Of a painter of any painting the encoder is not stored, but
the SHA-256 of the one that it was trained with, which is the embedded network.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save as as_safetensors
from torch import Tensor, nn

from gramarye import weights
from gramarye.errors import ImageError, WeightsError
from gramarye.fast import any_style
from gramarye.fast.any_style import AnyStyle
from gramarye.fast.painter import Painter
from gramarye.files import writable, write_atomically
from gramarye.plain import finite
from gramarye.weights.formats import Arrays, digest, open_arrays
from gramarye.weights.places import EMBEDDED_NETWORK

KINDS = ("many", "any")
FOLDER = Path(__file__).resolve().parent.parent / "networks"  # of those that are part of the package
KEY, FORMAT = "gramarye", "painter 2"
ENCODER = "encoder."  # how the names begin of what is not stored
LARGEST = {"width": 1024, "blocks": 100, "last": 1024, "coarse": 1024}  # sizes of a painter of many styles
MOST = 10_000  # styles
_RULE = "a feed-forward painter comes from a file that gramarye fast train wrote"
_REMEDY = "name another file, or many or any for those of the package"


@dataclass(frozen=True)
class FastNetwork:
    """A feed-forward painter as it was stored, frozen: of `many` styles, by their names, or of `any` painting.

    `card` says how it was trained and what it reached on pictures that it had not seen.
    """

    kind: str
    painter: Painter | AnyStyle
    card: dict[str, Any]
    styles: tuple[str, ...] = ()
    path: Path | None = None
    sha256: str = ""  # of the file

    @property
    def name(self) -> str:
        """As recipes call it: fast-many or fast-any."""
        return f"fast-{self.kind}"

    @property
    def embedded(self) -> bool:
        """Whether it is part of the package."""
        return self.path == bundled(self.kind)


def bundled(kind: str) -> Path:
    """Where the package has its painter of a kind."""
    return FOLDER / f"fast-{kind}.safetensors"


def bundled_sha256() -> dict[str, str]:
    """The SHA-256 of the package's painters that are there, by their names in recipes."""
    return {path.stem: digest(path) for path in map(bundled, KINDS) if path.is_file()}


def save(path: str | Path, painter: nn.Module, card: Mapping[str, Any]) -> None:
    """Write a Painter or an AnyStyle with its card, JSON, whole or not at all; the same painter gives the same bytes.

    Raises WeightsError when the file cannot be written.
    """
    described = json.dumps({"format": FORMAT, **_description(painter), "card": finite(dict(card))}, allow_nan=False)
    tensors = {name: _narrow(each) for name, each in painter.state_dict().items() if not name.startswith(ENCODER)}
    try:
        write_atomically(writable(Path(path)), as_safetensors(tensors, {KEY: described}))
    except ImageError as error:
        raise WeightsError("a painter is written to a file", error.received, error.remedy) from error


def _description(painter: nn.Module) -> dict[str, Any]:
    """What it takes to build a painter like this one."""
    if isinstance(painter, Painter):
        return {"kind": "many", "styles": list(painter.styles), "sizes": painter.sizes}
    if isinstance(painter, AnyStyle):
        return {"kind": "any", "encoder": _encoder_sha256()}
    raise WeightsError("a feed-forward painter is a Painter or an AnyStyle", type(painter).__name__)


def _encoder_sha256() -> str:
    return digest(weights.embedded())


def _narrow(tensor: Tensor) -> Tensor:
    """In float16 if nothing is too large for it."""
    half = tensor.detach().to("cpu", torch.float16).contiguous()
    return half if bool(half.isfinite().all()) else tensor.detach().to("cpu", torch.float32).contiguous()


def load(source: str | Path, dtype: torch.dtype = torch.float32) -> FastNetwork:
    """The painter in a file, or one of the package: "many" or "any"; on the processor, its parameters float32.

    `dtype` is the precision of an encoder. Raises WeightsError for whatever is no such painter.
    """
    ours = source in KINDS
    path = bundled(str(source)) if ours else Path(source).expanduser()
    if ours and not path.is_file():
        raise WeightsError("its feed-forward painters are part of the package", f"no {path}", "install gramarye again")
    arrays = open_arrays(path, lambda name: True)
    described = _described(arrays, path)
    painter = _built(described, path, dtype)
    _fill(painter, arrays.tensors, path)
    styles = painter.styles if isinstance(painter, Painter) else ()
    painter.eval()
    return FastNetwork(described["kind"], painter, described["card"], styles, path, digest(path))


def _refused(path: Path, why: str) -> WeightsError:
    return WeightsError(_RULE, f"{path}, {why}", _REMEDY)


def _described(arrays: Arrays, path: Path) -> dict[str, Any]:
    """What a file says of itself, checked; raises WeightsError."""
    try:
        described = json.loads(arrays.metadata.get(KEY, "null"))
    except (ValueError, RecursionError) as error:
        raise _refused(path, f"whose description is damaged ({error})") from error
    if not isinstance(described, dict) or described.get("format") != FORMAT:
        raise _refused(path, "which is something else")
    if described.get("kind") not in KINDS or not isinstance(described.get("card"), dict):
        raise _refused(path, "whose kind or card is unknown")
    if described["kind"] == "many" and not (_are_names(described.get("styles")) and _are_sizes(described.get("sizes"))):
        raise _refused(path, "whose styles or sizes are damaged")
    return described


def _are_names(styles: Any) -> bool:
    if not isinstance(styles, list) or not all(isinstance(each, str) and each for each in styles):
        return False
    return 0 < len(set(styles)) == len(styles) <= MOST


def _are_sizes(sizes: Any) -> bool:
    if not isinstance(sizes, dict) or set(sizes) != set(LARGEST):
        return False
    return all(type(each) is int and 0 < each <= LARGEST[name] for name, each in sizes.items())


def _built(described: dict[str, Any], path: Path, dtype: torch.dtype) -> Painter | AnyStyle:
    """A painter of the right build, without its weights: a damaged description cannot take memory."""
    if described["kind"] == "any":
        if described.get("encoder") != _encoder_sha256():
            raise _refused(path, f"whose encoder is not this version's {EMBEDDED_NETWORK}")
        return AnyStyle(any_style.encoder(dtype))
    with torch.device("meta"):
        return Painter(tuple(described["styles"]), **described["sizes"])


def _fill(painter: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Give a painter its weights; raises WeightsError unless they fit and are finite."""
    kept = {name: each for name, each in painter.state_dict().items() if name.startswith(ENCODER)}
    given = {name: _wide(each) for name, each in tensors.items() if name not in kept}
    damaged = [name for name, each in given.items() if not bool(each.isfinite().all())]
    if damaged:
        raise _refused(path, f"whose {damaged[0]} is not finite")
    try:
        painter.load_state_dict(kept | given, assign=True)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()[:160]
        raise _refused(path, f"whose weights do not fit ({reason})") from error
    painter.requires_grad_(requires_grad=False)


def _wide(tensor: Tensor) -> Tensor:
    """In float32, kernels as convolutions read them best."""
    wide = tensor.float()
    return wide.contiguous(memory_format=torch.channels_last) if wide.dim() == 4 else wide

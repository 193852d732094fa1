"""Feed-forward painters as files that other programs run: ONNX, and PyTorch's own `.pt2` (`torch.export`).

Everything in and out is float32, sRGB in [0, 1], and height and width are whatever a program gives:

    many styles       photograph 1 3 H W, mix 1 S (each style's share)                 → painting 1 3 H W
    any style         photograph 1 3 H W, style 1 3 h w (a painting), alpha 1 (0 to 1) → painting 1 3 H W
    one style alone   photograph 1 3 H W (and alpha)                                   → painting 1 3 H W

A file is written only after it has painted as the network itself does. What it is, its styles' names and the network's
card are in it, as JSON, under the name `gramarye`. No path or line of this machine's programs is.
"""

from __future__ import annotations

import copy
import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

import gramarye
from gramarye import images
from gramarye.errors import MissingExtraError, SettingsError, WeightsError, unknown_name
from gramarye.fast.any_style import AnyStyle, Manner
from gramarye.files import destination_of, write_atomically

if TYPE_CHECKING:
    from gramarye.fast.stored import FastNetwork

OPSET = 23  # of ONNX: the newest that PyTorch writes; ONNX Runtime takes it since 1.23
LEAST, LARGEST = images.SMALLEST_SIDE, 2**14  # px on a side that a file takes
TRACED = (40, 56)  # px of the picture with which the network is followed
CHECKED = ((64, 64), (250, 333), (33, 150))  # px, at which a file must paint as the network does
TOLERANCE = 1e-3  # largest difference of a channel
NAME = "gramarye"  # of the description in the file
_PREFIXES = {"photograph": "", "painting": "", "style": "style_"}  # of the sides' names

Image = Float[Tensor, "1 3 height width"]
Run = Callable[..., Tensor]


@dataclass(frozen=True)
class Exported:
    """A file that was written: its inputs' names, its size, and the largest difference from the network itself."""

    path: Path
    kind: str
    style: str | None
    inputs: tuple[str, ...]
    opset: int | None
    size: int  # bytes
    difference: float  # over pictures of CHECKED


def check(path: Path) -> Path:
    """Where the file would be written; raises ImageError, or MissingExtraError when ONNX lacks its packages."""
    return destination_of(path, "an exported network", {".onnx": _onnxruntime, ".pt2": None})


def export(network: FastNetwork, path: Path, *, style: str | None = None, painting: Image | None = None) -> Exported:
    """Write a network to `path`, ONNX or `.pt2` by the suffix, whole or not at all.

    `style` (of many) or `painting` (for any style, with `style` as its name) is fixed in the file, which then takes
    photographs alone. Raises SettingsError for an unknown style, WeightsError if the file would paint
    otherwise than the network, ImageError, MissingExtraError.
    """
    destination = check(path)
    module = _module(network, style, painting).eval().requires_grad_(requires_grad=False)
    with torch.no_grad(), _quiet():
        program = _traced(module)
        described = {"kind": network.kind, "style": style, "styles": list(network.styles), "card": network.card}
        text = json.dumps({**described, "version": gramarye.__version__})
        onnx = path.suffix.lower() == ".onnx"
        data = _as_onnx(program, module, text) if onnx else _as_pt2(program, text)
        difference = compare(module, _onnx_runner(data) if onnx else _pt2_runner(data))
    if not difference <= TOLERANCE:  # nor NaN
        rule = f"an exported network must paint as the network does, within {TOLERANCE}"
        raise WeightsError(rule, f"a difference of {difference:.2g}", f"write a {'.pt2' if onnx else '.onnx'}")
    write_atomically(destination, data)
    inputs = tuple(module.inputs)
    return Exported(path, network.kind, style, inputs, OPSET if onnx else None, len(data), difference)


# ---- what is exported -------------------------------------------------------------------------------------


class Exportable(nn.Module):
    """A painter as it stands in a file: `inputs` are the names of what it takes, with an example each."""

    def __init__(self, painter: nn.Module, inputs: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.painter, self.inputs = painter, dict(inputs)


class ManyStyles(Exportable):
    """Photograph and mix."""

    def forward(self, photograph: Tensor, mix: Tensor) -> Tensor:
        """The painting, clipped to [0, 1]."""
        painted: Tensor = self.painter(photograph, mix)
        return painted.clamp(0, 1)


class OneOfMany(Exportable):
    """A photograph alone: the mix is fixed."""

    def __init__(self, painter: nn.Module, mix: Tensor, inputs: Mapping[str, Tensor]) -> None:
        super().__init__(painter, inputs)
        self.register_buffer("mix", mix)

    def forward(self, photograph: Tensor) -> Tensor:
        """The painting, clipped to [0, 1]."""
        painted: Tensor = self.painter(photograph, self.mix)
        return painted.clamp(0, 1)


class AnyPainting(Exportable):
    """Photograph, painting, and how much of the painting's manner is taken."""

    def forward(self, photograph: Tensor, style: Tensor, alpha: Tensor) -> Tensor:
        """The painting, clipped to [0, 1]."""
        assert isinstance(self.painter, AnyStyle)
        manner = self.painter.remember(style)
        painted: Tensor = self.painter(photograph, manner, alpha)
        return painted.clamp(0, 1)


class OnePainting(Exportable):
    """Photograph, and how much of the manner, which is fixed, is taken."""

    def __init__(self, painter: AnyStyle, manner: Manner, inputs: Mapping[str, Tensor]) -> None:
        super().__init__(painter, inputs)
        self.taps = tuple(manner.moments)
        for tap, (mean, deviation) in manner.moments.items():
            self.register_buffer(f"{tap}_mean", mean)
            self.register_buffer(f"{tap}_deviation", deviation)

    def forward(self, photograph: Tensor, alpha: Tensor) -> Tensor:
        """The painting, clipped to [0, 1]."""
        manner = Manner(
            {tap: (self.get_buffer(f"{tap}_mean"), self.get_buffer(f"{tap}_deviation")) for tap in self.taps}
        )
        painted: Tensor = self.painter(photograph, manner, alpha)
        return painted.clamp(0, 1)


def _module(network: FastNetwork, style: str | None, painting: Image | None) -> Exportable:
    painter = _own(network.painter)
    inputs = {"photograph": _picture(TRACED)}
    if isinstance(painter, AnyStyle):
        alpha = {"alpha": torch.tensor([0.8])}
        if painting is not None:
            return OnePainting(painter, painter.remember(painting.float().cpu()), inputs | alpha)
        return AnyPainting(painter, inputs | {"style": _picture(TRACED[::-1])} | alpha)
    count = len(network.styles)
    if style is None:
        return ManyStyles(painter, inputs | {"mix": torch.full((1, count), 1 / count)})
    if style not in network.styles:
        raise SettingsError(*unknown_name("style", style, network.styles))
    place = network.styles.index(style)
    return OneOfMany(painter, torch.eye(count)[place : place + 1], inputs)


def _own(painter: nn.Module) -> nn.Module:
    """A copy in float32."""
    copied = copy.deepcopy(painter).cpu().float()
    if isinstance(copied, AnyStyle):
        copied.encoder.dtype = torch.float32
    return copied


def _picture(size: tuple[int, int], seed: int = 0) -> Image:
    return torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(seed))


def _traced(module: Exportable) -> ExportedProgram:
    """The network as a graph of tensor operations, for every size.

    Without size-oblivious reasoning, what is found out about the memory layout of the example would become a rule.
    """
    shapes = {name: _dimensions(name) for name in module.inputs}
    with torch.fx.experimental._config.patch(backed_size_oblivious=True):  # type: ignore[attr-defined]
        program = torch.export.export(
            module, (), module.inputs, dynamic_shapes=shapes, prefer_deferred_runtime_asserts_over_guards=True
        )
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # names files of this machine
    return program


def _dimensions(name: str) -> dict[int, Dim] | None:
    if name not in _PREFIXES:
        return None
    prefix = _PREFIXES[name]
    return {2: Dim(f"{prefix}height", min=LEAST, max=LARGEST), 3: Dim(f"{prefix}width", min=LEAST, max=LARGEST)}


# ---- files ------------------------------------------------------------------------------------------------


def _as_pt2(program: ExportedProgram, description: str) -> bytes:
    buffer = io.BytesIO()
    torch.export.save(program, buffer, extra_files={f"{NAME}.json": description})
    return buffer.getvalue()


def _as_onnx(program: ExportedProgram, module: Exportable, description: str) -> bytes:
    made = torch.onnx.export(
        program, input_names=list(module.inputs), output_names=["painting"], opset_version=OPSET, verbose=False
    )
    assert made is not None
    proto = made.model_proto
    proto.producer_name, proto.producer_version = NAME, gramarye.__version__
    entry = proto.metadata_props.add()
    entry.key, entry.value = NAME, description
    for node in proto.graph.node:
        node.ClearField("metadata_props")  # names files of this machine
    proto.graph.ClearField("value_info")
    for value in (*proto.graph.input, *proto.graph.output):
        _name_sides(value.name, value.type.tensor_type.shape.dim)
    data: bytes = proto.SerializeToString(deterministic=True)
    return data


def _name_sides(name: str, dimensions: Sequence[Any]) -> None:
    """Say height and width where the tracing has symbols of its own."""
    if name in _PREFIXES:
        dimensions[2].dim_param = f"{_PREFIXES[name]}height"
        dimensions[3].dim_param = f"{_PREFIXES[name]}width"


def _pt2_runner(data: bytes) -> Run:
    return torch.export.load(io.BytesIO(data)).module()


def _onnx_runner(data: bytes) -> Run:
    runtime = _onnxruntime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])

    def run(**inputs: Tensor) -> Tensor:
        found = session.run(None, {name: value.numpy() for name, value in inputs.items()})
        return torch.from_numpy(found[0])

    return run


def compare(module: Exportable, run: Run, sizes: Sequence[tuple[int, int]] = CHECKED) -> float:
    """The largest difference of a channel between what the network paints and what `run` does, at some sizes."""
    largest = 0.0
    for seed, size in enumerate(sizes):
        inputs = module.inputs | {"photograph": _picture(size, seed)}
        largest = max(largest, float((run(**inputs) - module(**inputs)).abs().max()))
    return largest


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporters say to their developers."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _onnxruntime() -> Any:
    """ONNX Runtime; raises MissingExtraError unless all that an ONNX file needs is installed."""
    try:
        import onnx  # noqa: F401
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError as error:
        remedy = 'pip install "gramarye[export]", or write a .pt2'
        rule = "an ONNX file needs onnx, onnxscript and onnxruntime"
        raise MissingExtraError(rule, f"no module {error.name}", remedy) from error
    return onnxruntime

"""Every knob, declared once: default, range, unit and one line of help.

Flags of the command line, controls, study axes and the documentation are all derived from here.
`Settings` is frozen, nested, and round-trips to JSON; it is saved inside every picture.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gramarye import layers
from gramarye.errors import SettingsError, unknown_name
from gramarye.knobs import Group, Knob, checked, knob, knobs_of

STATISTICS = ("gram", "covariance", "moments", "mmd-poly", "mmd-gauss", "w2", "sliced-w", "nearest")
DISTANCES = ("l2", "l1", "huber")


@dataclass(frozen=True)
class NetworkSettings(Group):
    """The network that looks at the pictures."""

    prefix = "network."

    name: str = knob(
        "auto",
        "auto takes the full VGG-19 if its weights are here, else the embedded lite",
        choices=("auto", *layers.CONVOLUTIONS_PER_BLOCK),
    )
    pooling: str = knob("avg", "how 2×2 activations become one", choices=("max", "avg", "l2"))
    rescale: bool = knob(False, "keep the size of activations when max pooling is replaced (Crowson)")
    padding: str = knob(
        "replicate-first",
        "what a convolution sees beyond the border; papers use zeros, which leaves marks there",
        choices=("zeros", "replicate", "reflect", "replicate-first"),
    )
    units: str = knob(
        "own",
        "whose activations' size the weights were tuned for: the network's own, Oxford's (pictures of 0 … 255), "
        "torchvision's (standardised pictures), or normalised to a mean of 1 (Gatys 2015)",
        choices=("own", "oxford", "torchvision", "normalised"),
    )


@dataclass(frozen=True)
class ContentSettings(Group):
    """What is kept of the photograph."""

    prefix = "content."

    weight: float = knob(1.0, "weight α of the content terms", low=0, high=1e12, log=True, live=True)
    layers: tuple[str, ...] = knob(layers.CONTENT_LAYERS, "layers whose activations are kept")
    layer_weights: tuple[float, ...] = knob((), "one weight for each layer; empty: all alike")
    reduction: str = knob(
        "mean",
        "sum: ½·Σ(F−P)² (Gatys 2015); mean: the mean of (F−P)² (PyTorch tutorial)",
        choices=("sum", "mean"),
    )
    distance: str = knob("l2", "how activations are compared", choices=DISTANCES)
    detail: float = knob(
        0.0, "how much more the photograph's details count than its plain parts; 0: all alike", low=0, high=100
    )
    detail_from: str = knob(
        "edges",
        "what counts as detail: the photograph's edges, or what a first painting has lost of it",
        choices=("edges", "lost"),
    )


@dataclass(frozen=True)
class StyleSettings(Group):
    """What is taken from the painting."""

    prefix = "style."

    weight: float = knob(1.0, "weight β of the style terms", low=0, high=1e15, log=True, live=True)
    layers: tuple[str, ...] = knob(layers.STYLE_LAYERS, "layers whose statistics are matched")
    layer_weights: tuple[float, ...] = knob((), "one weight for each layer; empty: all alike", live=True)
    statistic: str = knob("gram", "what is matched of the painting's activations", choices=STATISTICS)
    distance: str = knob("l2", "how the statistics are compared", choices=DISTANCES)
    normalization: str = knob(
        "gatys",
        "of gram and covariance, N channels and M positions: gatys 1/(4N²M²)·Σ(G−A)²; hw the mean of (G/M − A/M)² "
        "(Gatys' PyTorch code); chw the mean of (G/NM − A/NM)² (Johnson 2016, PyTorch tutorial)",
        choices=("gatys", "hw", "chw"),
    )
    scale: float = knob(1.0, "long side of the painting relative to the picture's", low=0.1, high=4, log=True)
    size: int = knob(
        0, "long side of the painting, whatever the picture's; 0: by style.scale", unit="px", low=0, high=20000
    )
    mix: tuple[float, ...] = knob((), "one weight for each painting; empty: all alike")


@dataclass(frozen=True)
class SmoothnessSettings(Group):
    """What is asked of the picture itself."""

    prefix = "smoothness."

    weight: float = knob(0.0, "weight of the total variation", low=0, high=1e9, log=True, live=True)
    kind: str = knob(
        "anisotropic",
        "which differences: |dx|ᵖ + |dy|ᵖ; isotropic (dx² + dy²)^(p/2); or nine-point, with the diagonals (Crowson)",
        choices=("anisotropic", "isotropic", "nine-point"),
    )
    exponent: float = knob(2.0, "exponent p of the differences between neighbouring pixels", low=1, high=2.5)
    reduction: str = knob("mean", "mean over the pixels, or their sum (papers)", choices=("mean", "sum"))
    chroma: float = knob(
        0.0,
        "weight of the squared total variation of the colour differences: against coloured speckle",
        low=0,
        high=1e9,
        log=True,
    )
    box: float = knob(0.0, "weight of the penalty on values outside [0, 1]", low=0, high=1e9, log=True)


@dataclass(frozen=True)
class OptimizerSettings(Group):
    """How the picture is changed."""

    prefix = "optimizer."

    name: str = knob("lbfgs", "optimiser", choices=("lbfgs", "adam", "adagrad", "sgd"))
    learning_rate: float = knob(
        0.0,
        "step length; 0: by the optimiser, 1 for lbfgs, 0.02 for adam, 0.1 for adagrad, for sgd what first moves "
        "pixels by 0.01",
        low=0,
        high=1e9,
        log=True,
    )
    decay: float = knob(1.0, "factor on the learning rate over decay_every evaluations, continuously", low=0.01, high=1)
    decay_every: int = knob(100, "evaluations over which the learning rate falls by decay", low=1, high=1_000_000)
    history: int = knob(10, "how many past steps L-BFGS remembers", low=1, high=200)
    line_search: str = knob("none", "how L-BFGS finds the length of a step", choices=("none", "strong-wolfe"))
    beta1: float = knob(0.9, "how much of the mean gradient Adam keeps", low=0, high=0.9999)
    beta2: float = knob(0.99, "how much of the mean squared gradient Adam keeps", low=0, high=0.999999)
    momentum: float = knob(0.0, "how much of the last step SGD keeps", low=0, high=0.9999)
    averaging: float = knob(
        0.0,
        "decay of the running mean of all pictures, which is the result; 0: the last one is (Crowson: 0.99)",
        low=0,
        high=0.99999,
    )
    clamp: bool = knob(False, "clip the picture to [0, 1] before each evaluation (PyTorch tutorial)")
    range: float = knob(
        1.0,
        "the value of white in the optimiser's eyes, to which learning rates refer; many originals: 255",
        low=1,
        high=255,
    )


@dataclass(frozen=True)
class ShiftingSettings(Group):
    """Random style shifting: the picture is cropped and turned a little before each evaluation (Joshi and Hu)."""

    prefix = "shifting."

    fraction: float = knob(1.0, "least side of the random crop, relative to the picture's; 1: none", low=0.5, high=1)
    degrees: float = knob(0.0, "largest random rotation", unit="°", low=0, high=45)


@dataclass(frozen=True)
class ScalesSettings(Group):
    """Coarse to fine: the picture is painted small first, then larger."""

    prefix = "scales."

    count: int = knob(3, "how many sizes, the last one being the full size", low=1, high=8)
    factor: float = knob(2.0, "ratio of one size to the one before", low=1.1, high=4)
    smallest: int = knob(96, "no long side smaller than this", unit="px", low=16, high=4096)
    detail: float = knob(
        0.0,
        "how much of the photograph's details a size begins with that the one before was too small for, "
        "where init is the photograph (content, matched, fast)",
        low=0,
        high=1,
    )
    shares: tuple[float, ...] = knob(
        (0.5, 0.3, 0.2), "share of the evaluations for each size, the smallest first; empty: all alike"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.shares and (min(self.shares) < 0 or self.shares[-1] == 0):
            received = ", ".join(f"{share:g}" for share in self.shares)
            raise SettingsError("scales.shares must not be negative, and the last one positive", received)


@dataclass(frozen=True)
class Settings(Group):
    """All knobs of one painting."""

    size: int = knob(512, "long side of the picture", unit="px", low=32, high=20000)
    steps: int = knob(200, "evaluations of the objective in all", low=0, high=1_000_000, log=True)
    seed: int = knob(0, "seed of everything random", low=0, high=2**32 - 1)
    strength: float = knob(
        1.0, "how far from the photograph (0) to go: 1 as the weights say, 2 much further", low=0, high=2, live=True
    )
    init: str = knob(
        "matched",
        "start: the photograph, the photograph with the painting's colour moments, noise, black, grey, the painting, "
        "what a feed-forward network paints in one pass (fast), or a picture of your own (--start)",
        choices=("content", "matched", "noise", "black", "grey", "style", "fast", "file"),
    )
    noise: float = knob(0.25, "standard deviation of the Gaussian noise of init=noise, around 0.5", low=0, high=2)
    color: str = knob(
        "style",
        "colours of the painting (style), or the photograph's: paint its luminance only; match the painting's "
        "histogram or its moments (pca, cholesky) to it before; or put its colours back afterwards (after)",
        choices=("style", "luminance", "histogram", "pca", "cholesky", "after"),
    )
    balance: str = knob(
        "start",
        "raw: weights as they are (papers); start: style terms relative to their value at the photograph, "
        "content terms relative to its activations, so that a weight means the same at every size; gradient: "
        "every term relative to the size of its gradient, so that weights are shares of the pull",
        choices=("raw", "start", "gradient"),
    )
    device: str = knob("auto", "auto, cpu, cuda, cuda:N or mps")
    precision: str = knob(
        "auto",
        "precision of the network; auto: bfloat16 where it is native",
        choices=("auto", "float32", "bfloat16"),
    )
    network: NetworkSettings = field(default_factory=NetworkSettings)
    content: ContentSettings = field(default_factory=ContentSettings)
    style: StyleSettings = field(default_factory=StyleSettings)
    smoothness: SmoothnessSettings = field(default_factory=SmoothnessSettings)
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    shifting: ShiftingSettings = field(default_factory=ShiftingSettings)
    scales: ScalesSettings = field(default_factory=ScalesSettings)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, group in (("content", self.content), ("style", self.style)):
            if not group.layers:
                rule = f"{name}.layers needs at least one layer"
                raise SettingsError(rule, "none", f"to leave these terms out, set {name}.weight=0")
            if min(group.layer_weights, default=0) < 0:
                raise SettingsError(f"{name}.layer_weights must not be negative", min(group.layer_weights))
            if group.layer_weights and len(group.layer_weights) != len(group.layers):
                rule = f"{name}.layer_weights needs one weight for each of the {len(group.layers)} layers"
                raise SettingsError(rule, f"{len(group.layer_weights)}", f"or set {name}.layer_weights=")
            for layer in group.layers:
                layers.resolve(layer)
        if self.style.mix and (min(self.style.mix) < 0 or not sum(self.style.mix)):
            received = ", ".join(f"{share:g}" for share in self.style.mix)
            raise SettingsError("style.mix must not be negative, and one weight at least positive", received)

    def with_(self, **changes: Any) -> Settings:
        """A copy with some knobs changed: `with_(size=768)`, `with_(**{"style.weight": 30})`.

        Values may be text, as on the command line. Raises SettingsError for an unknown knob, with the
        nearest known one, or for a value outside its range.
        """
        nested: dict[str, Any] = {}
        for name, value in changes.items():
            group, dot, rest = name.partition(".")
            if name not in KNOBS and not (isinstance(value, Group) and name in GROUPS):
                raise SettingsError(*unknown_name("knob", name, KNOBS))
            new = checked(KNOBS[name], value) if name in KNOBS else value
            if dot:
                nested.setdefault(group, {})[rest] = new
            else:
                nested[name] = new
        for group in ("content", "style"):  # other layers: weights that were meant for the old ones go
            if isinstance(nested.get(group), dict) and "layers" in nested[group]:
                nested[group].setdefault("layer_weights", ())
        for group, values in nested.items():
            if group in GROUPS and isinstance(values, dict):
                nested[group] = dataclasses.replace(getattr(self, group), **values)
        return dataclasses.replace(self, **nested)

    def with_live(self, **changes: Any) -> Settings:
        """As `with_`, of knobs that may be changed while a picture is painted; raises SettingsError for others."""
        for name in changes:
            if name in KNOBS and not KNOBS[name].live:
                remedy = f"before it begins; until its end: {', '.join(each for each in KNOBS if KNOBS[each].live)}"
                raise SettingsError(f"{name} is settled when the painting begins", remedy=f"set it {remedy}")
        return self.with_(**changes)

    def to_dict(self) -> dict[str, Any]:
        """A plain dictionary, as in JSON."""
        plain: dict[str, Any] = json.loads(self.to_json())
        return plain

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Settings:
        """The settings of a dictionary as `to_dict` writes it; knobs that are missing keep their default."""
        flat: dict[str, Any] = {}
        for name, value in plain.items():
            if name in GROUPS and isinstance(value, Mapping):
                flat |= {f"{name}.{inner}": each for inner, each in value.items()}
            else:
                flat[name] = value
        return cls().with_(**flat)

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """The settings of a JSON object; raises SettingsError if it is not one."""
        try:
            plain = json.loads(text)
        except ValueError as error:
            raise SettingsError("settings must be JSON", str(error)) from error
        if not isinstance(plain, dict):
            raise SettingsError("settings must be a JSON object", type(plain).__name__)
        return cls.from_dict(plain)

    def get(self, name: str) -> Any:
        """The value of a knob by its dotted name."""
        if name not in KNOBS:
            raise SettingsError(*unknown_name("knob", name, KNOBS))
        value: Any = self
        for part in name.split("."):
            value = getattr(value, part)
        return value


GROUPS = tuple(known.name for known in dataclasses.fields(Settings) if not known.metadata)
KNOBS: dict[str, Knob] = {known.name: known for known in knobs_of(Settings)}

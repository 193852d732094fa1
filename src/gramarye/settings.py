"""Every knob, declared once: default, range, unit and one line of help.

Flags of the command line, controls, study axes and the documentation are all derived from here.
`Settings` is frozen, nested, and round-trips to JSON; it is saved inside every picture.
"""

from __future__ import annotations

import dataclasses
import json
import math
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from gramarye import layers
from gramarye.errors import SettingsError, unknown_name


@dataclass(frozen=True)
class Knob:
    """What is known about one knob besides its value; `low` and `high` are inclusive."""

    name: str
    default: Any
    type: Any
    help: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[str, ...] = ()

    def range(self) -> str:
        """The allowed values in words, empty if anything goes."""
        if self.choices:
            return ", ".join(self.choices)
        low = "" if self.low is None else f"{self.low:g}"
        high = "" if self.high is None else f"{self.high:g}"
        return f"{low} … {high}".strip() if low or high else ""


def knob(default: Any, help: str, **known: Any) -> Any:
    """Declare one knob of a settings group."""
    return field(default=default, metadata={"help": help, **known})


@dataclass(frozen=True)
class Group:
    """A frozen group of knobs that checks itself when it is made; `prefix` begins their dotted names."""

    prefix: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for known in _knobs(type(self), self.prefix):
            field_name = known.name.removeprefix(self.prefix)
            if "." not in field_name:
                object.__setattr__(self, field_name, _checked(known, getattr(self, field_name)))


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


@dataclass(frozen=True)
class ContentSettings(Group):
    """What is kept of the photograph."""

    prefix = "content."

    weight: float = knob(1.0, "weight α of the content terms", low=0, high=1e12, log=True)
    layers: tuple[str, ...] = knob(layers.CONTENT_LAYERS, "layers whose activations are kept")
    layer_weights: tuple[float, ...] = knob((), "one weight for each layer; empty: all alike")
    reduction: str = knob(
        "mean",
        "sum: ½·Σ(F−P)² (Gatys 2015); mean: the mean of (F−P)² (PyTorch tutorial)",
        choices=("sum", "mean"),
    )


@dataclass(frozen=True)
class StyleSettings(Group):
    """What is taken from the painting."""

    prefix = "style."

    weight: float = knob(1.0, "weight β of the style terms", low=0, high=1e15, log=True)
    layers: tuple[str, ...] = knob(layers.STYLE_LAYERS, "layers whose Gram matrices are matched")
    layer_weights: tuple[float, ...] = knob((), "one weight for each layer; empty: all alike")
    normalization: str = knob(
        "gatys",
        "gatys: 1/(4N²M²)·Σ(G−A)²; chw: the mean of (G/NM − A/NM)² (PyTorch tutorial, N channels, M positions)",
        choices=("gatys", "chw"),
    )
    scale: float = knob(1.0, "long side of the painting relative to the picture's", low=0.1, high=4, log=True)


@dataclass(frozen=True)
class SmoothnessSettings(Group):
    """What is asked of the picture itself."""

    prefix = "smoothness."

    weight: float = knob(0.0, "weight of the total variation", low=0, high=1e9, log=True)
    exponent: float = knob(2.0, "exponent of the differences between neighbouring pixels", low=1, high=2)
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

    name: str = knob("lbfgs", "optimiser", choices=("lbfgs", "adam"))
    learning_rate: float = knob(1.0, "step length; 1 for L-BFGS, about 0.02 for Adam", low=1e-6, high=1000, log=True)
    history: int = knob(10, "how many past steps L-BFGS remembers", low=1, high=200)
    clamp: bool = knob(False, "clip the picture to [0, 1] before each evaluation (PyTorch tutorial)")


@dataclass(frozen=True)
class ScalesSettings(Group):
    """Coarse to fine: the picture is painted small first, then larger."""

    prefix = "scales."

    count: int = knob(3, "how many sizes, the last one being the full size", low=1, high=8)
    factor: float = knob(2.0, "ratio of one size to the one before", low=1.1, high=4)
    smallest: int = knob(96, "no long side smaller than this", unit="px", low=16, high=4096)
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
    init: str = knob(
        "matched",
        "start: the photograph, the photograph with the painting's colour moments, noise, or black",
        choices=("content", "matched", "noise", "black"),
    )
    balance: str = knob(
        "start",
        "raw: weights as they are (papers); start: style terms relative to their value at the photograph, "
        "content terms relative to its activations, so that a weight means the same at every size",
        choices=("raw", "start"),
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
            checked = _checked(KNOBS[name], value) if name in KNOBS else value
            if dot:
                nested.setdefault(group, {})[rest] = checked
            else:
                nested[name] = checked
        for group in ("content", "style"):  # other layers: weights that were meant for the old ones go
            if isinstance(nested.get(group), dict) and "layers" in nested[group]:
                nested[group].setdefault("layer_weights", ())
        for group, values in nested.items():
            if group in GROUPS and isinstance(values, dict):
                nested[group] = dataclasses.replace(getattr(self, group), **values)
        return dataclasses.replace(self, **nested)

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


def _knobs(group: type, prefix: str = "") -> Iterator[Knob]:
    hints = typing.get_type_hints(group)
    for known in dataclasses.fields(group):
        if known.metadata:
            yield Knob(prefix + known.name, known.default, hints[known.name], **known.metadata)
        else:
            yield from _knobs(hints[known.name], f"{prefix}{known.name}.")


def _checked(known: Knob, value: Any) -> Any:
    """`value` as the knob's type, parsed if it is text; raises SettingsError outside its range."""
    rule = f"{known.name} must be {_type_in_words(known.type)}"
    try:
        value = _converted(known.type, value)
    except (TypeError, ValueError) as error:
        raise SettingsError(rule, repr(value)) from error
    if known.choices and value not in known.choices:
        raise SettingsError(*unknown_name(known.name, str(value), known.choices))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        low = -math.inf if known.low is None else known.low
        high = math.inf if known.high is None else known.high
        if not low <= value <= high:
            raise SettingsError(f"{known.name} must lie in {known.range()}", f"{value:g}")
    return value


def _converted(wanted: Any, value: Any) -> Any:
    """`value` as the type `wanted`; raises ValueError or TypeError when it does not mean one."""
    if isinstance(wanted, types.GenericAlias):
        if isinstance(value, str):
            value = [each for each in value.split(",") if each.strip()]
        items = value if isinstance(value, (list, tuple)) else [value]
        return tuple(_converted(typing.get_args(wanted)[0], each) for each in items)
    if wanted is bool:
        return _truth(value)
    if isinstance(value, bool):
        raise ValueError(value)
    if wanted is int:
        return _whole(value)
    if wanted is float:
        return _finite(value)
    if not isinstance(value, str):
        raise TypeError(value)
    return value.strip()


def _truth(value: Any) -> bool:
    words = {"true": True, "yes": True, "1": True, "on": True, "false": False, "no": False, "0": False, "off": False}
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or value.strip().lower() not in words:
        raise ValueError(value)
    return words[value.strip().lower()]


def _whole(value: Any) -> int:
    if isinstance(value, int):
        return value
    if not float(value).is_integer():
        raise ValueError(value)
    return int(value) if isinstance(value, str) and value.strip().lstrip("+-").isdigit() else int(float(value))


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(value)
    return number


def _type_in_words(wanted: Any) -> str:
    if isinstance(wanted, types.GenericAlias):
        return "a list, by comma, each " + _type_in_words(typing.get_args(wanted)[0])
    return {int: "a whole number", float: "a finite number", bool: "true or false", str: "text"}[wanted]


GROUPS = tuple(known.name for known in dataclasses.fields(Settings) if not known.metadata)
KNOBS: dict[str, Knob] = {known.name: known for known in _knobs(Settings)}

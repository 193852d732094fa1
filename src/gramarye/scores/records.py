"""The scores by name: what each tells, and what may be ranked by it, or by a loss."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gramarye import layers
from gramarye.errors import SettingsError, unknown_name
from gramarye.settings import KNOBS, Settings

STYLE_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
DEEP_LAYERS = ("relu3_3", "relu4_3")  # of these, those that hardly any preset optimises
CONTENT_LAYER = "relu4_3"
SIMILARITY_LAYER = "relu3_1"
FRECHET_LAYER = "relu2_1"


@dataclass(frozen=True)
class ScoreRecord:
    """One score: what it tells, whether more of it is better, across what it may be compared.

    `layers` are those it looks at; it is held out where none of them was optimised.
    """

    name: str
    kind: str  # content, style, colour or detail
    better: str  # lower or higher
    help: str
    comparable: str
    layers: tuple[str, ...] = ()


_SAME_SIZE = "across all paintings of one photograph and one painting at one size"
_SAME_NETWORK = (
    f"{_SAME_SIZE}, seen by the network in its name; across pairs it is relative to the picture it is held against"
)

SCORES: dict[str, ScoreRecord] = {
    record.name: record
    for record in (
        ScoreRecord(
            "cfsd",
            "content",
            "lower",
            "how far the photograph's pattern of what is alike and what is not has changed",
            _SAME_NETWORK,
            (SIMILARITY_LAYER,),
        ),
        ScoreRecord(
            "content-held-out",
            "content",
            "lower",
            f"how far the activations of {CONTENT_LAYER} are from the photograph's, relative to them",
            _SAME_NETWORK,
            (CONTENT_LAYER,),
        ),
        ScoreRecord(
            "ssim",
            "content",
            "higher",
            "structural similarity of the luminance to the photograph's, 1 at most",
            _SAME_SIZE,
        ),
        ScoreRecord(
            "style-held-out",
            "style",
            "lower",
            f"style-sliced at {' and '.join(DEEP_LAYERS)} alone, which hardly any preset optimises: forms, not strokes",
            _SAME_NETWORK,
            DEEP_LAYERS,
        ),
        ScoreRecord(
            "style-gram",
            "style",
            "lower",
            "how far Gram matrices are from the painting's, relative to them",
            _SAME_NETWORK,
            STYLE_LAYERS,
        ),
        ScoreRecord(
            "style-moments",
            "style",
            "lower",
            "how far channels' means and deviations are from the painting's, relative to them",
            _SAME_NETWORK,
            STYLE_LAYERS,
        ),
        ScoreRecord(
            "style-sliced",
            "style",
            "lower",
            "how far activations would have to be moved to be distributed as the painting's, relative to these",
            _SAME_NETWORK,
            STYLE_LAYERS,
        ),
        ScoreRecord(
            "style-frechet",
            "style",
            "lower",
            f"Fréchet distance of the activation vectors at {FRECHET_LAYER} to the painting's, relative to these; "
            "not the Inception network's",
            _SAME_NETWORK,
            (FRECHET_LAYER,),
        ),
        ScoreRecord(
            "colour",
            "colour",
            "lower",
            "Hellinger distance of the histogram of colours, whatever their brightness, to the painting's; 1 at most",
            "across all paintings, whatever their size",
        ),
        ScoreRecord(
            "detail-lost",
            "detail",
            "lower",
            "the share of the photograph's edges that are not there any more; 1 at most",
            _SAME_SIZE,
        ),
    )
}


def record(name: str) -> ScoreRecord:
    """The record of a score, with or without its network: "cfsd@vgg19-lite"; raises SettingsError for none."""
    plain = name.partition("@")[0]
    if plain not in SCORES:
        raise SettingsError(*unknown_name("score", name, SCORES))
    return SCORES[plain]


# The knobs that make another loss of it, and those of each kind of it.
OF_ANY_LOSS = ("network.", "balance", "color", "strength", "size")
OF_LOSS = {"total": ("content.", "style.", "smoothness."), "content": ("content.",), "style": ("style.",)}


def comparable(name: str, settings: Iterable[Settings]) -> str | None:
    """Why pictures that were painted with `settings` must not be ranked by `name`; None where they may.

    `name` is a score, or a loss: total, content or style. Losses are different quantities where the statistic, the
    layers, the distance, a weight, the network, or anything else in them differs; a score only where the size does.
    """
    known = list(dict.fromkeys(settings))
    prefixes = OF_ANY_LOSS + OF_LOSS[name] if name in OF_LOSS else () if record(name).kind == "colour" else ("size",)
    for knob in KNOBS:
        values = list(dict.fromkeys(each.get(knob) for each in known))
        if knob.startswith(prefixes) and len(values) > 1:
            shown = ", ".join(_word(value) for value in values[:4]) + (", …" if len(values) > 4 else "")
            what = "losses are then different quantities" if name in OF_LOSS else "the score then sees other things"
            return f"{knob} differs ({shown}): {what}"
    return None


def held_out(name: str, settings: Settings) -> bool:
    """Whether a score looks at no layer that `settings` optimise, in that network.

    A layer is one with its ReLU and its pool.
    """
    own, network = settings.network.name, name.partition("@")[2]
    if network and own not in ("auto", network):
        return True
    wanted = [*settings.content.layers, *settings.style.layers]
    optimised = {_convolution(layer, "vgg19" if own == "auto" else own) for layer in wanted}
    return not optimised & {_convolution(layer, "vgg19") for layer in record(name).layers}


def _convolution(layer: str, network: str) -> str:
    """The convolution that a layer belongs to."""
    name = layers.resolve(layer, network)
    table = list(layers.table(network))
    before = [each for each in table[: table.index(name) + 1] if each.startswith("conv")]
    return before[-1] if before else name


def _word(value: Any) -> str:
    if isinstance(value, tuple):
        return " + ".join(map(_word, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)

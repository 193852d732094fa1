"""What the page lets the network do: rebuild a picture from one layer, paint a texture, shuffle, compare.

As in `lens`: each function computes one answer of `types.ts`. These depend on the photograph and the first painting
only, so that they are the same however far the run is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gramarye.explain.numerals import in_words
from gramarye.layers import STYLE_LAYERS
from gramarye.pulling import Work, part_of
from gramarye.studio import sprites
from gramarye.studio.lens import SEEING, TINY, Address, listed, rounded, short
from gramarye.studio.shelf import Found

if TYPE_CHECKING:
    from torch import Tensor

    from gramarye.explain.reconstruction import Rebuilt
    from gramarye.explain.subject import Frame
    from gramarye.objective import Term
    from gramarye.studio.subjects import Exhibit
    from gramarye.vgg import VGG

SIDE = 128  # pixels of the long side of what is rebuilt; more where a narrow picture needs it
STEPS = (4, 16, 64, 256)  # evaluations after which the picture is shown, beside the start
POINTS = 64  # of a course
TILES = (64, 32, 16, 8)  # pixels on a side
LEAST_TILES = 4  # fewer are no shuffle
LEVELS = 255


def rebuilt(exhibit: Exhibit, at: Address, layer: str) -> Work[Found]:
    """The photograph rebuilt from the activations of one layer alone."""
    from gramarye.explain.content import pixel_error
    from gramarye.explain.reconstruction import content_of

    picture = fitted(exhibit.network, exhibit.photograph, SIDE)
    terms = content_of(exhibit.network, picture, [layer])
    made = yield from _descend(exhibit, terms, picture)
    distance = pixel_error(made.pixels, picture)
    says = (
        f"From {layer} alone the photograph comes back with an error of {LEVELS * distance:.0f} of {LEVELS} levels; "
        f"its activations there came back within {made.error:.1%}."
    )
    return _shown(layer, made, at, distance, says)


def texture(exhibit: Exhibit, at: Address, layer: str, together: bool) -> Work[Found]:
    """A texture that has the painting's Gram matrix in one layer, or in all style layers up to it."""
    from gramarye.explain.reconstruction import gram_of

    picture = fitted(exhibit.network, exhibit.pictures["painting"], SIDE)
    asked = up_to(exhibit.network, layer) if together else (layer,)
    others = [name for name in STYLE_LAYERS if name in exhibit.layers and name not in asked]
    terms = gram_of(exhibit.network, picture, asked)
    held_out = gram_of(exhibit.network, picture, others) if others else ()
    made = yield from _descend(exhibit, terms, picture, held_out)
    return _shown(layer, made, at, None, _said_of_texture(made))


def up_to(network: VGG, layer: str) -> tuple[str, ...]:
    """The style layers before `layer`, from the input, and itself."""
    order = list(network.table)
    return (*(name for name in STYLE_LAYERS if order.index(name) < order.index(layer)), layer)


def fitted(network: VGG, pixels: Tensor, long_side: int) -> Tensor:
    """A picture, 1 3 H W, shrunk to about `long_side`, but not below one position of the network's deepest layer."""
    from gramarye import inline
    from gramarye.studio.subjects import least_side

    ratio = max(pixels.shape[2:]) / min(pixels.shape[2:])
    return inline.shrunk(pixels, max(long_side, math.ceil(least_side(network) * ratio)))


def _descend(exhibit: Exhibit, terms: Sequence[Term], picture: Tensor, held_out: Sequence[Term] = ()) -> Work[Rebuilt]:
    """From faint noise to a picture of the size of `picture` that fits the terms."""
    from gramarye.explain.reconstruction import noise, rebuild
    from gramarye.seeing import seen

    settings = exhibit.painting.settings
    start = seen(noise((picture.shape[2], picture.shape[3]), settings.seed).to(picture), settings)
    made = yield from rebuild(
        exhibit.painting.network,
        terms,
        start,
        STEPS[-1],
        held_out=held_out,
        measured=exhibit.network,
        keep=STEPS,
    )
    return made


def _shown(layer: str, made: Rebuilt, at: Address, distance: float | None, says: str) -> Found:
    data = {
        "layer": layer,
        "layers": made.layers,
        "frames": [{"step": frame.index, "url": at(f"step-{frame.index}")} for frame in made.snapshots],
        "course": _course(made),
        "distance": None if distance is None else rounded(distance),
        "says": says,
    }
    return Found(data, {f"step-{frame.index}": _frame(frame) for frame in made.snapshots})


def _frame(frame: Frame) -> bytes:
    return sprites.photograph(frame.pixels, max(frame.pixels.shape[2:]))


def _course(made: Rebuilt) -> list[tuple[int, float]]:
    """Evaluations and √(loss), the relative error, at steps that are about even in the logarithm; the last is exact.

    The loss is Σ‖F − P‖²/‖P‖² over the number of layers, or that of Gram matrices, but for a penalty of no
    consequence on values outside [0, 1].
    """
    kept: dict[int, tuple[int, float]] = {}
    for step, loss in made.losses[:-1]:
        kept.setdefault(
            round(POINTS * math.log1p(step) / math.log1p(made.evaluations)), (step, rounded(math.sqrt(loss)))
        )
    return [*(each for each in kept.values() if each[0] < made.evaluations), (made.evaluations, rounded(made.error))]


def _said_of_texture(made: Rebuilt) -> str:
    matrices = "matrix" if len(made.layers) == 1 else "matrices"
    text = f"The painting's Gram {matrices} in {listed(made.layers)} came back within {made.error:.1%}"
    if not made.held_out:
        return f"{text}."
    worst = max(made.held_out, key=made.held_out.__getitem__)
    best = min(made.held_out, key=made.held_out.__getitem__)
    if worst == best:
        return f"{text}; in {worst}, where nothing was asked, it is {made.held_out[worst]:.0%} away."
    return (
        f"{text}; where nothing was asked it is between {made.held_out[best]:.0%} ({best}) "
        f"and {made.held_out[worst]:.0%} ({worst}) away."
    )


def shuffle(exhibit: Exhibit, at: Address, layer: str, seed: int) -> Work[Found]:
    """The positions of the photograph's activations in random order, and the photograph itself cut into tiles.

    `content` is ‖F' − F‖²/‖F‖², `style` ‖G' − A‖²/‖A‖² with A of the painting.
    """
    from gramarye.explain.features import energies, small_maps
    from gramarye.explain.section import fixed
    from gramarye.explain.seriation import binned, cosines, seriated
    from gramarye.explain.shuffling import shuffled
    from gramarye.statistics import gram_matrix

    here = yield from part_of(exhibit.see(layer), 0.0, SEEING)
    before = here["photograph"]
    after = shuffled(before, fixed(seed))
    gram, moved, target = (gram_matrix(each)[0] for each in (before, after, here["painting"]))
    order = seriated(cosines(target))
    loudest = int(energies(before).argmax())
    maps = {name: small_maps(each[:, loudest : loudest + 1])[0].cpu() for name, each in (("a", before), ("b", after))}
    bright = sprites.scaled(maps)
    tiles, pictures = yield from part_of(_tiles(exhibit, at, layer, seed, before, target), SEEING, 1.0)
    matrices = {name: binned(each[order][:, order]) for name, each in (("before", gram), ("after", moved))}
    change = float((moved - gram).abs().max() / gram.abs().max().clamp_min(TINY))
    data = {
        "layer": layer,
        "seed": seed,
        "before": {"content": 0.0, "style": rounded(relative(gram, target))},
        "after": {"content": rounded(relative(after, before)), "style": rounded(relative(moved, target))},
        "gram_change": float(f"{change:.2g}"),
        "matrices": {**{name: short(each) for name, each in matrices.items()}, "bins": matrices["before"].shape[-1]},
        "maps": {"before": at("before"), "after": at("after")},
        "tiles": tiles,
        "says": _said_of_shuffle(layer, change, relative(after, before), tiles),
    }
    for name, map_ in zip(("before", "after"), bright.values(), strict=True):
        pictures[name] = sprites.grey(sprites.enlarged(map_, sprites.SINGLE)[0])
    return Found(data, pictures)


def _tiles(
    exhibit: Exhibit, at: Address, layer: str, seed: int, before: Tensor, target: Tensor
) -> Work[tuple[list[dict[str, Any]], dict[str, bytes]]]:
    """The photograph with its square tiles shuffled, seen anew by the layer, in tiles of several sizes."""
    import torch

    from gramarye.explain.section import fixed
    from gramarye.explain.shuffling import tiled
    from gramarye.statistics import gram_matrix

    pixels, found, pictures = exhibit.photograph, [], {}
    sides = [tile for tile in TILES if (pixels.shape[2] // tile) * (pixels.shape[3] // tile) >= LEAST_TILES]
    for number, tile in enumerate(sides):
        yield number / len(sides)
        cut, _ = tiled(pixels, tile, fixed(seed))
        with torch.no_grad():
            after = exhibit.network(cut, [layer])[layer]
        style = relative(gram_matrix(after)[0], target)
        row = {"size": tile, "url": at(f"tiles-{tile}")}
        found.append(row | {"content": rounded(relative(after, before)), "style": rounded(style)})
        pictures[f"tiles-{tile}"] = sprites.photograph(cut, max(cut.shape[2:]))
    return found, pictures


def relative(found: Tensor, target: Tensor) -> float:
    """‖F − P‖²/‖P‖², of activations or of Gram matrices."""
    return float((found - target).square().sum() / target.square().sum().clamp_min(TINY))


def _said_of_shuffle(layer: str, change: float, content: float, tiles: Sequence[Mapping[str, Any]]) -> str:
    text = (
        f"Every position of {layer} was put somewhere else: no entry of the Gram matrix changed by more than "
        f"{in_words(change, 1)} of the largest, while the content loss went from 0 to {content:.2f} times what no "
        "activations at all would cost."
    )
    if not tiles:
        return text
    first = tiles[0]
    return (
        f"{text} With the photograph itself cut into tiles of {first['size']} px the content loss is "
        f"{first['content']:.2f} times that."
    )


def distance(network: VGG, one: Tensor, other: Tensor) -> Work[dict[str, Any]]:
    """How far apart two pictures' Gram matrices are in each style layer: ‖G − H‖²/(‖G‖² + ‖H‖²).

    0 is the same, 1 that they have nothing in common: Gram matrices have no negative product. In the order of
    `DistanceInfo`, `layers` from the input on.
    """
    import torch

    from gramarye.statistics import gram_matrix
    from gramarye.studio.subjects import within_reach

    layers = [layer for layer in STYLE_LAYERS if layer in within_reach(network, (one, other))]
    found = []
    for pixels in (one, other):
        with torch.no_grad():
            seen = network(pixels, layers)
        found.append({layer: gram_matrix(each)[0] for layer, each in seen.items()})
        yield len(found) / 2
    rows = []
    for layer in layers:
        first, second = (each[layer] for each in found)
        whole = (first.square().sum() + second.square().sum()).clamp_min(TINY)
        rows.append({"layer": layer, "relative": rounded(float((first - second).square().sum() / whole))})
    return {"layers": rows, "says": _said_of_distance(rows)}


def _said_of_distance(rows: Sequence[Mapping[str, Any]]) -> str:
    least, most = (choose(rows, key=lambda row: row["relative"]) for choose in (min, max))
    if most["relative"] == 0:
        return "The two have the same Gram matrices in every layer: to the style terms they are one picture."
    return (
        f"They are most alike in {least['layer']} ({least['relative']:.0%} apart) and least in {most['layer']} "
        f"({most['relative']:.0%}); 0% is the same, 100% nothing in common."
    )

"""Style has no where: shuffle the positions of a layer and no Gram matrix notices, while the content is gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye import images
from gramarye.explain.features import energies, layers_of, seen_by, small_maps
from gramarye.explain.section import Section, fixed
from gramarye.explain.seriation import binned, cosines, seriated
from gramarye.explain.subject import Subject
from gramarye.pulling import Work
from gramarye.statistics import content_distance, gram_matrix
from gramarye.statistics.positions import Activation
from gramarye.vgg import VGG

TILES = (64, 32, 16, 8, 1)  # pixels on a side
LEAST_TILES = 4  # fewer are no shuffle
MAPS = {"quick": 1, "full": 4}  # channels of a layer that are shown before and after
TENFOLD = 10.0
GRAIN = 0.02  # standard deviation, of white: hardly to be seen
YARDSTICKS = ("grain", "half", "result")
TINY = 1e-30
LEAST_WAY = 0.01  # of a Gram matrix: the way to a painting that is nearer counts as so long

Pixels = Float[Tensor, "1 3 h w"]
Gram = Float[Tensor, "channels channels"]


@dataclass(frozen=True)
class Shuffled:
    """One layer of the photograph with its positions shuffled, against the same layer left alone.

    `gram_change` is max |ΔG|/max |G|. `style` and `style_after` are ‖G − A‖/‖A‖ to the painting's Gram matrix A before
    and after. Content losses are the mean of (F − P)², P being the photograph's activations, 0 before: `content` is
    that of the shuffled ones, which is on average twice their variance over the positions. To compare with: `grain`
    that of the photograph with faint grain, `half` at half its resolution, `result` of the painted result, `nothing`
    of no activations at all.
    The Gram matrices, 1 1 b b, are ordered and binned; the maps, K 1 h w, are of the strongest channels.
    """

    layer: str
    gram_change: float
    style: float
    style_after: float
    content: float
    grain: float
    half: float
    result: float
    nothing: float
    gram_before: Tensor = field(repr=False)
    gram_after: Tensor = field(repr=False)
    maps_before: Tensor = field(repr=False)
    maps_after: Tensor = field(repr=False)


@dataclass(frozen=True)
class Tiled:
    """The photograph with its square tiles shuffled, seen anew by the network; `pixels` is 1 3 H W.

    By layer: `gram` is ‖G' − G‖/‖G − A‖, how far the Gram matrix went compared with the way to the painting's, A;
    `content` is the content loss relative to that of no activations at all.
    """

    tile: int  # pixels on a side
    count: int  # tiles that were shuffled
    gram: dict[str, float]
    content: dict[str, float]
    pixels: Tensor = field(repr=False)


@dataclass(frozen=True)
class Shuffling(Section):
    """The layers of the photograph shuffled, and the photograph cut into tiles; `photograph` is 1 3 H W."""

    name: ClassVar[str] = "shuffling"
    title: ClassVar[str] = "Style has no where"

    layers: tuple[Shuffled, ...]
    tiles: tuple[Tiled, ...]
    style_layers: tuple[str, ...]
    content_layers: tuple[str, ...]
    photograph: Tensor = field(repr=False)

    @property
    def findings(self) -> tuple[str, ...]:
        return (*self._positions(), *self._compared(), *self._tiles())

    def _positions(self) -> tuple[str, ...]:
        most = max(self.layers, key=lambda each: each.gram_change)
        least = min(self.layers, key=lambda each: each.content / max(each.nothing, TINY))
        ratio = least.content / max(least.nothing, TINY)
        better = ": in place of the photograph nothing at all would be the better guess" if ratio > 1 else ""
        return (
            f"Every position of a layer put somewhere else: of {len(self.layers)} Gram matrices none changed by more "
            f"than {most.gram_change:.0e} of its largest entry, which is rounding.",
            f"The content loss rose from 0 to at least {ratio:.2f} times that of no activations at all (in "
            f"{least.layer}){better}.",
        )

    def _compared(self) -> tuple[str, ...]:
        grain, half, result = (
            [each.content / max(getattr(each, name), TINY) for each in self.layers] for name in YARDSTICKS
        )
        return (
            f"That is {_span(grain)} times what faint grain on the same photograph would cost ({GRAIN:.0%} of white), "
            f"{_span(half)} times what half its resolution would, and {_span(result)} times what the painted result "
            f"costs; tenfold or more in {_tenfold(grain)}, {_tenfold(half)} and {_tenfold(result)} of "
            f"{len(grain)} layers.",
        )

    def _tiles(self) -> tuple[str, ...]:
        if not self.tiles:
            return ()
        found = []
        for each in (self.tiles[0], self.tiles[-1])[: len(self.tiles)]:
            least, most = (choose(self.style_layers, key=each.gram.__getitem__) for choose in (min, max))
            content = min(each.content[layer] for layer in self.content_layers)
            found.append(
                f"With tiles of {each.tile} px shuffled the Gram matrices move by between {each.gram[least]:.0%} "
                f"({least}) and {each.gram[most]:.0%} ({most}) of the way to the painting's, and the content loss is "
                f"at least {content:.2f} times that of no activations."
            )
        return tuple(found)


def shuffled(activation: Activation, generator: torch.Generator) -> Activation:
    """The same activation vectors at other positions: all channels of a position move together."""
    count = activation.shape[2] * activation.shape[3]
    order = torch.randperm(count, generator=generator).to(activation.device)
    return activation.flatten(2)[:, :, order].view_as(activation)


def tiled(pixels: Pixels, tile: int, generator: torch.Generator) -> tuple[Pixels, int]:
    """The picture, 1 3 H W, with its whole square tiles in random order, and how many there are.

    What is left over at the right and the bottom stays where it is.
    """
    height, width = pixels.shape[2] // tile, pixels.shape[3] // tile
    inner = pixels[:, :, : height * tile, : width * tile]
    tiles = inner.reshape(1, 3, height, tile, width, tile).permute(2, 4, 0, 1, 3, 5).flatten(0, 1)
    order = torch.randperm(height * width, generator=generator).to(pixels.device)
    moved = tiles[order].view(height, width, 1, 3, tile, tile).permute(2, 3, 0, 4, 1, 5)
    result = pixels.clone()
    result[:, :, : height * tile, : width * tile] = moved.reshape(inner.shape)
    return result, height * width


def halved(pixels: Pixels) -> Pixels:
    """The picture at half its resolution, in its own size: what nobody would call another picture."""
    size = (pixels.shape[2], pixels.shape[3])
    half = (max(1, size[0] // 2), max(1, size[1] // 2))
    return images.resize(images.resize(pixels, half), size)


def grained(pixels: Pixels, generator: torch.Generator) -> Pixels:
    """The picture with faint Gaussian grain: what everybody would call the same photograph."""
    noise = torch.randn(tuple(pixels.shape), generator=generator)
    return (pixels + GRAIN * noise.to(pixels)).clamp(0, 1)


def shuffle_layer(
    layer: str, activations: Mapping[str, Activation], generator: torch.Generator, maps: int = 1
) -> Shuffled:
    """Shuffle the photograph's positions in one layer and measure what that does.

    `activations` are those of `photograph`, `painting`, `result`, and of the photograph with `grain` and at `half` its
    resolution.
    """
    before = activations["photograph"]
    after = shuffled(before, generator)
    gram, gram_after, target = (gram_matrix(each)[0].cpu() for each in (before, after, activations["painting"]))
    order = seriated(cosines(gram))
    loudest = energies(before).argsort(descending=True, stable=True)[:maps]
    return Shuffled(
        layer=layer,
        gram_change=float((gram_after - gram).abs().max() / gram.abs().max().clamp_min(TINY)),
        style=_relative(gram, target),
        style_after=_relative(gram_after, target),
        content=_content(after, before),
        grain=_content(activations["grain"], before),
        half=_content(activations["half"], before),
        result=_content(activations["result"], before),
        nothing=_content(torch.zeros_like(before), before),
        gram_before=binned(gram[order][:, order]),
        gram_after=binned(gram_after[order][:, order]),
        maps_before=small_maps(before)[0, loudest][:, None].cpu(),
        maps_after=small_maps(after)[0, loudest][:, None].cpu(),
    )


def shuffle_tiles(
    network: VGG, photograph: Pixels, seen: Mapping[str, Mapping[str, Activation]], tile: int, seed: int
) -> Tiled:
    """Shuffle the photograph's tiles and let the network look again.

    `seen` are the activations of `photograph` and `painting` by layer.
    """
    pixels, count = tiled(photograph, tile, fixed(seed))
    before, painting = seen["photograph"], seen["painting"]
    with torch.no_grad():
        after = network(pixels, tuple(before))
    gram, content = {}, {}
    for layer, each in before.items():
        old, new, target = (gram_matrix(found)[0] for found in (each, after[layer], painting[layer]))
        way = max(float((old - target).norm()), LEAST_WAY * float(old.norm()), TINY)
        gram[layer] = float((new - old).norm()) / way
        nothing = _content(torch.zeros_like(each), each)
        content[layer] = _content(after[layer], each) / max(nothing, TINY)
    return Tiled(tile, count, gram, content, pixels.cpu())


def explain(subject: Subject, depth: str) -> Work[Shuffling]:
    """Shuffle every layer and the photograph's tiles; yields the fraction done."""
    layers, seed = layers_of(subject), subject.settings.seed
    seen = seen_by(subject, layers)
    with torch.no_grad():
        seen["grain"] = subject.network(grained(subject.content, fixed(seed)), layers)
        seen["half"] = subject.network(halved(subject.content), layers)
    sizes = [tile for tile in TILES if (subject.size[0] // tile) * (subject.size[1] // tile) >= LEAST_TILES]
    found: list[Shuffled] = []
    tiles: list[Tiled] = []
    for layer in layers:
        yield len(found) / (len(layers) + len(sizes))
        here = {picture: each[layer] for picture, each in seen.items()}
        found.append(shuffle_layer(layer, here, fixed(seed), MAPS[depth]))
    for tile in sizes:
        yield (len(found) + len(tiles)) / (len(layers) + len(sizes))
        tiles.append(shuffle_tiles(subject.network, subject.content, seen, tile, seed))
    settings = subject.settings
    return Shuffling(
        layers=tuple(found),
        tiles=tuple(tiles),
        style_layers=subject.network.resolve(settings.style.layers),
        content_layers=subject.network.resolve(settings.content.layers),
        photograph=subject.content.cpu(),
    )


def _content(found: Activation, target: Activation) -> float:
    return float(content_distance(found, target, reduction="mean"))


def _relative(gram: Gram, target: Gram) -> float:
    return float((gram - target).norm() / target.norm().clamp_min(TINY))


def _span(ratios: list[float]) -> str:
    least, most = (f"{each:.1f}" if each < TENFOLD else f"{each:.0f}" for each in (min(ratios), max(ratios)))
    return least if least == most else f"{least} to {most}"


def _tenfold(ratios: list[float]) -> int:
    return sum(ratio >= TENFOLD for ratio in ratios)

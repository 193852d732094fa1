"""What the layers hold of the painting's style: pictures from noise that have only its Gram matrices.

Gatys et al. 2015, fig. 1 (style reconstructions a to e), and Gatys, Ecker, Bethge 2015, "Texture Synthesis Using
Convolutional Neural Networks", from cumulative sets of layers; and from each layer alone.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from gramarye import images
from gramarye.explain.reconstruction import Rebuilt, gram_of, held_out_layers, rebuild, relative_errors, start_of
from gramarye.explain.section import Section
from gramarye.explain.subject import Subject
from gramarye.layers import STYLE_LAYERS
from gramarye.pulling import Work, part_of
from gramarye.vgg import VGG

LAYERS = STYLE_LAYERS  # relu1_1 … relu5_1, as in fig. 1
SIDES = {"quick": 144, "full": 160}  # long side of the painting, in pixels
EVALUATIONS = {"quick": 100, "full": 128}

Pixels = Float[Tensor, "1 3 h w"]


@dataclass(frozen=True)
class Textures(Section):
    """Textures from the cumulative sets of `layers` (the last is from all) and from each layer alone.

    Each is `Rebuilt`: `errors` are the relative distances of Gram matrices, ‖G − A‖/‖A‖, at the layers it was made
    from, `held_out` those at `held_out_layers`, which none of them was made from. For scale, there are the same
    distances of the noise that all begin with (`of_noise`) and of the painting's left half from the whole (`of_half`;
    none where a half is too small for the layers). The first of `cumulative` and of `alone` are the same.
    """

    name: ClassVar[str] = "textures"
    title: ClassVar[str] = "What each layer holds of the painting's style"

    painting: Tensor = field(repr=False)
    layers: tuple[str, ...]
    held_out_layers: tuple[str, ...]
    cumulative: tuple[Rebuilt, ...]
    alone: tuple[Rebuilt, ...]
    of_noise: dict[str, float]
    of_half: dict[str, float]

    @property
    def together(self) -> Rebuilt:
        """The texture from all layers."""
        return self.cumulative[-1]

    @property
    def others(self) -> tuple[Rebuilt, ...]:
        """The textures from fewer layers than all, each once."""
        return (*self.cumulative[:-1], *self.alone[1:])

    @property
    def all_is_closest(self) -> bool:
        """Whether all layers together are closest to the painting where none was asked, on average: Banahan's claim."""
        return all(distance(self.together) < distance(other) for other in self.others)

    @property
    def findings(self) -> tuple[str, ...]:
        """Whether all layers are needed, what one alone gives, and what a deep layer takes from small ones."""
        return (_of_all(self), _of_layers(self), _of_scale(self))


def distance(texture: Rebuilt) -> float:
    """The mean relative Gram distance at the layers that were held out."""
    return sum(texture.held_out.values()) / max(len(texture.held_out), 1)


def explain(subject: Subject, depth: str) -> Work[Textures]:
    """Synthesise textures of the first painting, from cumulative sets of layers and from each alone."""
    painting = shrunk(subject.network, subject.style, SIDES[depth])
    start = start_of(subject, (painting.shape[2], painting.shape[3]))
    found = yield from synthesise(
        subject.painting.network, painting, start, EVALUATIONS[depth], measured=subject.network
    )
    return found


def synthesise(
    network: VGG,
    painting: Pixels,
    start: Pixels,
    evaluations: int,
    *,
    layers: tuple[str, ...] = LAYERS,
    measured: VGG | None = None,
) -> Work[Textures]:
    """Textures of `painting`, 1 3 H W, beginning with `start`, from cumulative sets of `layers` and from each alone.

    The layers of a set weigh alike, relative to ‖A‖². `measured` is the network in full precision, if `network` is
    not. Raises SettingsError for an unknown layer, ImageError for a painting that is too small for one.
    """
    exact = measured or network
    held_out = gram_of(exact, painting, held_out_layers(exact, layers, [painting]))
    sets = [layers[: count + 1] for count in range(len(layers))]
    sets += [(layer,) for layer in layers[1:]]
    found: list[Rebuilt] = []
    for number, asked in enumerate(sets):
        name = asked[0] if len(asked) == 1 else f"{asked[0]} to {asked[-1]}"
        terms = gram_of(exact, painting, asked)
        work = rebuild(network, terms, start, evaluations, name=name, held_out=held_out, measured=exact)
        found.append((yield from part_of(work, number / len(sets), (number + 1) / len(sets))))
    half = painting[..., : painting.shape[3] // 2]
    deepest = max(exact.table[term.layer].stride for term in held_out)
    return Textures(
        painting=painting.cpu(),
        layers=layers,
        held_out_layers=tuple(term.layer for term in held_out),
        cumulative=tuple(found[: len(layers)]),
        alone=(found[0], *found[len(layers) :]),
        of_noise=relative_errors(exact, held_out, start),
        of_half=relative_errors(exact, held_out, half) if half.shape[3] >= deepest else {},
    )


def shrunk(network: VGG, painting: Pixels, long_side: int) -> Float[Tensor, "1 3 rows columns"]:
    """The painting at `long_side`, or larger if its short side would be too small for the layers; never enlarged."""
    size = (painting.shape[2], painting.shape[3])
    least = max(network.table[layer].stride for layer in LAYERS)
    long_side = max(long_side, math.ceil(least * max(size) / min(size)))
    return painting if max(size) <= long_side else images.resize(painting, images.fitted_size(size, long_side))


def _of_all(textures: Textures) -> str:
    own = distance(textures.together)
    best = min(textures.others, key=distance)
    held_out = ", ".join(textures.held_out_layers)
    text = (
        f"Measured where no layer was asked ({held_out}), the texture from all {len(textures.layers)} layers is "
        f"{own:.1%} away from the painting's Gram matrices on average"
    )
    if textures.all_is_closest:
        return f"{text}, closer than from any smaller set: the next is {best.name} with {distance(best):.1%}."
    return f"{text}; that from {best.name} is closer with {distance(best):.1%}, so here all layers are not the best."


def _of_layers(textures: Textures) -> str:
    """At which held-out layers the whole set is the closest, and which textures are where it is not."""
    every = (textures.together, *textures.others)
    winners = [min(every, key=lambda texture: texture.held_out[layer]) for layer in textures.held_out_layers]
    won = [layer for layer, best in zip(textures.held_out_layers, winners, strict=True) if best is textures.together]
    lost = Counter(best.name for best in winners if best is not textures.together)
    text = f"Layer by layer all together are the closest at {len(won)} of {len(winners)}"
    text += f" ({', '.join(won)})" if won else ""
    if not lost:
        return f"{text}."
    return f"{text}; at the others {', '.join(f'{name} ({count})' for name, count in lost.most_common())}."


def _of_scale(textures: Textures) -> str:
    best, worst = min(textures.alone, key=distance), max(textures.alone, key=distance)
    text = (
        f"Of single layers {best.name} does best ({distance(best):.1%}) and {worst.name} worst ({distance(worst):.1%})"
    )
    if not textures.of_half:
        return f"{text}."
    half = sum(textures.of_half.values()) / len(textures.of_half)
    return f"{text}. For scale: the painting's own left half is {half:.1%} away from the whole."

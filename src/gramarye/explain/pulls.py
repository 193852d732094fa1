"""How hard, and which way, each term pulls at each pixel of a picture.

The pull of a term is the gradient ∂(weight·value)/∂x of its weighted value with respect to the pixels x, sRGB in
[0, 1]: what the optimiser adds up, term by term, before it moves the picture the other way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from gramarye import blur
from gramarye.explain.subject import Subject
from gramarye.objective import Objective, Term
from gramarye.pulling import Work, finish
from gramarye.vgg import VGG

Pixels = Float[Tensor, "1 3 h w"]
Map = Float[Tensor, "1 1 h w"]

NEIGHBOURHOOD = 0.01  # standard deviation, relative to the long side: as `detail` has it; at least a pixel
AGAINST = -0.5  # cosine below which content and style are said to pull against each other
GRID = 32  # cells along each side of what the studio shows under the pointer


@dataclass(frozen=True)
class Pull:
    """How hard one term pulls at each pixel of a picture.

    `map`, 1 1 H W, is the length over the colours of ∂(weight·value)/∂x; `norm` its length over all pixels.
    """

    term: str
    kind: str
    layer: str
    norm: float
    map: Tensor = field(repr=False)


@dataclass(frozen=True)
class Pulls:
    """Every term's pull on one picture, and where they agree.

    `conflict`, 1 1 H W from −1 to 1: the cosine of the content gradient and the style gradient around each pixel;
    `cosine` is that of the whole picture, 0 where one of them is nothing; `opposed` is the share of the picture where
    they pull against each other. `leader`, 1 1 H W, is the index into `pulls` of the term that pulls hardest
    around each pixel, and `areas` has each term's share of the picture. `left` is the length of the sum of all
    gradients relative to the sum of their lengths: 0 at rest.
    """

    picture: Tensor = field(repr=False)
    pulls: tuple[Pull, ...]
    conflict: Tensor = field(repr=False)
    cosine: float
    opposed: float
    leader: Tensor = field(repr=False)
    areas: dict[str, float]
    left: float


def gradients(network: VGG, objective: Objective, pixels: Pixels) -> Iterator[tuple[Term, Pixels]]:
    """Each term of some weight with its gradient ∂(weight·value)/∂x at the picture, one after another.

    In the precision of the network: float64 for a float64 network and picture.
    """
    image = pixels.detach().clone().requires_grad_()
    with torch.enable_grad():
        values = objective.values(network(image, objective.layers))
    terms = [term for term in objective.terms if term.weight]
    for term in terms:
        (gradient,) = torch.autograd.grad(term.weight * values[term.name], image, retain_graph=term is not terms[-1])
        yield term, gradient


def pulls_at(network: VGG, objective: Objective, pixels: Pixels) -> Work[Pulls]:
    """The pulls of every term of `objective` on a picture; yields the fraction done."""
    found: list[tuple[Term, Tensor]] = []
    count = sum(1 for term in objective.terms if term.weight)
    yield 0.0
    for pair in gradients(network, objective, pixels):
        found.append(pair)
        yield len(found) / count
    return _told(pixels, found)


def _told(pixels: Tensor, found: Sequence[tuple[Term, Tensor]]) -> Pulls:
    radius = neighbourhood(pixels)
    content, style = (of_kind(found, kind) for kind in ("content", "style"))
    opposition = conflict(content, style, radius)
    leader = leaders([length(gradient) for _, gradient in found], radius)
    pulls = tuple(
        Pull(term.name, term.kind, term.layer, float(gradient.norm()), length(gradient).cpu())
        for term, gradient in found
    )
    total = sum(pull.norm for pull in pulls)
    left = float(torch.stack([gradient for _, gradient in found]).sum(0).norm())
    return Pulls(
        picture=pixels.detach().cpu(),
        pulls=pulls,
        conflict=opposition.cpu(),
        cosine=cosine(content, style),
        opposed=float((opposition < AGAINST).float().mean()),
        leader=leader.cpu(),
        areas={pull.term: float((leader == place).float().mean()) for place, pull in enumerate(pulls)},
        left=left / total if total else 0.0,
    )


def of_kind(found: Sequence[tuple[Term, Tensor]], kind: str) -> Tensor:
    """The sum of the gradients of the terms of one kind; zeros if there is none."""
    zero = torch.zeros_like(found[0][1])
    return sum((gradient for term, gradient in found if term.kind == kind), start=zero)


def length(gradient: Pixels) -> Map:
    """√Σ g² over the colours at each pixel."""
    return gradient.square().sum(1, keepdim=True).sqrt()


def conflict(content: Pixels, style: Pixels, deviation: float = 0.0) -> Map:
    """The cosine of two gradients at each pixel, from −1 (against each other) to 1 (together); 0 where one is nothing.

    cos = G∗(a·b) / √(G∗|a|² · G∗|b|²), a·b being summed over the colours and G a Gaussian of `deviation` pixels: 0
    looks at each pixel by itself, more at its neighbourhood.
    """
    product = blur.gaussian((content * style).sum(1, keepdim=True), deviation)
    sizes = [blur.gaussian(each.square().sum(1, keepdim=True), deviation).sqrt() for each in (content, style)]
    norms = sizes[0] * sizes[1]
    return torch.where(norms > 0, product / norms.clamp_min(torch.finfo(norms.dtype).tiny), 0.0).clamp(-1, 1)


def cosine(one: Tensor, other: Tensor) -> float:
    """The cosine of two gradients over all pixels; 0 if one is nothing."""
    norms = float(one.norm()) * float(other.norm())
    return float((one * other).sum()) / norms if norms else 0.0


def leaders(maps: Sequence[Map], deviation: float = 0.0) -> Int[Tensor, "1 1 h w"]:
    """Which of the maps is largest at each pixel, each being smoothed by a Gaussian of `deviation` pixels."""
    return torch.cat([blur.gaussian(each, deviation) for each in maps], dim=1).argmax(1, keepdim=True)


def neighbourhood(pixels: Tensor) -> float:
    """The deviation in pixels of what is called the neighbourhood of a pixel."""
    return max(1.0, NEIGHBOURHOOD * max(pixels.shape[2:]))


# ---- who pulls this pixel: for pages that show it under the pointer ----------------------------------------


@dataclass(frozen=True)
class Arrows:
    """Who pulls each cell of a coarse grid over a picture, and whether with the content or against it.

    `magnitudes` rows columns 1+L are √Σ|g|² over the cell's pixels of the content's gradient and of each of L style
    layers', 255 being `full`; `directions` are the cosine of each with the content's gradient in that cell, −1 … 1
    as 0 … 254, so that 127 is across (or that one of them is nothing). `index` counts evaluations.
    """

    index: int
    layers: tuple[str, ...]  # "content", then the style layers
    full: float
    magnitudes: UInt8[Tensor, "rows columns pulls"] = field(repr=False)
    directions: UInt8[Tensor, "rows columns pulls"] = field(repr=False)


def arrows(network: VGG, objective: Objective, pixels: Pixels, grid: int = GRID, index: int = 0) -> Arrows:
    """Who pulls each cell of a picture: the content terms together, and the style terms of each layer."""
    return finish(arrows_pulled(network, objective, pixels, grid, index))


def arrows_pulled(network: VGG, objective: Objective, pixels: Pixels, grid: int = GRID, index: int = 0) -> Work[Arrows]:
    """The arrows of one picture, term by term; yields the fraction done."""
    by_layer: dict[str, Tensor] = {"content": torch.zeros_like(pixels)}
    yield 0.0
    for number, (term, gradient) in enumerate(gradients(network, objective, pixels), 1):
        name = "content" if term.kind == "content" else term.layer
        if term.kind in ("content", "style"):
            by_layer[name] = by_layer.get(name, 0) + gradient
        yield number / len(objective.terms)
    return _arrows(by_layer, grid, index)


def _arrows(by_layer: Mapping[str, Tensor], grid: int, index: int) -> Arrows:
    content = by_layer["content"]

    def cells(product: Tensor) -> Tensor:
        return torch.nn.functional.adaptive_avg_pool2d(product.sum(1, keepdim=True), grid)[0, 0]

    sizes = torch.stack([cells(each.square()).sqrt() for each in by_layer.values()], dim=-1)
    products = torch.stack([cells(each * content) for each in by_layer.values()], dim=-1)
    norms = sizes * sizes[..., :1]
    cosines = torch.where(norms > 0, products / norms.clamp_min(torch.finfo(norms.dtype).tiny), 0.0).clamp(-1, 1)
    pixels_of_cell = content.shape[2] * content.shape[3] / grid**2
    full = float(sizes.max())
    return Arrows(
        index=index,
        layers=tuple(by_layer),
        full=full * pixels_of_cell**0.5,
        magnitudes=(255 * sizes / (full or 1.0)).round().to("cpu", torch.uint8),
        directions=(127 + 127 * cosines).round().to("cpu", torch.uint8),
    )


def arrows_of_frames(subject: Subject, grid: int = GRID) -> Work[tuple[Arrows, ...]]:
    """The arrows of every picture that was kept on the way, each under the objective of its size."""
    found: list[Arrows] = []
    objectives: dict[tuple[int, int], Objective] = {subject.size: subject.objective}
    for frame in subject.frames:
        yield len(found) / len(subject.frames)
        pixels = frame.pixels.to(subject.content)
        size = (pixels.shape[2], pixels.shape[3])
        if size not in objectives:
            objectives[size] = subject.painting.objective_of(subject.network, size)
        found.append(arrows(subject.network, objectives[size], pixels, grid, frame.index))
    return tuple(found)

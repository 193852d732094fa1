"""What a layer sees: its channels as maps, one beside another, and one through all three pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from gramarye.explain.receptive import Peak, Saliency, peak, salient
from gramarye.explain.section import Section
from gramarye.explain.subject import Subject
from gramarye.pulling import Work
from gramarye.statistics.positions import Activation
from gramarye.vgg import VGG

PICTURES = ("photograph", "painting", "result")
MAP_SIDE = 64  # no map that is kept is larger
ATLAS = {"quick": 24, "full": 64}  # channels of a layer in its atlas, at most
SILENT = 1e-6  # of the loudest channel's energy
COMPARED = {"quick": 3, "full": 6}  # channels of a layer that are followed through the three pictures


@dataclass(frozen=True)
class Atlas:
    """A layer's strongest channels, by their energy in the photograph, as maps of all three pictures.

    The energy of a channel is the mean of its squared activations. `channels` are indices, the strongest first;
    `energies` and `maps` go by picture (PICTURES) and have one entry for each of them: maps are K 1 h w, averaged
    down to at most MAP_SIDE, in the activations' own unit. The other fields speak of all channels of the layer.
    """

    layer: str
    positions: tuple[int, int]  # rows and columns of the layer, of the photograph
    stride: int  # pixels from a unit to the next
    receptive_field: int  # pixels on a side
    width: int  # channels in all
    half: int  # so many of them hold half of the photograph's energy
    to_painting: float  # correlation of the result's energies (their logarithms) with the painting's, −1 to 1
    to_photograph: float  # and with the photograph's
    channels: tuple[int, ...]
    energies: dict[str, tuple[float, ...]]
    maps: dict[str, Tensor] = field(repr=False)


@dataclass(frozen=True)
class Channel:
    """One channel side by side: by picture (PICTURES) its map, 1 1 h w, and where it fires most."""

    layer: str
    index: int
    maps: dict[str, Tensor] = field(repr=False)
    peaks: dict[str, Peak]


@dataclass(frozen=True)
class Features(Section):
    """Feature maps of the layers that were asked for, single channels, and saliency; `pictures` are by PICTURES."""

    name: ClassVar[str] = "features"
    title: ClassVar[str] = "What each layer sees"

    network: str
    mixed: bool  # the maps are the embedded network's: mixtures of its channels that stand for VGG-19's
    atlases: tuple[Atlas, ...]
    channels: tuple[Channel, ...]
    saliencies: tuple[Saliency, ...]
    pictures: dict[str, Tensor] = field(repr=False)

    @property
    def findings(self) -> tuple[str, ...]:
        return (*self._sight(), *self._energy(), *self._sensitivity(), *self._caveat())

    def _sight(self) -> tuple[str, ...]:
        first, last = self.atlases[0], self.atlases[-1]
        if first is last:
            return (f"A unit of {first.layer} sees {_square(first)} pixels.",)
        return (
            f"The deeper, the more a unit sees and the fewer units there are: one of {first.layer} looks at "
            f"{_square(first)} pixels, one of {last.layer} at {_square(last)}; of {first.positions[1]}×"
            f"{first.positions[0]} places {last.positions[1]}×{last.positions[0]} are left.",
        )

    def _energy(self) -> tuple[str, ...]:
        few = min(self.atlases, key=lambda atlas: atlas.half / atlas.width)
        nearer = [atlas.layer for atlas in self.atlases if atlas.to_painting > atlas.to_photograph]
        kept = [atlas.layer for atlas in self.atlases if atlas.layer not in nearer]
        found = [f"In {few.layer}, {few.half} of {few.width} channels hold half of the photograph's energy."]
        if nearer:
            most = max(self.atlases, key=lambda atlas: atlas.to_painting - atlas.to_photograph)
            found.append(
                f"Which channels are loud in the result goes by the painting rather than the photograph in "
                f"{_listed(nearer)}: in {most.layer} the correlation with the painting is {most.to_painting:.2f}, "
                f"with the photograph {most.to_photograph:.2f}."
            )
        if kept:
            found.append(f"In {_listed(kept)} the result's channels are still as loud as the photograph's.")
        return tuple(found)

    def _sensitivity(self) -> tuple[str, ...]:
        if not self.saliencies:
            return ()
        last = self.saliencies[-1]
        return (
            f"A unit does not look at its whole field alike: half of what moves the unit of {last.layer} that fires "
            f"most in the photograph lies in {last.half:.0%} of the pixels that it sees.",
        )

    def _caveat(self) -> tuple[str, ...]:
        if not self.mixed:
            return ()
        return (
            f"These are the maps of {self.network}: each mixes channels of the small network so that distances are "
            "VGG-19's, and may be negative. With VGG-19 itself (network.name=vgg19) single channels are purer.",
        )


def energies(activation: Activation) -> Float[Tensor, " channels"]:
    """The mean square of each channel: the diagonal of the Gram matrix per position."""
    return activation[0].square().mean((1, 2))


def small_maps(maps: Activation, side: int = MAP_SIDE) -> Float[Tensor, "batch channels fewer_rows fewer_columns"]:
    """Maps, batch channels rows columns, averaged down until no side is longer than `side`; never enlarged."""
    rows, columns = maps.shape[2:]
    factor = min(1.0, side / max(rows, columns))
    return F.adaptive_avg_pool2d(maps, (max(1, round(rows * factor)), max(1, round(columns * factor))))


def atlas(network: VGG, layer: str, activations: Mapping[str, Activation], count: int) -> Atlas:
    """The `count` strongest channels of a layer, by energy in the photograph; `activations` go by PICTURES."""
    known = network.table[network.resolve([layer])[0]]
    energy = {picture: energies(each) for picture, each in activations.items()}
    order = energy["photograph"].argsort(descending=True, stable=True)
    chosen = order[:count]
    held = energy["photograph"][order].cumsum(0)
    rows, columns = activations["photograph"].shape[2:]
    return Atlas(
        layer=layer,
        positions=(rows, columns),
        stride=known.stride,
        receptive_field=known.receptive_field,
        width=len(order),
        half=int((held < held[-1] / 2).sum()) + 1,
        to_painting=_alike(energy["result"], energy["painting"]),
        to_photograph=_alike(energy["result"], energy["photograph"]),
        channels=tuple(chosen.tolist()),
        energies={picture: tuple(each[chosen].tolist()) for picture, each in energy.items()},
        maps={
            picture: small_maps(each)[0, chosen][:, None].cpu().contiguous() for picture, each in activations.items()
        },
    )


def layers_of(subject: Subject) -> tuple[str, ...]:
    """The layers that the settings name, style and content, each once, from the input on."""
    settings, table = subject.settings, list(subject.network.table)
    names = subject.network.resolve((*settings.style.layers, *settings.content.layers))
    return tuple(sorted(dict.fromkeys(names), key=table.index))


def one_of_each_block(layers: Sequence[str]) -> tuple[str, ...]:
    """The first of the layers in each block of the network: relu1_1, relu2_1 …"""
    first: dict[str, str] = {}
    for layer in layers:
        first.setdefault(layer.split("_")[0][-1], layer)
    return tuple(first.values())


def seen_by(subject: Subject, layers: Sequence[str]) -> dict[str, dict[str, Tensor]]:
    """The activations of the photograph, the (first) painting and the result, by picture and layer."""
    pixels = pictures_of(subject)
    with torch.no_grad():
        return {picture: dict(subject.network(each, layers)) for picture, each in pixels.items()}


def pictures_of(subject: Subject) -> dict[str, Tensor]:
    """The photograph, the first painting and the result by their names in PICTURES."""
    return dict(zip(PICTURES, (subject.content, subject.style, subject.result), strict=True))


def explain(subject: Subject, depth: str) -> Work[Features]:
    """The feature maps, single channels and saliency of this subject; yields the fraction done."""
    network, pixels = subject.network, pictures_of(subject)
    layers = layers_of(subject)
    found = seen_by(subject, layers)
    compared = one_of_each_block(layers) if depth == "quick" else layers
    atlases: list[Atlas] = []
    channels: list[Channel] = []
    saliencies: list[Saliency] = []
    for number, layer in enumerate(layers):
        yield number / len(layers)
        here = {picture: each[layer] for picture, each in found.items()}
        atlases.append(atlas(network, layer, here, ATLAS[depth]))
        if layer in compared:
            chosen = atlases[-1].channels[: COMPARED[depth]]
            channels += [_channel(network, layer, index, here, pixels) for index in chosen]
            strongest = channels[-len(chosen)]
            at = strongest.peaks["photograph"]
            saliencies.append(salient(network, layer, strongest.index, at, subject.content))
    return Features(
        network=network.network,
        mixed=bool(network.calibrated),
        atlases=tuple(atlases),
        channels=tuple(channels),
        saliencies=tuple(saliencies),
        pictures={picture: each.cpu() for picture, each in pixels.items()},
    )


def _channel(
    network: VGG, layer: str, index: int, activations: Mapping[str, Activation], pixels: Mapping[str, Tensor]
) -> Channel:
    maps = {picture: small_maps(each[:, index : index + 1]).cpu() for picture, each in activations.items()}
    peaks = {picture: peak(network, layer, index, each, pixels[picture]) for picture, each in activations.items()}
    return Channel(layer, index, maps, peaks)


def _alike(one: Tensor, other: Tensor) -> float:
    """The correlation of log energies; the floors keep silent channels from deciding it."""
    logs = torch.stack([(each + SILENT * each.max() + 1e-30).double().log() for each in (one, other)])
    if len(one) < 2 or bool((logs.std(1) == 0).any()):
        return 0.0
    return float(torch.corrcoef(logs)[0, 1])


def _square(atlas: Atlas) -> str:
    return f"{atlas.receptive_field}×{atlas.receptive_field}"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))

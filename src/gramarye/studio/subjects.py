"""What the lens looks at: a run's photograph, painting and newest picture side by side, and the network that sees them.

Everything here runs on the worker's thread. The last two exhibits are kept, the activations of the last one only: one
pass forward a picture serves all layers, and while a run is painted only its newest picture is looked at again.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gramarye.pulling import Work
from gramarye.studio.faders import weighed
from gramarye.studio.frames import kept_in
from gramarye.studio.gallery import Gallery
from gramarye.studio.record import Record
from gramarye.studio.refusals import Refusal, Unknown

if TYPE_CHECKING:
    from torch import Tensor

    from gramarye.images import Picture
    from gramarye.objective import Objective
    from gramarye.painting import Painting
    from gramarye.settings import Settings
    from gramarye.vgg import VGG

SIDE = 256  # pixels of the long side of what is looked at; more where a narrow picture needs it
LARGEST = 512  # pixels of a frame whose pulls are looked at: larger ones are shrunk
HELD = 1024  # pixels of the photograph and the paintings that are held
KEPT = 2  # exhibits
OBJECTIVES = 6  # of one exhibit: they hold the activations that are asked for


class TooEarly(Refusal):
    """There is no picture of the run yet."""

    status = 409


@dataclass
class Exhibit:
    """The pictures of one run, 1 3 H W, by explain.features.PICTURES; `network` is in float32.

    `at` names the picture that `result` is: frame-64, or result-120 at the end. `layers` are those that the network
    can see in all three pictures; `activations` go by picture and layer.
    """

    record: Record
    at: str
    painting: Painting
    network: VGG
    pictures: dict[str, Tensor]
    layers: tuple[str, ...]
    activations: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    objectives: dict[tuple[tuple[int, int], int], Objective] = field(default_factory=dict)  # by size and changes made

    @property
    def photograph(self) -> Tensor:
        """The photograph as it is painted, at the size that is looked at."""
        return self.pictures["photograph"]

    def see(self, layer: str) -> Work[dict[str, Tensor]]:
        """The activations of a layer by picture; raises Unknown where the network or a picture has no such layer."""
        import torch

        if layer not in self.layers:
            rule = f"a layer must be one that {self.network.network} has, and not too deep for the pictures"
            raise Unknown(rule, layer, f"choose one of {', '.join(self.layers)}")
        found = {}
        for number, (name, pixels) in enumerate(self.pictures.items()):
            seen = self.activations.get(name)  # they may be let go while this waits for its turn
            if seen is None:
                yield number / len(self.pictures)
                with torch.no_grad():
                    seen = self.activations[name] = dict(self.network(pixels, self.layers))
            found[name] = seen[layer]
        return found

    def objective_at(self, size: tuple[int, int], index: int) -> Objective:
        """What was asked of a picture of `size` (height, width) when evaluation `index` was made."""
        made = sum(1 for change in self.record.changes if change["index"] < index)
        if (size, made) not in self.objectives:
            painting = replace(self.painting, settings=settings_at(self.record, index))
            while len(self.objectives) >= OBJECTIVES:
                del self.objectives[next(iter(self.objectives))]
            self.objectives[size, made] = painting.objective_of(self.network, size)
        return self.objectives[size, made]


class Subjects:
    """The exhibits of the runs in `runs`, a folder, with pictures of `gallery`."""

    def __init__(self, runs: Path, gallery: Gallery) -> None:
        self.runs, self.gallery = runs, gallery
        self._kept: OrderedDict[str, Exhibit] = OrderedDict()

    def look(self, record: Record) -> Work[Exhibit]:
        """The exhibit of a run as it is now; raises TooEarly, and an ImageError for a picture that is gone."""
        yield 0.0
        at, path = newest(record, self.runs / record.id)
        found = self._kept.pop(record.id, None)
        if found is None:
            found = hung(record, self.runs / record.id, self.gallery, at, path)
        elif found.at != at:  # another exhibit, because somebody may be looking at that one
            pictures = found.pictures | {"result": picture_of(path, found.painting, size_of(found.photograph))}
            seen = {name: each for name, each in found.activations.items() if name != "result"}
            found = replace(found, at=at, pictures=pictures, activations=seen)
        found = replace(found, record=record)
        for other in self._kept.values():
            other.activations.clear()
        self._kept[record.id] = found
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return found

    def frame(self, exhibit: Exhibit, index: int) -> Tensor:
        """A frame as the objective saw it, its long side at most LARGEST; raises Unknown where there is none."""
        from gramarye import inline

        path = self.runs / exhibit.record.id / "frames" / f"{index}.webp"
        if not path.is_file():
            raise Unknown("the run must have that frame", index)
        return inline.shrunk(picture_of(path, exhibit.painting), LARGEST)


def newest(record: Record, folder: Path) -> tuple[str, Path]:
    """The name and the file of a run's picture as it is now: the result, else the last frame."""
    result = folder / "result.png"
    if result.is_file():
        return f"result-{record.index}", result
    index = kept_in(folder / "frames").newest
    if index < 0:
        raise TooEarly("a run can be looked at when it has a picture", record.state, "wait a moment")
    return f"frame-{index}", folder / "frames" / f"{index}.webp"


def hung(record: Record, folder: Path, gallery: Gallery, at: str, path: Path) -> Exhibit:
    """The exhibit of a run, made anew."""
    from gramarye.seeing import make_network
    from gramarye.studio.preparing import prepare

    painting = prepare(record, folder, gallery)
    network = painting.network
    if network.dtype.itemsize < 4:
        network = make_network(painting.loaded, record.first.with_(precision="float32"), painting.device)
    painting = replace(
        painting,
        content=_held(painting.content),
        styles=tuple(_held(style) for style in painting.styles),
    )
    size = looked_at(painting.scales[-1].size, network)
    pictures = {
        "photograph": painting.photograph_at(size),
        "painting": painting.paintings_at(size)[0],
        "result": picture_of(path, painting, size),
    }
    return Exhibit(record, at, painting, network, pictures, within_reach(network, tuple(pictures.values())))


def _held(picture: Picture) -> Picture:
    """A picture without more pixels than are ever looked at."""
    from gramarye import inline

    return replace(picture, pixels=inline.shrunk(picture.pixels, HELD), alpha=None)


def looked_at(size: tuple[int, int], network: VGG) -> tuple[int, int]:
    """Height and width of what is looked at, of a run of `size`: at most SIDE, but one position of every layer."""
    from gramarye import images

    least = math.ceil(least_side(network) * max(size) / min(size))
    return images.fitted_size(size, min(max(SIDE, least), max(size)))


def picture_of(path: Path, painting: Painting, size: tuple[int, int] | None = None) -> Tensor:
    """A run's own picture of `size`, or of its own, as the objective sees it."""
    from gramarye import images
    from gramarye.seeing import seen

    pixels = images.load(path).pixels.to(painting.device)
    return seen(images.resize(pixels, size or size_of(pixels)), painting.settings)


def settings_at(record: Record, index: int) -> Settings:
    """The settings that evaluation `index` was made with."""
    settings = record.first
    for change in record.changes:
        if change["index"] < index:
            settings = settings.with_live(**weighed(settings, change["settings"]))
    return settings


def reached(network: VGG) -> tuple[str, ...]:
    """The ReLU layers that the network's weights reach, from the input on."""
    there = dict(network.named_buffers())
    return tuple(
        name for name in network.table if name.startswith("relu") and f"{name.replace('relu', 'conv')}_weight" in there
    )


def least_side(network: VGG) -> int:
    """The shortest side, in pixels, of a picture in which the deepest layer has one position."""
    return network.table[reached(network)[-1]].stride


def within_reach(network: VGG, pictures: Sequence[Tensor]) -> tuple[str, ...]:
    """The ReLU layers that have a position in each of the pictures, 1 3 H W."""
    least = min(min(size_of(each)) for each in pictures)
    return tuple(name for name in reached(network) if network.table[name].stride <= least)


def size_of(pixels: Tensor) -> tuple[int, int]:
    """Height and width."""
    return pixels.shape[2], pixels.shape[3]

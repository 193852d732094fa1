"""What can be asked of the lens, and how it is answered: from the shelf, else computed on the worker's thread and kept.

A question's key is the address that it is asked at, which is also how the events about its progress call it. The
name of an answer has the picture that it is about, so that a run that goes on is looked at anew.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gramarye import layers
from gramarye.errors import unknown_name
from gramarye.pulling import Work, part_of
from gramarye.studio import lens, lens_lab
from gramarye.studio.answers import text_of
from gramarye.studio.frames import kept_in
from gramarye.studio.gallery import Gallery
from gramarye.studio.record import Record
from gramarye.studio.refusals import Unknown
from gramarye.studio.shelf import Found, Shelf
from gramarye.studio.subjects import SIDE, Exhibit, Subjects, newest

if TYPE_CHECKING:
    from gramarye.vgg import VGG

KNOWN = tuple(name for name, layer in layers.table("vgg19").items() if layer.kind == "relu")
DISTANCES = 64  # of pairs of pictures that are remembered
LOOKING = 0.3  # of an answer's time, before it is computed
Tell = Callable[[Exhibit, lens.Address], Work[Found]]


@dataclass(frozen=True)
class Question:
    """Something that is asked of a run; `tell` answers it from an exhibit.

    The answer is called LAYER.REST, or LAYER.REST.AT where it depends on the run's own picture; pulls have no layer.
    """

    record: Record
    layer: str
    path: str  # below lens/
    rest: str
    said: str
    tell: Tell
    changing: bool = False  # with the run's picture

    @property
    def key(self) -> str:
        """The address that it is asked at."""
        return f"/api/runs/{self.record.id}/lens/{self.path}"

    def name(self, at: str) -> str:
        """What the answer is called, when the run's picture is `at`."""
        return ".".join(filter(None, (self.layer, self.rest, at if self.changing else "")))

    def address(self, at: str) -> lens.Address:
        """From the name of a picture of the answer to where it is; what is there never changes."""
        of = self.name(at).removeprefix(f"{self.layer}.")
        return lambda picture: f"/api/runs/{self.record.id}/lens/{self.layer}/{picture}.webp?of={of}"


class Lens:
    """Answers questions about the runs in the folder `runs`."""

    def __init__(self, runs: Path, gallery: Gallery) -> None:
        self.runs, self.gallery = runs, gallery
        self.shelf, self.subjects = Shelf(runs), Subjects(runs, gallery)
        self._lock, self._distances = threading.Lock(), OrderedDict[tuple[str, str], str]()
        self._network: VGG | None = None

    def ready(self, question: Question) -> bytes | None:
        """The answer if it is on the shelf, as JSON; raises TooEarly where the run has no picture yet."""
        at, _ = newest(question.record, self.runs / question.record.id)
        return self.shelf.read(question.record.id, question.name(at))

    def answer(self, question: Question) -> Work[bytes]:
        """The answer as JSON, from the shelf or computed and put there; for the worker's thread."""
        run = question.record.id
        exhibit = yield from part_of(self.subjects.look(question.record), 0.0, LOOKING)
        name = question.name(exhibit.at)
        kept = self.shelf.read(run, name)
        if kept is None:
            told = question.tell(exhibit, question.address(exhibit.at))
            found = yield from part_of(told, LOOKING, 1.0)
            self.shelf.keep(run, name, found)
            kept = text_of(found.data).encode()
        return kept

    def newest_picture(self, question: Question, picture: str) -> bytes | None:
        """A picture of the answer as it is now; None if it is not on the shelf."""
        at, _ = newest(question.record, self.runs / question.record.id)
        return self.shelf.picture(question.record.id, question.name(at), picture)

    # ---- the questions ---------------------------------------------------------------------------------------------

    def channels(self, record: Record, layer: str) -> Question:
        """A layer's channels on sheets."""
        tell = partial(lens.channels, layer=layer)
        return Question(record, layer, f"{layer}/channels.json", "channels", f"Looking at {layer}", tell, changing=True)

    def gram(self, record: Record, layer: str) -> Question:
        """A layer's Gram matrices."""
        tell = partial(lens.gram, layer=layer)
        return Question(record, layer, f"{layer}/gram.json", "gram", f"The Gram matrix of {layer}", tell, changing=True)

    def pair(self, record: Record, layer: str, channels: tuple[int, int]) -> Question:
        """Two channels of a layer."""
        tell = partial(lens.pair, layer=layer, channels=channels)
        pair = f"{channels[0]}-{channels[1]}"
        said = f"Channels {channels[0]} and {channels[1]} of {layer}"
        return Question(record, layer, f"{layer}/pair/{pair}.json", f"pair.{pair}", said, tell, changing=True)

    def shuffle(self, record: Record, layer: str, seed: int) -> Question:
        """A layer's positions in random order."""
        tell = partial(lens_lab.shuffle, layer=layer, seed=seed)
        path = f"{layer}/shuffle.json?seed={seed}"
        return Question(record, layer, path, f"shuffle.{seed}", f"Shuffling {layer}", tell)

    def rebuilt(self, record: Record, layer: str) -> Question:
        """The photograph from one layer."""
        tell = partial(lens_lab.rebuilt, layer=layer)
        said = f"Rebuilding the photograph from {layer}"
        return Question(record, layer, f"{layer}/rebuilt.json", "rebuilt", said, tell)

    def texture(self, record: Record, layer: str, together: bool) -> Question:
        """The painting's texture from one layer, or from all style layers up to it."""
        tell = partial(lens_lab.texture, layer=layer, together=together)
        path = f"{layer}/texture.json{'?together=1' if together else ''}"
        said = f"A texture from {'all style layers up to ' if together else ''}{layer}"
        return Question(record, layer, path, "texture.together" if together else "texture", said, tell)

    def pulls(self, record: Record, index: int) -> Question:
        """Who pulls where in a frame, or in the nearest one to a frame that was thinned out; raises Unknown."""
        nearest = kept_in(self.runs / record.id / "frames").nearest(index)
        if nearest is None:
            raise Unknown("the run must have that frame", index)
        tell = partial(lens.pulls, index=nearest, frame=self.subjects.frame)
        return Question(record, "pulls", f"pulls/{nearest}.json", str(nearest), f"Who pulls in frame {nearest}", tell)

    # ---- two pictures ----------------------------------------------------------------------------------------------

    def known_distance(self, one: str, other: str) -> str | None:
        """The distance of two pictures as JSON, if it was asked before."""
        with self._lock:
            return self._distances.get((one, other))

    def distance(self, one: str, other: str) -> Work[str]:
        """The distance of two pictures of the gallery as JSON; for the worker's thread. Raises UnknownPicture."""
        from gramarye import images, inline

        paths = [self.gallery.path_of(identifier) for identifier in (one, other)]
        yield 0.0
        network = self._own_network()
        pixels = []
        for path in paths:
            yield 0.2
            pixels.append(inline.shrunk(images.load(path).pixels, SIDE).to(network.get_buffer("mean").device))
        found = yield from part_of(lens_lab.distance(network, *pixels), 0.4, 1.0)
        with self._lock:
            text = self._distances[one, other] = text_of(found)
            while len(self._distances) > DISTANCES:
                self._distances.popitem(last=False)
        return text

    def _own_network(self) -> VGG:
        """The network that new runs are painted with, in float32."""
        from gramarye import machine, presets, weights
        from gramarye.seeing import make_network

        if self._network is None:
            settings = presets.DEFAULT.with_(precision="float32")
            device = machine.choose_device(settings.device)
            self._network = make_network(weights.load(settings.network.name), settings, device)
        return self._network


def layer_named(name: str) -> str:
    """A ReLU layer by its name; raises Unknown with the nearest known one."""
    if name not in KNOWN:
        raise Unknown(*unknown_name("layer", name[:40], KNOWN))
    return name

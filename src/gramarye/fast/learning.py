"""Training a painter of one's own: from a folder of photographs and some paintings to a network with its card.

    learning = prepare("photographs", ["sea.jpg", "wood.jpg"], Plan(steps=7000))
    for step in learning.steps():
        ...
    stored.save("painter.safetensors", learning.painter, learning.card())

What is drawn at random depends on the seed alone. `state`, `restore` and `identity` are for a checkpoint.
"""

from __future__ import annotations

import copy
import hashlib
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

import gramarye
from gramarye import batch, images, machine, weights
from gramarye.errors import ImageError, SettingsError
from gramarye.fast import any_style, examination, photographs, stored, variety
from gramarye.fast.any_style import AnyStyle, Manner
from gramarye.fast.examination import Styles
from gramarye.fast.losses import Losses
from gramarye.fast.painter import Painter
from gramarye.fast.photographs import Photographs
from gramarye.fast.plan import MOST_STEPS, Plan
from gramarye.fast.starting import started
from gramarye.fast.stored import FastNetwork
from gramarye.fast.training import Step, Training, alone
from gramarye.seeing import make_network
from gramarye.vgg import VGG
from gramarye.weights.formats import digest

HELD_OUT = 50  # every so manieth photograph is not trained on
MOST = 5000  # photographs that are used, evenly chosen: about a megabyte each in memory
MEASURED = 200  # paintings by which a painter of any style is scaled
RECENT = 100  # steps over which what is told is a mean
PACE = (2, 8)  # steps to get going, and steps that are timed
SHEET = 320  # px, the long side of a picture on a sheet
DECIDE = (  # of a card, what decides the network
    *("gramarye", "kind", "styles", "paintings", "style_size", "batch", "crop", "rate", "settings"),
    *("photographs_sha256", "network", "encoder", "start"),
)

Picture = Float[Tensor, "1 3 height width"]


@dataclass
class Learning:
    """A painter that learns, with what belongs on its card; `seconds` are those of its steps."""

    plan: Plan
    training: Training
    styles: Styles
    unseen: Styles | None  # paintings that it is not trained on
    held_out: Photographs
    described: dict[str, Any]  # of the card, what is known from the beginning
    left_out: Sequence[str] = ()  # of each photograph that could not be used, what is wrong
    seconds: float = 0.0
    recent: deque[Step] = field(default_factory=lambda: deque(maxlen=RECENT))

    @property
    def painter(self) -> Painter | AnyStyle:
        """The painter as far as it has come."""
        painter = self.training.painter
        assert isinstance(painter, (Painter, AnyStyle))
        return painter

    def steps(self) -> Iterator[Step]:
        """Train to the end, one Step at a time; raises OptimizationError."""
        began = time.perf_counter()
        for step in self.training.steps():
            self.seconds += time.perf_counter() - began
            self.recent.append(step)
            yield step
            began = time.perf_counter()

    def fit(self, hours: float) -> None:
        """Train for as many steps as fit into so many hours on this machine, by the pace of some that are undone."""
        before = copy.deepcopy(self.training.state())
        self.training.steps_in_all = self.training.index + sum(PACE)
        times = [time.perf_counter(), *(time.perf_counter() for _ in self.training.steps())]
        self.training.restore(before)
        pace = (times[-1] - times[PACE[0]]) / PACE[1]
        left = 3600 * hours - (times[-1] - times[0])
        self.training.steps_in_all = min(max(1, round(left / pace)), MOST_STEPS)

    def mean(self) -> dict[str, float]:
        """The parts of the objective and their sum, `total`: the mean over the last RECENT steps."""
        return examination.mean([step.values for step in self.recent])

    def state(self) -> dict[str, Any]:
        """Everything that is needed to go on."""
        recent = [[step.index, step.values, step.rate] for step in self.recent]
        steps = self.training.steps_in_all
        return {"training": self.training.state(), "steps": steps, "seconds": self.seconds, "recent": recent}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` has given."""
        self.training.restore(state["training"])
        self.training.steps_in_all, self.seconds = state["steps"], state["seconds"]
        self.recent.extend(Step(*each) for each in state["recent"])

    def identity(self) -> dict[str, Any]:
        """What decides the network, as JSON, wherever its files lie."""
        length = {"steps": self.plan.steps} if self.plan.hours is None else {"hours": self.plan.hours}
        return {name: self.described.get(name) for name in DECIDE} | length | {"sizes": dict(self.plan.sizes)}

    def sheet(self, photograph: Tensor) -> Tensor:
        """A photograph, 1 3 H W, at a long side of SHEET px in some of the styles, the unseen ones too."""
        size = images.fitted_size((photograph.shape[2], photograph.shape[3]), SHEET)
        styles = [each for each in (self.styles, self.unseen) if each]
        return examination.sheet(self.training, images.resize(photograph, size), styles)

    def examined(self) -> dict[str, Any]:
        """The objective on photographs that were held out; under `unseen` in paintings that were, too."""
        found = examination.examine(self.training, self.held_out, self.styles)
        if self.unseen:
            found["unseen"] = examination.examine(self.training, self.held_out, self.unseen)
        return found

    def card(self) -> dict[str, Any]:
        """How the painter was trained and what it reaches, as JSON; takes as long as painting some hundred pictures."""
        return {
            **self.described,
            "steps": self.training.index,
            "seconds": round(self.seconds, 1),
            "last": self.mean(),
            "held_out": self.examined(),
        }


def prepare(
    folder: str | Path,
    paintings: Sequence[str | Path],
    plan: Plan | None = None,
    *,
    unseen: Sequence[str | Path] = (),
) -> Learning:
    """Load a folder's photographs and some paintings, each a file or a folder, and set up a painter to be trained.

    Every HELD_OUT-th photograph, and the paintings of `unseen` for a painter of any style, are not trained on, but
    measured at the end. Raises ImageError, WeightsError or SettingsError.
    """
    plan = plan or Plan()
    files = photographs.files_in(Path(folder))
    apart, learned = _paintings(unseen, plan), _paintings(paintings, plan, unseen)
    if not learned:
        raise ImageError("a painting is needed to learn its manner", "none")
    names, device = tuple(batch.names(learned)), machine.choose_device(plan.settings.device)
    loaded = weights.load(plan.settings.network.name)
    losses = Losses(make_network(loaded, plan.settings, device), plan.settings)
    known = None if plan.start is None else stored.load(plan.start, losses.network.dtype)
    painter = _painter(plan, names, learned, losses.network, known).to(device)
    styles, others = (_styles(painter, losses, each, plan.size, device) for each in (learned, apart))
    seen, held_out = _photographs(files, Path(folder), plan.settings.seed)
    return Learning(
        plan=plan,
        training=_training(plan, painter, losses, seen, learned, device),
        styles=styles,
        unseen=others if apart else None,
        held_out=held_out,
        described=_described(plan, loaded, names, learned, device, known) | _counted(seen, held_out),
        left_out=(*seen.left_out, *held_out.left_out),
    )


def _paintings(places: Sequence[str | Path], plan: Plan, besides: Sequence[str | Path] = ()) -> list[str]:
    """The files of some paintings, each a file or a folder, without those of others."""
    if besides and plan.kind == "many":
        raise SettingsError("a painter of many styles paints what it has learned", "unseen paintings", "leave them out")
    taken = {Path(each).resolve() for each in batch.pictures_in([str(each) for each in besides])}
    return [each for each in batch.pictures_in([str(each) for each in places]) if Path(each).resolve() not in taken]


def _painter(
    plan: Plan, names: tuple[str, ...], files: Sequence[str], network: VGG, known: FastNetwork | None
) -> Painter | AnyStyle:
    """One that starts from what is known, else an untrained one, which depends on the seed."""
    if known is not None:
        return started(known, plan.kind, names, _loaded(files, plan.size))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.settings.seed)
        if plan.kind == "any":
            return AnyStyle(any_style.encoder(network.dtype))
        return Painter(names, **plan.sizes)


def _styles(
    painter: Painter | AnyStyle, losses: Losses, files: Sequence[str], size: int, device: torch.device
) -> Styles:
    """What is needed of some paintings to measure the painter's pictures."""
    files = files[: examination.MOST]
    paintings = [painting.to(device) for painting in _loaded(files, size)]
    manners = [painter.remember(each) for each in paintings] if isinstance(painter, AnyStyle) else []
    grams = [losses.grams(painting) for painting in paintings]
    return Styles(tuple(batch.names(files)), grams, _told(painter, manners, device))


def _loaded(files: Sequence[str], size: int) -> list[Picture]:
    """The paintings in some files, with `size` as their long side at most."""
    return [variety.at_most(images.load(file).pixels, size) for file in files]


def _told(
    painter: Painter | AnyStyle, manners: Sequence[Manner], device: torch.device
) -> Callable[[list[int]], Tensor | Manner]:
    """What the painter is told of styles by their places."""
    if isinstance(painter, Painter):
        return alone(len(painter.styles), device)
    return lambda places: Manner.batch([manners[place] for place in places])


def _photographs(files: Sequence[Path], folder: Path, seed: int) -> tuple[Photographs, Photographs]:
    """Those to train on and those that are held out; raises ImageError if too few can be used."""
    files = files[:: math.ceil(len(files) / MOST)]
    learned = [file for number, file in enumerate(files) if number % HELD_OUT]
    seen = Photographs(learned, torch.Generator().manual_seed(seed))
    held_out = Photographs(files[::HELD_OUT], torch.Generator())
    photographs.check_number(len(seen) + len(held_out), folder)
    return seen, held_out


def _training(
    plan: Plan,
    painter: Painter | AnyStyle,
    losses: Losses,
    seen: Photographs,
    files: Sequence[str],
    device: torch.device,
) -> Training:
    """The training itself; a painter of any style meets more paintings than there are, and is scaled by them."""
    manners: list[Manner] = []
    if isinstance(painter, AnyStyle):
        pool = variety.pool(files, seen.files, plan.size, plan.settings.seed)
        first = list(islice(pool, MEASURED))
        if plan.start is None:
            painter.measure([painting.to(device) for painting in first])
        paintings: Iterable[Picture] = _remembered(painter, chain(first, pool), manners, device)
    else:
        paintings = _loaded(files, plan.size)
        if plan.start is None:
            painter.measure(paintings)
    told = _told(painter, manners, device)
    return Training(painter, losses, seen, paintings, told, plan.steps, plan.batch, plan.crop, plan.rate)


def _remembered(
    painter: AnyStyle, paintings: Iterable[Picture], manners: list[Manner], device: torch.device
) -> Iterator[Picture]:
    """The paintings, one at a time; each one's manner is put to `manners`."""
    for painting in paintings:
        manners.append(painter.remember(painting.to(device)))
        yield painting


def _described(
    plan: Plan,
    loaded: weights.Weights,
    names: Sequence[str],
    files: Sequence[str],
    device: torch.device,
    known: FastNetwork | None,
) -> dict[str, Any]:
    """Of the card, what is known of the plan, the paintings and the machine."""
    return {
        "gramarye": gramarye.__version__,
        "kind": plan.kind,
        "styles": list(names),
        "paintings": {name: images.sha256_of(file) for name, file in zip(names, files, strict=True)},
        "style_size": plan.size,
        "batch": plan.batch,
        "crop": plan.crop,
        "rate": plan.rate,
        "preset": plan.preset,
        "settings": plan.objective(),
        "network": {"name": loaded.network, "sha256": loaded.sha256},
        **({"encoder": digest(weights.embedded())} if plan.kind == "any" else {}),
        **({"start": {"name": known.name, "sha256": known.sha256}} if known else {}),
        "device": str(device),
        "processor": machine.processor_name(),
        "precision": str(machine.fastest_dtype(device, plan.settings.precision)).removeprefix("torch."),
        "torch": torch.__version__,
    }


def _counted(seen: Photographs, held_out: Photographs) -> dict[str, Any]:
    """Of the card, what is known of the photographs that are trained on."""
    together = "".join([*seen.sha256, *held_out.sha256])
    return {"photographs": len(seen), "photographs_sha256": hashlib.sha256(together.encode()).hexdigest()}

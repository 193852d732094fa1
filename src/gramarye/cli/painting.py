"""The options of every command that paints, and the painting itself with its progress."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gramarye import presets
from gramarye.cli import console
from gramarye.cli.progress import ProgressBar
from gramarye.errors import ImageError, SettingsError
from gramarye.settings import KNOBS, Settings

if TYPE_CHECKING:
    from gramarye.cli.keeping import Kept
    from gramarye.images import Picture
    from gramarye.painting import Painting
    from gramarye.result import Result
    from gramarye.transfer import Inputs


def _help(name: str) -> str:
    """A knob's own line of help, with its unit and range."""
    knob = KNOBS[name]
    known = " ".join(filter(None, (knob.range(), knob.unit)))
    return f"{knob.help} ({known})" if known else knob.help


PresetName = Annotated[str, typer.Option("--preset", "-p", help="Named settings; see [b]gramarye presets[/b].")]
Size = Annotated[int | None, typer.Option(help=_help("size"))]
Steps = Annotated[int | None, typer.Option(help=_help("steps"))]
Seed = Annotated[int | None, typer.Option(help=_help("seed"))]
Network = Annotated[str | None, typer.Option(help=_help("network.name"))]
WeightsFile = Annotated[Path | None, typer.Option("--weights", help="A file with the network's weights.")]
Device = Annotated[str | None, typer.Option(help=_help("device"))]
Knobs = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KNOB=VALUE", help="Any knob by its dotted name, e.g. style.weight=50."),
]
Mix = Annotated[
    str | None, typer.Option(help="Shares of several paintings, e.g. 30,70; the same as --set style.mix=30,70.")
]
Strength = Annotated[float | None, typer.Option(help=_help("strength"))]
Color = Annotated[str | None, typer.Option(help=_help("color"))]
Start = Annotated[str | None, typer.Option(metavar="FILE", help="Begin with this picture; the same as init=file.")]
ContentMask = Annotated[
    list[str] | None,
    typer.Option(
        metavar="MASK",
        help="Regions of the photograph: a picture in plain colours, or NAME=FILE, white where the region is; "
        "several by comma or by giving it again.",
    ),
]
StyleMask = Annotated[
    list[str] | None,
    typer.Option(
        metavar="MASK",
        help="The same regions in the paintings, one mask for each in their order; NAME alone is all of it.",
    ),
]
RegionContent = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=WEIGHT", help="How much the photograph counts in a region: 1 as elsewhere."),
]


def settings_from(
    preset: str,
    *,
    size: int | None = None,
    steps: int | None = None,
    seed: int | None = None,
    network: str | None = None,
    device: str | None = None,
    strength: float | None = None,
    color: str | None = None,
    mix: str | None = None,
    knobs: Sequence[str] | None = None,
) -> Settings:
    """The preset with the flags that were given, then with the --set knobs; raises SettingsError."""
    named = {
        "size": size,
        "steps": steps,
        "seed": seed,
        "network.name": network,
        "device": device,
        "strength": strength,
        "color": color,
        "style.mix": mix,
    }
    changes: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    for assignment in knobs or ():
        name, equals, value = assignment.partition("=")
        if not equals:
            raise SettingsError("--set takes KNOB=VALUE", repr(assignment), "for example --set style.weight=50")
        changes[name.strip()] = value
    return presets.preset(preset).with_(**changes)


@dataclass(frozen=True)
class Order:
    """What all paintings of one command have in common."""

    settings: Settings
    preset: str
    weights: Path | None = None
    bits: int = 8
    max_megapixels: float = 100
    quiet: bool = False
    inputs: Inputs = field(default_factory=dict)  # type: ignore[assignment]  # an empty TypedDict

    def prepare(self, content: str, styles: Sequence[str], settings: Settings | None = None) -> Painting:
        """The painting, ready to begin; raises a GramaryeError."""
        from gramarye.transfer import prepare

        return prepare(
            content,
            list(styles),
            settings or self.settings,
            preset=self.preset,
            weights_file=self.weights,
            max_megapixels=self.max_megapixels,
            **self.inputs,
        )

    def files(self) -> list[str | Path]:
        """What is read beside photographs and paintings, as far as it is named by a path."""
        masks = [self.inputs.get("content_mask"), *self.inputs.get("style_masks", ())]
        words = [word for mask in masks for word in _words(mask)]
        named = [name for word in words for name in (word, *(each.partition("=")[2] for each in word.split(",")))]
        return [each for each in (self.weights, self.inputs.get("start"), *named) if each]


def _words(mask: Any) -> list[str]:
    """The texts of which a mask is made: a file, NAME=FILE by comma, or files by name."""
    if isinstance(mask, str):
        return [mask]
    return [word for word in (mask.values() if isinstance(mask, dict) else mask or ()) if word]


def inputs_from(
    start: str | None,
    content_mask: Sequence[str] | None,
    style_masks: Sequence[str] | None,
    region_content: Sequence[str] | None,
) -> Inputs:
    """What `prepare` is given beside photograph, paintings and settings; raises SettingsError."""
    weights: dict[str, float] = {}
    for assignment in region_content or ():
        name, equals, weight = assignment.rpartition("=")
        try:
            weights[name.strip()] = float(weight if equals else "")
        except ValueError as error:
            remedy = "for example --region-content sky=0.3"
            raise SettingsError("--region-content takes NAME=WEIGHT", repr(assignment), remedy) from error
    return {
        "content_mask": None if not content_mask else content_mask[0] if len(content_mask) == 1 else list(content_mask),
        "style_masks": list(style_masks or ()),
        "region_content": weights,
        "start": start,
    }


def check_output(output: Path, inputs: Sequence[str | Path], *, bits: int = 8) -> None:
    """Refuse, before any work, an output that cannot be written or that is one of the inputs."""
    from gramarye import images

    images.check_destination(output, bits=bits)
    refuse_input(output, inputs)


def refuse_input(output: Path, inputs: Sequence[str | Path]) -> None:
    """Raises ImageError when an output is one of the inputs."""
    for given in inputs:
        with suppress(OSError, ValueError):  # whichever is not there, or cannot be looked at
            if not output.samefile(given):
                continue
            raise ImageError("the output must not be one of the inputs", str(output), "choose another name")


def announce(painting: Painting, *, quiet: bool) -> None:
    """Say which network is used and why, what was done to the pictures, and what it will cost."""
    if quiet:
        return
    from gramarye import cost, machine

    expected = cost.predict(painting)  # first of all: what cannot be painted is told here, and alone
    precision = str(painting.network.dtype).removeprefix("torch.")
    console.say(f"network   {reason(painting)}")
    console.say(f"device    {painting.device}, {precision}")
    remark_on(painting.content, *painting.styles)
    height, width = painting.scales[-1].size
    free = machine.available_memory()
    console.say(
        f"picture   {width}×{height}, {painting.settings.steps} evaluations, about "
        f"{console.seconds_in_words(expected.seconds)} and {console.memory_in_words(expected.memory)}"
    )
    if height > painting.content.pixels.shape[2]:
        console.say(f"note      {painting.content.name} is smaller than that and is enlarged")
    if free is not None and expected.memory > free:
        console.say(
            f"warning   only {console.memory_in_words(free)} of memory are free: use a smaller --size"
            + ("" if painting.loaded.network == "vgg19-lite" else " or --network vgg19-lite")
        )


def remark_on(*pictures: Picture) -> None:
    """Say what had to be done to pictures to make them usable."""
    for picture in pictures:
        for note in picture.notes:
            console.say(f"note      {picture.name}: {note}")


def reason(painting: Painting) -> str:
    """Which network paints, why, and how to take another."""
    from gramarye import weights

    loaded = painting.loaded
    if loaded.path in (weights.embedded(), weights.find(loaded.network)):
        choice = weights.choose(painting.settings.network.name)
        if choice.path == loaded.path:
            return choice.reason
    return f"{loaded.network} from {loaded.path}, as asked"


def paint(
    painting: Painting, output: Path, *, quiet: bool, bits: int = 8, label: str = "painting", kept: Kept | None = None
) -> tuple[Result, bool]:
    """Paint with a progress bar and write the picture; returns the result and whether Ctrl-C cut it short.

    The first Ctrl-C never costs the picture, also while it is being written; the second one does. `kept` is
    what else is kept on the way.
    """
    with console.hear_interrupt(quiet=quiet) as stop:
        with _bar(painting, quiet, label) as bar:
            for step in kept.steps(painting) if kept else painting.steps():
                if bar is not None:
                    bar.show(step.index, step.total)
                if stop.requested:
                    break
        result = painting.result()
        result.save(output, bits=bits)
        if kept:
            kept.end(painting, result, interrupted=stop.requested)
    done = f"{evaluations(result)} evaluations in {console.seconds_in_words(result.seconds)}"
    console.say(f"{'interrupted, kept' if stop.requested else 'wrote'} {output} · {done}", quiet=quiet)
    return result, stop.requested


def _bar(painting: Painting, quiet: bool, label: str) -> Any:
    return nullcontext() if quiet else ProgressBar(label, painting.settings.steps)


def evaluations(result: Result) -> int:
    """How many evaluations were made; with a line search, more than one a step."""
    return result.history[-1].index if result.history else 0


def as_json(result: Result, preset: str) -> dict[str, Any]:
    """What `transfer --json` prints, as far as the result knows it."""
    height, width = result.pixels.shape[2:]
    return {
        "preset": preset,
        "network": result.recipe["network"]["name"],
        "size": [height, width],
        "terms": result.terms,
        "total": result.total,
        "seconds": round(result.seconds, 3),
        "evaluations": evaluations(result),
        "peak_memory_mb": round(result.peak_memory / 1e6, 1),
        "precision": result.recipe["machine"]["precision"],
        "history": [[step.index, step.total] for step in result.history],
        "rescued": [step.index for step in result.history if step.rescued],
    }

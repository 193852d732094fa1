"""The options of every command that paints, and the painting itself with its progress."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gramarye import presets
from gramarye.cli import console
from gramarye.errors import ImageError, SettingsError
from gramarye.settings import KNOBS, Settings

if TYPE_CHECKING:
    from gramarye.images import Picture
    from gramarye.transfer import Painting, Result


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


def settings_from(
    preset: str,
    *,
    size: int | None = None,
    steps: int | None = None,
    seed: int | None = None,
    network: str | None = None,
    device: str | None = None,
    knobs: Sequence[str] | None = None,
) -> Settings:
    """The preset with the flags that were given, then with the --set knobs; raises SettingsError."""
    named = {"size": size, "steps": steps, "seed": seed, "network.name": network, "device": device}
    changes: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    for assignment in knobs or ():
        name, equals, value = assignment.partition("=")
        if not equals:
            raise SettingsError("--set takes KNOB=VALUE", repr(assignment), "for example --set style.weight=50")
        changes[name.strip()] = value
    return presets.preset(preset).with_(**changes)


def check_output(output: Path, inputs: Sequence[str | Path], *, bits: int = 8) -> None:
    """Refuse, before any work, an output that cannot be written or that is one of the inputs."""
    from gramarye import images

    images.check_destination(output, bits=bits)
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
    console.say(f"network   {_reason(painting)}")
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


def _reason(painting: Painting) -> str:
    """Which network paints, why, and how to take another."""
    from gramarye import weights

    loaded = painting.loaded
    if loaded.path in (weights.embedded(), weights.find(loaded.network)):
        choice = weights.choose(painting.settings.network.name)
        if choice.path == loaded.path:
            return choice.reason
    return f"{loaded.network} from {loaded.path}, as asked"


def paint(
    painting: Painting, output: Path, *, quiet: bool, bits: int = 8, label: str = "painting"
) -> tuple[Result, bool]:
    """Paint with a progress bar and write the picture; returns the result and whether Ctrl-C cut it short.

    The first Ctrl-C never costs the picture, also while it is being written; the second one does.
    """
    with console.hear_interrupt(quiet=quiet) as stop:
        with _bar(painting, quiet, label) as bar:
            for step in painting.steps():
                if bar is not None:
                    bar.show(step.index, step.total)
                if stop.requested:
                    break
        result = painting.result()
        result.save(output, bits=bits)
    done = f"{len(result.history)} evaluations in {console.seconds_in_words(result.seconds)}"
    console.say(f"{'interrupted, kept' if stop.requested else 'wrote'} {output} · {done}", quiet=quiet)
    return result, stop.requested


def _bar(painting: Painting, quiet: bool, label: str) -> Any:
    return nullcontext() if quiet else ProgressBar(label, painting.settings.steps)


class ProgressBar:
    """A progress bar with remaining time and loss on a terminal; elsewhere a line at every tenth."""

    def __init__(self, label: str, total: int) -> None:
        self.label, self.total, self.tenth = label, total, 0
        self.live = console.on_terminal()

    def __enter__(self) -> ProgressBar:
        if self.live:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.completed:.0f}/{task.total:.0f}"),
                TimeRemainingColumn(compact=True),
                TextColumn("loss {task.fields[loss]}"),
            )
            self.progress = Progress(*columns, console=Console(stderr=True), transient=True)
            self.task = self.progress.add_task(self.label, total=self.total, loss="–")
            self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.progress.stop()

    def show(self, done: int, loss: float) -> None:
        """`done` of the total, at this loss."""
        if self.live:
            self.progress.update(self.task, completed=done, loss=f"{loss:.4g}")
        elif done * 10 // self.total > self.tenth:
            self.tenth = done * 10 // self.total
            console.say(f"{self.label}  {done}/{self.total}  loss {loss:.4g}")


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
        "evaluations": len(result.history),
        "peak_memory_mb": round(result.peak_memory / 1e6, 1),
        "precision": result.recipe["machine"]["precision"],
        "history": [[step.index, step.total] for step in result.history],
    }

"""gramarye fast train: a feed-forward painter of one's own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gramarye.cli import console
from gramarye.cli import painting as shared
from gramarye.cli.fast.keeping import Kept
from gramarye.errors import SettingsError

if TYPE_CHECKING:
    from rich.progress import Progress

    from gramarye.fast.learning import Learning
    from gramarye.fast.plan import Plan

LINE = 60.0  # seconds, after which a line is due where there is no terminal
TOLD = 3  # photographs that are left out and named
OUT_OF_MEMORY = "training needs more memory than there is. Use a smaller --batch or --crop"

Photographs = Annotated[
    Path,
    typer.Argument(metavar="PHOTOGRAPHS", help="A folder of photographs; a thousand are good.", show_default=False),
]
Styles = Annotated[
    list[str],
    typer.Argument(
        metavar="STYLE", help="The paintings: files, folders, or bundled ones, e.g. demo:cubist.", show_default=False
    ),
]
Output = Annotated[Path, typer.Option("--output", "-o", help="Where to write the network: .safetensors.")]
OfAny = Annotated[
    bool,
    typer.Option("--any", help="A painter of any style, which learns from the paintings; without it, of these alone."),
]
Unseen = Annotated[
    list[str] | None,
    typer.Option(
        metavar="STYLE", help="With --any: a painting, or a folder, that is not trained on, but measured and previewed."
    ),
]
Steps = Annotated[int | None, typer.Option(help="Steps of training, 7000 if nothing is said.")]
Hours = Annotated[float | None, typer.Option(help="Instead of --steps: as many as this machine makes in these hours.")]
Batch = Annotated[int, typer.Option(help="Photographs in a step.")]
Crop = Annotated[int, typer.Option(help="Side of the parts of photographs, in pixels.")]
Start = Annotated[
    str | None,
    typer.Option(metavar="NETWORK", help="Start from what a network knows: any, many, or a file; else from nothing."),
]
Rate = Annotated[float, typer.Option(help="Of the largest steps.")]
Size = Annotated[int, typer.Option(help="Long side at which paintings are looked at, in pixels.")]
Preset = Annotated[str, typer.Option("--preset", "-p", help="Whose objective is learned; see [b]gramarye presets[/b].")]
Network = Annotated[str, typer.Option(help="The network that looks at the pictures: vgg19-lite, vgg19 or vgg16.")]
Preview = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A sheet of what the painter paints so far: .png, .jpg, …")
]
PreviewEvery = Annotated[
    int | None, typer.Option("--preview-every", metavar="N", help="Renew the preview every N steps, 250 by default.")
]
Restart = Annotated[bool, typer.Option("--restart", help="Begin anew, whatever checkpoint there is.")]


@console.command
def train(
    photographs: Photographs,
    styles: Styles,
    *,
    output: Output,
    any_style: OfAny = False,
    unseen: Unseen = None,
    steps: Steps = None,
    hours: Hours = None,
    batch: Batch = 4,
    crop: Crop = 192,
    size: Size = 512,
    start: Start = None,
    rate: Rate = 1e-3,
    preset: Preset = "default",
    network: Network = "vgg19-lite",
    device: shared.Device = None,
    seed: shared.Seed = None,
    knobs: shared.Knobs = None,
    preview: Preview = None,
    preview_every: PreviewEvery = None,
    restart: Restart = False,
    json: console.Json = False,
    quiet: console.Quiet = False,
) -> None:
    """Train a network that paints photographs in the manner of STYLE in one pass.

    Example: [b]gramarye fast train photos painting.jpg other.jpg -o mine.safetensors[/b]

    Then: [b]gramarye fast apply photo.jpg painting.jpg --network mine.safetensors -o out.png[/b]

    Hours on a processor, minutes on a graphics card. Ctrl-C and crashes lose next to nothing: the same command goes on
    from OUTPUT.checkpoint. OUTPUT's .training.csv has every step.

    A painter of any style: [b]gramarye fast train photos paintings --any -o any.safetensors[/b]
    """
    from gramarye.fast.plan import STEPS, Plan, check_knobs

    if steps is not None and hours is not None:
        raise SettingsError("--steps and --hours both say how long to train", remedy="leave one of them out")
    check_knobs(each.partition("=")[0].strip() for each in knobs or ())
    plan = Plan(
        kind="any" if any_style else "many",
        settings=shared.settings_from(preset, seed=seed, network=network, device=device, knobs=knobs),
        preset=preset,
        steps=STEPS if steps is None else steps,
        batch=batch,
        crop=crop,
        size=size,
        hours=hours,
        start=start,
        rate=rate,
    )
    kept = Kept(output, preview, _every(preview, preview_every), restart, quiet)
    places = [_file_of(style) for style in styles]
    kept.check(photographs, [*places, *(unseen or ()), *([start] if start else ())])
    try:
        learning = _prepared(photographs, places, plan, unseen or (), quiet=quiet)
        kept.go_on(learning)
        _announce(learning, quiet=quiet)
        _train(learning, kept, json=json)
    except (MemoryError, RuntimeError) as error:
        if not console.is_out_of_memory(error):
            raise
        console.fail(OUT_OF_MEMORY)


def _every(preview: Path | None, every: int | None) -> int:
    """Steps from one preview to the next; raises SettingsError."""
    if every is not None and preview is None:
        raise SettingsError("--preview-every is about the preview", "no --preview", "add it, or leave this out")
    if every is not None and every < 1:
        raise SettingsError("--preview-every must be at least 1", every)
    return every or Kept.preview_every


def _file_of(style: str) -> str:
    """A painting's file; a bundled one is named demo:NAME."""
    from gramarye import demo

    if not style.startswith(demo.PREFIX) or Path(style).exists():
        return style
    return str(demo.path_of(style.removeprefix(demo.PREFIX)))


def _prepared(photographs: Path, styles: Sequence[str], plan: Plan, unseen: Sequence[str], *, quiet: bool) -> Learning:
    """Everything loaded; says what could not be."""
    from gramarye import machine
    from gramarye.fast import learning

    machine.keep_memory()
    console.say(f"reading   {photographs}", quiet=quiet)
    found = learning.prepare(photographs, styles, plan, unseen=[_file_of(each) for each in unseen])
    for reason in found.left_out[:TOLD]:
        console.say(f"left out  {reason}", quiet=quiet)
    if len(found.left_out) > TOLD:
        console.say(f"left out  and {len(found.left_out) - TOLD} more photographs", quiet=quiet)
    return found


def _announce(learning: Learning, *, quiet: bool) -> None:
    """Say what is learned from what, and on what."""
    card, training = learning.described, learning.training
    names = ", ".join(card["styles"][:8]) + (" …" if len(card["styles"]) > 8 else "")
    console.say(f"styles    {'any, from ' if card['kind'] == 'any' else ''}{names}", quiet=quiet)
    held = f"{card['photographs']} to learn from, {len(learning.held_out)} held out"
    console.say(f"pictures  {held}; {training.steps_in_all} steps of {training.batch}", quiet=quiet)
    start = f"; starts from {card['start']['name']}" if "start" in card else ""
    console.say(f"network   {card['network']['name']}, objective of the preset {card['preset']}{start}", quiet=quiet)
    console.say(f"device    {card['device']}, {card['precision']}", quiet=quiet)


def _train(learning: Learning, kept: Kept, *, json: bool) -> None:
    """Train to the end, or to Ctrl-C, and say what came of it."""
    quiet, training = kept.quiet, learning.training
    with console.hear_interrupt(quiet=quiet) as stop:
        with nullcontext() if quiet else Bar(learning) as bar:
            for _ in kept.steps(learning):
                if bar is not None:
                    bar.show()
                if stop.requested:
                    break
        interrupted = training.index < training.steps_in_all
        told: dict[str, Any] = {"kind": learning.plan.kind, "styles": list(learning.described["styles"])}
        if interrupted:
            kept.save(learning)
            told |= {"seconds": round(learning.seconds, 1), "last": learning.mean(), "checkpoint": str(kept.checkpoint)}
        else:
            console.say(f"measuring on {len(learning.held_out)} photographs that were held out", quiet=quiet)
            card = kept.end(learning)
            told |= {name: card[name] for name in ("seconds", "last", "held_out")}
    _say(learning, kept, told, interrupted=interrupted)
    if json:
        reached = {"output": str(kept.output), "steps": training.index, "steps_in_all": training.steps_in_all}
        console.answer({**reached, **told, "log": str(kept.log), "interrupted": interrupted})
    if interrupted:
        raise typer.Exit(console.INTERRUPTED)


def _say(learning: Learning, kept: Kept, told: dict[str, Any], *, interrupted: bool) -> None:
    """What came of it, in words."""
    training, quiet = learning.training, kept.quiet
    if interrupted:
        reached = f"step {training.index} of {training.steps_in_all}"
        console.say(f"interrupted at {reached}, kept {kept.checkpoint}: the same command goes on", quiet=quiet)
        return
    took = console.seconds_in_words(told["seconds"])
    console.say(f"wrote {kept.output} · {training.index} steps in {took}", quiet=quiet)
    for name, found in (("held out", told["held_out"]), ("unseen", told["held_out"].get("unseen"))):
        if found:
            painted, photograph = (_in_words(found[key]) for key in ("painted", "photograph"))
            console.say(f"{name:<9} {painted}; the photographs themselves: {photograph}", quiet=quiet)


def _in_words(parts: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in parts.items())


class Bar:
    """A training: a bar with the remaining time and the objective on a terminal; elsewhere a line at times."""

    def __init__(self, learning: Learning) -> None:
        self.learning, self.live = learning, console.on_terminal()
        self.first, self.began, self.said = learning.training.index, time.monotonic(), 0.0

    def __enter__(self) -> Bar:
        if self.live:
            self.progress = _bar()
            total = self.learning.training.steps_in_all
            self.task = self.progress.add_task("training", total=total, completed=self.first, parts="")
            self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.progress.stop()

    def show(self) -> None:
        """The training as it is now."""
        done, total = self.learning.training.index, self.learning.training.steps_in_all
        if self.live:
            self.progress.update(self.task, completed=done, parts=_in_words(self.learning.mean()))
        elif done * 10 // total > (done - 1) * 10 // total or time.monotonic() - self.said > LINE:
            self.said = time.monotonic()
            console.say(f"training  {done}/{total}  {_in_words(self.learning.mean())}{self._remaining(total - done)}")

    def _remaining(self, left: int) -> str:
        seconds = (time.monotonic() - self.began) / max(1, self.learning.training.index - self.first) * left
        return f"  {console.seconds_in_words(seconds)} left" if left else ""


def _bar() -> Progress:
    """Where it is too narrow, the parts of the objective are broken, not the time that remains."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Column

    whole = Column(no_wrap=True)
    return Progress(
        TextColumn("{task.description}", table_column=whole.copy()),
        BarColumn(bar_width=10, table_column=whole.copy()),
        TextColumn("{task.completed:.0f}/{task.total:.0f}", table_column=whole.copy()),
        TimeRemainingColumn(compact=True, table_column=whole.copy()),
        TextColumn("{task.fields[parts]}", table_column=Column()),
        console=Console(stderr=True),
        transient=True,
    )

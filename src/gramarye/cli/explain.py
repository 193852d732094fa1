"""gramarye explain: the report of what the network saw and why each stroke is there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gramarye.cli import console
from gramarye.cli import painting as shared
from gramarye.errors import GramaryeError
from gramarye.explain.contents import SECTIONS, SIZES
from gramarye.settings import Settings

if TYPE_CHECKING:
    from gramarye.explain.story import Explanation, Story

DRAWING = 1.5  # seconds a section, about

Content = Annotated[str, typer.Argument(metavar="CONTENT", help="The photograph.", show_default=False)]
Styles = Annotated[
    list[str], typer.Argument(metavar="STYLE", help="The painting; several are mixed.", show_default=False)
]
Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the report; an earlier one is replaced.")
]
Image = Annotated[
    str | None,
    typer.Option(
        metavar="RESULT", help="Explain this finished picture, with the settings inside it unless others are given."
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(metavar="SECTION,…", help=f"Tell only these sections, by comma; all are {', '.join(SECTIONS)}."),
]
Depth = Annotated[str, typer.Option(metavar="quick|full", help="How much is tried out, and how long it takes.")]
PresetName = Annotated[
    str | None,
    typer.Option("--preset", "-p", help="Named settings, by default default; see [b]gramarye presets[/b]."),
]
Size = Annotated[
    int | None, typer.Option(help="Long side in pixels: 256, at full depth 512; that of --image is its own.")
]


@console.command
def explain(
    content: Content,
    styles: Styles,
    output: Output,
    *,
    image: Image = None,
    only: Only = None,
    depth: Depth = "quick",
    preset: PresetName = None,
    size: Size = None,
    steps: shared.Steps = None,
    seed: shared.Seed = None,
    network: shared.Network = None,
    weights: shared.WeightsFile = None,
    device: shared.Device = None,
    knobs: shared.Knobs = None,
    json: console.Json = False,
    quiet: console.Quiet = False,
) -> None:
    """Explain a painting: what each layer keeps and holds, which term pulls where, what would be different.

    Example: [b]gramarye explain photo.jpg painting.jpg -o explained[/b]

    Paints, and writes a page to read in a browser (report.html), every figure, every number. Ctrl-C keeps what was
    told. A finished picture is explained with --image:

    [b]gramarye explain photo.jpg painting.jpg --image out.png -o explained --only gram,attribution[/b]
    """
    named = [name.strip() for each in only or () for name in each.split(",") if name.strip()]
    flags = {"steps": steps, "seed": seed, "network": network, "device": device, "knobs": knobs}
    settings = _settings(preset, size, depth, flags, brought=image is not None)
    from gramarye import machine
    from gramarye.explain import story as stories
    from gramarye.report import folder

    folder.check(output)
    inputs = [each for each in (content, *styles, image, weights) if each]
    for name in folder.NAMES:
        shared.refuse_input(output / name, inputs)
    machine.keep_memory()
    story = stories.begin(
        content,
        styles,
        settings,
        image=image,
        size=size,
        preset=preset or ("default" if settings else ""),
        weights_file=weights,
        only=named,
        depth=depth,
    )
    _announce(story, quiet=quiet, own=settings is None and story.explanation.recipe is not None)
    _tell(story, output, json=json, quiet=quiet)


def _settings(
    preset: str | None, size: int | None, depth: str, flags: dict[str, Any], *, brought: bool
) -> Settings | None:
    """What was asked for; None where nothing was, so that a picture is explained with its own settings."""
    given = any(flags.values()) or flags["seed"] == 0
    if brought and preset is None and not given:
        return None
    named = any(each.partition("=")[0].strip() == "size" for each in flags["knobs"] or ())
    default = None if named else SIZES.get(depth)
    return shared.settings_from(preset or "default", size=size or default, **flags)


def _announce(story: Story, *, quiet: bool, own: bool) -> None:
    """Say which network looks, with which settings, how large and about how long."""
    if quiet:
        return
    painting, count = story.painting, len(story.explanation.wanted)
    seconds = story.expected_seconds() + DRAWING * count  # first of all: what cannot be seen is told here, and alone
    console.say(f"network   {shared.reason(painting)}")
    shared.remark_on(painting.content, *painting.styles)
    _compare(story, own=own)
    height, width = painting.scales[-1].size
    console.say(
        f"picture   {width}×{height}, {painting.settings.steps} evaluations"
        if story.explanation.pixels is None
        else f"picture   {width}×{height}, brought along"
    )
    console.say(f"sections  {count}, depth {story.explanation.depth}, about {console.seconds_in_words(seconds)} in all")


def _compare(story: Story, *, own: bool) -> None:
    """Say whose settings a picture that was brought along is looked at with, and whether it is of these pictures."""
    recipe, image, painting = story.explanation.recipe, story.explanation.image, story.painting
    if not recipe:
        return
    preset = painting.preset or "unknown"
    console.say(f"settings  those inside {image}, preset {preset}" if own else f"settings  not those inside {image}")
    painted = [recipe.get("content"), *(recipe.get("styles") or ())]
    now = [painting.origins["content"], *painting.origins["styles"]]
    others = [
        str(before.get("name"))
        for before, after in zip_longest(painted, now)
        if isinstance(before, dict) and before.get("sha256") != (after or {}).get("sha256")
    ]
    if others:
        console.say(f"note      its recipe names other pictures than these: {', '.join(others)}")


def _tell(story: Story, output: Path, *, json: bool, quiet: bool) -> None:
    """Pull the story to its end or to Ctrl-C, write what was told, and answer."""
    from gramarye.report import explanation as report
    from gramarye.report import folder

    began = time.monotonic()
    with console.hear_interrupt(quiet=quiet) as stop, _progress(quiet) as show:
        for progress in story.steps():
            show(f"{progress.index}/{progress.count}  {progress.section}", progress.fraction)
            if stop.requested:
                break
        told = story.stop()
        if told.subject is None:
            raise KeyboardInterrupt
        if not told.sections and not stop.requested:
            raise GramaryeError(next(iter(told.missing.values())))
        for fraction in report.steps(told, output):
            show("drawing the page", fraction)
        seconds = time.monotonic() - began
    for name, why in told.missing.items():
        console.say(f"note      without {name}: {why}", quiet=quiet)
    done = "interrupted, kept" if stop.requested else "wrote"
    sections = f"{len(told.sections)} section{'' if len(told.sections) == 1 else 's'}"
    console.say(f"{done} {output / folder.PAGE} · {sections} in {console.seconds_in_words(seconds)}", quiet=quiet)
    if json:
        console.answer(_plain(told, output, seconds, interrupted=stop.requested))
    if stop.requested:
        raise typer.Exit(console.INTERRUPTED)


@contextmanager
def _progress(quiet: bool) -> Iterator[Any]:
    """A bar with the section under way and the time that is left; where nobody looks on, a line for each section."""
    if quiet or not console.on_terminal():
        said: list[str] = []

        def line(label: str, fraction: float) -> None:
            if label not in said:
                said.append(label)
                console.say(f"{label:<20}{fraction:6.0%}", quiet=quiet)

        yield line
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description:<20}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=1.0)

        def move(label: str, fraction: float) -> None:
            if fraction < bars.tasks[task].completed:  # the drawing begins: another pace
                bars.reset(task)
            bars.update(task, completed=fraction, description=label)

        yield move


def _plain(told: Explanation, output: Path, seconds: float, *, interrupted: bool) -> dict[str, Any]:
    """What --json prints: where everything lies, and what was found."""
    from gramarye.report import explanation as report
    from gramarye.report import folder

    names = folder.earlier(output) or ()
    found = report.numbers(told)
    return {
        "output": str(output),
        "report": str(output / folder.PAGE),
        "numbers": str(output / folder.NUMBERS),
        "result": str(output / folder.RESULT),
        "ledger": str(output / folder.LEDGER) if folder.LEDGER in names else None,
        "figures": [str(output / name) for name in names if name.startswith(folder.FIGURES)],
        "depth": told.depth,
        "sections": found["sections"],
        "missing": told.missing,
        "seconds": round(seconds, 3),
        "seconds_by_section": {name: round(each, 3) for name, each in told.seconds.items()},
        "interrupted": interrupted,
    }

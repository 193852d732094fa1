"""gramarye transfer: the painting command."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from gramarye.cli import batch, comparing, console, keeping
from gramarye.cli import painting as shared
from gramarye.errors import SettingsError

Content = Annotated[str, typer.Argument(metavar="CONTENT", help="The photograph.", show_default=False)]
Styles = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="STYLE",
        help="The painting; several are mixed, see --mix. With --styles: more photographs.",
        show_default=False,
    ),
]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Where to write it: .png, .jpg, .webp or .tif.")]
Bits = Annotated[int, typer.Option(help="Bits a channel: 8, or 16 for PNG.")]
Megapixels = Annotated[float, typer.Option("--max-megapixels", help="Refuse larger input pictures.")]


@console.command
def transfer(
    content: Content,
    styles: Styles = None,
    output: Output = None,
    *,
    preset: shared.PresetName = "default",
    size: shared.Size = None,
    steps: shared.Steps = None,
    seed: shared.Seed = None,
    strength: shared.Strength = None,
    color: shared.Color = None,
    mix: shared.Mix = None,
    network: shared.Network = None,
    weights: shared.WeightsFile = None,
    device: shared.Device = None,
    knobs: shared.Knobs = None,
    start: shared.Start = None,
    content_mask: shared.ContentMask = None,
    style_mask: shared.StyleMask = None,
    region_content: shared.RegionContent = None,
    snapshots: keeping.Snapshots = None,
    film: keeping.FilmFile = None,
    ledger: keeping.LedgerFile = None,
    checkpoint_every: keeping.CheckpointEvery = None,
    restart: keeping.Restart = False,
    compare: comparing.Compare = None,
    style_files: batch.StyleFiles = None,
    out_dir: batch.OutDir = None,
    bits: Bits = 8,
    max_megapixels: Megapixels = 100,
    json: console.Json = False,
    quiet: console.Quiet = False,
) -> None:
    """Paint CONTENT in the manner of STYLE.

    Example: [b]gramarye transfer photo.jpg painting.jpg -o out.png --size 768[/b]

    Ctrl-C keeps what was reached. The picture carries its recipe: see [b]gramarye inspect[/b].

    All choices of a knob side by side, on a contact sheet:

    [b]gramarye transfer photo.jpg painting.jpg -o sheet.png --compare color[/b]

    Many photographs after many paintings; what is done already is left as it is:

    [b]gramarye transfer photos --styles paintings --out-dir painted[/b]
    """
    settings = shared.settings_from(
        preset,
        size=size,
        steps=steps,
        seed=seed,
        network=network,
        device=device,
        strength=strength,
        color=color,
        mix=mix,
        knobs=knobs,
    )
    inputs = shared.inputs_from(start, content_mask, style_mask, region_content)
    order = shared.Order(settings, preset, weights, bits, max_megapixels, quiet, inputs)
    on_the_way = {"--snapshots": snapshots, "--film": film, "--ledger": ledger, "--checkpoint-every": checkpoint_every}
    if style_files or out_dir:
        alone = {"-o": output, "--compare": compare, "--mix": mix, "--film": film, "--snapshots": snapshots}
        alone |= {"--ledger": ledger, "--start": start, "--content-mask": content_mask, "--style-mask": style_mask}
        _refuse_together("--styles and --out-dir", alone | {"--region-content": region_content})
        if not (style_files and out_dir):
            _missing("--out-dir" if style_files else "--styles")
        batch.run(order, [content, *(styles or ())], style_files, out_dir, checkpoint_every, restart, json=json)
    if not (styles and output):
        _missing("--output" if styles else "STYLE")
    if compare:
        _refuse_together("--compare", on_the_way)
        comparing.run(order, content, styles, output, compare, json=json)
    kept = keeping.kept_from(output, settings.steps, snapshots, film, ledger, checkpoint_every, restart, bits, quiet)
    _paint(order, content, styles, kept, json=json)


def _missing(name: str) -> NoReturn:
    """Wrong usage, status 2."""
    raise typer.BadParameter("it is missing; see gramarye transfer --help", param_hint=f"'{name}'")


def _refuse_together(what: str, others: Mapping[str, object]) -> None:
    for name, value in others.items():
        if value:
            raise SettingsError(f"{name} does not go with {what}", remedy="leave one of them out")


def _paint(order: shared.Order, content: str, styles: list[str], kept: keeping.Kept, *, json: bool) -> None:
    """One picture."""
    from gramarye import machine

    inputs = [content, *styles, *order.files()]
    shared.check_output(kept.output, inputs, bits=order.bits)
    kept.check(inputs)
    machine.keep_memory()
    painting = order.prepare(content, styles)
    shared.announce(painting, quiet=order.quiet)
    result, interrupted = shared.paint(painting, kept.output, quiet=order.quiet, bits=order.bits, kept=kept)
    if json:
        console.answer({**shared.as_json(result, order.preset), "output": str(kept.output), "interrupted": interrupted})
    if interrupted:
        raise typer.Exit(console.INTERRUPTED)

"""gramarye transfer: the painting command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gramarye.cli import console
from gramarye.cli import painting as shared

Content = Annotated[str, typer.Argument(metavar="CONTENT", help="The photograph.", show_default=False)]
Styles = Annotated[
    list[str],
    typer.Argument(metavar="STYLE", help="The painting; several are mixed evenly.", show_default=False),
]
Output = Annotated[Path, typer.Option("--output", "-o", help="Where to write it: .png, .jpg, .webp or .tif.")]
Bits = Annotated[int, typer.Option(help="Bits a channel: 8, or 16 for PNG.")]
Megapixels = Annotated[float, typer.Option("--max-megapixels", help="Refuse larger input pictures.")]


@console.command
def transfer(
    content: Content,
    styles: Styles,
    output: Output,
    *,
    preset: shared.PresetName = "default",
    size: shared.Size = None,
    steps: shared.Steps = None,
    seed: shared.Seed = None,
    network: shared.Network = None,
    weights: shared.WeightsFile = None,
    device: shared.Device = None,
    knobs: shared.Knobs = None,
    bits: Bits = 8,
    max_megapixels: Megapixels = 100,
    json: console.Json = False,
    quiet: console.Quiet = False,
) -> None:
    """Paint CONTENT in the manner of STYLE.

    Example: [b]gramarye transfer photo.jpg painting.jpg -o out.png --size 768[/b]

    Ctrl-C keeps what was reached. The picture carries its recipe: see [b]gramarye inspect[/b].
    """
    settings = shared.settings_from(
        preset, size=size, steps=steps, seed=seed, network=network, device=device, knobs=knobs
    )
    from gramarye import machine
    from gramarye.transfer import prepare

    shared.check_output(output, [content, *styles, *([weights] if weights else [])], bits=bits)
    machine.keep_memory()
    painting = prepare(content, styles, settings, preset=preset, weights_file=weights, max_megapixels=max_megapixels)
    shared.announce(painting, quiet=quiet)
    result, interrupted = shared.paint(painting, output, quiet=quiet, bits=bits)
    if json:
        console.answer({**shared.as_json(result, preset), "output": str(output), "interrupted": interrupted})
    if interrupted:
        raise typer.Exit(console.INTERRUPTED)

"""gramarye inspect, replay and measure: what is inside a picture, and what it is worth to an objective."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from gramarye import presets
from gramarye.cli import console, replaying
from gramarye.cli import painting as shared
from gramarye.cli.fast import again
from gramarye.cli.transfer import Bits, Megapixels

Painted = Annotated[
    Path, typer.Argument(metavar="PICTURE", help="A picture that Gramarye painted.", show_default=False)
]


@console.command
def inspect(picture: Painted, *, json: console.Json = False, quiet: console.Quiet = False) -> None:
    """Show the recipe inside a picture: inputs, settings, network, machine, losses reached.

    Example: [b]gramarye inspect out.png[/b]
    """
    recipe = replaying.recipe_in(picture)
    if json:
        console.answer(recipe)
    else:
        _show(recipe)


def _show(recipe: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.pretty import Pretty

    out = Console(soft_wrap=True)
    shown = {key: value for key, value in recipe.items() if key not in ("settings", "terms")}
    out.print(Pretty(shown, expand_all=True))
    default = _flat(presets.preset("default").to_dict())
    changed = {name: value for name, value in _flat(recipe["settings"]).items() if value != default.get(name)}
    out.print("settings that differ from the default preset:", Pretty(changed, expand_all=True))
    for term in recipe["terms"]:
        print(f"{term['name']:20} {term['value']:12.6g} × {term['weight']:10.4g} = {term['weighted']:10.6g}")


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Knobs by their dotted names, those of other versions among them."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat


@console.command
def replay(
    picture: Painted,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write the new picture.")],
    *,
    content: Annotated[str | None, typer.Option(help="The photograph, if it has moved.")] = None,
    style: Annotated[list[str] | None, typer.Option(help="The painting, if it has moved.")] = None,
    weights: shared.WeightsFile = None,
    inputs: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where else to look for what has moved: pictures, masks, start.")
    ] = None,
    bits: Bits = 8,
    max_megapixels: Megapixels = 100,
    json: console.Json = False,
    quiet: console.Quiet = False,
) -> None:
    """Paint a picture again from the recipe inside it: on the same machine, the same pixels.

    Example: [b]gramarye replay out.png -o again.png[/b]
    """
    recipe = replaying.recipe_in(picture)
    settings = replaying.settings_of(recipe)
    folders = [picture.parent, *([inputs] if inputs else [])]
    if replaying.in_one_pass(recipe):
        lying = again.Lying(picture, folders, content, style or [], weights)
        again.replay(recipe, lying, output, bits=bits, max_megapixels=max_megapixels, json=json, quiet=quiet)
        return
    from gramarye import machine

    photograph, *paintings = replaying.pictures_of(recipe, folders, content, style or [])
    file = weights or replaying.weights_file(recipe)
    more = replaying.inputs_of(recipe, folders)
    order = shared.Order(settings, recipe["preset"], file, bits, max_megapixels, quiet, more)
    shared.check_output(output, [picture, photograph, *paintings, *order.files()], bits=bits)
    machine.keep_memory()
    painting = order.prepare(photograph, paintings)
    replaying.alter(painting, recipe)
    for changed in replaying.changed_networks(painting, recipe):
        console.say(f"warning   {changed}", quiet=quiet)
    shared.announce(painting, quiet=quiet)
    result, interrupted = shared.paint(painting, output, bits=bits, quiet=quiet)
    if json:
        console.answer({**shared.as_json(result, recipe["preset"]), "output": str(output), "interrupted": interrupted})
    if interrupted:
        raise typer.Exit(console.INTERRUPTED)


@console.command
def measure(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="Any picture.", show_default=False)],
    *,
    content: Annotated[str, typer.Option(help="The photograph.")],
    style: Annotated[list[str], typer.Option(help="The painting; may be given several times.")],
    preset: shared.PresetName = "default",
    size: shared.Size = None,
    network: shared.Network = None,
    weights: shared.WeightsFile = None,
    device: shared.Device = None,
    knobs: shared.Knobs = None,
    max_megapixels: Megapixels = 100,
    json: console.Json = False,
    quiet: console.Quiet = False,
) -> None:
    """Every term's value for any picture, in float32, under the objective of a preset.

    Example: [b]gramarye measure out.png --content photo.jpg --style painting.jpg[/b]

    The picture keeps its own size unless --size is given; the photograph is resized to it.
    """
    settings = shared.settings_from(preset, size=size, network=network, device=device, knobs=knobs)
    from gramarye import images, machine, transfer

    machine.keep_memory()
    inputs = [images.load(each, max_megapixels=max_megapixels) for each in (image, content, *style)]
    if not quiet:
        shared.remark_on(*inputs)
    found = transfer.measure(inputs[0], inputs[1], inputs[2:], settings, size=size, weights_file=weights)
    plain = {
        "preset": preset,
        "network": found.network,
        "size": list(found.size),
        "terms": found.terms,
        "total": found.total,
    }
    if json:
        console.answer(plain)
        return
    print(f"{found.network} · {found.size[1]}×{found.size[0]} · preset {preset}")
    for term in found.terms:
        print(f"{term['name']:20} {term['value']:12.6g} × {term['weight']:10.4g} = {term['weighted']:10.6g}")
    print(f"{'total':20} {'':12}   {'':10}   {found.total:10.6g}")

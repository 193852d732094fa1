"""gramarye inspect, replay and measure: what is inside a picture, and what it is worth to an objective."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gramarye import presets
from gramarye.cli import console
from gramarye.cli import painting as shared
from gramarye.cli.transfer import Megapixels
from gramarye.errors import ImageError
from gramarye.settings import KNOBS, Settings

Painted = Annotated[Path, typer.Argument(help="A picture that Gramarye painted.", show_default=False)]


@console.command
def inspect(picture: Painted, json: console.Json = False) -> None:
    """Show the recipe inside a picture: inputs, settings, network, machine, losses reached.

    Example: [b]gramarye inspect out.png[/b]
    """
    from gramarye import images

    recipe = images.read_recipe(picture)
    if json:
        console.answer(recipe)
    else:
        _show(recipe)


def _show(recipe: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.pretty import Pretty

    out = Console()
    shown = {key: value for key, value in recipe.items() if key not in ("settings", "terms")}
    out.print(Pretty(shown, expand_all=True))
    plain = Settings.from_dict(recipe["settings"])
    default = presets.preset("default")
    changed = {name: plain.get(name) for name in KNOBS if plain.get(name) != default.get(name)}
    out.print("settings that differ from the default preset:", Pretty(changed, expand_all=True))
    for term in recipe["terms"]:
        out.print(
            f"{term['name']:20} {term['value']:12.6g} × {term['weight']:10.4g} = {term['weighted']:10.6g}"
        )


@console.command
def replay(
    picture: Painted,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write the new picture.")],
    content: Annotated[str | None, typer.Option(help="The photograph, if it has moved.")] = None,
    style: Annotated[list[str] | None, typer.Option(help="The painting, if it has moved.")] = None,
    weights: shared.WeightsFile = None,
    json: console.Json = False,
    quiet: console.Quiet = False,
) -> None:
    """Paint a picture again from the recipe inside it: on the same machine, the same pixels.

    Example: [b]gramarye replay out.png -o again.png[/b]
    """
    from gramarye import images, machine, transfer

    recipe = images.read_recipe(picture)
    paths = [_origin(recipe["content"], content, picture)]
    for index, origin in enumerate(recipe["styles"]):
        paths.append(_origin(origin, style[index] if style and index < len(style) else None, picture))
    shared.check_output(output, [picture, *paths])
    machine.keep_memory()
    settings = Settings.from_dict(recipe["settings"])
    settings = settings.with_(**{"network.name": recipe["network"]["name"]})
    weights = weights or (Path(recipe["network"]["file"]) if recipe["network"]["file"] else None)
    painting = transfer.prepare(paths[0], paths[1:], settings, preset=recipe["preset"], weights_file=weights)
    if painting.loaded.sha256 != recipe["network"]["sha256"]:
        console.say("warning   other weights than the picture was painted with", quiet=quiet)
    shared.announce(painting, quiet=quiet)
    result, interrupted = shared.paint(painting, quiet=quiet)
    result.save(output)
    if json:
        console.answer(
            {**shared.as_json(result, recipe["preset"]), "output": str(output), "interrupted": interrupted}
        )
    else:
        console.say(f"wrote {output}", quiet=quiet)
    if interrupted:
        raise typer.Exit(console.INTERRUPTED)


def _origin(origin: dict[str, Any], given: str | None, picture: Path) -> str:
    """Where an input of the recipe lies: as given, at its recorded place, or beside the picture."""
    from gramarye import images

    places = [given] if given else [origin["path"], str(picture.parent / origin["name"])]
    found = [place for place in places if place and Path(place).is_file()]
    matching = [place for place in found if images.sha256_of(place) == origin["sha256"]]
    if not matching:
        rule = f"replaying needs {origin['name']} as it was"
        received = f"another file at {found[0]}" if found else f"none at {' or '.join(filter(None, places))}"
        raise ImageError(rule, received, "name it with --content or --style")
    return matching[0]


@console.command
def measure(
    image: Annotated[str, typer.Argument(help="Any picture.", show_default=False)],
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
) -> None:
    """Every term's value for any picture, in float32, under the objective of a preset.

    Example: [b]gramarye measure out.png --content photo.jpg --style painting.jpg[/b]

    The picture keeps its own size unless --size is given; the photograph is resized to it.
    """
    settings = shared.settings_from(preset, None, None, None, network, device, knobs)
    from gramarye import images, machine, transfer

    machine.keep_memory()
    inputs = [images.load(each, max_megapixels=max_megapixels) for each in (image, content, *style)]
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

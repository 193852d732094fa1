"""gramarye fast export: a feed-forward network as a file that other programs run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gramarye.cli import console
from gramarye.cli import painting as shared

if TYPE_CHECKING:
    from gramarye.fast.export import Exported

Network = Annotated[
    str,
    typer.Argument(metavar="NETWORK", help="many, any, or a file of gramarye fast train.", show_default=False),
]
Output = Annotated[Path, typer.Option("--output", "-o", help="Where to write it: .onnx or .pt2.")]
Style = Annotated[
    str | None,
    typer.Option(
        metavar="STYLE",
        help="Fix one style in the file, which then takes photographs alone: a name (many), a painting (any).",
    ),
]


@console.command
def export(
    network: Network,
    *,
    output: Output,
    style: Style = None,
    json: console.Json = False,
    quiet: console.Quiet = False,
) -> None:
    """Write a feed-forward network as ONNX or for PyTorch (.pt2), for pictures of any size.

    Example: [b]gramarye fast export many -o painter.onnx[/b]

    The file is written after it has painted as the network does. ONNX needs [b]pip install "gramarye\\[export]"[/b].
    """
    from gramarye.fast import export as exporting
    from gramarye.fast import stored

    exporting.check(output)
    source = network if network in ("many", "any") else Path(network)
    shared.refuse_input(output, [each for each in (source, style) if each])
    loaded = stored.load(source)
    painting = None
    if loaded.kind == "any" and style:
        from gramarye import images

        painting = images.load(style).pixels
    done = exporting.export(loaded, output, style=style, painting=painting)
    if json:
        console.answer(_plain(done))
    else:
        console.say(f"written   {output}: {_summary(done)}", quiet=quiet)


def _summary(done: Exported) -> str:
    kind = "PyTorch" if done.opset is None else f"ONNX, opset {done.opset}"
    return (
        f"{kind}, {done.size / 1e6:.1f} MB, takes {' and '.join(done.inputs)}; "
        f"differs by {done.difference:.1g} from the network"
    )


def _plain(done: Exported) -> dict[str, object]:
    return {
        "output": str(done.path),
        "kind": done.kind,
        "style": done.style,
        "inputs": list(done.inputs),
        "opset": done.opset,
        "bytes": done.size,
        "difference": done.difference,
    }

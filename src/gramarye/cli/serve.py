"""gramarye serve: the studio, a page on this machine."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gramarye.cli import console

if TYPE_CHECKING:
    from gramarye.studio.studio import Studio

PORT = 8765

Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Do not open the page, only print its address.")]
Home = Annotated[
    Path | None,
    typer.Option("--home", help="Folder for pictures and runs; without it, where the system keeps programs' data."),
]
Studies = Annotated[Path | None, typer.Option("--studies", help="Folder whose folders are stores of studies.")]
Prepare = Annotated[
    bool, typer.Option("--prepare", help="Paint the demo and what is shown of it now, and stop; minutes.")
]
NoDemo = Annotated[bool, typer.Option("--no-demo", help="Do not paint the demo while there is nothing else to do.")]


@console.command
def serve(
    *,
    port: Port = PORT,
    no_browser: NoBrowser = False,
    home: Home = None,
    studies: Studies = None,
    prepare: Prepare = False,
    no_demo: NoDemo = False,
    json: console.Json = False,
    quiet: console.Quiet = False,
) -> None:
    """Open the studio: steer a transfer while it runs, take it apart, and see why every stroke is there.

    The page is for this machine alone, and for those who have its token. Ctrl-C stops; what was under way can be
    resumed.

    Example: [b]gramarye serve --studies stores[/b]
    """
    from gramarye.studio import safety, serving

    where, token = home or default_home(), safety.new_token()
    if prepare:
        _prepare(where, quiet=quiet)
        if json:
            console.answer({"home": str(where)})
        return

    def listening(studio: Studio) -> None:
        address = serving.address(studio.port, token)
        if json:
            told = {"address": address, "port": studio.port, "token": token, "home": str(where)}
            console.answer(told)
        else:
            print(address)
        sys.stdout.flush()
        console.say(f"what you paint is kept in {where} · Ctrl-C stops", quiet=quiet)
        if not no_browser:
            serving.browse(studio)

    serving.serve(where, port, token=token, studies=studies, demo=not no_demo, listening=listening)


def _prepare(home: Path, *, quiet: bool) -> None:
    """Make the demo, telling how far it is at every tenth."""
    from gramarye.studio import serving

    told = 0
    with closing(serving.prepare(home)) as work:
        for done in work:
            if int(done * 10) > told:
                told = int(done * 10)
                console.say(f"demo {told * 10:3d} %", quiet=quiet)
    console.say(f"the demo is in {home}", quiet=quiet)


def default_home() -> Path:
    """$GRAMARYE_HOME/studio, or the user's data: what was painted is no cache that may be cleared away."""
    import os

    import platformdirs

    from gramarye.weights import places

    if os.environ.get(places.HOME_VARIABLE, "").strip():
        return places.home() / "studio"
    return platformdirs.user_data_path("gramarye", appauthor=False) / "studio"

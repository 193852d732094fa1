"""What is kept of a painting on its way: snapshots, a film, the ledger, checkpoints to go on from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gramarye.cli import console
from gramarye.errors import GramaryeError, ImageError, SettingsError

if TYPE_CHECKING:
    from gramarye.film import Film
    from gramarye.optimize import Step
    from gramarye.painting import Painting
    from gramarye.result import Result

PANEL = "On the way"
Snapshots = Annotated[
    str | None,
    typer.Option(
        metavar="N,N,…",
        rich_help_panel=PANEL,
        help="Also write the picture after these evaluations, as OUT-0001.png; log is 1, 2, 4, 8, …",
    ),
]
FilmFile = Annotated[
    Path | None,
    typer.Option(
        "--film", metavar="FILE", rich_help_panel=PANEL, help="A film of the picture coming into being: .webp or .mp4."
    ),
]
LedgerFile = Annotated[
    Path | None,
    typer.Option(
        "--ledger",
        metavar="FILE",
        rich_help_panel=PANEL,
        help="Every term at every step, value, share of the loss and pull, as a table: .csv or .parquet. Measuring the "
        "pulls makes painting about twice as slow.",
    ),
]
CheckpointEvery = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        rich_help_panel=PANEL,
        help="Keep OUT.checkpoint, renewed every N evaluations; the same command then goes on from it after a crash.",
    ),
]
Restart = Annotated[
    bool, typer.Option("--restart", rich_help_panel=PANEL, help="Begin anew, whatever checkpoint there is.")
]


@dataclass
class Kept:
    """What else is written while `output` is painted; nothing by default."""

    output: Path
    snapshots: dict[int, Path] = field(default_factory=dict)
    film_file: Path | None = None
    ledger_file: Path | None = None
    every: int | None = None
    restart: bool = False
    bits: int = 8
    quiet: bool = False
    film: Film | None = None

    @property
    def checkpoint(self) -> Path:
        """Where the checkpoint lies."""
        from gramarye import checkpoint

        return checkpoint.path_for(self.output)

    def check(self, inputs: Sequence[str | Path]) -> None:
        """Refuse, before any work, what cannot be written or would overwrite an input or the picture."""
        from gramarye import files, film
        from gramarye.cli import painting as shared

        for path in self.snapshots.values():
            shared.check_output(path, inputs, bits=self.bits)
        if self.film_file is not None:
            film.check(self.film_file)
            self._check_name("film", self.film_file, inputs)
        if self.ledger_file is not None:
            from gramarye.explain import ledger

            ledger.check(self.ledger_file)
            self._check_name("ledger", self.ledger_file, inputs)
        if self.every:
            files.writable(self.checkpoint)
            shared.refuse_input(self.checkpoint, inputs)

    def _check_name(self, what: str, path: Path, inputs: Sequence[str | Path]) -> None:
        """Refuse a name that an input or a picture has."""
        from gramarye.cli import painting as shared

        shared.refuse_input(path, inputs)
        if path.absolute() in {each.absolute() for each in (self.output, *self.snapshots.values())}:
            raise ImageError(f"the {what} needs a name of its own", str(path), "choose another name")

    def steps(self, painting: Painting) -> Iterator[Step]:
        """The painting's steps, from its checkpoint on if there is one; what is due at each is kept first."""
        from gramarye.film import Film

        painting.watched = self.ledger_file is not None
        self.film = Film(painting.settings.steps) if self.film_file else None
        self._go_on(painting)
        reached = painting.history[-1].index if painting.history else 0
        if self.film and not reached:
            self.film.take(painting.shown())
        for step in painting.steps():
            self._keep(painting, step, reached)
            reached = step.index
            yield step

    def _go_on(self, painting: Painting) -> None:
        from gramarye import checkpoint

        if self.every and not self.restart and self.checkpoint.exists():
            state = checkpoint.load(self.checkpoint, _identity(painting))
            painting.restore(state["painting"])
            if self.film and state["film"]:
                self.film.restore(state["film"])
            console.say(f"resumed   {self.checkpoint} after {painting.history[-1].index} evaluations", quiet=self.quiet)

    def _keep(self, painting: Painting, step: Step, before: int) -> None:
        """Write what is due at this step, the one before having ended at evaluation `before`."""
        for due in [each for each in self.snapshots if before < each <= step.index]:
            painting.result().save(self.snapshots[due], bits=self.bits)
        if self.film and self.film.is_due(before, step.index):
            self.film.take(painting.shown())
        if self.every and step.index // self.every > before // self.every:
            self._save(painting)

    def _save(self, painting: Painting) -> None:
        """Renew the checkpoint; that it cannot be written is no reason to lose the painting."""
        from gramarye import checkpoint

        state: dict[str, Any] = {"painting": painting.state(), "film": self.film.state() if self.film else None}
        try:
            checkpoint.save(self.checkpoint, state, _identity(painting))
        except GramaryeError as error:
            console.say(f"warning   {error}", quiet=self.quiet)

    def pause(self, painting: Painting) -> None:
        """Renew the checkpoint of a painting that is interrupted."""
        if self.every:
            self._save(painting)

    def end(self, painting: Painting, result: Result, *, interrupted: bool = False) -> None:
        """Write film and ledger; remove the checkpoint of a finished painting, renew that of an interrupted one."""
        from gramarye import checkpoint

        if self.film and self.film_file:
            self.film.write(self.film_file, result.pixels)
            console.say(f"wrote {self.film_file}", quiet=self.quiet)
        if self.ledger_file:
            from gramarye.explain import ledger

            ledger.write(result.ledger, self.ledger_file)
            console.say(f"wrote {self.ledger_file}", quiet=self.quiet)
        if interrupted:
            self.pause(painting)
        elif self.every:
            checkpoint.remove(self.checkpoint)


def kept_from(
    output: Path,
    steps: int,
    snapshots: str | None,
    film: Path | None,
    ledger: Path | None,
    every: int | None,
    restart: bool,
    bits: int = 8,
    quiet: bool = False,
) -> Kept:
    """What the options ask for; raises SettingsError for snapshots that will never be reached."""
    from gramarye import snapshots as named

    if restart and not every:
        raise SettingsError("--restart is about checkpoints", "no --checkpoint-every", "add it, or leave --restart out")
    wanted = named.evaluations(snapshots, steps) if snapshots is not None else ()
    return Kept(output, named.paths(output, wanted, steps), film, ledger, every, restart, bits, quiet)


def _identity(painting: Painting) -> dict[str, Any]:
    from gramarye import __version__, checkpoint

    return checkpoint.identity(painting.recipe()) | {"gramarye": __version__}

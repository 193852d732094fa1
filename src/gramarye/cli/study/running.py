"""gramarye study run and show: paint what a plan asks for, and look how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gramarye.cli import console
from gramarye.cli import painting as shared
from gramarye.cli.study import plan as planning
from gramarye.cli.study.following import Bar, experiments, follow, line, trials
from gramarye.errors import StudyError

if TYPE_CHECKING:
    from gramarye.study.record import Record
    from gramarye.study.running import Run
    from gramarye.study.store import Store
    from gramarye.study.summary import Summary

TOLD = 5  # different errors that are told
ROWS = 60  # trials, at most, that are shown one by one without --all

Place = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="DIR|URL",
        help="Where everything is kept: a folder (by default PLAN.study, here), or postgresql://USER@HOST/DATABASE.",
    ),
]
Files = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Folder for pictures and curves, if not in the store; needed for PostgreSQL."),
]


@console.command
def run(
    source: planning.Source,
    *,
    store: Place = None,
    files: Files = None,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Trials painted at a time; by default as suits this machine.")
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, metavar="N", help="Threads for each of them.")] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="auto|ADDRESS", help="Paint on a Ray cluster: auto is one on this machine, made if need be."
        ),
    ] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Try those again that were set aside.")] = False,
    scale: planning.Scale = 1.0,
    pairs: planning.Pairs = None,
    content: planning.Contents = None,
    style: planning.Styles = None,
    picture: planning.Pictures = None,
    network: shared.Network = None,
    device: shared.Device = None,
    knobs: shared.Knobs = None,
    json: console.Json = False,
    quiet: console.Quiet = False,
) -> None:
    """Paint every trial of a plan that is not done. Ctrl-C, crashes and kills lose nothing: run it again to go on.

    A trial that fails twice, or kills its worker twice, is set aside. Several may run the same plan on one store.

    Example: [b]gramarye study run joshi-hu --scale 0.25 --network vgg19-lite[/b]
    """
    from gramarye import machine
    from gramarye.study import running

    options = {"pairs": pairs, "contents": content, "styles": style, "pictures": picture, "knobs": knobs}
    found = planning.read(source, scale=scale, **options, **{"network.name": network, "device": device})
    machine.keep_memory()
    going = running.begin(found, store=store, files=files, workers=workers, threads=threads, ray=ray)
    if retry:
        going.store.retry(going.job.study)
    _announce(going, quiet=quiet)
    summary, interrupted = _paint(going, quiet=quiet)
    _tell(summary, going.store, interrupted, quiet=quiet)
    if json:
        records = going.store.records(summary.study)
        console.answer({**_plain(summary, records, going.store), "interrupted": interrupted})
    failed = summary.counts["set aside"] + summary.counts["failed"]
    raise typer.Exit(console.INTERRUPTED if interrupted else 1 if failed else 0)


def _announce(going: Run, *, quiet: bool) -> None:
    """Say what is there already, and where the rest will be painted."""
    import gramarye

    summary, added = going.store.summary(going.job.study), going.added
    console.say(f"study     {summary.study}: {line(summary)}", quiet=quiet)
    console.say(f"store     {going.store.name}", quiet=quiet)
    others = {version: count for version, count in (summary.versions or {}).items() if version != gramarye.__version__}
    for version, count in others.items():
        was = f"{count} trials were painted by Gramarye {version}, this is {gramarye.__version__}"
        console.say(f"note      {was}: they are kept, not painted again", quiet=quiet)
    if added.left_out:
        console.say(
            f"note      {added.left_out} trials of an earlier version of the plan are kept and not shown", quiet=quiet
        )
    if going.ray is not None:
        console.say(f"workers   on Ray, {going.ray}, threads for each: {going.job.threads}", quiet=quiet)
    elif summary.left:
        console.say(f"workers   {going.workers}, threads for each: {going.job.threads}", quiet=quiet)


def _paint(going: Run, *, quiet: bool) -> tuple[Summary, bool]:
    """Paint with a progress bar; the summary at the end, and whether Ctrl-C cut it short."""
    summary = going.store.summary(going.job.study)
    with console.hear_interrupt(quiet=quiet) as stop:
        summaries = going.summaries()
        try:
            with nullcontext() if quiet else Bar(summary, 0 if going.ray else going.workers) as bar:
                for summary in summaries:
                    if bar is not None:
                        bar.show(summary)
                    if stop.requested:
                        break
        finally:
            summaries.close()
        return going.store.summary(going.job.study), stop.requested and summary.left > 0


def _tell(summary: Summary, store: Store, interrupted: bool, *, quiet: bool) -> None:
    """What it came to, and the errors, each once."""
    errors: dict[str, list[int]] = {}
    for number, _, message in store.errors(summary.study):
        errors.setdefault(message, []).append(number)
    for message, numbers in list(errors.items())[:TOLD]:
        more = f" and {len(numbers) - 1} more" if len(numbers) > 1 else ""
        console.say(f"error: trial {numbers[0]}{more}: {message}")
    if len(errors) > TOLD:
        console.say(f"error: and {len(errors) - TOLD} other errors; gramarye study show has them")
    console.say(f"{'interrupted' if interrupted else 'ended'} · {line(summary)} · {store.name}", quiet=quiet)


@console.command
def show(
    source: planning.Source,
    *,
    store: Place = None,
    files: Files = None,
    follow_it: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the study has ended.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Every trial, however many.")] = False,
    json: console.Json = False,
    quiet: console.Quiet = False,
) -> None:
    """Show how far a study is, and what its trials came to; also while it is running.

    Example: [b]gramarye study show joshi-hu --follow[/b]
    """
    from rich.console import Console

    found, name = find(source, store, files)
    if follow_it:
        follow(found, name, quiet=quiet)
    summary = found.summary(name)
    if json:
        console.answer(_plain(summary, found.records(name), found))
        return
    out = Console(highlight=False)
    if everything or summary.total <= ROWS:
        out.print(trials(found.records(name)))
    out.print(experiments(summary))
    print(line(summary))
    _tell_failures(found, name)


def find(source: str, store: str | None, files: str | Path | None) -> tuple[Store, str]:
    """The store that has the study of a plan, and the study's name; nothing else of the plan is read.

    Raises StudyError.
    """
    from gramarye.study.store import Store, place_of

    name = _name_of(source)
    opened = Store.open(store or place_of(name), files)
    opened.summary(name)  # raises, where there is none
    return opened, name


def _name_of(source: str) -> str:
    """The name of a plan in a file; else what is given is the name of a bundled plan, or of one that was run."""
    import tomllib

    file = Path(source)
    if not (file.suffix and file.is_file()):
        return source
    try:
        return str(tomllib.loads(file.read_text(encoding="utf-8")).get("name", file.stem))
    except ValueError as error:
        raise StudyError("a plan must be TOML", f"{source}: {error}") from error


def _tell_failures(store: Store, study: str) -> None:
    errors = store.errors(study)
    for number, state, message in errors[:TOLD]:
        print(f"trial {number}, {state}: {message}")
    if len(errors) > TOLD:
        print(f"… and {len(errors) - TOLD} more; --json has them all")


def _plain(summary: Summary, records: Sequence[Record], store: Store) -> dict[str, Any]:
    """What --json tells."""
    return {
        "name": summary.study,
        "counts": summary.counts,
        "trials": [_plain_record(record, store) for record in records],
    }


def _plain_record(record: Record, store: Store) -> dict[str, Any]:
    trial = record.trial
    return {
        "number": trial.number,
        "experiment": trial.group,
        "pair": trial.pair.name,
        "content": trial.pair.content,
        "style": trial.pair.style,
        "state": record.state,
        "levels": trial.levels,
        "replicate": trial.replicate,
        "settings": trial.settings.to_dict(),
        "scores": record.scores,
        "terms": record.terms,
        "total": record.total,
        "seconds": record.seconds,
        "peak_memory_mb": None if record.memory is None else round(record.memory / 1e6, 1),
        "evaluations": record.evaluations,
        "image": None if record.picture is None else str(store.path(record.picture)),
        "ledger": None if record.ledger is None else str(store.path(record.ledger)),
        "tries": record.tries,
        "version": record.version,
        "error": record.error,
    }

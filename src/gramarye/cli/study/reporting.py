"""gramarye study report: one page of what a study came to so far, and its numbers for other programs."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gramarye.cli import console
from gramarye.cli.study import plan as planning
from gramarye.cli.study import running
from gramarye.errors import StudyError

if TYPE_CHECKING:
    from gramarye.study.findings import Findings
    from gramarye.study.record import Record
    from gramarye.study.store import Store


@console.command
def report(
    source: planning.Source,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder to write to.")],
    *,
    store: running.Place = None,
    files: running.Files = None,
    json: console.Json = False,
    quiet: console.Quiet = False,
) -> None:
    """Write what a study came to, finished or not: a page to read, tables, figures, every number.

    report.html needs nothing beside it; tables are also there as Markdown, LaTeX, CSV and Parquet.

    Example: [b]gramarye study report joshi-hu -o report[/b]
    """
    from gramarye.report import folder, study_page

    opened, name = running.find(source, store, files)
    folder.check(output)
    found = findings(opened, name, source)
    page = study_page.write(found, opened.path, output)
    size = page.stat().st_size
    done, whole = found.states.get("done", 0), sum(found.states.values())
    console.say(f"wrote {page} · {done} of {whole} trials · {console.memory_in_words(size)}", quiet=quiet)
    if json:
        refused = {
            chapter.name: {column.name: column.refused for column in chapter.grids[0].columns if column.refused}
            for chapter in found.chapters
            if chapter.grids
        }
        conclusions = {chapter.name: list(chapter.conclusions) for chapter in found.chapters}
        console.answer({"page": str(page), "states": found.states, "conclusions": conclusions, "refused": refused})


def findings(store: Store, name: str, source: str) -> Findings:
    """What a study in a store came to; its questions are in the plan, as long as that can be read."""
    from gramarye.study import findings as finding

    known: dict[str, Any] = {}
    with suppress(StudyError):  # it may be the name of a study in the store, whose plan is not here
        plan = planning.read(source)
        known = {"question": plan.question, "groups": finding.asked(plan)}

    def ledger(record: Record) -> dict[str, Any] | None:
        return store.ledger(record) if record.ledger else None

    return finding.find(name, store.records(name), ledger, **known)

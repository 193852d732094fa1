"""The report of a study as a folder: one self-contained page, and the same numbers for other programs."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gramarye
from gramarye import inline, scores
from gramarye.errors import MissingExtraError
from gramarye.files import write_atomically
from gramarye.plain import finite
from gramarye.report import figures, folder, study, study_tables
from gramarye.report.page import Shot, rendered
from gramarye.report.sheet import Cell, contact_sheets, thumbnail
from gramarye.study.findings import Chapter, Findings
from gramarye.study.findings import Shot as Painted
from gramarye.study.wording import short

MARKDOWN, LATEX, TRIALS, PARQUET = "report.md", "tables.tex", "trials.csv", "trials.parquet"
EFFECTS, INTERACTIONS = "effects.csv", "interactions.csv"
FILES = {
    MARKDOWN: "the tables and conclusions in Markdown",
    LATEX: "the tables in LaTeX, for booktabs",
    TRIALS: "every trial with all that is known of it",
    PARQUET: "the same as Parquet",
    EFFECTS: "every main effect with its interval",
    INTERACTIONS: "every two-way interaction, the largest first",
    folder.NUMBERS: "all of it as JSON",
    f"{folder.FIGURES}/": "every figure as PNG and SVG, and contact sheets",
}
MOST_SHOTS = 40  # of one pair of one group, in the page
SIDES = ((100, 320), (250, 240), (math.inf, 160))  # long side of a picture in the page, by how many there are

Places = Callable[[str], Path]


@dataclass(frozen=True)
class Sheet:
    """The pictures of one pair, the photograph and the painting first; `left` are not shown."""

    title: str
    shots: tuple[Shot, ...]
    left: int = 0


@dataclass(frozen=True)
class Part:
    """One group as the page shows it."""

    anchor: str
    found: Chapter
    design: str
    intervals: bool
    figures: tuple[figures.Figure, ...]
    sheets: tuple[Sheet, ...]


def write(findings: Findings, places: Places, directory: str | Path) -> Path:
    """Write the report of a study, finished or not, into a folder and return the path of its page.

    `places` tells where a picture of the store lies. An earlier report in the folder is replaced. Raises ImageError
    when it cannot be written.
    """
    for _ in steps(findings, places, Path(directory)):
        pass
    return Path(directory) / folder.PAGE


def steps(findings: Findings, places: Places, directory: Path) -> Iterator[float]:
    """Draw and write as `write` does; yields the fraction done."""
    folder.check(directory)
    shown = sum(min(len(chapter.shots), MOST_SHOTS * max(len(chapter.pairs), 1)) for chapter in findings.chapters)
    side = next(side for most, side in SIDES if shown <= most)
    parts, writers = list[Part](), dict[str, folder.Writer]()
    for index, chapter in enumerate(findings.chapters):
        yield index / len(findings.chapters)
        parts.append(_part(chapter, places, side))
        writers |= _figure_files(parts[-1], places)
    writers |= _number_files(findings)
    names = [*writers, folder.NUMBERS, folder.PAGE]
    writers[folder.NUMBERS] = _text(json.dumps(numbers(findings, names), allow_nan=False))
    writers[folder.PAGE] = _text(render(findings, parts, names))
    folder.write(directory, writers)


def _part(chapter: Chapter, places: Places, side: int) -> Part:
    drawn = tuple(figures.render(drawing, _anchor(chapter.name)) for drawing in study.draw(chapter))
    means = (mean for grid in chapter.grids for row in grid.rows for mean in row.values.values())
    intervals = any(mean.low is not None for mean in means)
    return Part(
        _anchor(chapter.name),
        chapter,
        design_in_words(chapter),
        intervals,
        drawn,
        tuple(_sheets(chapter, places, side)),
    )


def _anchor(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower() or "group"


def design_in_words(chapter: Chapter) -> str:
    """What was varied, how, and how far it is."""
    whole, done = sum(chapter.states.values()), chapter.states.get("done", 0)
    axes = ", ".join(short(axis) for axis in chapter.axes) or "nothing"
    pairs = f"{len(chapter.pairs)} pair" + ("" if len(chapter.pairs) == 1 else "s")
    kind = {
        "one-at-a-time": "one factor at a time",
        "factorial": "full factorial",
        "fractional": "fractional factorial",
        "random": "random design",
        "sobol": "Sobol sequence",
    }.get(chapter.design, chapter.design)
    return f"Varied: {axes} ({kind}); {pairs} of pictures; {done} of {whole} trials finished."


def _sheets(chapter: Chapter, places: Places, side: int) -> Iterator[Sheet]:
    """The pictures of each pair, evenly chosen where there are too many."""
    for pair in chapter.pairs:
        own = [shot for shot in chapter.shots if shot.pair == pair]
        if not own:
            continue
        kept = study.spread(own, MOST_SHOTS)
        pictures = own[0].record.trial.pair
        first = [
            _shot(Path(pictures.content), "photograph", side, "content"),
            _shot(Path(pictures.style), "painting", side, "style"),
        ]
        shots = [*first, *(_shot(places(shot.record.picture or ""), shot.label, side) for shot in kept)]
        yield Sheet(
            f"{pair}: {chapter.order}" if chapter.order else pair,
            tuple(shot for shot in shots if shot),
            len(own) - len(kept),
        )


def _shot(path: Path, caption: str, side: int, kind: str = "") -> Shot | None:
    """A picture in the page; None if it cannot be read."""
    pixels = thumbnail(path, side)
    if pixels is None:
        return None
    source = inline.data_uri(inline.encoded(pixels, "WEBP"), "WEBP")
    return Shot(source, caption, pixels.shape[3], pixels.shape[2], kind)


def _figure_files(part: Part, places: Places) -> dict[str, folder.Writer]:
    """The figures of a group and its contact sheets."""
    writers: dict[str, folder.Writer] = {}
    for figure in part.figures:
        writers[f"{folder.FIGURES}/{figure.name}.png"] = partial(write_atomically, data=figure.png)
        writers[f"{folder.FIGURES}/{figure.name}.svg"] = partial(write_atomically, data=figure.svg)
    for index, pair in enumerate(part.found.pairs, 1):
        own = study.spread([shot for shot in part.found.shots if shot.pair == pair], MOST_SHOTS)
        if own:
            writers[f"{folder.FIGURES}/{part.anchor}-sheet-{index}.png"] = partial(_sheet_file, own, places)
    return writers


def _sheet_file(own: Sequence[Painted], places: Places, path: Path) -> None:
    cells = (Cell(shot.label, thumbnail(places(shot.record.picture or "")), note="not there") for shot in own)
    contact_sheets(cells, path, columns=min(len(own), 5))


def _number_files(findings: Findings) -> dict[str, folder.Writer]:
    """The numbers for other programs; Parquet where pyarrow is."""
    records = list(findings.records)
    rows = study_tables.flat(records)
    writers = {
        MARKDOWN: _text(markdown(findings)),
        LATEX: _text(latex(findings)),
        TRIALS: _bytes(study_tables.as_csv(rows)),
        EFFECTS: _bytes(study_tables.as_csv(study_tables.effect_rows(findings))),
        INTERACTIONS: _bytes(study_tables.as_csv(study_tables.interaction_rows(findings))),
    }
    with suppress(MissingExtraError):  # nobody asked for this extra by name, and the CSV has the same
        writers[PARQUET] = _bytes(study_tables.as_parquet(rows))
    return writers


def _text(text: str) -> folder.Writer:
    return _bytes(text.encode())


def _bytes(data: bytes) -> folder.Writer:
    return partial(write_atomically, data=data)


def numbers(findings: Findings, files: Sequence[str] = ()) -> dict[str, Any]:
    """Every number as plain data; NaN and infinities are None."""
    plain: dict[str, Any] = finite(
        {
            "gramarye": gramarye.__version__,
            "study": findings.name,
            "question": findings.question,
            "states": findings.states,
            "seconds": findings.seconds,
            "versions": findings.versions,
            "groups": {chapter.name: _plain_chapter(chapter) for chapter in findings.chapters},
            "effects": study_tables.effect_rows(findings),
            "interactions": study_tables.interaction_rows(findings),
            "trials": study_tables.flat(list(findings.records)),
            "files": list(files),
        }
    )
    return plain


def _plain_chapter(chapter: Chapter) -> dict[str, Any]:
    return {
        "question": chapter.question,
        "design": chapter.design,
        "states": chapter.states,
        "conclusions": chapter.conclusions,
        "refused": {
            column.name: column.refused for grid in chapter.grids[:1] for column in grid.columns if column.refused
        },
        "importances": [vars(each) for each in chapter.importances],
        "front": [vars(point) for point in chapter.front.points] if chapter.front else [],
        "noise": {name: {"deviation": noise, "freedom": freedom} for name, (noise, freedom) in chapter.noise.items()},
    }


def markdown(findings: Findings) -> str:
    """Tables and conclusions in Markdown."""
    lines = [f"# {findings.name}", "", findings.question, ""]
    for chapter in findings.chapters:
        lines += [f"## {chapter.name}", "", chapter.question, "", design_in_words(chapter), ""]
        lines += [f"- {sentence}" for sentence in chapter.conclusions] + [""]
        for grid in chapter.grids:
            lines += [f"### {grid.title[:1].upper()}{grid.title[1:]}", "", study_tables.markdown(grid), ""]
    return "\n".join(lines)


def latex(findings: Findings) -> str:
    """Every table for LaTeX."""
    tables = (
        study_tables.latex(grid, f"{chapter.name}: {grid.title}")
        for chapter in findings.chapters
        for grid in chapter.grids
    )
    return "% \\usepackage{booktabs}\n" + "\n".join(tables)


def render(findings: Findings, parts: Sequence[Part], names: Sequence[str]) -> str:
    """The page as one HTML file; texts are plain, whatever is in them is shown and never obeyed."""
    return rendered(
        "study.html.j2",
        findings.name,
        **{name: getattr(study_tables, name) for name in ("heading", "cells", "remarks", "spread")},
        findings=findings,
        chapters=parts,
        done=findings.states.get("done", 0),
        whole=sum(findings.states.values()),
        facts=_facts(findings),
        measures=[(column.label, _meaning(column.name)) for column in findings.measures],
        files=[(name, what) for name, what in FILES.items() if name in names or name.endswith("/")],
    )


def _meaning(name: str) -> str:
    known = scores.record(name)
    better = "less is better" if known.better == "lower" else "more is better"
    return f"{known.help} ({known.kind}; {better}). {known.comparable}"


def _facts(findings: Findings) -> list[tuple[str, str]]:
    states = ", ".join(f"{count} {state}" for state, count in findings.states.items())
    pairs = {record.trial.pair.name for record in findings.records}
    hours = findings.seconds / 3600
    spent = f"{hours:.1f} h" if hours >= 1 else f"{findings.seconds / 60:.1f} min"
    facts = [("trials", states or "none"), ("pairs of pictures", str(len(pairs))), ("painting took", spent)]
    return facts + ([("painted by Gramarye", ", ".join(findings.versions))] if findings.versions else [])

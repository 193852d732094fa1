"""An explanation as a folder: the page, every figure, every number, the ledger, the picture."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

import gramarye
from gramarye import images, inline
from gramarye.errors import SettingsError
from gramarye.explain import ledger
from gramarye.explain.story import PAINTING, Explanation
from gramarye.files import write_atomically
from gramarye.plain import finite
from gramarye.report import commands, figures, folder, page, reels
from gramarye.report.drawing import Drawing
from gramarye.report.page import Asked, Bar, Chapter, Page, Shot
from gramarye.report.words import OPENINGS

if TYPE_CHECKING:
    from gramarye.explain.section import Section
    from gramarye.explain.subject import Subject

LARGE, SMALL = 900, 480  # long side of the cover's pictures, px
FILES = {
    folder.NUMBERS: "every number of this page, by section",
    folder.LEDGER: "every term at every step of the painting",
    folder.RESULT: "the picture itself, with its recipe inside",
    f"{folder.FIGURES}/": "every figure, as PNG and SVG",
}


def write(explanation: Explanation, directory: str | Path) -> Path:
    """Write the report of an explanation, finished or not, into a folder and return the path of its page.

    report.html is the page, self-contained; beside it are figures/ (PNG and SVG), numbers.json, result.png with its
    recipe and, if it was painted here, ledger.csv. An earlier report in the folder is replaced. Raises ImageError when
    it cannot be written, SettingsError when there is nothing to tell yet.
    """
    directory = Path(directory)
    for _ in steps(explanation, directory):
        pass
    return directory / folder.PAGE


def steps(explanation: Explanation, directory: Path) -> Iterator[float]:
    """Draw and write as `write` does; yields the fraction done."""
    folder.check(directory)
    if explanation.subject is None:
        raise SettingsError("a report needs a painting", "an explanation that was stopped before", "let it go on")
    drawn: dict[str, tuple[figures.Figure, ...]] = {}
    for index, (name, section) in enumerate(explanation.sections.items()):
        yield index / len(explanation.sections)
        drawn[name] = tuple(figures.render(drawing, name) for drawing in drawings(section))
    yield 1.0
    writers = _files(explanation, explanation.subject, drawn)
    names = [*writers, folder.NUMBERS, folder.PAGE]
    writers[folder.NUMBERS] = _text(json.dumps(numbers(explanation, names), allow_nan=False))
    shown = {name: what for name, what in FILES.items() if name in names or name.endswith("/")}
    writers[folder.PAGE] = _text(page.render(composed(explanation, explanation.subject, drawn, shown)))
    folder.write(directory, writers)


def drawings(section: Section) -> list[Drawing]:
    """The drawings of a section, by the module of this package that has its name."""
    found: list[Drawing] = importlib.import_module(f"gramarye.report.{section.name}").draw(section)
    return found


def numbers(explanation: Explanation, files: Sequence[str] = ()) -> dict[str, Any]:
    """Every number of an explanation as plain data; NaN and infinities are None."""
    plain: dict[str, Any] = finite(
        {
            "gramarye": gramarye.__version__,
            "recipe": explanation.recipe,
            "depth": explanation.depth,
            "terms": explanation.terms,
            "sections": explanation.numbers(),
            "missing": explanation.missing,
            "seconds": explanation.seconds,
            "files": list(files),
        }
    )
    return plain


def _files(
    explanation: Explanation, subject: Subject, drawn: dict[str, tuple[figures.Figure, ...]]
) -> dict[str, folder.Writer]:
    """What lies beside the page and the numbers: figures, picture, ledger."""
    writers: dict[str, folder.Writer] = {}
    for figure in (each for several in drawn.values() for each in several):
        writers[f"{folder.FIGURES}/{figure.name}.png"] = partial(write_atomically, data=figure.png)
        writers[f"{folder.FIGURES}/{figure.name}.svg"] = partial(write_atomically, data=figure.svg)
    if subject.run is not None:
        writers[folder.RESULT] = subject.run.save
        writers[folder.LEDGER] = partial(ledger.write, subject.run.ledger)
    elif explanation.pixels is not None:
        writers[folder.RESULT] = partial(images.save, explanation.pixels, recipe=explanation.recipe)
    return writers


def _text(text: str) -> folder.Writer:
    return partial(write_atomically, data=text.encode())


# ---- the page ---------------------------------------------------------------------------------------


def composed(
    explanation: Explanation,
    subject: Subject,
    drawn: dict[str, tuple[figures.Figure, ...]],
    files: dict[str, str],
) -> Page:
    """The page of an explanation with its figures."""
    painting, result = subject.painting, explanation.pixels
    assert result is not None
    photograph, styles = painting.content, painting.styles
    names = " and ".join(f"“{_title(style.name)}”" for style in styles)
    return Page(
        title=f"“{_title(photograph.name)}” in the manner of {names}",
        content=_shot(photograph.pixels, f"The photograph, {photograph.name}", SMALL, "content"),
        styles=tuple(_shot(style.pixels, f"The painting, {style.name}", SMALL, "style") for style in styles),
        result=_shot(result, _result_caption(explanation, subject), LARGE),
        before=_shot(images.resize(photograph.pixels, subject.size), "The photograph, in the same place", LARGE),
        facts=tuple(_facts(explanation, subject)),
        asked=tuple(_asked(explanation.terms)),
        network=subject.network.network,
        bars=tuple(_bars(subject)),
        reels=reels.of_painting(subject),
        chapters=tuple(_chapters(explanation, subject, drawn)),
        missing=tuple(explanation.missing.items()),
        command=commands.command(explanation, subject),
        files=tuple(files.items()),
        unfinished=_unfinished(explanation),
    )


def _title(name: str) -> str:
    """A file's name as a picture's."""
    words = Path(name).stem.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:] or name


def _shot(pixels: Tensor, caption: str, long_side: int, kind: str = "") -> Shot:
    small = inline.shrunk(pixels, long_side)
    source = inline.picture_uri(small, long_side)
    return Shot(source, caption, small.shape[3], small.shape[2], kind)


def _result_caption(explanation: Explanation, subject: Subject) -> str:
    if subject.run is None:
        return f"The picture that is explained{f', {explanation.image}' if explanation.image else ''}"
    return f"The result, after {_evaluations(subject)} evaluations"


def _evaluations(subject: Subject) -> int:
    return subject.run.history[-1].index if subject.run and subject.run.history else 0


def _facts(explanation: Explanation, subject: Subject) -> Iterator[tuple[str, str]]:
    height, width = subject.size
    yield "size", f"{width} × {height} px"
    yield "network", subject.network.network
    yield "preset", subject.painting.preset or "own settings"
    if subject.run is not None:
        yield "painted in", f"{_evaluations(subject)} evaluations, {subject.run.seconds:.1f} s"
    told = sum(seconds for name, seconds in explanation.seconds.items() if name != PAINTING)
    yield "explained in", f"{told:.0f} s, depth {explanation.depth}"


def _asked(terms: Sequence[dict[str, Any]]) -> Iterator[Asked]:
    total = sum(term["weighted"] for term in terms) or 1.0
    for term in terms:
        yield Asked(**term, share=term["weighted"] / total)


def _bars(subject: Subject) -> Iterator[Bar]:
    """The layers with a ReLU and whichever are asked about, from left to right, as wide as their channels are many."""
    network, settings = subject.network, subject.settings
    asked = {
        "content": network.resolve(settings.content.layers) if settings.content.weight else (),
        "style": network.resolve(settings.style.layers) if settings.style.weight else (),
    }
    names = [
        name
        for name, layer in network.table.items()
        if name in (*asked["content"], *asked["style"]) or layer.kind == "relu"
    ]
    widths = [8 + network.table[name].channels / 24 for name in names]
    gap = (900 - sum(widths) - 8) / max(len(names) - 1, 1)
    at = 4.0
    for name, width in zip(names, widths, strict=True):
        layer = network.table[name]
        kinds = tuple(kind for kind, layers in asked.items() if name in layers)
        tells = (
            f"{name}: {layer.width} channels, one place for every {layer.stride}×{layer.stride} pixels, each seeing "
            f"{layer.receptive_field}×{layer.receptive_field}"
        )
        yield Bar(name, kinds, tells, round(at, 1), round(width, 1), round(130 / layer.stride**0.5, 1))
        at += width + gap


def _chapters(
    explanation: Explanation, subject: Subject, drawn: dict[str, tuple[figures.Figure, ...]]
) -> Iterator[Chapter]:
    for name, section in explanation.sections.items():
        yield Chapter(
            name=name,
            title=section.title,
            opening=OPENINGS.get(name, ""),
            findings=section.findings,
            figures=drawn[name],
            reels=reels.of_section(section),
            command=commands.command(explanation, subject, name),
            code=commands.code(explanation, subject, name),
            seconds=explanation.seconds.get(name, 0.0),
        )


def _unfinished(explanation: Explanation) -> str:
    left = [name for name in explanation.wanted if name not in (*explanation.sections, *explanation.missing)]
    if not left:
        return ""
    return f"This story was stopped early; not told: {', '.join(left)}."

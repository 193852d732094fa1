"""The whole explanation, told in order: the painting first, then each section by its name.

`explain_steps` is a generator that yields how far it is; whoever watches pulls, and stopping is not pulling: what was
told until then is in the `explanation` that each Progress carries.
"""

from __future__ import annotations

import html
import importlib
import os
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict, Unpack

from torch import Tensor

from gramarye import images, inline, presets
from gramarye.errors import GramaryeError, ImageError, SettingsError, unknown_name
from gramarye.explain import section as sections
from gramarye.explain.contents import DEPTHS, SECTIONS, SIZES
from gramarye.explain.section import Section
from gramarye.explain.subject import Subject, bring, follow
from gramarye.optimize import optimize
from gramarye.origins import Source
from gramarye.painting import Painting
from gramarye.pulling import T, Work
from gramarye.seeing import measure_pixels, seen
from gramarye.settings import OptimizerSettings, Settings
from gramarye.transfer import prepare

PAINTING = "painting"  # what comes before the first section
# How long each section takes, in plain evaluations of a picture of so many pixels, in the order of the story: measured
# as processor time of the embedded network, the painting being of 256 px.
EFFORT_PIXELS = 256**2
EFFORTS = {
    "quick": dict(zip(SECTIONS, (2, 220, 165, 5, 60, 10, 60, 250, 60, 100, 13, 140), strict=True)),
    "full": dict(zip(SECTIONS, (2, 280, 235, 7, 95, 10, 77, 450, 86, 480, 14, 300), strict=True)),
}
WATCHING = 0.15  # of an evaluation, for each term whose pull is measured on the way
TRIAL_SIDE = 128  # px


@dataclass
class Explanation:
    """What was found, by section, as far as it was told.

    `subject` is None until the painting is finished; `pixels` is its result, 1 3 H W, `recipe` what is known of how it
    was made, `terms` are the objective's rows at it. `image` is the file that was brought along, if one was. `seconds`
    has what each section took, `missing` why a section that was wanted is not there.
    """

    depth: str = "quick"
    wanted: tuple[str, ...] = SECTIONS
    image: str | None = None
    recipe: dict[str, Any] | None = field(default=None, repr=False)
    subject: Subject | None = None
    pixels: Tensor | None = field(default=None, repr=False)
    terms: list[dict[str, Any]] = field(default_factory=list)
    sections: dict[str, Section] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def findings(self) -> dict[str, tuple[str, ...]]:
        """What the numbers say, by section."""
        return {name: each.findings for name, each in self.sections.items()}

    @property
    def finished(self) -> bool:
        """Whether every section that was wanted is there, or it is known why not."""
        return self.subject is not None and {*self.sections, *self.missing} == set(self.wanted)

    def numbers(self) -> dict[str, Any]:
        """Every number as plain data for JSON, section by section."""
        return {name: each.numbers() for name, each in self.sections.items()}

    def _repr_html_(self) -> str:
        """What a notebook shows: the pictures, and each section with its findings."""
        subject, shown = self.subject, list[tuple[str, Tensor]]()
        if subject is not None:
            shown = [("photograph", subject.content), ("painting", subject.style), ("result", subject.result)]
        told = "".join(each._repr_html_() for each in self.sections.values())
        left = "".join(f"<li>{html.escape(f'{name}: {why}')}</li>" for name, why in self.missing.items())
        return sections.gallery(iter(shown)) + told + (f"<p>Left out:</p><ul>{left}</ul>" if left else "")


@dataclass(frozen=True)
class Progress:
    """How far it is: the part under way, which of how many, the fraction of it that is done, and that of the whole.

    `explanation` is the same object all along, as far as it has come.
    """

    section: str
    index: int
    count: int
    done: float
    fraction: float
    explanation: Explanation = field(repr=False)


class Story:
    """An explanation that can be told: everything is loaded and checked, nothing is painted yet."""

    def __init__(self, painting: Painting, subject: Subject | None, explanation: Explanation) -> None:
        self.painting, self.explanation, self._brought = painting, explanation, subject
        self.parts = (*(() if subject else (PAINTING,)), *explanation.wanted)

    def steps(self) -> Iterator[Progress]:
        """Paint, unless a picture was brought along, and tell each section; one Progress for each bit done.

        A section that cannot be told of these pictures is noted in `explanation.missing`, and the rest goes on.
        """
        if self._brought is not None:
            self._receive(self._brought)
        for name in self.parts:
            began = time.perf_counter()
            try:
                yield from self._part(name)
            except GramaryeError as error:
                if name == PAINTING:
                    raise
                self.explanation.missing[name] = str(error)
            self.explanation.seconds[name] = time.perf_counter() - began

    def _part(self, name: str) -> Iterator[Progress]:
        """The painting or one section, from its beginning to its end."""
        yield self._progress(name, 0.0)
        if name == PAINTING:
            self.painting.watched = True
            self._receive((yield from self._watched(name, follow(self.painting))))
        else:
            subject = self.explanation.subject
            assert subject is not None
            self.explanation.sections[name] = yield from self._watched(
                name, told(name, subject, self.explanation.depth)
            )
        yield self._progress(name, 1.0)

    def _watched(self, name: str, work: Work[T]) -> Generator[Progress, None, T]:
        """The same work, with its fractions as Progress."""
        while True:
            try:
                done = next(work)
            except StopIteration as end:
                found: T = end.value
                return found
            yield self._progress(name, done)

    def _progress(self, name: str, done: float) -> Progress:
        """The fraction of the whole counts each part by the evaluations that it is worth."""
        index, effort = self.parts.index(name), [self.effort(each) for each in self.parts]
        fraction = (sum(effort[:index]) + done * effort[index]) / (sum(effort) or 1.0)
        return Progress(name, index + 1, len(self.parts), done, fraction, self.explanation)

    def effort(self, part: str) -> float:
        """How long a part takes, in plain evaluations of a picture of 256² pixels."""
        if part != PAINTING:
            return EFFORTS[self.explanation.depth].get(part, 0.0)
        terms = len(self.painting.settings.style.layers) + len(self.painting.settings.content.layers)
        pixels = sum(scale.evaluations * scale.size[0] * scale.size[1] for scale in self.painting.scales)
        return pixels / EFFORT_PIXELS * (1 + WATCHING * terms)

    def expected_seconds(self) -> float:
        """About how long it will take, from a few evaluations of a small picture; nothing is changed by them."""
        painting = self.painting
        size = images.fitted_size(painting.scales[-1].size, min(TRIAL_SIDE, max(painting.scales[-1].size)))
        objective, pixels = painting.objective_of(painting.network, size), painting.photograph_at(size)
        seen_at = [step.seconds for step in optimize(pixels, objective, painting.network, OptimizerSettings(), 3)]
        evaluation = (seen_at[-1] - seen_at[0]) / max(len(seen_at) - 1, 1)
        return evaluation / (size[0] * size[1]) * EFFORT_PIXELS * sum(self.effort(part) for part in self.parts)

    def _receive(self, subject: Subject) -> None:
        told = self.explanation
        told.subject = subject
        if subject.run is not None:
            told.pixels, told.recipe = subject.run.pixels, subject.run.recipe
        told.terms = measure_pixels(subject.network, subject.objective, subject.result)

    def stop(self) -> Explanation:
        """What was told until now; a painting that was cut short is in it as far as it was painted."""
        if self.explanation.subject is None and self.painting.history:
            self._receive(_so_far(self.painting))
        return self.explanation


def _so_far(painting: Painting) -> Subject:
    """An unfinished painting as a subject, as its own network sees it."""
    run = painting.result()
    size = (run.pixels.shape[2], run.pixels.shape[3])
    return Subject(
        settings=painting.settings,
        network=painting.network,
        objective=painting.objective(size),
        content=painting.photograph_at(size),
        styles=tuple(painting.paintings_at(size)),
        result=seen(run.pixels.to(painting.device), painting.settings),
        run=run,
        frames=(),
        painting=painting,
    )


def told(name: str, subject: Subject, depth: str) -> Work[Section]:
    """The work of one section, by its name."""
    work: Work[Section] = importlib.import_module(f"gramarye.explain.{name}").explain(subject, depth)
    return work


def wanted(only: Sequence[str]) -> tuple[str, ...]:
    """The sections named in `only`, in the order of the story; all without names. Raises SettingsError."""
    for name in only:
        if name not in SECTIONS:
            raise SettingsError(*unknown_name("section", name, SECTIONS))
    return tuple(name for name in SECTIONS if name in only) if only else SECTIONS


def recipe_in(image: Source) -> dict[str, Any] | None:
    """The recipe inside a picture's file; None if there is none."""
    if not isinstance(image, (str, os.PathLike)):
        return None
    try:
        return images.read_recipe(image)
    except ImageError:
        return None


def settings_in(recipe: Mapping[str, Any]) -> tuple[Settings, str]:
    """The settings of a recipe, with the network that painted, and its preset's name.

    Raises SettingsError for settings that this version does not know.
    """
    try:
        settings = Settings.from_dict(recipe["settings"])
        network = {} if recipe.get("fast") else {"network.name": recipe["network"]["name"]}  # which paints, not sees
        return settings.with_(**network), str(recipe.get("preset", ""))
    except (SettingsError, KeyError, TypeError) as error:
        rule = "a picture is explained with settings that this version knows"
        raise SettingsError(rule, f"{error}, in its recipe", "name a preset instead") from error


class Asked(TypedDict, total=False):
    """What `explain` may be given beside photograph, painting and settings."""

    image: Source
    size: int | None
    preset: str
    weights_file: str | Path | None
    only: Sequence[str]
    depth: str


def begin(
    content: Source,
    style: Source,
    settings: Settings | None = None,
    *,
    image: Source = None,
    size: int | None = None,
    preset: str = "",
    weights_file: str | Path | None = None,
    only: Sequence[str] = (),
    depth: str = "quick",
) -> Story:
    """Load and check everything; see `explain` for the arguments. Raises a GramaryeError."""
    if depth not in DEPTHS:
        raise SettingsError(*unknown_name("depth", depth, DEPTHS))
    explanation = Explanation(depth, wanted([only] if isinstance(only, str) else only))
    explanation.recipe = recipe_in(image)
    if settings is None and explanation.recipe:
        settings, preset = settings_in(explanation.recipe)
    if settings is None:
        settings, preset = presets.preset("default").with_(size=SIZES[depth]), preset or "default"
    if image is not None:
        pixels = images.load(image).pixels
        given = inline.shrunk(pixels, size) if size else pixels
        subject = bring(given, content, style, settings, preset=preset, weights_file=weights_file)
        explanation.image = os.fspath(image) if isinstance(image, (str, os.PathLike)) else None
        explanation.pixels = given
        return Story(subject.painting, subject, explanation)
    settings = settings.with_(size=size) if size else settings
    painting = prepare(content, style, settings, preset=preset, weights_file=weights_file)
    return Story(painting, None, explanation)


def explain_steps(
    content: Source, style: Source, settings: Settings | None = None, **asked: Unpack[Asked]
) -> Iterator[Progress]:
    """Explain, one Progress for each bit done; the arguments are those of `explain`.

    Stopping is not pulling: what was told until then is in the last Progress' `explanation`.
    """
    return begin(content, style, settings, **asked).steps()


def explain(content: Source, style: Source, settings: Settings | None = None, **asked: Unpack[Asked]) -> Explanation:
    """Paint `content` in the manner of `style` and explain what came of it, and why.

    `image` is a finished picture to explain instead: with its own settings if it carries them and none are given.
    `size` is the long side of what is painted, 256 px (at full depth 512) unless `settings` or it say otherwise; an
    `image` is shrunk to it. `only` names the sections that are wanted (SECTIONS are all), `depth` is quick or full;
    the rest is as for `stylize`. A section that cannot be told of these pictures is left out; `missing` says why.
    Raises a GramaryeError that says what to mend.
    """
    story = begin(content, style, settings, **asked)
    for _ in story.steps():
        pass
    return story.explanation

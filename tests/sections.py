"""Sections for tests: computed at once, drawn in a moment; and a subject's inputs, small."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from gramarye.errors import SettingsError
from gramarye.explain.section import Section
from gramarye.explain.subject import Subject
from gramarye.presets import preset
from gramarye.pulling import Work
from gramarye.report.drawing import Drawing, canvas, strip
from gramarye.settings import Settings
from networks import picture

FINDING = "In relu4_1 the Gram matrix of style <b>leads</b> & content is 1.5 times behind."


def tiny(**changes: object) -> Settings:
    """The default preset on the embedded network at a size that takes no time."""
    return preset("default").with_(**{"size": 48, "steps": 4, "network.name": "vgg19-lite", **changes})


@dataclass(frozen=True)
class Fake(Section):
    """A section that is called `ledger` and knows a picture, a curve and a number that is none."""

    name: ClassVar[str] = "ledger"
    title: ClassVar[str] = "A <section> & its title"

    picture: Tensor = field(repr=False)
    curve: Tensor
    undefined: float = float("nan")

    @property
    def findings(self) -> tuple[str, ...]:
        return (FINDING,)


def told(name: str, subject: Subject, depth: str) -> Work[Section]:
    """In place of story.told: `ledger` is told in three bits, `landscape` cannot be, the others are done at once."""
    if name == "landscape":
        raise SettingsError("a landscape needs a picture that was painted here", "one that was brought along")
    if name == "ledger":
        yield 0.25
        yield 0.5
        yield 0.75
    return Fake(picture=subject.result.cpu(), curve=torch.tensor([1.0, 2.0]))


def draw(_: Section) -> list[Drawing]:
    """In place of a section's drawings: a curve, and three pictures in a row."""
    figure, axes = canvas(height=1.5)
    axes[0, 0].plot([1, 2, 4], label="style relu1_1")
    pictures = strip([("one & <two>", picture(40, 48, seed)) for seed in range(3)])
    return [
        Drawing("A curve", "What style <i>costs</i> in relu1_1.", figure),
        Drawing("ledger pictures", "Three in a row.", pictures, photographic=True),
    ]

"""What every section of an explanation is: a name, a title, and what its numbers say."""

from __future__ import annotations

import dataclasses
import html
from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import islice
from typing import Any, ClassVar

import torch
from torch import Tensor

from gramarye import inline

SHOWN, SHOWN_SIDE = 8, 160  # pictures in a notebook, at most, and their longer side in pixels


@dataclasses.dataclass(frozen=True)
class Section(ABC):
    """One chapter of an explanation. Subclasses hold what was computed, pictures as tensors 1 3 H W in [0, 1]."""

    name: ClassVar[str]  # as --only has it
    title: ClassVar[str]  # as the page has it: plain words

    @property
    @abstractmethod
    def findings(self) -> tuple[str, ...]:
        """What the numbers of these pictures say, one plain sentence each, with the numbers in it."""

    def numbers(self) -> dict[str, Any]:
        """Every number as plain data for JSON; pictures (tensors of three dimensions and more) are left out."""
        return {"title": self.title, "findings": list(self.findings), **plain(self)}

    def _repr_html_(self) -> str:
        """What a notebook shows: the findings and the first few pictures."""
        findings = "".join(f"<li>{html.escape(each)}</li>" for each in self.findings)
        shown = gallery(islice(pictures(self), SHOWN))
        return f"<h3>{html.escape(self.title)}</h3><ul>{findings}</ul>{shown}"


def plain(value: Any) -> Any:
    """Dataclasses, dicts, sequences and small tensors as dicts, lists and numbers; pictures are left out."""
    if isinstance(value, Tensor):
        return value.tolist() if value.dim() <= 2 else None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        pairs = ((str(name), plain(each)) for name, each in value.items())
        return {name: each for name, each in pairs if each is not None}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value if isinstance(value, (str, int, float, bool)) else None


def pictures(value: Any, label: str = "") -> Iterator[tuple[str, Tensor]]:
    """Every picture, 1 3 H W, inside dataclasses, dicts and sequences, with what it is called there."""
    if isinstance(value, Tensor):
        if value.dim() == 4 and value.shape[:2] == (1, 3) and value.is_floating_point():
            yield label, value
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from pictures(getattr(value, field.name), f"{label} {field.name}".strip())
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from pictures(each, f"{label} {name}".strip())
    elif isinstance(value, (list, tuple)):
        for index, each in enumerate(value, 1):
            yield from pictures(each, f"{label} {index}".strip())


def gallery(found: Iterator[tuple[str, Tensor]]) -> str:
    """Pictures side by side with their labels, as HTML that needs nothing else."""
    shown = [
        f'<figure style="display:inline-block;margin:4px;vertical-align:top">'
        f'<img alt="{html.escape(label)}" src="{inline.picture_uri(pixels, SHOWN_SIDE, "PNG")}">'
        f'<figcaption style="font-size:small">{html.escape(label)}</figcaption></figure>'
        for label, pixels in found
    ]
    return f"<div>{''.join(shown)}</div>" if shown else ""


def fixed(seed: int) -> torch.Generator:
    """A random generator of its own for a section, so that sections do not change each other's numbers."""
    return torch.Generator().manual_seed(seed)

"""How a reader makes it again: the command and the lines of Python for a page or one of its sections."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gramarye import presets, weights
from gramarye.settings import KNOBS

if TYPE_CHECKING:
    from gramarye.explain.story import Explanation
    from gramarye.explain.subject import Subject

FLAGS = {"size": "--size", "steps": "--steps", "seed": "--seed", "network.name": "--network", "device": "--device"}


def command(explanation: Explanation, subject: Subject, only: str = "") -> str:
    """The line of shell that explains the same again, all of it or one section."""
    content, styles = _sources(subject)
    words = ["gramarye", "explain", content, *styles, "-o", f"explained-{only}" if only else "explained"]
    if explanation.image:
        words += ["--image", explanation.image]
    words += ["--only", only] if only else _only(explanation)
    words += ["--depth", explanation.depth] if explanation.depth != "quick" else []
    words += [word for name, value in _changes(explanation, subject) for word in _option(name, value)]
    if weights.find(subject.painting.loaded.network) != subject.painting.loaded.path != weights.embedded():
        words += ["--weights", str(subject.painting.loaded.path)]
    return shlex.join(words)


def code(explanation: Explanation, subject: Subject, only: str) -> str:
    """The lines of Python that compute one section again and tell what it found."""
    content, styles = _sources(subject)
    changes = dict(_changes(explanation, subject))
    preset = changes.pop("preset", "default")
    settings = f"preset({preset!r})" + (f".with_(**{changes!r})" if changes else "")
    style = repr(styles[0]) if len(styles) == 1 else repr(styles)
    more = f", image={explanation.image!r}" if explanation.image else ""
    more += f", depth={explanation.depth!r}" if explanation.depth != "quick" else ""
    return "\n".join(
        [
            "from gramarye import explain, preset",
            "",
            f"settings = {settings}",
            f"found = explain({content!r}, {style}, settings, only=[{only!r}]{more})",
            f"section = found.sections[{only!r}]",
            "section.findings, section.numbers()",
        ]
    )


def _sources(subject: Subject) -> tuple[str, list[str]]:
    """Photograph and paintings as they were given, or their names where they were no files."""
    origins = subject.painting.origins
    content, *styles = (each["path"] or each["name"] for each in (origins["content"], *origins["styles"]))
    return content, styles


def _only(explanation: Explanation) -> list[str]:
    from gramarye.explain.contents import SECTIONS

    return [] if explanation.wanted == SECTIONS else ["--only", ",".join(explanation.wanted)]


def _changes(explanation: Explanation, subject: Subject) -> Iterator[tuple[str, Any]]:
    """The preset, and every knob that is not as it has it."""
    known = subject.painting.preset in presets.PRESETS
    name = subject.painting.preset if known else "default"
    base, settings = presets.preset(name), subject.settings
    if name != "default":
        yield "preset", name
    for knob in KNOBS:
        made_so = explanation.image is not None and knob in ("size", "steps", "init")  # by bringing a picture along
        if settings.get(knob) != base.get(knob) and not made_so:
            yield knob, settings.get(knob)


def _option(name: str, value: Any) -> tuple[str, str]:
    if name == "preset":
        return "--preset", str(value)
    text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return (FLAGS[name], text) if name in FLAGS else ("--set", f"{name}={text}")

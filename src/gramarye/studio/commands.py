"""The command line that paints the same, with plain file names in place of identifiers."""

from __future__ import annotations

import re
import shlex
import unicodedata
from typing import Any

from gramarye import presets
from gramarye.settings import KNOBS, Settings
from gramarye.studio.faders import weighed
from gramarye.studio.record import Record

REGION = "painted"  # what a mask's white part is called
LONGEST_NAME = 60  # characters


def file_name(title: str, suffix: str, fallback: str = "picture") -> str:
    """A file name of plain letters, digits and hyphens that nothing misunderstands; `suffix` with its dot."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = "-".join(re.findall(r"[a-z0-9]+", plain))[:LONGEST_NAME].strip("-")
    return (words or fallback) + suffix


def command_line(record: Record) -> str:
    """How a run would be painted from a terminal.

    What the command line cannot say, changes on the way and pairs that were left out, follows as comments.
    """
    first = record.first
    words = ["gramarye", "transfer", *record.names, "-o", "out.png", "--preset", record.preset]
    for name, value in _differing(first, presets.preset(record.preset)).items():
        if name != "init" or value != "file":
            words += ["--set", f"{name}={value}"]
    if record.start:
        words += ["--start", record.start]
    if record.mask:
        words += ["--content-mask", f"{REGION}=mask.png"]
        words += [word for _ in record.styles for word in ("--style-mask", REGION)]
    return "\n".join([shlex.join(words), *_comments(record, first)])


def _comments(record: Record, first: Settings) -> list[str]:
    lines = [
        f"# without channels {i} and {j} of {layer} together, as only the studio can" for layer, i, j in record.without
    ]
    for change in record.changes:
        settings = weighed(first, change["settings"])
        told = " ".join(f"{name}={_text(first.with_(**settings).get(name))}" for name in settings)
        lines.append(f"# then, at step {change['index']}: {told}")
    return lines


def _differing(settings: Settings, preset: Settings) -> dict[str, str]:
    values = {name: settings.get(name) for name in KNOBS}
    return {name: _text(value) for name, value in values.items() if value != preset.get(name)}


def _text(value: Any) -> str:
    """A knob's value as `--set` takes it, exactly."""
    if isinstance(value, tuple):
        return ",".join(_text(each) for each in value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return str(value)

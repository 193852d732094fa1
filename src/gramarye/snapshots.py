"""Which evaluations of a painting are kept as pictures of their own, and how those are called."""

from __future__ import annotations

from pathlib import Path

from gramarye.errors import SettingsError

RULE = "snapshots are evaluations, by comma, or log for 1, 2, 4, 8 and so on"


def evaluations(text: str, steps: int) -> tuple[int, ...]:
    """The evaluations that `text` names, in order: "1,5,10,log"; raises SettingsError beyond `steps`."""
    found: set[int] = set()
    for word in (each.strip() for each in text.split(",")):
        if word == "log":
            found |= {2**power for power in range(steps.bit_length())}
        elif word.isdecimal() and 1 <= int(word) <= steps:
            found.add(int(word))
        else:
            raise SettingsError(RULE, repr(word), f"choose from 1 … {steps}, or raise --steps")
    return tuple(sorted(found))


def paths(output: Path, wanted: tuple[int, ...], steps: int) -> dict[int, Path]:
    """The files of the snapshots of `output`, by evaluation: out-0001.png, out-0005.png."""
    digits = max(4, len(str(steps)))
    return {each: output.with_name(f"{output.stem}-{each:0{digits}d}{output.suffix}") for each in wanted}

"""Running the command line inside the test's own process, and what came of it."""

from __future__ import annotations

import json
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gramarye import cli

TINY = ("--size", "48", "--steps", "4")


@dataclass(frozen=True)
class Outcome:
    """Exit status, standard output and standard error of one command."""

    status: int
    out: str
    err: str

    @property
    def answer(self) -> dict[str, Any]:
        """The one JSON object on standard output, strictly read."""

        def refuse(constant: str) -> None:
            raise AssertionError(f"{constant} is no JSON")

        assert self.out.count("\n") == 1
        assert self.out.isascii()
        answer: dict[str, Any] = json.loads(self.out, parse_constant=refuse)
        return answer


class Gramarye:
    """The `gramarye` program: call it with its arguments."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, captured: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.captured = monkeypatch, captured

    def __call__(self, *arguments: object) -> Outcome:
        self.captured.readouterr()
        self.monkeypatch.setattr(sys, "argv", ["gramarye", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        status = ended.value.code
        assert isinstance(status, int) or status is None
        return Outcome(status or 0, *self.captured.readouterr())

    def ok(self, *arguments: object) -> Outcome:
        """Run a command that must succeed."""
        outcome = self(*arguments)
        assert outcome.status == 0, outcome.err
        return outcome

    def transfer(self, output: str, *arguments: object) -> Outcome:
        """Paint content.png after style.png, tiny, which must succeed."""
        return self.ok("transfer", "content.png", "style.png", "-o", output, *TINY, *arguments)


def refused(outcome: Outcome, *, about: str = "") -> None:
    """Assert that a command ended in one clear line and status 1."""
    assert outcome.status == 1, outcome
    assert outcome.out == ""
    assert outcome.err.startswith("error: ")
    assert outcome.err.endswith("\n")
    assert outcome.err.count("\n") == 1
    assert len(outcome.err) < 900
    assert "Traceback" not in outcome.err
    assert about in outcome.err


def everything_in(folder: Path) -> dict[str, object]:
    """All files below a folder, hidden ones too, with their bytes; a link's target, another thing's kind."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        name = str(path.relative_to(folder))
        if stat.S_ISLNK(mode):
            found[name] = os.readlink(path)  # noqa: PTH115  as text, whatever it is
        else:
            found[name] = path.read_bytes() if stat.S_ISREG(mode) and os.access(path, os.R_OK) else stat.S_IFMT(mode)
    return found

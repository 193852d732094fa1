"""Help, version, wrong commands, and streams that are closed or full: as a newcomer and a shell meet them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import gramarye as package
from gramarye import cli

from .command import Gramarye

MAIN = "import gramarye.cli; gramarye.cli.main()"


def commands(group: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command of the program as words."""
    for info in group.registered_commands:  # type: ignore[attr-defined]
        yield (*path, info.name or info.callback.__name__.strip("_"))
    for info in group.registered_groups:  # type: ignore[attr-defined]
        yield from commands(info.typer_instance, (*path, info.name))


COMMANDS = list(commands(cli.app))


def plain(text: str) -> str:
    """Without colours, frames and line breaks."""
    return " ".join(re.sub(r"\x1b\[[0-9;]*m|[│╭╮╰╯─]", " ", text).split())


def run(arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    """A line of shell, in which `gramarye` is the program."""
    line = arguments.replace("gramarye", f"{sys.executable} -m tests_of_gramarye", 1)
    line = line.replace("-m tests_of_gramarye", f"-c '{MAIN}'")
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False, timeout=60, **options)


def test_all_commands_are_known() -> None:
    assert {" ".join(words) for words in COMMANDS} == {
        "transfer",
        "demo",
        "presets",
        "inspect",
        "replay",
        "measure",
        "explain",
        "serve",
        "doctor",
        "fast apply",
        "fast export",
        "fast train",
        "study list",
        "study plan",
        "study run",
        "study show",
        "study report",
        "study tune",
        "weights list",
        "weights fetch",
        "weights verify",
        "weights import",
        "video",
    }


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_an_example_and_the_common_options(words: tuple[str, ...], gramarye: Gramarye) -> None:
    outcome = gramarye.ok(*words, "--help")
    text = plain(outcome.out)
    assert f"Example: gramarye {' '.join(words)}" in text
    assert "--json" in text
    assert "--quiet" in text
    assert f"Usage: gramarye {' '.join(words)}" in text
    assert not re.search(r"pip install \W?gramarye\b(?!\[)", text)  # [b]markup[/b] takes an extra for a tag
    assert outcome.err == ""


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_option_is_explained(words: tuple[str, ...], gramarye: Gramarye) -> None:
    lines = [plain(line) for line in gramarye.ok(*words, "--help").out.splitlines()]
    options = [line for line in lines if re.match(r"(\* )?--\w", line)]
    assert options
    for line in options:
        rest = re.sub(r"^(\* )?(--?[\w-]+ )+(<\S+>|[A-Z]+=[A-Z]+)", "", line)
        assert len(rest.split()) >= 2, line


def test_help_lists_every_command(gramarye: Gramarye) -> None:
    text = plain(gramarye.ok("--help").out)
    for words in COMMANDS:
        assert words[0] in text
    assert "gramarye transfer --help" in text


def test_nothing_is_help(gramarye: Gramarye) -> None:
    outcome = gramarye()
    assert outcome.status == 2
    assert "Usage: gramarye" in outcome.out + outcome.err


def test_version(gramarye: Gramarye) -> None:
    outcome = gramarye.ok("--version")
    assert outcome.out == f"{package.__version__}\n"
    assert outcome.err == ""


@pytest.mark.parametrize("arguments", [("paint",), ("transfert", "a", "b"), ("weights", "download"), ("--colour",)])
def test_unknown_command_or_option(arguments: tuple[str, ...], gramarye: Gramarye) -> None:
    outcome = gramarye(*arguments)
    assert outcome.status == 2
    assert outcome.out == ""
    assert "Traceback" not in outcome.err


def test_help_imports_no_torch() -> None:
    code = f"""
import sys
sys.argv = ["gramarye", "--help"]
try:
    {MAIN}
except SystemExit as ended:
    assert not ended.code
heavy = {{"torch", "numpy", "PIL", "matplotlib", "safetensors"}} & set(sys.modules)
sys.exit(f"imported {{heavy}}" if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "transfer" in done.stdout


def test_the_installed_program() -> None:
    program = Path(sys.executable).with_name("gramarye")
    if not program.exists():
        pytest.skip("gramarye is not installed as a program")
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{package.__version__}\n", "")


def test_a_reader_that_has_enough() -> None:
    """As in `gramarye presets --json | head -c 1`: no complaint on standard error."""
    done = run('gramarye presets --json | head -c 1; exit "${PIPESTATUS[0]}"')
    assert done.stdout == "{"
    assert done.stderr == ""
    assert done.returncode in (0, 1)  # 0 when all fitted into the pipe


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_standard_output_that_is_full() -> None:
    done = run("gramarye presets --json > /dev/full")
    assert done.returncode == 1
    assert re.fullmatch(r"error: .*No space left on device.*\n", done.stderr)


@pytest.mark.skipif(os.name == "nt", reason="file descriptors are closed by a POSIX shell")
def test_streams_that_are_closed() -> None:
    assert run("gramarye presets --json >&-").returncode == 0
    done = run("gramarye presets nothing 2>&-")
    assert (done.returncode, done.stdout) == (1, "")
    done = run("gramarye presets nothing 2>/dev/full")
    assert (done.returncode, done.stdout) == (1, "")


def test_a_terminal_that_knows_only_ascii() -> None:
    done = run("PYTHONIOENCODING=ascii gramarye presets gatys-2015".replace("gramarye", "gramarye", 1))
    assert done.returncode == 0
    assert "\\u" in done.stdout
    assert done.stderr == ""

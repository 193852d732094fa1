"""What all commands share: how errors end, how Ctrl-C is heard, what is printed where.

Standard output carries the answer (one JSON object with --json); everything said on the way goes to
standard error. Exit status: 0 ok, 1 an error in one line, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import functools
import io
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from gramarye.errors import GramaryeError
from gramarye.plain import finite

Command = TypeVar("Command", bound=Callable[..., Any])
INTERRUPTED = 130
OUT_OF_MEMORY = "the picture needs more memory than there is. Use a smaller --size"

Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, for programs.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no remarks; errors only.")]


def command(function: Command) -> Command:
    """Let a command end as it should: one line and status 1 for an error, 130 for Ctrl-C."""

    @functools.wraps(function)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        try:
            try:
                return function(*arguments, **options)
            finally:
                sys.stdout.flush()  # here, where what goes wrong can still be told
        except GramaryeError as error:
            fail(str(error))
        except KeyboardInterrupt:
            say("interrupted")
            raise typer.Exit(INTERRUPTED) from None
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            fail(OUT_OF_MEMORY)
        except BrokenPipeError:  # whoever read has read enough
            _give_up_standard_output()
            raise typer.Exit(1) from None
        except OSError as error:
            _give_up_standard_output()
            fail(f"the system must allow what is asked; got {error}. Free space, or change what is in the way")

    return wrapped  # type: ignore[return-value]


def is_out_of_memory(error: Exception) -> bool:
    """Whether this is Python's, torch's or CUDA's way to say that memory is used up."""
    return (
        isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or "allocate memory" in str(error)
    )


def tried(work: Callable[[], Any]) -> str | None:
    """Do one of many things; what went wrong, if a person can mend it, is returned in one line and not raised."""
    try:
        work()
    except GramaryeError as error:
        return str(error)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        return OUT_OF_MEMORY
    except OSError as error:
        return f"the system must allow what is asked; got {error}"
    return None


def _give_up_standard_output() -> None:
    """Let what is still to be written go nowhere, or Python complains again when it ends."""
    with suppress(OSError, ValueError):  # ValueError: standard output is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def fail(message: str) -> NoReturn:
    """One line on standard error and exit status 1."""
    say(f"error: {message}")
    raise typer.Exit(1)


def say(message: str, *, quiet: bool = False) -> None:
    """A remark on standard error; nothing is lost when nobody reads it."""
    if not quiet and sys.stderr is not None:
        with suppress(OSError):
            print(message, file=sys.stderr, flush=True)


def on_terminal() -> bool:
    """Whether someone looks at standard error as it comes."""
    return sys.stderr is not None and sys.stderr.isatty()


def answer(plain: dict[str, Any]) -> None:
    """One JSON object on standard output, in ASCII, which every program reads alike; NaN and infinities are null."""
    print(json.dumps(finite(plain), allow_nan=False))


def open_streams() -> None:
    """Make standard streams that the caller closed lead nowhere, and let no character be unprintable."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115  open as long as the program runs
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class Stop:
    """Whether Ctrl-C was pressed."""

    requested = False


@contextmanager
def hear_interrupt(*, quiet: bool = False) -> Iterator[Stop]:
    """Within, the first Ctrl-C only sets `requested`, so that what is under way can end; the second interrupts."""
    stop = Stop()
    before = signal.getsignal(signal.SIGINT)

    def heard(number: int, frame: FrameType | None) -> None:
        stop.requested = True
        signal.signal(signal.SIGINT, before)
        if not quiet:
            with suppress(OSError):  # not print: it may be what was interrupted
                os.write(2, b"\nfinishing what is under way; Ctrl-C again stops at once\n")

    signal.signal(signal.SIGINT, heard)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def seconds_in_words(seconds: int | float) -> str:
    """A duration as people say it: 8 s, 2 min 5 s, 1 h 20 min."""
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def memory_in_words(size: int | float) -> str:
    """Bytes as people say them: 850 MB, 2.4 GB."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"

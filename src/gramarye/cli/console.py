"""What all commands share: how errors end, how Ctrl-C is heard, what is printed where.

Standard output carries the answer (one JSON object with --json); everything said on the way goes to
standard error. Exit status: 0 ok, 1 an error in one line, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import functools
import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from gramarye.errors import GramaryeError

Command = TypeVar("Command", bound=Callable[..., Any])
INTERRUPTED = 130

Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, for programs.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no remarks; errors only.")]


def command(function: Command) -> Command:
    """Let a command end as it should: one line and status 1 for an error, 130 for Ctrl-C."""

    @functools.wraps(function)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except GramaryeError as error:
            fail(str(error))
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            raise typer.Exit(INTERRUPTED) from None
        except MemoryError:
            fail("the picture needs more memory than there is. Use a smaller --size")
        except BrokenPipeError:
            raise typer.Exit(1) from None

    return wrapped  # type: ignore[return-value]


def fail(message: str) -> NoReturn:
    """One line on standard error and exit status 1."""
    print(f"error: {message}", file=sys.stderr)
    raise typer.Exit(1)


def say(message: str, *, quiet: bool = False) -> None:
    """A remark on standard error."""
    if not quiet:
        print(message, file=sys.stderr)


def answer(plain: dict[str, Any]) -> None:
    """One JSON object on standard output."""
    print(json.dumps(plain, ensure_ascii=False))


class Stop:
    """Whether Ctrl-C was pressed."""

    requested = False


@contextmanager
def hear_interrupt() -> Iterator[Stop]:
    """Within, the first Ctrl-C only sets `requested`, so that the step under way can end; the second interrupts."""
    stop = Stop()
    before = signal.getsignal(signal.SIGINT)

    def heard(number: int, frame: FrameType | None) -> None:
        stop.requested = True
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, heard)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def seconds_in_words(seconds: float) -> str:
    """A duration as people say it: 8 s, 2 min 5 s, 1 h 20 min."""
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def memory_in_words(size: float) -> str:
    """Bytes as people say them: 850 MB, 2.4 GB."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"

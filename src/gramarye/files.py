"""Files of pictures: only regular files are read, and a file is written whole or not at all.

What goes wrong is an ImageError.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from gramarye.errors import ImageError, unknown_name

_REMEDIES = {
    errno.ENOSPC: "free some space, or write to another disk",
    errno.EACCES: "choose a folder in which you may write",
    errno.EPERM: "choose a folder in which you may write",
    errno.EROFS: "choose a folder in which you may write",
    errno.ENAMETOOLONG: "choose a shorter name",
}


@contextmanager
def open_regular(path: Path, what: str = "picture") -> Iterator[IO[bytes]]:
    """The file at `path`, opened; never a folder, a pipe or a device, which could block or not end.

    `what` it should hold is told in errors.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "a pipe, socket or device"
            raise ImageError(f"a {what} must be a regular file", f"{kind}, {path}", f"name a {what} file")
        file = path.open("rb")
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        remedy = "check the name and the permissions"
        raise ImageError(f"a {what} must be a file that can be read", _why(error, path), remedy) from error
    with file:
        yield file


def digest(file: IO[bytes]) -> str:
    """The SHA-256 of an open file, from its beginning, in hexadecimal."""
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def writable(path: Path) -> Path:
    """`path` with symbolic links followed, after a file has been made next to it and removed again.

    A trial rather than os.access, which answers wrongly for root, network disks and Windows.
    """
    destination = path
    try:
        destination = Path(os.path.realpath(path))
        if not destination.parent.is_dir():
            rule = "the folder to write to must exist"
            raise ImageError(rule, str(path.parent), "make it, or choose another folder")
        if _exists(destination) and not destination.is_file():
            kind = "a folder" if destination.is_dir() else "a pipe, socket or device"
            raise ImageError("a picture is written to a file", f"{kind}, {path}", "choose another name")
        with _temporary(destination) as (_, file):
            file.write(b"\0")
    except (OSError, ValueError) as error:
        raise not_written(error, path) from error
    return destination


def known_suffix(path: str | os.PathLike[str], what: str, known: Iterable[str]) -> str:
    """The suffix of `path`, in lower case; raises ImageError unless it is among those `known` for `what`."""
    suffix = Path(path).suffix.lower()
    if suffix not in known:
        rule, received, remedy = unknown_name(f"suffix for {what}", suffix, known)
        raise ImageError(rule, f"{received} in {os.fspath(path)!r}", remedy)
    return suffix


def destination_of(path: Path, what: str, known: Mapping[str, Callable[[], object] | None]) -> Path:
    """Where `what`, such as "a film", would be written, links followed, after a trial.

    `known` are its suffixes, each with what imports the packages that it needs, or None. Raises ImageError, and
    whatever a missing package raises.
    """
    needed = known[known_suffix(path, what, known)]
    if needed is not None:
        needed()
    return writable(path)


def write_atomically(destination: Path, data: bytes) -> None:
    """`data` as the file `destination`: complete, or not there, or the old one as it was.

    The temporary file lies in the same folder; renaming across disks would not be atomic.
    """
    try:
        with _temporary(destination) as (temporary, file):
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            file.close()  # Windows renames no open file
            _renamed(temporary, destination)
    except OSError as error:
        raise not_written(error, destination) from error


def put_in_place(temporary: Path, destination: Path) -> None:
    """Rename a file that was written as `beside(destination)`, once it is on the disk; raises ImageError."""
    try:
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        _renamed(temporary, destination)
    except OSError as error:
        raise not_written(error, destination) from error


def beside(destination: Path) -> Path:
    """A new name for what is to be renamed to `destination`, in the same folder."""
    return destination.with_name(f".{destination.name[:40]}.{secrets.token_hex(4)}.tmp")


def _renamed(temporary: Path, destination: Path) -> None:
    with suppress(FileNotFoundError):
        temporary.chmod(stat.S_IMODE(destination.stat().st_mode))
    os.replace(temporary, destination)  # noqa: PTH105  one name to stand in for in tests


@contextmanager
def _temporary(destination: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """A new file next to `destination`, its mode as the umask has it, gone afterwards unless renamed."""
    temporary = beside(destination)
    try:
        with temporary.open("xb") as file:
            yield temporary, file
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _exists(path: Path) -> bool:
    """As Path.exists, but raises OSError for a name that the file system refuses, such as one too long."""
    try:
        path.stat()
    except FileNotFoundError:
        return False
    return True


def not_written(error: Exception, path: Path, what: str = "picture") -> ImageError:
    """What to raise when `path`, a `what`, cannot be written."""
    number = error.errno if isinstance(error, OSError) else None
    remedy = _REMEDIES.get(number or 0, "choose another name or folder")
    return ImageError(f"the {what} cannot be written", _why(error, path), remedy)


def _why(error: Exception, path: Path) -> str:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{str(path)!r}: {reason[:1].lower()}{reason[1:]}"

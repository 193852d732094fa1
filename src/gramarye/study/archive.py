"""The files of a store, each named by the SHA-256 of its content: written whole, once, and never changed."""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress
from pathlib import Path

from gramarye import files
from gramarye.errors import ImageError, StudyError

LEFT_OVER = 24 * 3600  # seconds after which what a killed process has left half written is removed


class Archive:
    """A folder of pictures and ledgers: the file with content x is `xx/xxxx….suffix`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, data: bytes, suffix: str) -> str:
        """Write `data` and return its name relative to the folder; on the disk for good when this returns.

        Raises StudyError when it cannot be written.
        """
        digest = hashlib.sha256(data).hexdigest()
        name = f"{digest[:2]}/{digest}{suffix}"
        destination = self.folder / name
        if destination.exists():  # renamed into place, and so complete
            return name
        try:
            destination.parent.mkdir(parents=True, exist_ok=True)
            files.write_atomically(destination, data)
            _on_disk(destination.parent)
        except OSError as error:
            raise StudyError("the files of a store must be written", f"{error}", "free space or permissions") from error
        except ImageError as error:
            remedy = "what is done is kept: give the same command again when this is mended"
            raise StudyError("the files of a store must be written", error.received, remedy) from error
        return name

    def path(self, name: str) -> Path:
        """Where the file `name` lies."""
        return self.folder / name

    def sweep(self) -> None:
        """Remove what killed processes have left half written a day ago or longer."""
        for file in self.folder.glob("*/.*.tmp"):
            with suppress(OSError):
                if time.time() - file.stat().st_mtime > LEFT_OVER:
                    file.unlink()


def _on_disk(folder: Path) -> None:
    """Let a folder's new entries survive a loss of power, where the system has a way to ask for it."""
    with suppress(OSError, AttributeError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

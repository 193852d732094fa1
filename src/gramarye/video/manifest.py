"""What is kept of a film that is being painted: its frames so far, with their figures, and what it is made of.

A work folder lies beside the film: `manifest.json` tells what is painted, after what and how, `00000017.png` is frame
17 as the film will have it, with its row in the ledger of flicker, `00000017.past` the same in 16 bits a channel, as
the frames after it see it, kept as long as one may look back to it. Every file is written whole or not at all, and
what counts are PNGs without a gap from the first frame on, or from a cut on, since nothing is seen beyond it. So a
crash costs the frames under way, one for each painter, and nothing else.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from jaxtyping import Float, UInt16
from torch import Tensor

from gramarye import images, png, recipe
from gramarye.checkpoint import difference
from gramarye.errors import ImageError, OptimizationError
from gramarye.files import write_atomically
from gramarye.video.measure import Moment

FORMAT = "gramarye film 1"
MANIFEST, LOCK = "manifest.json", "lock"
COMPRESSION = 1  # zlib's fastest: brush strokes hardly get smaller at 6, which takes four times as long
AFTER_HEADER = 8 + 25  # bytes of a PNG's signature and of its first chunk, behind which a text may stand
LEVELS = 2**16 - 1  # of a channel that is blended over and over: at 8 bits what is missing would never come
_NAMES = rf"\d{{8}}\.(png|past)|{MANIFEST}|{LOCK}"
_OURS = re.compile(rf"{_NAMES}|\.({_NAMES})\.[0-9a-f]+\.tmp")
_RULE = "a film goes on from its own frames"
_REMEDY = "begin anew with --restart, or choose another output"

Pixels = Float[Tensor, "1 3 height width"]


def folder_for(output: Path) -> Path:
    """Where the frames of the film `output` are kept while it is painted: beside it."""
    return output.with_name(f"{output.name}.work")


def rounded(pixels: Pixels) -> Pixels:
    """A painted frame as it will be read again: 16 bits a channel, on the processor; raises ImageError for NaN."""
    return shallow(deep(pixels))


def deep(pixels: Tensor) -> UInt16[np.ndarray, "height width 3"]:
    """16 bits a channel; raises ImageError where a value is not finite."""
    values = pixels.detach().to("cpu", torch.float32)[0].permute(1, 2, 0)
    if not bool(values.isfinite().all()):
        remedy = "paint with a smaller learning rate or style weight"
        raise ImageError("a painted frame must hold finite values", "NaN or infinity", remedy)
    return (values.clamp(0, 1) * LEVELS).round().numpy().astype(np.uint16)


def shallow(samples: UInt16[np.ndarray, "height width 3"]) -> Pixels:
    """The picture that `deep` made samples of."""
    return images.load(samples, max_megapixels=float("inf")).pixels


def threads_in(folder: Path) -> int | None:
    """With how many threads the frames in a folder are painted; None where it has none, or does not tell."""
    try:
        found = _read(folder / MANIFEST).get("threads")
    except OptimizationError:  # told when it is opened
        return None
    return found if isinstance(found, int) and found > 0 else None


class Kept:
    """The painted frames of a film from frame `first` on, in their folder; one process has it open at a time.

    `identity`, as JSON, is what decides the pixels. Raises OptimizationError when the folder holds frames of another
    one, or is open elsewhere; with `restart` what it holds is thrown away. `reach` is how many frames back one may
    look. A place is that of a frame in the film that is painted, from 0.
    """

    def __init__(
        self, folder: Path, identity: Mapping[str, Any], *, first: int = 0, reach: int = 1, restart: bool = False
    ) -> None:
        self.folder, self.first, self.reach = folder, first, reach
        self._rows: dict[int, tuple[Moment, Fraction]] = {}
        identity = json.loads(json.dumps({"format": FORMAT, **identity}))
        _make(folder)
        self._lock = _locked(folder)
        try:
            self._begin(identity, restart=restart)
        except BaseException:
            self.close()
            raise

    def _begin(self, identity: Mapping[str, Any], *, restart: bool) -> None:
        manifest = self.folder / MANIFEST
        if restart or not manifest.exists():
            self._clear()
            write_atomically(manifest, json.dumps(identity, indent=1).encode())
            return
        found = _read(manifest)
        if found != identity:
            raise OptimizationError(_RULE, f"those of other {difference(found, identity)}, {self.folder}", _REMEDY)
        self._find()

    def _find(self) -> None:
        """Take over the frames that can be gone on from, and drop what else there is."""
        for path in self._files():
            if path.suffix == ".png" and path.stem.isdecimal():
                self._take(int(path.stem) - self.first)
        start = min(self._rows, default=None)
        while start is not None:
            stop, following = self.gap(start)
            self._check(start, stop)
            start = following
        frames = {self.path(place) for place in self._rows}
        past = {self._past(place) for place in self._rows if self._is_looked_at(place)}
        for path in {*self._files()} - frames - past - {self.folder / MANIFEST, self.folder / LOCK}:
            path.unlink(missing_ok=True)

    def _take(self, place: int) -> None:
        """Take over a frame with its row, unless it is damaged."""
        with suppress(ImageError, KeyError, TypeError, ValueError):
            row = images.read_recipe(self.path(place))
            moment, time = Moment(**row["moment"]), Fraction(row["time"])
            if place >= 0 and moment.index == self.first + place:
                self._rows[place] = moment, time

    def _check(self, start: int, stop: int) -> None:
        """Drop, of the frames from `start` to before `stop`, those before a beginning: the film's, or a cut.

        And all of them, where those at the end can be seen no more.
        """
        seen = all(self._past(stop - back).exists() for back in range(1, self.sight(stop) + 1))
        for place in range(start, stop):
            if seen and (place == 0 or self._rows[place][0].cut):
                break
            del self._rows[place]

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def places(self) -> list[int]:
        """Where there are frames, in their order."""
        return sorted(self._rows)

    @property
    def moments(self) -> list[Moment]:
        """The flicker of the frames, in their order."""
        return [self._rows[place][0] for place in self.places]

    @property
    def times(self) -> list[Fraction]:
        """The times of the frames, in their order, in seconds."""
        return [self._rows[place][1] for place in self.places]

    def gap(self, place: int = 0) -> tuple[int, int | None]:
        """The first place from `place` on where a frame is missing, and the next one where there is one, if any."""
        while place in self._rows:
            place += 1
        return place, min((each for each in self._rows if each > place), default=None)

    def sight(self, place: int) -> int:
        """How many frames right before a place are there and of one shot: those that are seen from it."""
        back = 0
        while back < self.reach and place - back - 1 in self._rows:
            back += 1
            if self._rows[place - back][0].cut:
                break
        return back

    def path(self, place: int) -> Path:
        """The file of the frame at a place."""
        return self.folder / f"{self.first + place:08d}.png"

    def _past(self, place: int) -> Path:
        return self.path(place).with_suffix(".past")

    def _is_looked_at(self, place: int) -> bool:
        """Whether a frame that may look back to this one is still missing."""
        return any(place + step not in self._rows for step in range(1, self.reach + 1))

    def add(self, moment: Moment, time: Fraction, pixels: Pixels) -> None:
        """Keep a frame, at `time` in seconds; raises ImageError when it cannot be written."""
        place, samples = moment.index - self.first, io.BytesIO()
        np.save(samples, deep(pixels), allow_pickle=False)
        write_atomically(self._past(place), samples.getvalue())
        row = recipe.to_text({"moment": asdict(moment), "time": str(time)})
        write_atomically(self.path(place), _encoded(pixels, row))
        self._rows[place] = moment, time
        for earlier in range(place - self.reach, place + 1):
            if earlier in self._rows and not self._is_looked_at(earlier):
                self._past(earlier).unlink(missing_ok=True)

    def pixels(self, place: int) -> Pixels:
        """A frame as the film will have it, in 8 bits; raises ImageError when it is damaged."""
        try:
            return images.load(self.path(place), max_megapixels=float("inf")).pixels
        except ImageError as error:
            raise _damaged(self.path(place), error.received or error.rule) from error

    def past(self, place: int) -> Pixels:
        """A frame in `sight` as those after it see it, `rounded`; raises ImageError when it is damaged."""
        path = self._past(place)
        try:
            return shallow(np.load(path, allow_pickle=False))
        except (OSError, ValueError, EOFError, ImageError) as error:
            raise _damaged(path, error) from error

    def close(self) -> None:
        """Let others open the folder."""
        self._lock.close()

    def remove(self) -> None:
        """Remove the frames and, unless others' files are in it, the folder; nothing can be added any more."""
        self._clear()
        self.close()
        with suppress(OSError):
            (self.folder / LOCK).unlink()
            self.folder.rmdir()

    def _clear(self) -> None:
        """Remove all that was kept, the manifest first: frames without it count for nothing."""
        for path in [self.folder / MANIFEST, *self._files()]:
            if path.name != LOCK:
                path.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        return [path for path in self.folder.iterdir() if _OURS.fullmatch(path.name)]


def _damaged(path: Path, received: object) -> ImageError:
    received = f"{path}: {received}"
    return ImageError("a painted frame must be as it was kept", received, "begin anew with --restart")


def _encoded(pixels: Tensor, row: str) -> bytes:
    """A PNG with a text before its pixels, where it is found without decoding them."""
    buffer = io.BytesIO()
    images.to_pil(pixels).save(buffer, "PNG", compress_level=COMPRESSION)
    data = buffer.getvalue()
    text = png.chunk(b"iTXt", recipe.KEYWORD.encode() + b"\0\0\0\0\0" + row.encode())
    return data[:AFTER_HEADER] + text + data[AFTER_HEADER:]


def _make(folder: Path) -> None:
    """The work folder; raises ImageError where there can be none."""
    try:
        folder.mkdir(exist_ok=True)
        (folder / LOCK).touch()
    except OSError as error:
        received = f"{folder}: {(error.strerror or str(error)).lower()}"
        remedy = "choose an output in a folder in which you may write"
        raise ImageError("painted frames need a folder of their own", received, remedy) from error


def _read(manifest: Path) -> dict[str, Any]:
    try:
        found = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OptimizationError(_RULE, f"a damaged manifest, {manifest}: {error}", _REMEDY) from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise OptimizationError(_RULE, f"another kind of file, {manifest}", _REMEDY)
    return found


def _locked(folder: Path) -> IO[bytes]:
    """The folder's lock, which the system releases when its holder ends, however it ends.

    Where the system or the disk knows no locks there is none, and two at one film are in each other's way.
    """
    file = (folder / LOCK).open("ab")
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        rule = "only one process may paint a film at a time"
        raise OptimizationError(
            rule, f"another is at work in {folder}", "wait for it, or choose another output"
        ) from error
    except (ImportError, OSError):
        return file
    return file

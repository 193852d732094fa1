"""From a run's folder to a painting that can be painted, and back: its inputs, and its checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gramarye import __version__
from gramarye.errors import OptimizationError, SettingsError
from gramarye.studio.commands import REGION
from gramarye.studio.faders import weighed
from gramarye.studio.gallery import Gallery
from gramarye.studio.record import Record

if TYPE_CHECKING:
    from gramarye.images import Picture
    from gramarye.painting import Change, Painting

FILE = "checkpoint"


def prepare(record: Record, folder: Path, gallery: Gallery) -> Painting:
    """The painting of a run at its beginning, with the changes that were made since still to come.

    Raises a GramaryeError for pictures that are gone, and for what would not fit into the memory.
    """
    from gramarye import transfer
    from gramarye.explain.lacking import leave_out

    content, *styles = [_picture(gallery.path_of(each)) for each in (record.content, *record.styles)]
    inputs: dict[str, Any] = {"changes": _changes(record)}
    if record.mask:
        inputs |= {
            "content_mask": {REGION: _picture(folder / "mask.png")},
            "style_masks": [{REGION: None}] * len(styles),
        }
    if record.start:
        inputs["start"] = _picture(folder / record.start)
    painting = transfer.prepare(content, styles, record.first, preset=record.preset, **inputs)
    if record.without:
        leave_out(painting, [(layer, i, j) for layer, i, j in record.without])
    _check_memory(painting)
    return painting


def _picture(path: Path) -> Picture:
    """A picture whose recipe tells its name and hash, but not where it lies on this machine."""
    from gramarye import images

    return replace(images.load(path), name=path.name)


def _changes(record: Record) -> Sequence[Change]:
    settings, changes = record.first, []
    for change in record.changes:
        knobs = weighed(settings, change["settings"])
        settings = settings.with_live(**knobs)
        changes.append((change["index"], knobs))
    return changes


def _check_memory(painting: Painting) -> None:
    from gramarye import cost, machine

    free = machine.available_memory()
    needed = cost.memory(
        painting.settings, painting.network.network, painting.scales[-1].size, painting.network.dtype.itemsize
    )
    if free is not None and needed - cost.RESIDENT > free:
        received = f"about {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are free"
        raise SettingsError("a painting must fit into the memory", received, "choose a smaller size")


def keep(painting: Painting, folder: Path) -> None:
    """Write the checkpoint; raises OptimizationError where that is not possible."""
    from gramarye import checkpoint

    checkpoint.save(folder / FILE, painting.state(), _identity(painting))


def restore(painting: Painting, folder: Path) -> None:
    """Go on from the checkpoint, if there is one; raises OptimizationError where it does not fit."""
    from gramarye import checkpoint

    if not (folder / FILE).exists():
        return
    try:
        painting.restore(checkpoint.load(folder / FILE, _identity(painting)))
    except OptimizationError as error:
        raise OptimizationError(error.rule, error.received, "paint it anew") from error


def _identity(painting: Painting) -> dict[str, Any]:
    """What the checkpoint must be of; changes on the way are in the state itself."""
    from gramarye import checkpoint

    known = checkpoint.identity(painting.recipe())
    known.pop("changes", None)
    return known | {"gramarye": __version__}

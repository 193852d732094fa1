"""What every drawing must be: named, captioned, and its words inside the figure and beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from matplotlib.axes import Axes
from matplotlib.text import Text

from gramarye.report.drawing import Drawing

SLACK = 3  # pixels that letters may reach over


def check(drawings: Sequence[Drawing]) -> None:
    assert drawings
    assert len({drawing.name for drawing in drawings}) == len(drawings)
    for drawing in drawings:
        assert drawing.caption.endswith(".")
        drawing.figure.canvas.draw()
        boxes = [(text.get_text(), text.get_window_extent()) for text in words(drawing)]
        for text, box in boxes:
            assert box.x0 >= -SLACK, f"{drawing.name}: {text!r} begins outside"
            assert box.x1 <= drawing.figure.bbox.x1 + SLACK, f"{drawing.name}: {text!r} ends outside"
            assert box.y0 >= -SLACK, f"{drawing.name}: {text!r} is below the figure"
            assert box.y1 <= drawing.figure.bbox.y1 + SLACK, f"{drawing.name}: {text!r} is above the figure"
        for (one, first), (other, second) in combinations(boxes, 2):
            across = min(first.x1, second.x1) - max(first.x0, second.x0)
            down = min(first.y1, second.y1) - max(first.y0, second.y0)
            assert min(across, down) <= SLACK, f"{drawing.name}: {one!r} lies on {other!r}"


def words(drawing: Drawing) -> list[Text]:
    """The texts that are to be seen: titles, labels, legends, numbers."""
    hidden = {id(text) for axes in drawing.figure.axes for text in _unseen(axes)}
    found = drawing.figure.findobj(lambda artist: isinstance(artist, Text) and artist.get_visible())
    return [text for text in found if text.get_text().strip() and id(text) not in hidden]


def _unseen(axes: Axes) -> list[Text]:
    """Labels of axes that are off, and of ticks beyond what is shown."""
    found = []
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
        beyond = [tick for tick in ticks if not (axes.axison and low <= tick.get_loc() <= high)]
        found += [label for tick in beyond for label in (tick.label1, tick.label2)]
        found += [] if axes.axison else [axis.label, axis.offsetText]
    return found

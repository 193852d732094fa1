"""Make the picture of docs/video.md and print its tables: `python docs/make_video_pictures.py [FRAMES]`.

FRAMES holds sintel_clean_easy and sintel_clean_medium: four frames of MPI Sintel each, with the true flow and
occlusion from the second to the third (© Blender Foundation, CC BY 3.0).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from gramarye import images
from gramarye.report.sheet import Cell, contact_sheet
from gramarye.video import flow as motion
from gramarye.video.measure import endpoint_error, warp_error

DOCS = Path(__file__).parent
FRAMES = DOCS.parents[1] / "shared" / "images" / "video"
PAIRS = ("sintel_clean_easy", "sintel_clean_medium")
SHOWN = PAIRS[1]
WIDE = 5  # px


class Pair:
    """Frames 2 and 3, what is known of the way from one to the other, and what is found."""

    def __init__(self, folder: Path) -> None:
        self.now, self.then = (images.load(folder / f"frame_000{number}.png").pixels for number in (2, 3))
        self.truth = motion.read_flo(folder / "flow_0002_to_0003.flo")
        self.hidden, invalid = (_plane(folder / f"{kind}_0002.png") for kind in ("occlusion", "invalid"))
        self.valid = 1 - invalid
        started = time.process_time()
        self.backward, self.forward = motion.flow(self.now, self.then), motion.flow(self.then, self.now)
        self.seconds = (time.process_time() - started) / 2
        self.mask = motion.visible(self.forward, self.backward)
        self.masks = self.mask, motion.matched(self.now, self.then)[1]

    def rows(self) -> list[tuple[str, str]]:
        """Every figure with its name."""
        seen = 1 - self.hidden
        still = torch.zeros_like(self.truth)
        return [
            ("mean length of the true flow, px", f"{endpoint_error(still, self.truth, self.valid):.2f}"),
            ("endpoint error, px", f"{endpoint_error(self.backward, self.truth, self.valid):.2f}"),
            ("… of what is not hidden, px", f"{endpoint_error(self.backward, self.truth, self.valid * seen):.2f}"),
            (
                "… of what `visible` lets through, px",
                f"{endpoint_error(self.backward, self.truth, self.valid * self.mask):.2f}",
            ),
            ("truly hidden", f"{float(self.hidden.mean()):.1%}"),
            ("found hidden", f"{1 - float(self.mask.mean()):.1%}"),
            ("… precision, recall", self._agreement(self.mask)),
            (f"… recall where {WIDE} px wide or more", f"{self._recall_of_the_wide():.2f}"),
            ("truly seen and not taken, by `visible` and by `matched`", self._lost()),
            ("truly hidden and taken, by `visible` and by `matched`", self._dragged()),
            ("warp error of the film, everywhere", self._error(self.backward, torch.ones_like(self.mask))),
            ("… where `visible`", self._error(self.backward, self.mask)),
            ("… by true flow, where truly seen", self._error(self.truth, seen)),
            ("processor time of one flow, s", f"{self.seconds:.3f}"),
        ]

    def _agreement(self, mask: Tensor) -> str:
        found, hidden = mask == 0, self.hidden > 0
        both = float((found & hidden).sum())
        return f"{both / float(found.sum()):.2f}, {both / float(hidden.sum()):.2f}"

    def _lost(self) -> str:
        """Shares of the picture that both frames show, and that would be painted anew."""
        seen = (1 - self.hidden) * self.valid
        return ", ".join(f"{float(((1 - mask) * seen).mean()):.2%}" for mask in self.masks)

    def _dragged(self) -> str:
        """Shares of the picture that the other frame hides, and that would be taken from there."""
        return ", ".join(f"{float((mask * self.hidden).mean()):.2%}" for mask in self.masks)

    def _recall_of_the_wide(self) -> float:
        """Recall among the hidden pixels that lie in a hidden square of WIDE × WIDE: no slivers."""
        whole = -max_pool2d(-self.hidden, WIDE, 1, WIDE // 2)
        wide = max_pool2d(whole, WIDE, 1, WIDE // 2) * self.hidden
        return float(((1 - self.mask) * wide).sum() / wide.sum())

    def _error(self, flow: Tensor, mask: Tensor) -> str:
        return f"{warp_error(self.now, self.then, flow, mask):.2e}"

    def cells(self) -> list[Cell]:
        """Frames, flow and what is hidden, found on the left and true on the right."""
        longest = float(self.truth.square().sum(1).sqrt().max())
        return [
            Cell("a frame", self.now),
            Cell("the next one", self.then),
            Cell("its flow, found", motion.as_picture(self.backward, longest)),
            Cell("its flow, true", motion.as_picture(self.truth, longest)),
            Cell("not to be trusted, found", motion.veiled(self.now, self.mask)),
            Cell("hidden in the next one, true", motion.veiled(self.now, 1 - self.hidden)),
        ]


def _plane(path: Path) -> Tensor:
    return (images.load(path).pixels[:, :1] > 0.5).float()


def draw(pair: Pair, target: Path) -> None:
    """The figure, as a JPEG of less than 200 kB."""
    with tempfile.TemporaryDirectory() as folder:
        sheet = Path(folder) / "sheet.png"
        contact_sheet(pair.cells(), sheet, columns=2)
        images.save(images.load(sheet).pixels, target, quality=80)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("frames", type=Path, nargs="?", default=FRAMES)
    folder = parser.parse_args().frames
    pairs = {name: Pair(folder / name) for name in PAIRS}
    for rows in zip(*(pair.rows() for pair in pairs.values()), strict=True):
        print(f"| {rows[0][0]} | {' | '.join(value for _, value in rows)} |")
    draw(pairs[SHOWN], DOCS / "images" / "video-flow.jpg")


if __name__ == "__main__":
    main()

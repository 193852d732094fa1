"""Runs for the lens to look at, on the disk as if they had been painted: no step is made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from gramarye import images, presets
from gramarye.pulling import Work
from gramarye.studio.frames import Frames
from gramarye.studio.gallery import Gallery
from gramarye.studio.questions import Lens, Question
from gramarye.studio.record import Record

SIZE, SHAPE = 96, (96, 82)  # the bundled photograph's at that size
RUN = "0123456789abcdef"


def painted(index: int) -> torch.Tensor:
    """A picture of the run after so many evaluations: smooth noise that differs from one to the next."""
    generator = torch.Generator().manual_seed(index)
    return images.resize(torch.rand(1, 3, 12, 10, generator=generator), SHAPE)


def hang(
    home: Path,
    run: str = RUN,
    *,
    frames: Sequence[int] = (0, 4),
    result: bool = False,
    knobs: dict[str, Any] | None = None,
    **known: Any,
) -> Record:
    """A run of the bundled photograph in `home`, with those frames, and with its result if it is finished."""
    folder = home / "runs" / run
    folder.mkdir(parents=True, exist_ok=True)
    settings = presets.preset("draft").with_(
        **{"size": SIZE, "steps": 8, "network.name": "vgg19-lite", "precision": "float32", **(knobs or {})}
    )
    record = Record(
        **{
            "id": run,
            "title": "Grace in swirls",
            "content": "demo-photograph",
            "styles": ["demo-swirl"],
            "preset": "draft",
            "settings": settings.to_dict(),
            "started": "2026-01-02T03:04:05+00:00",
            "steps": 8,
            "state": "finished" if result else "interrupted",
            "index": max(frames, default=0),
            "frame": max(frames, default=None),
            "width": SHAPE[1],
            "height": SHAPE[0],
            **known,
        }
    )
    show(home, record, frames)
    if result:
        images.save(painted(record.index), folder / "result.png")
    record.save(folder)
    return record


def show(home: Path, record: Record, frames: Sequence[int]) -> None:
    """More frames of a run."""
    kept = Frames(home / "runs" / record.id / "frames", record.steps)
    for index in frames:
        kept.add(index, painted(index))


def lens_in(home: Path) -> Lens:
    """The lens of a studio in `home`."""
    return Lens(home / "runs", Gallery(home))


def pulled(work: Work[Any]) -> tuple[Any, list[float]]:
    """What came of it, and the fractions that it yielded, which rise from 0 to 1."""
    done: list[float] = []
    while True:
        try:
            done.append(next(work))
        except StopIteration as end:
            assert done == sorted(done)
            assert not done or (done[0] >= 0 and done[-1] <= 1)
            return end.value, done


def answered(lens: Lens, question: Question) -> Any:
    """The answer, computed or from the shelf, read."""
    found, _ = pulled(lens.answer(question))
    return json.loads(found)


def picture_at(lens: Lens, address: str) -> torch.Tensor:
    """The picture at an address of an answer, 1 3 H W."""
    path, of = address.split("?of=")
    run, layer, name = path.removeprefix("/api/runs/").removesuffix(".webp").replace("/lens/", "/").split("/")
    data = lens.shelf.picture(run, f"{layer}.{of}", name)
    assert data is not None
    return decoded(data)


def decoded(data: bytes) -> torch.Tensor:
    """A WebP as 1 3 H W, of any size."""
    import io

    import numpy as np
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=["WEBP"]) as image:
        samples = np.asarray(image.convert("RGB"))
    return torch.tensor(samples).permute(2, 0, 1)[None] / 255

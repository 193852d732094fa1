"""The prediction before the start."""

from __future__ import annotations

import pytest
import torch

from gramarye import cost, transfer, weights
from gramarye.presets import preset
from networks import picture, random_weights


def test_multiplications_are_vgg19s() -> None:
    """361 k multiplications a pixel to relu5_1, summed here from the published widths."""
    written, before = 0.0, 3
    for channels, count, stride in ((64, 2, 1), (128, 2, 2), (256, 4, 4), (512, 4, 8), (512, 1, 16)):
        for _ in range(count):
            written += 9 * before * channels / stride**2
            before = channels
    assert cost.multiplications("vgg19", "relu5_1") == pytest.approx(written)
    assert written == pytest.approx(361e3, rel=0.01)
    assert cost.multiplications("vgg19-lite", "relu5_1") == pytest.approx(written / 16, rel=0.05)


def test_memory_grows_with_pixels_and_with_the_network() -> None:
    settings = preset("default")
    small, large = (cost.memory(settings, "vgg19", size, 2) for size in ((256, 256), (512, 512)))
    assert (large - cost.RESIDENT) == pytest.approx(4 * (small - cost.RESIDENT))
    assert cost.memory(settings, "vgg19-lite", (512, 512), 2) < large


def test_prediction_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "load", lambda *_: random_weights())
    painting = transfer.prepare(picture(48, 40, 1), picture(40, 40, 2), preset("default").with_(size=48, steps=8))
    before = painting.pixels.clone()
    predicted = cost.predict(painting)
    assert predicted.seconds > 0
    assert predicted.memory > cost.RESIDENT
    assert torch.equal(painting.pixels, before)
    assert painting.history == []

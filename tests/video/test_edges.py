"""The edges of what moves: a flow that was smooth across them becomes that of one side, and right ones stay."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gramarye.video import edges

HEIGHT, WIDTH, STEP = 64, 96, 6
BLOCK = slice(20, 44), slice(30, 60)  # in `now`

Plane = NDArray[np.float32]


def textured(seed: int) -> Plane:
    noise = np.random.default_rng(seed).random((HEIGHT, WIDTH, 3), dtype=np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 1.0)


def moving(brightness: float = 1.0) -> tuple[Plane, Plane, Plane]:
    """A block that lies STEP further left in the other frame, over a still ground; and the true flow."""
    ground, block = textured(1), textured(2)
    now, then, truth = ground.copy(), ground.copy(), np.zeros((HEIGHT, WIDTH, 2), np.float32)
    rows, columns = BLOCK
    now[rows, columns] = block[rows, columns]
    then[rows, columns.start - STEP : columns.stop - STEP] = block[rows, columns]
    truth[rows, columns, 0] = -STEP
    return now * np.float32(brightness), then * np.float32(brightness), truth


def off(flow: Plane, truth: Plane) -> float:
    """The mean distance in pixels from the true flow, where the ground is not hidden in the other frame."""
    rows, columns = BLOCK
    counted = np.ones((HEIGHT, WIDTH), bool)
    counted[rows, columns.start - STEP - 3 : columns.start] = False
    return float(np.linalg.norm(flow - truth, axis=2)[counted].mean())


@pytest.mark.parametrize("brightness", [1.0, 0.1])
def test_a_smooth_flow_is_made_as_sharp_as_what_moves(brightness: float) -> None:
    """In the dark as in the light."""
    now, then, truth = moving(brightness)
    smooth = cv2.GaussianBlur(truth, (0, 0), 2.5)
    assert off(edges.settled(cv2, now, then, smooth), truth) < 0.4 * off(smooth, truth)


def test_the_true_flow_stays() -> None:
    now, then, truth = moving()
    found = edges.settled(cv2, now, then, truth)
    assert off(found, truth) < 0.05


def test_a_flow_that_is_one_everywhere_stays_bit_by_bit() -> None:
    flow = np.full((HEIGHT, WIDTH, 2), 1.7, np.float32)
    assert np.array_equal(edges.settled(cv2, textured(1), textured(2), flow), flow)


def test_no_flow_comes_of_settling_that_was_not_there() -> None:
    now, then, _ = moving()
    flow = np.random.default_rng(3).normal(size=(HEIGHT, WIDTH, 2)).astype(np.float32)
    found = edges.settled(cv2, now, then, flow)
    known = {tuple(each) for each in flow.reshape(-1, 2).tolist()}
    assert {tuple(each) for each in found.reshape(-1, 2).tolist()} <= known


def test_black_frames_settle_nothing() -> None:
    black = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    flow = np.random.default_rng(3).normal(size=(HEIGHT, WIDTH, 2)).astype(np.float32)
    assert np.array_equal(edges.settled(cv2, black, black, flow), flow)

"""Annotations are checked at run time."""

from __future__ import annotations

import pytest
import torch
from beartype.roar import BeartypeCallHintViolation

from gramarye.statistics import gram_distance, gram_matrix


def test_a_wrong_shape_is_refused() -> None:
    with pytest.raises(BeartypeCallHintViolation, match="gram_matrix"):
        gram_matrix(torch.zeros(3, 4))


def test_a_letter_is_one_number_within_a_call() -> None:
    with pytest.raises(BeartypeCallHintViolation, match="gram_distance"):
        gram_distance(torch.zeros(1, 3, 3), torch.zeros(1, 4, 4))
    for channels in (3, 4):
        gram = torch.zeros(1, channels, channels)
        gram_distance(gram, gram)

"""Shared by all tests: helpers in this folder are importable, nothing is timed, data may be absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from checking import check

check("gramarye")

settings.register_profile("gramarye", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("gramarye")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of photographs, paintings and VGG-19's weights beside the checkout."""
    if not SHARED.is_dir():
        reason = f"no {SHARED}: photographs and VGG-19's weights are not part of the project"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return SHARED

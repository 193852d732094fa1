"""Devices and precision are chosen by what is there."""

from __future__ import annotations

from contextlib import suppress

import pytest
import torch

from gramarye import machine
from gramarye.errors import SettingsError


def test_auto_takes_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert machine.choose_device("auto").type == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert machine.choose_device("auto").type == "cuda"


def test_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SettingsError, match="must be on this machine; got cuda"):
        machine.choose_device("cuda")
    with pytest.raises(SettingsError, match="unknown device"):
        machine.choose_device("gpu")
    with pytest.raises(SettingsError, match="'float32'"):
        machine.fastest_dtype(torch.device("cpu"), "float23")


def test_bfloat16_only_where_it_is_native(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    for flags, wanted in (({"avx2"}, torch.float32), ({"avx512_bf16"}, torch.bfloat16), ({"amx_bf16"}, torch.bfloat16)):
        monkeypatch.setattr(machine, "processor_flags", lambda flags=flags: frozenset(flags))
        assert machine.fastest_dtype(cpu) == wanted
    assert machine.fastest_dtype(cpu, "float32") == torch.float32


def test_memory_is_told() -> None:
    assert machine.peak_memory(torch.device("cpu")) > 1e7
    assert machine.processor_name()
    free = machine.available_memory()
    assert free is None or free > 1e6


@pytest.mark.parametrize("count", [None, 3])
def test_threads_are_as_before_afterwards(count: int | None) -> None:
    before = torch.get_num_threads()
    with suppress(ZeroDivisionError), machine.threads(count):
        assert torch.get_num_threads() == (count or before)
        raise ZeroDivisionError
    assert torch.get_num_threads() == before

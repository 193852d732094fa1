"""What this machine offers: device, precision, memory, and how its memory allocator is told to behave."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import torch

from gramarye.errors import SettingsError, unknown_name

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("auto", "float32", "bfloat16")

# glibc's mallopt parameters, from malloc.h.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4


def keep_memory() -> bool:
    """Tell glibc to keep freed memory instead of giving it back to the system; True where that worked.

    A painting allocates and frees the same gigabyte at every evaluation; fresh memory from the system
    costs a page fault for every 4 KiB (`make bench` measures it). Programs call this at their start,
    importing the library does not.
    """
    if not sys.platform.startswith("linux") or platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL("libc.so.6")
    kept = (
        libc.mallopt(M_MMAP_MAX, 0),
        libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1),
        libc.mallopt(M_TOP_PAD, 256 * 2**20),
    )
    return all(kept)


def choose_device(name: str = "auto") -> torch.device:
    """The device for a name; `auto` takes CUDA, then Apple's MPS, then the processor.

    Raises SettingsError when the device is unknown or not there.
    """
    kind = name.partition(":")[0]
    if kind not in DEVICES:
        raise SettingsError(*unknown_name("device", name, DEVICES))
    found = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if kind == "auto":
        return torch.device(next(each for each in ("cuda", "mps", "cpu") if found[each]))
    count = torch.cuda.device_count() if kind == "cuda" else 1
    index = name.partition(":")[2] or "0"
    if not found[kind] or not index.isdecimal() or int(index) >= count:
        raise SettingsError("the device must be on this machine", name, "use --device auto or cpu")
    return torch.device(name)


@cache
def processor_flags() -> frozenset[str]:
    """The processor's feature flags as Linux lists them; empty elsewhere."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return frozenset()
    for line in text.splitlines():
        if line.startswith(("flags", "Features")):
            return frozenset(line.partition(":")[2].split())
    return frozenset()


def fastest_dtype(device: torch.device, precision: str = "auto") -> torch.dtype:
    """The precision of the network: bfloat16 where the hardware multiplies it natively, else float32.

    Elsewhere bfloat16 is emulated and slower than float32. `precision` may name one outright.
    """
    if precision not in PRECISIONS:
        raise SettingsError(*unknown_name("precision", precision, PRECISIONS))
    if precision != "auto":
        return torch.bfloat16 if precision == "bfloat16" else torch.float32
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    elif device.type == "cpu":
        native = bool({"avx512_bf16", "amx_bf16"} & processor_flags())
    else:
        native = False
    return torch.bfloat16 if native else torch.float32


def processor_name() -> str:
    """The processor's marketing name, or its architecture where the system does not tell."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def available_memory() -> int | None:
    """Bytes of memory that can still be used, or None where the system does not tell."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable"):
                return int(line.split()[1]) * 1024
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return None


def peak_memory(device: torch.device) -> int:
    """The most memory, in bytes, that this process (or, on CUDA, its tensors) has held so far."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Sums are divided among so many threads for as long as the block lasts; None leaves it as it is."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)

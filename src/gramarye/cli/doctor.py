"""gramarye doctor: what is here, and what would be chosen."""

from __future__ import annotations

import platform
from typing import Any

from gramarye.cli import console
from gramarye.errors import GramaryeError


@console.command
def doctor(*, json: console.Json = False, quiet: console.Quiet = False) -> None:
    """Show device, cores, precision, memory, weights and networks, and what would be chosen and why.

    Example: [b]gramarye doctor[/b]
    """
    found = examine()
    if json:
        console.answer(found)
        return
    for name, value in found.items():
        print(f"{name:12} {_in_words(value) if isinstance(value, dict) else value}")


def examine() -> dict[str, Any]:
    """All that `doctor` tells, plain."""
    import torch

    import gramarye
    from gramarye import machine, weights
    from gramarye.fast import stored

    device = machine.choose_device()
    dtype = machine.fastest_dtype(device)
    why = "multiplied natively here" if dtype == torch.bfloat16 else "bfloat16 would be emulated here"
    free = machine.available_memory()
    full = weights.find("vgg19")
    return {
        "gramarye": gramarye.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "system": platform.platform(),
        "processor": machine.processor_name(),
        "cores": torch.get_num_threads(),
        "device": f"{device} ({_why_device(device.type)})",
        "precision": f"{str(dtype).removeprefix('torch.')} ({why})",
        "allocator": "kept by mallopt" if machine.keep_memory() else "the system's",
        "memory free": console.memory_in_words(free) if free else "unknown",
        "weights": f"{weights.folder()}: {full.name if full else 'no full VGG-19'}",
        "network": _network(),
        **{stored.bundled(kind).stem: _painter(kind) for kind in stored.KINDS},
    }


def _network() -> str:
    """Which network would paint and why, or what is wrong with it: an ill machine is what a doctor is for."""
    from gramarye import weights

    try:
        choice = weights.choose()
        weights.read(choice.path, choice.network)
    except GramaryeError as error:
        return f"none: {error}"
    return choice.reason


def _painter(kind: str) -> dict[str, Any]:
    """A feed-forward network of the package by its card: what is not in it is None; or what is wrong with it."""
    from gramarye.fast import stored

    try:
        network = stored.load(kind)
    except GramaryeError as error:
        return {"error": str(error)}
    card, measured = network.card, network.card.get("held_out") or {}
    return {
        "styles": list(network.styles) or None,
        "bytes": stored.bundled(kind).stat().st_size,
        "steps": card.get("steps"),
        "held_out": {name: measured.get(name, {}).get("total") for name in ("painted", "photograph")},
    }


def _in_words(painter: dict[str, Any]) -> str:
    if "error" in painter:
        return f"none: {painter['error']}"
    styles = f"the styles {', '.join(painter['styles'])}" if painter["styles"] else "any painting"
    told = [styles, console.memory_in_words(painter["bytes"])]
    told += [f"{painter['steps']} steps of training"] if painter["steps"] else []
    painted, photograph = painter["held_out"].values()
    if painted and photograph:
        told.append(f"loss {painted:.3g} on photographs held out, which have {photograph:.3g} unpainted")
    return " · ".join(told)


def _why_device(kind: str) -> str:
    return {"cpu": "no CUDA or MPS device is seen by torch", "cuda": "a CUDA device is here"}.get(kind, "it is here")

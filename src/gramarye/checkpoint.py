"""A painting under way in a file, to go on with after a crash: its tensors as safetensors, the rest as JSON.

Nothing in such a file is ever executed. It is replaced whole, so that at any moment the file is the old
checkpoint or the new one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gramarye.errors import OptimizationError

FORMAT = "gramarye checkpoint 1"
# What a recipe tells besides that which decides the pixels, and where inputs were found.
_REMARKS = frozenset({"gramarye", "preset", "machine", "versions", "evaluations", "finished", "terms", "total"})
_PLACES = frozenset({"name", "path", "file", "source"})
_RULE = "{} goes on from its own checkpoint"
_REMEDY = "begin anew with --restart, or choose another output"


def identity(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """What decides the pixels: the recipe's settings and the hashes of all that was read, wherever it lay."""
    return {key: _placeless(value) for key, value in recipe.items() if key not in _REMARKS and value}


def _placeless(plain: Any) -> Any:
    if isinstance(plain, list):
        return [_placeless(each) for each in plain]
    if not isinstance(plain, dict):
        return plain
    dropped: frozenset[str] = _PLACES if "sha256" in plain else frozenset()
    return {key: _placeless(value) for key, value in plain.items() if key not in dropped}


def path_for(output: Path) -> Path:
    """Where the checkpoint of the picture `output` lies: beside it."""
    return output.with_name(f"{output.name}.checkpoint")


def save(path: Path, state: Mapping[str, Any], identity: Mapping[str, Any]) -> None:
    """Write `state`, made of dicts, lists, tuples, tensors, numbers, texts, booleans and None, whole or not at all.

    `identity`, as JSON, tells what it is the state of. Raises OptimizationError when it cannot be written.
    """
    tensors: dict[str, Tensor] = {}
    plain = json.dumps(_flattened(dict(state), tensors))
    metadata = {"format": FORMAT, "identity": json.dumps(identity, sort_keys=True), "state": plain}
    partial = _partial(path)
    try:
        save_file(tensors, partial, metadata=metadata)
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except (OSError, SafetensorError) as error:
        remove(partial)
        raise OptimizationError("the checkpoint cannot be written", error, "free space or permissions") from error


def load(path: Path, identity: Mapping[str, Any], what: str = "a painting") -> dict[str, Any]:
    """The state of `what` that `save` wrote; raises OptimizationError for another one's, or for a damaged file."""
    rule = _RULE.format(what)
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise OptimizationError(rule, f"another kind of file, {path}", _REMEDY)
            kept = json.loads(metadata["identity"])
            if kept != json.loads(json.dumps(identity)):
                raise OptimizationError(rule, f"that of other {difference(kept, identity)}, {path}", _REMEDY)
            state: dict[str, Any] = _restored(json.loads(metadata["state"]), file)
            return state
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise OptimizationError(rule, f"a damaged one, {path}: {error}", _REMEDY) from error


def remove(path: Path) -> None:
    """Remove a checkpoint, and what a crash may have left of writing it; it need not be there."""
    for each in (path, _partial(path)):
        with suppress(OSError):
            each.unlink()


def _partial(path: Path) -> Path:
    """Always the same name, so that what a crash leaves is written over."""
    return path.with_name(f".{path.name}.part")


def difference(one: Mapping[str, Any], other: Mapping[str, Any], prefix: str = "") -> str:
    """The dotted names in which two identities differ, the first three; as JSON has them."""
    found: list[str] = []
    for key in sorted({*one, *other}):
        mine, its = one.get(key), other.get(key)
        if isinstance(mine, dict) and isinstance(its, dict):
            found += [difference(mine, its, f"{prefix}{key}.")] if mine != its else []
        elif mine != its:
            found.append(prefix.removeprefix("settings.") + key)
    return ", ".join(found[:3])


def _flattened(value: Any, tensors: dict[str, Tensor]) -> Any:
    """`value` as JSON, its tensors put into `tensors` and named; dicts as pairs, for keys may be numbers."""
    if isinstance(value, Tensor):
        name = str(len(tensors))
        tensors[name] = value.detach().to("cpu", copy=True).contiguous()  # safetensors takes no shared memory
        return {"tensor": name}
    if isinstance(value, Mapping):
        return {"dict": [[key, _flattened(each, tensors)] for key, each in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [_flattened(each, tensors) for each in value]}
    if isinstance(value, list):
        return [_flattened(each, tensors) for each in value]
    return value


def _restored(plain: Any, file: Any) -> Any:
    if isinstance(plain, list):
        return [_restored(each, file) for each in plain]
    if not isinstance(plain, dict):
        return plain
    ((kind, inner),) = plain.items()
    if kind == "tensor":
        # Copied into memory of torch's own, which is aligned: the last bit of a dot product depends on that.
        tensor: torch.Tensor = file.get_tensor(inner).clone()
        return tensor
    if kind == "tuple":
        return tuple(_restored(each, file) for each in inner)
    return {key: _restored(each, file) for key, each in inner}

"""What a recipe needs to be painted again: that it is whole, and where its inputs lie now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any

import gramarye
from gramarye.errors import ImageError, SettingsError
from gramarye.settings import Settings

if TYPE_CHECKING:
    from gramarye.painting import Painting
    from gramarye.transfer import Inputs

_NUMBER = (int, float)
_ORIGIN = {"name": str, "path": (str, NoneType), "sha256": (str, NoneType)}
_RECIPE: dict[str, Any] = {  # what is read of a recipe here, and of which types
    "gramarye": str,
    "preset": str,
    "settings": dict,
    "content": _ORIGIN,
    "styles": [_ORIGIN],
    "network": {"name": str, "sha256": str, "file": (str, NoneType)},
    "terms": [{"name": str, "value": _NUMBER, "weight": _NUMBER, "weighted": _NUMBER}],
}


def recipe_in(picture: Path) -> dict[str, Any]:
    """The recipe inside a picture, with all that is needed of it; raises ImageError."""
    from gramarye import images

    recipe = images.read_recipe(picture)
    misfit = _misfit(recipe, _RECIPE, "recipe") or _optional_misfit(recipe)
    if misfit:
        received = f"no usable {misfit.removeprefix('recipe.')} in {picture.name}"
        raise ImageError("the recipe inside a picture must be whole", received, "use the picture as Gramarye wrote it")
    return recipe


def _misfit(plain: Any, shape: Any, name: str) -> str | None:
    """The dotted name of the first part of `plain` that is missing or of another type than `shape` has it."""
    parts: list[tuple[Any, Any, str]] = []
    kind: Any = type(shape) if isinstance(shape, (dict, list)) else shape
    if not isinstance(plain, kind):
        return name
    if isinstance(shape, dict):
        parts = [(plain.get(key, ...), inner, f"{name}.{key}") for key, inner in shape.items()]
    elif isinstance(shape, list):
        parts = [(each, shape[0], f"{name}.{index}") for index, each in enumerate(plain)]
    return next((found for part in parts if (found := _misfit(*part))), None)


def _optional_misfit(recipe: dict[str, Any]) -> str | None:
    """As `_misfit`, of masks, start, changes and a pass, which a recipe need not have."""
    return next((found for part in _optional(recipe) if (found := _misfit(*part))), None)


def _optional(recipe: dict[str, Any]) -> Iterator[tuple[Any, Any, str]]:
    if recipe.get("start") is not None:
        yield recipe["start"], _ORIGIN, "start"
    if recipe.get("fast") is not None:
        yield recipe["fast"], {"kind": str, "styles": [str]}, "fast"
    for name, kind in (("region_content", _NUMBER), ("start_networks", str)):
        told = recipe.get(name) or {}
        yield told, dict.fromkeys(told, kind) if isinstance(told, dict) else {}, name
    masks = recipe.get("style_masks") or []
    yield masks, [dict], "style_masks"
    yield recipe.get("changes") or [], [{"evaluation": int, "settings": dict}], "changes"
    without = recipe.get("without") or []
    yield without, [list], "without"
    for pair in without if isinstance(without, list) else ():
        yield dict(enumerate(pair)), {0: str, 1: int, 2: int}, "without"
    content = recipe.get("content_mask")
    for mask in [*([] if content is None else [content]), *(masks if isinstance(masks, list) else [])]:
        regions = mask.get("regions") if isinstance(mask, dict) else None
        if isinstance(regions, dict):
            yield regions, {name: _ORIGIN for name, each in regions.items() if each is not None}, "regions"
        else:
            yield mask, _ORIGIN, "mask"


def settings_of(recipe: dict[str, Any]) -> Settings:
    """The recipe's settings with the network that painted it; raises SettingsError for those of another version."""
    seen = {} if in_one_pass(recipe) else {"network.name": recipe["network"]["name"]}
    try:
        return Settings.from_dict(recipe["settings"]).with_(**seen)
    except SettingsError as error:
        version = recipe["gramarye"]
        received = f"{error.rule}: {error.received}, in a recipe of gramarye {version}"
        known = version == gramarye.__version__
        remedy = "use the picture as Gramarye wrote it" if known else f"replay it with gramarye {version}"
        raise SettingsError("replaying needs settings that this version knows", received, remedy) from error


def in_one_pass(recipe: dict[str, Any]) -> bool:
    """Whether a feed-forward network painted it."""
    return recipe.get("fast") is not None


def weights_file(recipe: dict[str, Any]) -> Path | None:
    """The file that the recipe's weights were read from; None where it is not, to look where they belong."""
    file = recipe["network"]["file"]
    return Path(file) if file and Path(file).is_file() else None


def pictures_of(recipe: dict[str, Any], folders: Sequence[Path], content: str | None, styles: list[str]) -> list[str]:
    """Where the photograph and the paintings lie now; raises ImageError for those that are not found."""
    origins = recipe["styles"]
    if len(styles) > len(origins):
        received, remedy = f"{len(styles)} for {len(origins)}", "name them in the recipe's order"
        raise ImageError("--style replaces the paintings of the recipe one by one", received, remedy)
    given = [*styles, *[None] * (len(origins) - len(styles))]
    paintings = [found(*pair, folders, "--style") for pair in zip(origins, given, strict=True)]
    return [found(recipe["content"], content, folders, "--content"), *paintings]


def inputs_of(recipe: dict[str, Any], folders: Sequence[Path]) -> Inputs:
    """What a recipe tells beside pictures and settings; raises ImageError for masks and a start that are not found."""
    start = recipe.get("start")
    return {
        "content_mask": _mask(recipe.get("content_mask"), folders),
        "style_masks": [_mask(each, folders) for each in recipe.get("style_masks") or ()],
        "region_content": recipe.get("region_content") or {},
        "start": None if start is None else found(start, None, folders, "--inputs"),
        "changes": [(change["evaluation"], change["settings"]) for change in recipe.get("changes") or ()],
    }


def changed_networks(painting: Painting, recipe: dict[str, Any]) -> Iterator[str]:
    """What to say of each network that is another one than the recipe's."""
    told = painting.recipe()
    if told["network"]["sha256"] != recipe["network"]["sha256"]:
        yield "other weights than the picture was painted with"
    known = recipe.get("start_networks") or {}
    for name, sha256 in told["start_networks"].items():
        if known.get(name, sha256) != sha256:
            yield f"another {name} than the picture began with"


def alter(painting: Painting, recipe: dict[str, Any]) -> None:
    """Let a painting go without the pairs of channels that the recipe's picture went without."""
    if recipe.get("without"):
        from gramarye.explain.lacking import leave_out

        leave_out(painting, [(layer, i, j) for layer, i, j in recipe["without"]])


def _mask(plain: dict[str, Any] | None, folders: Sequence[Path]) -> str | Mapping[str, str | None] | None:
    if plain is None or "regions" not in plain:
        return None if plain is None else found(plain, None, folders, "--inputs")
    return {
        label: None if origin is None else found(origin, None, folders, "--inputs")
        for label, origin in plain["regions"].items()
    }


def found(origin: dict[str, Any], given: str | None, folders: Sequence[Path], option: str) -> str:
    """Where an input of a recipe lies: as given, at its recorded place, or in one of the folders."""
    from gramarye import images

    recorded: list[str] = [
        each for each in (origin["path"], *(str(folder / origin["name"]) for folder in folders)) if each
    ]
    places = list(dict.fromkeys([given] if given else recorded))
    there = [place for place in places if Path(place).is_file()]
    matching = [place for place in there if images.sha256_of(place) == origin["sha256"]]
    if not matching:
        rule = f"replaying needs {origin['name']} as it was"
        received = f"another file at {there[0]}" if there else f"none at {' or '.join(places)}"
        raise ImageError(rule, received, f"name it with {option}")
    return matching[0]

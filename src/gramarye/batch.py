"""Many photographs in the manner of many paintings: which pictures that makes, how they are called, which are done."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, count
from pathlib import Path

from gramarye import images
from gramarye.checkpoint import identity
from gramarye.errors import GramaryeError, ImageError
from gramarye.settings import Settings

SUFFIXES = (*images.WRITABLE, ".bmp", ".gif")  # by which the pictures of a folder are known
BETWEEN = "__"


@dataclass(frozen=True)
class Job:
    """One picture to be: the photograph, the painting, and where it goes."""

    content: str
    style: str
    output: Path


def pictures_in(places: Sequence[str]) -> list[str]:
    """The picture files in `places`, files as they are and folders by their pictures, in order, each once.

    Files that are named need not be there: what is wrong with them is told when their turn comes. Raises
    ImageError for a folder without pictures.
    """
    found: dict[str, str] = {}
    for place in places:
        for file in _inside(Path(place)) if Path(place).is_dir() else [place]:
            found.setdefault(os.path.realpath(file), file)
    return list(found.values())


def _inside(folder: Path) -> list[str]:
    files = sorted(each for each in folder.iterdir() if each.is_file() and not each.name.startswith("."))
    pictures = [str(each) for each in files if each.suffix.lower() in SUFFIXES]
    if not pictures:
        raise ImageError("a folder of pictures must have some", f"none in {folder}", f"known: {', '.join(SUFFIXES)}")
    return pictures


def names(files: Sequence[str]) -> list[str]:
    """The names of files without folder and suffix; equal ones are numbered."""
    return _unique(Path(file).stem for file in files)


def plan(contents: Sequence[str], styles: Sequence[str], folder: Path) -> list[Job]:
    """Every photograph with every painting, as `folder`/photograph__painting.png; equal names are numbered."""
    stems, others = _labels(contents), _labels(styles)
    pairs = [(content, style) for content in contents for style in styles]
    called = _unique(f"{stems[content]}{BETWEEN}{others[style]}" for content, style in pairs)
    return [Job(*pair, folder / f"{name}.png") for pair, name in zip(pairs, called, strict=True)]


def _labels(files: Sequence[str]) -> dict[str, str]:
    return dict(zip(files, names(files), strict=True))


def _unique(names: Iterable[str]) -> list[str]:
    """The names in order, those that were there before with -2, -3 …; case does not tell files apart everywhere."""
    taken: set[str] = set()
    result = []
    for name in names:
        numbered = (f"{name}-{number}" for number in count(2))
        free = next(each for each in chain([name], numbered) if each.casefold() not in taken)
        taken.add(free.casefold())
        result.append(free)
    return result


def waiting(jobs: Sequence[Job], settings: Settings, network_sha256: str, begun_by: Mapping[str, str]) -> list[Job]:
    """The jobs that are not done; each input is hashed once."""
    digest = cache(images.sha256_of)
    return [job for job in jobs if not is_done(job, settings, network_sha256, begun_by, digest)]


def is_done(
    job: Job,
    settings: Settings,
    network_sha256: str,
    begun_by: Mapping[str, str],
    digest: Callable[[str], str] = images.sha256_of,
) -> bool:
    """Whether the picture is there, painted to its end from the same inputs with the same settings and network.

    `begun_by` has the SHA-256 of the feed-forward networks with which init=fast may begin, by their names.
    """
    try:
        recipe = images.read_recipe(job.output)
        if not recipe.pop("start_networks", {}).items() <= begun_by.items():
            return False
        expected = {
            "settings": settings.to_dict(),
            "content": {"sha256": digest(job.content)},
            "styles": [{"sha256": digest(job.style)}],
            "network": {"sha256": network_sha256},
        }
        finished = recipe.get("finished", recipe["evaluations"] >= settings.steps)
        return bool(finished) and identity(recipe) == identity(expected)
    except (GramaryeError, AttributeError, KeyError, TypeError):  # not there, or not ours
        return False

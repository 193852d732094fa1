"""What the page shows of the network's view of a run: channels, Gram matrices, pairs, and who pulls where.

Each function computes one answer of `types.ts` from an exhibit, as a `shelf.Found`: plain data, and pictures by name.
Where the data speaks of a picture it has `at(name)`, its address. Nothing here is a fixed claim: sentences are put
together from the numbers of this run.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gramarye.explain.numerals import in_words
from gramarye.pulling import Work, part_of
from gramarye.studio import sprites
from gramarye.studio.refusals import Unknown
from gramarye.studio.shelf import Found

if TYPE_CHECKING:
    from torch import Tensor

    from gramarye.explain.pairs import Entry, Pair
    from gramarye.studio.subjects import Exhibit

PICTURES = ("photograph", "painting", "result")  # as explain.features has them, which needs torch
PAIRS = 50  # strongest ones of a layer
COMPONENTS = 6  # leading ones of a layer
PLACE_SIDE = 128  # pixels of a patch of the painting, at most
TINY = 1e-30
SEEING = 0.5  # of an answer's time

Address = Callable[[str], str]


def channels(exhibit: Exhibit, at: Address, layer: str) -> Work[Found]:
    """The strongest channels of a layer on one sheet for each picture, and where each of them fires most."""
    from gramarye.explain.features import energies, small_maps

    here = yield from part_of(exhibit.see(layer), 0.0, SEEING)
    energy = {name: energies(each) for name, each in here.items()}
    order = energy["photograph"].argsort(descending=True, stable=True)[: sprites.MOST]
    side = sprites.side_of(len(order))
    bright = sprites.scaled({name: small_maps(each[:, order], side)[0].cpu() for name, each in here.items()})
    yield 0.9
    sheets = {name: sprites.sheet(each) for name, each in bright.items()}
    columns, rows = sprites.grid_of(len(order))
    shown = {
        name: {
            "url": at(name),
            "cell": each.cell,
            "width": each.size[0],
            "height": each.size[1],
            "energy": short(energy[name][order]),
        }
        for name, each in sheets.items()
    }
    data = {
        "layer": layer,
        "shown": order.tolist(),
        "channels": len(energy["photograph"]),
        "columns": columns,
        "rows": rows,
        "pictures": shown,
        "peaks": {name: _peaks(each[0, order], exhibit, name, layer) for name, each in here.items()},
    }
    return Found(data, {name: each.data for name, each in sheets.items()})


def _peaks(maps: Tensor, exhibit: Exhibit, picture: str, layer: str) -> list[tuple[float, float]]:
    """Where each of the maps, K rows columns, is highest: x and y of the middle of that unit's field, from 0 to 1."""
    stride, (height, width) = exhibit.network.table[layer].stride, exhibit.pictures[picture].shape[2:]
    highest = maps.flatten(1).argmax(1).tolist()
    places = (divmod(place, maps.shape[2]) for place in highest)
    return [
        (round(min((column + 0.5) * stride / width, 1), 4), round(min((row + 0.5) * stride / height, 1), 4))
        for row, column in places
    ]


def gram(exhibit: Exhibit, at: Address, layer: str) -> Work[Found]:
    """A layer's Gram matrices, what is missing in them, their strongest pairs and leading components."""
    from gramarye.explain.components import components
    from gramarye.explain.gram import gram_view, grams_of
    from gramarye.explain.pairs import most_wanted, strongest_pairs

    here = yield from part_of(exhibit.see(layer), 0.0, SEEING)
    view, grams = gram_view(layer, here), grams_of(here)
    yield 0.8
    pairs = strongest_pairs(grams, PAIRS)
    painting = view.matrices["painting"]
    parts = components(layer, here, min(COMPONENTS, view.width))
    data = {
        "layer": layer,
        "channels": view.width,
        "order": view.order,
        "bins": painting.shape[-1],
        "matrices": {name: short(each) for name, each in view.matrices.items()},
        "differences": {
            "start": short(painting - view.matrices["photograph"]),
            "now": short(painting - view.matrices["result"]),
        },
        "distances": {name: rounded(each**2) for name, each in view.distance.items()},
        "pairs": [{"channels": each.channels, "values": _values(each.values)} for each in pairs],
        "wanted": most_wanted(pairs, grams).channels,
        "components": [
            {
                "rank": each.rank,
                "share": rounded(each.shares["painting"]),
                "url": at(f"component-{each.rank}-result"),
                "painting": at(f"component-{each.rank}-painting"),
            }
            for each in parts
        ],
    }
    pictures = {}
    for each in parts:
        most = max(float(each.maps[name].abs().max()) for name in PICTURES)
        for name in ("painting", "result"):
            map_ = sprites.enlarged(each.maps[name][0], sprites.LEAST)[0]
            pictures[f"component-{each.rank}-{name}"] = sprites.signed(map_, most)
    return Found(data, pictures)


def pair(exhibit: Exhibit, at: Address, layer: str, channels: tuple[int, int]) -> Work[Found]:
    """Two channels of a layer on all three pictures, their product, and where in the painting they fire together.

    Raises Unknown for a channel that the layer has not.
    """
    from gramarye.explain.gram import grams_of
    from gramarye.explain.pairs import Entry
    from gramarye.explain.pairs import pair as pair_of

    here = yield from part_of(exhibit.see(layer), 0.0, SEEING)
    count = here["painting"].shape[1]
    if max(channels) >= count:
        raise Unknown(f"channels of {layer} are numbered from 0 to {count - 1}", f"{channels[0]} and {channels[1]}")
    i, j = channels
    entry = Entry(channels, {name: float(each[i, j]) for name, each in grams_of(here).items()})
    found = pair_of(exhibit.network, layer, entry, here, exhibit.pictures["painting"])
    yield 0.6
    maps = _brightness(found)
    height, width = exhibit.pictures["painting"].shape[2:]
    data = {
        "layer": layer,
        "channels": channels,
        "values": _values(entry.values),
        "maps": {name: {part: at(f"{name}-{part}") for part in maps} for name in PICTURES},
        "places": [
            {
                "url": at(f"place-{number}"),
                "x": round(place.box.left / width, 4),
                "y": round(place.box.top / height, 4),
                "width": round((place.box.right - place.box.left) / width, 4),
                "height": round((place.box.bottom - place.box.top) / height, 4),
            }
            for number, place in enumerate(found.places)
        ],
        "says": said_of_pair(layer, entry),
    }
    pictures = {f"{name}-{part}": sprites.grey(each[name]) for part, each in maps.items() for name in PICTURES}
    for number, place in enumerate(found.places):
        pictures[f"place-{number}"] = sprites.photograph(place.crop, PLACE_SIDE)
    return Found(data, pictures)


def _brightness(found: Pair) -> dict[str, dict[str, Tensor]]:
    """The maps of a pair, h w, by part and picture; of the product only what is positive is bright."""
    parts = {"first": found.first, "second": found.second, "product": found.product}
    bright = {}
    for part, maps in parts.items():
        scale = sprites.positive if part == "product" else sprites.scaled
        each = scale({name: map_[0] for name, map_ in maps.items()})
        bright[part] = {name: sprites.enlarged(map_, sprites.SINGLE // 2)[0] for name, map_ in each.items()}
    return bright


def said_of_pair(layer: str, entry: Entry) -> str:
    """How much two channels fire together in painting and result, compared with the photograph."""
    (i, j), values = entry.channels, entry.values
    what = f"Channel {i} of {layer}" if i == j else f"Channels {i} and {j} of {layer}"
    verb = "fires" if i == j else "fire together"
    base = values["photograph"]
    if base <= 0.01 * max(abs(each) for each in values.values()):
        numbers = ", ".join(f"{in_words(each, 3)} in the {name}" for name, each in values.items())
        return f"{what}: the mean of their product is {numbers}."
    times = {name: values[name] / base for name in ("painting", "result")}
    return (
        f"{what} {verb} {times['painting']:.2f} times as much in the painting as in the photograph, "
        f"and {times['result']:.2f} times in the result."
    )


def pulls(exhibit: Exhibit, at: Address, index: int, frame: Callable[[Exhibit, int], Tensor]) -> Work[Found]:
    """Who pulls each cell of a net over one frame, which `frame` reads: the content, and each style layer."""
    from gramarye.explain.pulls import GRID, arrows_pulled

    pixels = frame(exhibit, index)
    yield 0.1
    objective = exhibit.objective_at((pixels.shape[2], pixels.shape[3]), index)
    work = arrows_pulled(exhibit.network, objective, pixels, GRID, index)
    found = yield from part_of(work, SEEING, 1.0)
    return Found(
        {
            "index": index,
            "grid": GRID,
            "layers": found.layers,
            "full": rounded(found.full),
            "magnitudes": base64.b64encode(found.magnitudes.numpy().tobytes()).decode("ascii"),
            "directions": base64.b64encode(found.directions.numpy().tobytes()).decode("ascii"),
        }
    )


def rounded(value: float, digits: int = 4) -> float:
    """A number to so many digits: more would only make the answer longer."""
    found = float(f"{value:.{digits}g}")
    return int(found) if found.is_integer() else found


def short(values: Tensor) -> list[float]:
    """All values of a tensor, row by row, to three digits."""
    return [rounded(value, 3) for value in values.flatten().tolist()]


def _values(values: Mapping[str, float]) -> dict[str, float]:
    return {name: rounded(each) for name, each in values.items()}


def listed(names: Sequence[Any]) -> str:
    """a, b and c."""
    return " and ".join(filter(None, (", ".join(map(str, names[:-1])), str(names[-1]))))

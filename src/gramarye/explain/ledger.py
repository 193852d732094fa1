"""The ledger: for each step and term its value, weight, share and pull; as a section, and as a file.

`Result.ledger` gives the rows. Shares of the total sum to 1 at each step; inside a Gram term, `channel_shares` tell
which channels carry what is left.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye.errors import MissingExtraError
from gramarye.explain.section import Section
from gramarye.explain.subject import Frame, Subject
from gramarye.files import destination_of, write_atomically
from gramarye.objective import Term
from gramarye.optimize import Step
from gramarye.pulling import Work
from gramarye.seeing import measure_pixels
from gramarye.statistics import STATISTICS, total_of
from gramarye.statistics.gram import entry_scale

# As Result.ledger has them. What is None (a gradient that was not watched) is an empty field.
COLUMNS: dict[str, type] = {
    "step": int,
    "scale": int,
    "term": str,
    "kind": str,
    "layer": str,
    "value": float,
    "weight": float,
    "weighted": float,
    "share": float,
    "gradient": float,
    "total": float,
}
MOST = 12  # channels that are named of each layer
MATRICES = ("gram", "covariance")  # statistics whose difference is a matrix over channels


@dataclass(frozen=True)
class Curve:
    """One term over the evaluations, a number a step: raw value, weighted value, share of the total, pull.

    `gradients` are ‖∂(weight·value)/∂x‖₂ and NaN where they were not watched.
    """

    term: str
    kind: str
    layer: str
    values: tuple[float, ...]
    weighted: tuple[float, ...]
    shares: tuple[float, ...]
    gradients: tuple[float, ...]


@dataclass(frozen=True)
class Channels:
    """Who carries what is left of one Gram term: each channel's share, the largest first.

    `channels` and `shares` have the first MOST of `count`; `half` is how many channels carry half of it.
    """

    term: str
    layer: str
    channels: tuple[int, ...]
    shares: tuple[float, ...]
    count: int
    half: int


@dataclass(frozen=True)
class Ledger(Section):
    """How the painting came about; of a picture that was brought along, only what it is now.

    `steps` counts evaluations, `scales` the sizes from 0, `totals` the optimiser's own loss, one a step. Weights are
    balanced anew at each size, so that totals compare within a size only. `terms` are the rows of the objective at
    the picture, with their `share`.
    """

    name: ClassVar[str] = "ledger"
    title: ClassVar[str] = "How the painting came about"

    steps: tuple[int, ...]
    scales: tuple[int, ...]
    totals: tuple[float, ...]
    curves: tuple[Curve, ...]
    terms: tuple[dict[str, Any], ...]
    channels: tuple[Channels, ...]
    frames: tuple[Frame, ...] = field(repr=False)

    @property
    def findings(self) -> tuple[str, ...]:
        """What the numbers of these pictures say."""
        found = (*self._course(), *_split(self.terms), *self._pulls(), *_concentration(self.channels))
        return tuple(each for each in found if each)

    def _course(self) -> tuple[str, ...]:
        """How far the loss fell, and where half of the fall was done, at the last size."""
        last = [place for place, scale in enumerate(self.scales) if scale == self.scales[-1]]
        if len(last) < 2:
            return ()
        totals = [self.totals[place] for place in last]
        least = min(totals)
        half = next(place for place, total in zip(last, totals, strict=True) if total <= (totals[0] + least) / 2)
        sizes = len(set(self.scales))
        where = f"At the last of {sizes} sizes" if sizes > 1 else "In the course of the painting"
        fell = (
            f"{where} the loss {'fell' if totals[-1] < totals[0] else 'went'} from {totals[0]:.3g} to {totals[-1]:.3g}"
        )
        spent = f"in {self.steps[last[-1]] - self.steps[last[0]] + 1} evaluations"
        early = f", half of it in the first {self.steps[half] - self.steps[last[0]] + 1}" if least < totals[0] else ""
        return (f"{fell} {spent}{early}.",)

    def _pulls(self) -> tuple[str, ...]:
        """Who pulled hardest at first and at last, by the lengths of the gradients."""
        pulls = [curve for curve in self.curves if curve.gradients and not math.isnan(curve.gradients[-1])]
        if not pulls:
            return ()
        first, last = (max(pulls, key=lambda curve: curve.gradients[place]) for place in (0, -1))
        share = last.gradients[-1] / (math.fsum(curve.gradients[-1] for curve in pulls) or 1)
        begun = "also at the beginning" if first is last else f"at the beginning {first.term}"
        return (f"Hardest pulls {last.term} at the end, with {share:.0%} of all pull, and {begun}.",)


def _split(terms: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """What the loss of the picture is made of."""
    if not math.fsum(term["share"] for term in terms):
        return ("Nothing is left of the loss: every term is at its target.",)
    kinds = {kind: math.fsum(term["share"] for term in terms if term["kind"] == kind) for kind in ("content", "style")}
    rest = 1 - math.fsum(kinds.values())
    largest = max(terms, key=lambda term: term["share"])
    made = f"Of the loss of the picture content is {kinds['content']:.0%}, style {kinds['style']:.0%}"
    smooth = f", smoothness {rest:.0%}" if rest > 0.005 else ""
    return (f"{made}{smooth}; the largest term is {largest['term']} with {largest['share']:.0%}.",)


def _concentration(channels: Sequence[Channels]) -> tuple[str, ...]:
    """In which layer the fewest channels, of all that it has, carry half of what is left."""
    if not channels:
        return ()
    few = min(channels, key=lambda each: each.half / each.count)
    return (
        f"In {few.layer} {few.half} of {few.count} channels carry half of what is left of the style difference; "
        f"channel {few.channels[0]} alone carries {few.shares[0]:.0%}.",
    )


def explain(subject: Subject, depth: str) -> Work[Ledger]:
    """The painting's own ledger and the terms at the picture; `depth` makes no difference.

    Steps at which the picture was rolled back are left out.
    """
    history = [step for step in subject.run.history if not step.rescued] if subject.run else []
    yield 0.1
    rows = measure_pixels(subject.network, subject.objective, subject.result)
    total = math.fsum(row["weighted"] for row in rows) or 1.0
    yield 0.5
    channels = left_by_channel(subject)
    return Ledger(
        steps=tuple(step.index for step in history),
        scales=tuple(step.scale for step in history),
        totals=tuple(step.total for step in history),
        curves=tuple(_curve(term, history) for term in subject.objective.terms if term.weight) if history else (),
        terms=tuple({"term": row.pop("name"), **row, "share": row["weighted"] / total} for row in rows),
        channels=channels,
        frames=subject.frames,
    )


def _curve(term: Term, history: Sequence[Step]) -> Curve:
    name = term.name
    return Curve(
        term=name,
        kind=term.kind,
        layer=term.layer,
        values=tuple(step.terms.get(name, math.nan) for step in history),
        weighted=tuple(step.weighted.get(name, math.nan) for step in history),
        shares=tuple(step.shares.get(name, math.nan) for step in history),
        gradients=tuple(step.gradients.get(name, math.nan) for step in history),
    )


def channel_shares(
    difference: Float[Tensor, "channels channels"], distance: str = "l2", normalization: str = "gatys"
) -> Float[Tensor, " channels"]:
    """Each channel's share of a Gram term: Σ_j h(s·ΔG_cj) / Σ_ij h(s·ΔG_ij), h and s as in `gram_distance`.

    For l2 that is Σ_j ΔG²_cj / ΣΔG². `difference` is ΔG = G − A, or that of two covariances; the shares sum to 1,
    or are 0 where nothing is left.
    """
    entries = difference.double() * entry_scale(normalization, difference.shape[0])
    each = torch.stack([total_of(row, distance) for row in entries])
    total = each.sum()
    return (each / total if total else each).to(difference.dtype)


def left_by_channel(subject: Subject) -> tuple[Channels, ...]:
    """Which channels carry what is left of each style term at the picture; empty where no matrix is compared."""
    style = subject.settings.style
    terms = [term for term in subject.objective.terms if term.kind == "style" and term.weight]
    if style.statistic not in MATRICES or not terms:
        return ()
    summarise = STATISTICS[style.statistic].summarise
    names = [term.layer for term in terms]
    mix = style.mix or (1.0,) * len(subject.styles)
    with torch.no_grad():
        found = subject.network(subject.result, names)
        paintings = [subject.network(each, names) for each in subject.styles]
        differences = {
            name: summarise(found[name])[0][0]
            - sum(share / sum(mix) * summarise(each[name])[0][0] for share, each in zip(mix, paintings, strict=True))
            for name in names
        }
    return tuple(
        _channels(term, channel_shares(differences[term.layer], style.distance, style.normalization).cpu())
        for term in terms
    )


def _channels(term: Term, shares: Tensor) -> Channels:
    largest = shares.sort(descending=True, stable=True)
    half = int((largest.values.cumsum(0) < 0.5 * shares.sum()).sum()) + 1
    first = slice(0, MOST)
    return Channels(
        term=term.name,
        layer=term.layer,
        channels=tuple(largest.indices[first].tolist()),
        shares=tuple(largest.values[first].tolist()),
        count=len(shares),
        half=half,
    )


# ---- the file ---------------------------------------------------------------------------------------


def check(path: Path) -> Path:
    """Where the ledger would be written; raises ImageError, or MissingExtraError when Parquet lacks its package."""
    return destination_of(path, "a ledger", {".csv": None, ".parquet": _pyarrow})


def write(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write the rows of `Result.ledger` as CSV or Parquet, by the suffix, whole or not at all.

    Raises ImageError, MissingExtraError.
    """
    destination = check(path)
    encode = _parquet if path.suffix.lower() == ".parquet" else _csv
    write_atomically(destination, encode(rows))


def _csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """UTF-8, one line a row, numbers in full; what is None is empty."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _parquet(rows: Sequence[Mapping[str, Any]]) -> bytes:
    pyarrow = _pyarrow()
    from pyarrow import parquet

    kinds = {int: pyarrow.int64(), str: pyarrow.string(), float: pyarrow.float64()}
    schema = pyarrow.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.Table.from_pylist(list(rows), schema=schema), sink)
    found: bytes = sink.getvalue().to_pybytes()
    return found


def _pyarrow() -> Any:
    try:
        import pyarrow
    except ImportError as error:
        remedy = 'pip install "gramarye[parquet]", or write a .csv'
        raise MissingExtraError("a Parquet ledger needs PyArrow", "no module pyarrow", remedy) from error
    return pyarrow

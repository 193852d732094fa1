"""Plans as files: TOML read, checked before anything is painted, and those that Gramarye brings along.

    name = "how strong"
    question = "How does the weight of the style act on what is kept of the photograph?"

    [[pairs]]
    content = "photo.jpg"        # relative to this file; demo:photograph, demo:cubist … are bundled
    style = "painting.jpg"

    [base]
    preset = "default"
    size = 256

    [axes]
    "style.weight" = [3, 10, 30, 100]

docs/studies.md has every key.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gramarye import presets
from gramarye.errors import ImageError, StudyError, unknown_name
from gramarye.files import open_regular
from gramarye.knobs import checked
from gramarye.settings import KNOBS
from gramarye.study import designs
from gramarye.study.axes import Scale, varied
from gramarye.study.axes import check as check_axes
from gramarye.study.designs import COUNTED, KINDS, Axis, Design
from gramarye.study.experiment import Budget, Group, Plan, count, describe, named, remarks, trials, with_levels
from gramarye.study.pairs import Pairs
from gramarye.study.record import Pair
from gramarye.study.tables import Table, dotted

__all__ = [
    "KEYS",
    "KINDS",
    "Axis",
    "Budget",
    "Design",
    "Group",
    "Plan",
    "bundled",
    "count",
    "describe",
    "parse",
    "read",
    "remarks",
    "trials",
]

FOLDER = Path(__file__).with_name("plans")
LONGEST = 1_000_000  # bytes of a plan's file
SHARED = ("name", "question", "reported", "size", "seeds", "replicates", "pairs", "base", "axes", "design")
KEYS = (*SHARED, "scores", "budget", "groups", "include")


def bundled() -> dict[str, Path]:
    """The plans that Gramarye brings along, by name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.toml"))}


def read(
    source: str | Path,
    *,
    scale: float = 1.0,
    changes: Mapping[str, Any] | None = None,
    pairs: Sequence[tuple[str, str]] = (),
    pictures: Mapping[str, str] | None = None,
) -> Plan:
    """The plan in a TOML file, or the bundled one of that name; nothing of it is left to fail later but `trials`.

    `scale` multiplies sizes and steps; `changes` are knobs of every experiment's base, as they are; `pairs` of
    photograph and painting take the place of all its pairs; `pictures` of single ones, by the plan's own words
    for them ("demo:cubist"). Raises a GramaryeError.
    """
    path = _found(source, Path())
    reader = _Reader(Scale(scale), dict(changes or {}), Pairs(tuple(pairs), dict(pictures or {})))
    return reader.plan(_tables(path), path.parent, path.stem, (path.resolve(),))


def parse(
    tables: Mapping[str, Any],
    *,
    folder: str | Path = ".",
    scale: float = 1.0,
    changes: Mapping[str, Any] | None = None,
) -> Plan:
    """The plan of tables as TOML has them, made in Python; pictures are relative to `folder`.

    Raises a GramaryeError.
    """
    return _Reader(Scale(scale), dict(changes or {}), Pairs()).plan(tables, Path(folder), "study", ())


def _found(source: str | Path, folder: Path) -> Path:
    """The file of a plan: a path, or the name of a bundled one."""
    text = str(source)
    if isinstance(source, Path) or text.endswith(".toml") or "/" in text or "\\" in text:
        return folder / Path(text).expanduser()
    if text in bundled():
        return bundled()[text]
    if (folder / text).is_file():
        return folder / text
    raise StudyError(*unknown_name("plan", text, bundled()))


def _tables(path: Path) -> dict[str, Any]:
    rule = "a plan must be a TOML file"
    try:
        with open_regular(path) as file:
            written = file.read(LONGEST + 1)
        if len(written) > LONGEST:
            raise StudyError(rule, f"{path} of more than {LONGEST} bytes")
        return tomllib.loads(written.decode())
    except ImageError as error:
        raise StudyError(
            f"{rule} that can be read", error.received, "name a file, or see gramarye study list"
        ) from error
    except UnicodeDecodeError as error:
        raise StudyError(f"{rule} in UTF-8", f"{path}: {error.reason} at byte {error.start}") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        twice = "in which every key is there once" if "overwrite" in str(error) else "without mistakes"
        raise StudyError(f"{rule} {twice}", f"{path}: {error}") from error


@dataclass(frozen=True)
class _Base:
    """What experiments have from their plan unless they say otherwise."""

    preset: str = "default"
    knobs: Mapping[str, Any] = field(default_factory=dict)
    pairs: tuple[Pair, ...] = ()
    seeds: Sequence[int] = ()
    design: Design = field(default_factory=Design)


@dataclass
class _Reader:
    """One reading of a plan, with all that it includes."""

    scale: Scale
    changes: dict[str, Any]
    pairs: Pairs
    included: set[Path] = field(default_factory=set)

    def plan(self, tables: Mapping[str, Any], folder: Path, name: str, files: tuple[Path, ...]) -> Plan:
        """The plan of `tables`; `files` is the way of includes that led to it, itself last."""
        top = Table("a plan", tables).only(KEYS)
        name = top.text("name", name)
        with named(name):
            base = self.base(top, _Base(), folder)
            parts = [Table("an experiment", each.content).only(SHARED) for each in top.tables("groups")]
            groups = [self.group(part, self.base(part, base, folder), part.text("name")) for part in parts]
            if "axes" in tables:
                groups.insert(0, self.group(top, base, name))
            groups += self.includes(top, folder, files)
            if not groups:
                raise StudyError("a plan needs axes, groups or include", "no trials", "say what is varied under [axes]")
            plan = Plan(name, top.text("question"), tuple(groups), _scores(top), _budget(top), self.scale.scale)
            _check_names(plan)
            _check_changes(plan, self.changes)
            count(plan)
        return plan

    def includes(self, top: Table, folder: Path, files: tuple[Path, ...]) -> list[Group]:
        """The experiments of the plans that are included, each plan once."""
        groups: list[Group] = []
        for text in top.list("include", "plans") or ():
            if not isinstance(text, str):
                raise StudyError("include of a plan must be a list of plans", repr(text))
            path = _found(text, folder)
            if path.resolve() in files:
                way = " → ".join(each.stem for each in (*files, path))
                raise StudyError("a plan must not include itself", way, "take one of them out of include")
            if path.resolve() not in self.included:
                self.included.add(path.resolve())
                groups += self.plan(_tables(path), path.parent, path.stem, (*files, path.resolve())).groups
        return groups

    def base(self, table: Table, before: _Base, folder: Path) -> _Base:
        """What a plan, or an experiment in it, says of its base, beyond what is inherited."""
        base = table.table("base")
        knobs = dotted(Table(base.name, {key: each for key, each in base.content.items() if key != "preset"}))
        if size := table.whole("size"):
            knobs["size"] = size
        found = replace(before, preset=base.text("preset", before.preset), knobs={**before.knobs, **knobs})
        if "design" in table.content:
            found = replace(found, design=_design(table))
        if "pairs" in table.content or self.pairs.given:
            found = replace(found, pairs=self.pairs.of(table.tables("pairs"), folder))
        seeds = _seeds(table, found.knobs)
        return replace(found, seeds=seeds) if seeds else found

    def group(self, table: Table, base: _Base, name: str) -> Group:
        """One experiment, its sizes and steps scaled, with the changes that were asked for."""
        if not name:
            raise StudyError("an experiment of a plan needs a name", "none", 'give it name = "…"')
        with named(name):
            if not base.pairs:
                remedy = "give [[pairs]] with content and style"
                raise StudyError("a plan needs pairs of a photograph and a painting", "none", remedy)
            settings = with_levels(presets.preset(base.preset), base.knobs)
            settings = with_levels(self.scale.settings(settings), self.changes)
            axes = tuple(self.scale.axis(*each) for each in dotted(table.table("axes")).items())
            if "axes" in table.content and not axes:
                raise StudyError("axes name what is varied", "no trials: none", 'for example "style.weight" = [1, 10]')
            check_axes(axes)
            designs.check(base.design, axes)
            return Group(
                name=name,
                question=table.text("question"),
                preset=base.preset,
                settings=settings,
                axes=axes,
                design=base.design,
                pairs=base.pairs,
                seeds=base.seeds or (settings.seed,),
                reported=table.text("reported"),
            )


def _seeds(table: Table, knobs: Mapping[str, Any]) -> Sequence[int]:
    seeds, replicates = table.list("seeds", "whole numbers"), table.whole("replicates", least=1)
    if seeds and replicates:
        raise StudyError(f"{table.name} has seeds or replicates", "both", "replicates = 3 is seeds = [0, 1, 2]")
    if seeds:
        found = tuple(checked(KNOBS["seed"], each) for each in seeds)
        if len(set(found)) < len(found):
            raise StudyError(f"seeds of {table.name} are there once each", ", ".join(map(str, found)))
        return found
    if not replicates:
        return ()
    first = checked(KNOBS["seed"], knobs.get("seed", 0))
    checked(KNOBS["seed"], first + replicates - 1)
    return range(first, first + replicates)


def _design(table: Table) -> Design:
    """[design] with its kind, or design = "kind"."""
    given = table.content["design"]
    design = Table("[design]", {"kind": given} if isinstance(given, str) else given).only(("kind", "count", "seed"))
    kind, amount = design.text("kind", Design.kind), design.whole("count", least=1)
    if kind not in KINDS:
        raise StudyError(*unknown_name("design", kind, KINDS))
    if amount and kind not in COUNTED:
        raise StudyError(f"a {kind} design has as many trials as it has", f"count {amount}", "leave count out")
    return Design(kind, amount, design.whole("seed", 0) or 0)


def _budget(top: Table) -> Budget:
    budget = top.table("budget").only(("seconds", "trials"))
    seconds = budget.number("seconds")
    if seconds is not None and seconds <= 0:
        raise StudyError("seconds of [budget] must be more than 0", f"{seconds:g}")
    return Budget(seconds, budget.whole("trials", least=1))


def _scores(top: Table) -> tuple[str, ...]:
    from gramarye.scores import SCORES

    wanted = top.list("scores", "names of scores") or tuple(SCORES)
    for name in wanted:
        if not isinstance(name, str) or name not in SCORES:
            raise StudyError(*unknown_name("score", str(name), SCORES))
    return tuple(dict.fromkeys(wanted))


def _check_changes(plan: Plan, changes: Mapping[str, Any]) -> None:
    """Raises StudyError for a change of the base that every experiment varies, so that it would change nothing."""
    for knob in changes:
        if all(knob in set().union(*map(varied, group.axes)) for group in plan.groups):
            raise StudyError(f"{knob} is what the plan varies", f"{changes[knob]}", "change the plan instead")


def _check_names(plan: Plan) -> None:
    names = [group.name for group in plan.groups]
    for name in names:
        if names.count(name) > 1:
            raise StudyError("experiments of a plan have different names", f"{name!r} twice", "give them a name each")

"""Tables of a plan, as TOML gives them, read with care: known keys, the right types, one line for what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gramarye.errors import StudyError, unknown_name
from gramarye.settings import GROUPS


@dataclass(frozen=True)
class Table:
    """A table and how it is called in messages: "a plan", "[design]"."""

    name: str
    content: Any  # what a plan has in its place; a mapping, or it is refused

    def __post_init__(self) -> None:
        if not isinstance(self.content, Mapping):
            raise StudyError(f"{self.name} must be a table", repr(self.content))

    def only(self, known: Iterable[str]) -> Table:
        """Itself; raises StudyError, with the nearest, where it has a key that is not known."""
        names = tuple(known)
        for key in self.content:
            if key not in names:
                raise StudyError(*unknown_name(f"key of {self.name}", str(key), names))
        return self

    def text(self, key: str, default: str = "") -> str:
        """A text."""
        return str(self._of(key, default, str, "text"))

    def whole(self, key: str, default: int | None = None, *, least: int = 0) -> int | None:
        """A whole number of at least `least`."""
        found = self._of(key, default, int, f"a whole number from {least} up")
        if found is not None and found < least:
            raise StudyError(f"{key} of {self.name} must be a whole number from {least} up", found)
        return found if found is None else int(found)

    def number(self, key: str, default: float | None = None) -> float | None:
        """A finite number."""
        found = self._of(key, default, (int, float), "a number")
        if found is not None and not abs(found) < float("inf"):
            raise StudyError(f"{key} of {self.name} must be a finite number", found)
        return found if found is None else float(found)

    def truth(self, key: str, default: bool | None = None) -> bool | None:
        """True or false."""
        found = self.content.get(key, default)
        if found is not None and not isinstance(found, bool):
            raise StudyError(f"{key} of {self.name} must be true or false", repr(found))
        return found

    def list(self, key: str, what: str) -> tuple[Any, ...] | None:
        """A list that is not empty, `what` being its contents in words; None where it is not given."""
        found = self._of(key, None, (list, tuple), f"a list of {what}")
        if found is not None and not found:
            raise StudyError(
                f"{key} of {self.name} must be a list of {what}", "an empty one", "leave it out, or fill it"
            )
        return None if found is None else tuple(found)

    def table(self, key: str) -> Table:
        """The table under `key`, an empty one where there is none."""
        return Table(f"[{key}]", self.content.get(key, {}))

    def tables(self, key: str) -> tuple[Table, ...]:
        """The tables of [[key]]."""
        return tuple(Table(f"[[{key}]]", each) for each in self.list(key, "tables") or ())

    def _of(self, key: str, default: Any, kind: type | tuple[type, ...], words: str) -> Any:
        found = self.content.get(key, default)
        if found is not default and (not isinstance(found, kind) or isinstance(found, bool)):
            raise StudyError(f"{key} of {self.name} must be {words}", repr(found)[:80])
        return found


def dotted(table: Table) -> dict[str, Any]:
    """The table with its knobs by their dotted names, written `"style.weight" = 1` or `style.weight = 1`.

    Raises StudyError for a knob that is there in both ways.
    """
    found: dict[str, Any] = {}
    for key, value in table.content.items():
        inside = key in GROUPS and isinstance(value, Mapping)
        for name, each in (
            {f"{key}.{inner}": each for inner, each in value.items()}.items() if inside else [(key, value)]
        ):
            if name in found:
                raise StudyError(
                    f"{table.name} names each knob once", f"{name} twice", "put all its values in one list"
                )
            found[name] = each
    return found

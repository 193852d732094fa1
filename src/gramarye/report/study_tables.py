"""The tables of a study as Markdown, LaTeX, CSV and Parquet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from gramarye.errors import MissingExtraError
from gramarye.study.effects import Effect, Interaction, Interval, level_of
from gramarye.study.findings import Findings
from gramarye.study.grids import Column, Grid, Row
from gramarye.study.record import Record
from gramarye.study.wording import short, word

# What LaTeX reads as commands, and the signs that its first fonts lack.
_LATEX = {
    "\\": r"\textbackslash{}",
    **{sign: rf"\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "–": "--",
    "…": r"\dots{}",
    "≤": r"$\leq$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "−": "$-$",
}


def heading(grid: Grid) -> list[str]:
    """The names of a table's columns."""
    first = ["pair"] if grid.by_pair else []
    return [
        *first,
        *map(short, grid.axes),
        "n",
        *(column.label + ("*" if column.refused else "") for column in grid.columns),
    ]


def cells(grid: Grid, row: Row) -> list[str]:
    """What stands in the columns before the measures."""
    first = [row.pair] if grid.by_pair else []
    return [*first, *map(word, row.levels), str(row.n)]


def figure(interval: Interval | None) -> str:
    """A mean in four figures; a dash where there is none."""
    return "–" if interval is None else f"{interval.value:.4g}"


def spread(interval: Interval | None) -> str:
    """The interval of a mean, empty where there is none."""
    return "" if interval is None or interval.low is None else f"{interval.low:.3g} … {interval.high:.3g}"


def remarks(grid: Grid) -> list[str]:
    """Why columns with a star are not ranked; what bold means."""
    reasons: dict[str, list[str]] = {}
    for column in grid.columns:
        if column.refused:
            reasons.setdefault(column.refused.rstrip("."), []).append(column.label)
    said = [f"* {', '.join(labels)}: not to be ranked, since {_small(reason)}." for reason, labels in reasons.items()]
    return said + (["Bold is the best mean of a column."] if any(row.best for row in grid.rows) else [])


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]


def markdown(grid: Grid) -> str:
    """A table in Markdown, with what is to be known of it below."""
    head = heading(grid)
    lines = [_line(head), _line(["---"] * len(head))]
    for row in grid.rows:
        measures = [_bold(figure(row.values.get(column.name)), column, row) for column in grid.columns]
        lines.append(_line([*cells(grid, row), *measures]))
    return "\n".join([*lines, "", *(f"{remark}\n" for remark in map(_escaped, remarks(grid)))])


def _line(texts: Sequence[str]) -> str:
    return "| " + " | ".join(text.replace("|", r"\|") for text in texts) + " |"


def _escaped(text: str) -> str:
    return text.replace("*", r"\*", 1) if text.startswith("*") else text


def _bold(text: str, column: Column, row: Row) -> str:
    return f"**{text}**" if column.name in row.best else text


def latex(grid: Grid, caption: str) -> str:
    """A table for LaTeX with booktabs."""
    head = heading(grid)
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{tex(caption)}}}",
        rf"\begin{{tabular}}{{{'l' * (len(head) - len(grid.columns) - 1)}{'r' * (len(grid.columns) + 1)}}}",
    ]
    lines += [r"\toprule", " & ".join(map(tex, head)) + r" \\", r"\midrule"]
    for row in grid.rows:
        measures = []
        for column in grid.columns:
            text = tex(figure(row.values.get(column.name)))
            measures.append(rf"\textbf{{{text}}}" if column.name in row.best else text)
        lines.append(" & ".join([*map(tex, cells(grid, row)), *measures]) + r" \\")
    lines += [
        r"\bottomrule",
        r"\end{tabular}",
        *(rf"\par\small {tex(remark)}" for remark in remarks(grid)),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def tex(text: str) -> str:
    """`text` as LaTeX shows it."""
    return re.sub("|".join(map(re.escape, _LATEX)), lambda sign: _LATEX[sign.group()], text)


def flat(records: Sequence[Record]) -> list[dict[str, Any]]:
    """One row for each trial with everything that is known of it; columns alike in all rows."""
    axes = list(dict.fromkeys(axis for record in records for axis in record.trial.levels))
    measured = list(dict.fromkeys(name for record in records for name in record.scores))
    terms = list(dict.fromkeys(name for record in records for name in record.terms))
    return [
        {
            "number": record.trial.number,
            "group": record.trial.group,
            "pair": record.trial.pair.name,
            "content": record.trial.pair.content,
            "style": record.trial.pair.style,
            "preset": record.trial.preset,
            "replicate": record.trial.replicate,
            "seed": record.trial.settings.seed,
            "key": record.trial.key,
            "state": record.state,
            **{axis: _text(level_of(record.trial, axis)) for axis in axes},
            "total": record.total,
            **{f"score {name}": record.scores.get(name) for name in measured},
            **{f"term {name}": record.terms.get(name) for name in terms},
            "seconds": record.seconds,
            "memory": record.memory,
            "evaluations": record.evaluations,
            "tries": record.tries,
            "version": record.version,
            "error": record.error,
            "settings": record.trial.settings.to_json(),
        }
        for record in records
    ]


def _text(level: Any) -> Any:
    return word(level) if isinstance(level, tuple) else level


def effect_rows(findings: Findings) -> list[dict[str, Any]]:
    """Every main effect of every group."""
    return [_effect(chapter.name, each) for chapter in findings.chapters for each in chapter.effects]


def _effect(group: str, each: Effect) -> dict[str, Any]:
    return {
        "group": group,
        "axis": each.axis,
        "score": each.score,
        "reference": _text(each.reference),
        "level": _text(each.level),
        "mean": each.mean,
        "reference mean": each.reference_mean,
        **_gap(each),
    }


def interaction_rows(findings: Findings) -> list[dict[str, Any]]:
    """Every interaction of every group, the largest of each group first."""
    return [
        {
            "group": chapter.name,
            "first axis": each.axes[0],
            "second axis": each.axes[1],
            "score": each.score,
            "first level": _text(each.levels[0]),
            "first reference": _text(each.references[0]),
            "second level": _text(each.levels[1]),
            "second reference": _text(each.references[1]),
            **_gap(each),
        }
        for chapter in findings.chapters
        for each in chapter.interactions
    ]


def _gap(each: Effect | Interaction) -> dict[str, Any]:
    gap = each.difference
    return {
        "difference": gap.value,
        "low": gap.low,
        "high": gap.high,
        "n": gap.n,
        "over": gap.over,
        "in standard deviations": each.size,
        "matched": each.matched,
    }


def as_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as CSV, with a heading; UTF-8."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_parquet(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as Parquet; columns of mixed types become text. Raises MissingExtraError without pyarrow."""
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError("Parquet needs pyarrow", None, "pip install 'gramarye[parquet]'") from error
    columns = {}
    for name in rows[0] if rows else []:
        values = [row[name] for row in rows]
        kinds = {type(value) for value in values if value is not None}
        mixed = len(kinds) > 1 and kinds != {int, float}
        columns[name] = [None if value is None else str(value) for value in values] if mixed else values
    buffer = io.BytesIO()
    parquet.write_table(arrow.table(columns), buffer)
    return buffer.getvalue()

"""Findings of the check of an uploaded file, and its report as stored with the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from server.console.sheets.headings import ColumnFound
from server.console.sheets.reasons import FileRefused, Problem

# At most this many problems are stored in a report; their stored number counts all.
MOST_TOLD = 1000


@dataclass(frozen=True, kw_only=True)
class FileFindings:
    """A file compared with what is stored.

    `changes` goes to `CheckedUpload.store`; `counts` has a number for each name in
    `CheckedUpload.counts`. `refused`: no row may be stored. `said` is kept with the file for the
    next run.
    """

    changes: Any
    counts: Mapping[str, int]
    problems: Sequence[Problem] = ()
    warnings: Sequence[Problem] = ()
    refused: bool = False
    columns: Sequence[ColumnFound] = ()
    ignored: Sequence[str] = ()
    said: Mapping[str, Any] = field(default_factory=dict)


def report_findings(found: FileFindings) -> dict[str, Any]:
    """The report of a file that could be read."""
    return {
        "refused": found.refused,
        "problems": [_problem_cells(one) for one in found.problems[:MOST_TOLD]],
        "problem_count": len(found.problems),
        "warnings": [_problem_cells(one) for one in found.warnings[:MOST_TOLD]],
        "warning_count": len(found.warnings),
        "columns": [asdict(column) for column in found.columns],
        "ignored": list(found.ignored),
        **found.counts,
    }


def report_refused(empty: Mapping[str, Any], refusal: FileRefused) -> dict[str, Any]:
    """The report of a file that could not be read; `empty` is the report before a check."""
    told = [_problem_cells(Problem(line=refusal.line, why=refusal.why))]
    return {**empty, "refused": True, "problems": told, "problem_count": 1}


def _problem_cells(problem: Problem) -> list[Any]:
    return [problem.sheet, problem.line, problem.why.code, dict(problem.why.facts)]

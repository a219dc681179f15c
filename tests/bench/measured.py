"""The figures of one row, round by round."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from tests.bench.counting import Counted
from tests.bench.rows import Row


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One row in one round.  Units: `cpu_us` microseconds of server CPU for each request."""

    cpu_us: float
    per_second: float
    p50_ms: float
    p99_ms: float
    done: int


@dataclass
class Measured:
    """A row with its figures, round by round, and what one request takes."""

    row: Row
    figures: list[Figure] = field(default_factory=list)
    counted: Counted | None = None

    @property
    def cpu_us(self) -> float:
        """The median of the rounds."""
        return median(figure.cpu_us for figure in self.figures)

    def of(self, name: str) -> float:
        """The median of one of the figures."""
        return float(median(getattr(figure, name) for figure in self.figures))

    @property
    def spread(self) -> float:
        """How far the rounds lie apart, as a share of the median."""
        cpu = [figure.cpu_us for figure in self.figures]
        return (max(cpu) - min(cpu)) / self.cpu_us

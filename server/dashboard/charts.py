"""ECharts options of the dashboard's charts, as plain values; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from server.dashboard.rules import DaySum

_GRID = {"left": 8, "right": 8, "top": 36, "bottom": 8, "containLabel": True}


def draw_trend(days: Sequence[DaySum], times: str, newcomers: str) -> dict[str, Any]:
    """Bars of participations and a line of first-time participants; the names are texts."""
    return {
        "legend": {"top": 0},
        "tooltip": {"trigger": "axis"},
        "grid": _GRID,
        "xAxis": {"type": "category", "data": [f"{one.first:%m-%d}" for one in days]},
        "yAxis": {"type": "value", "minInterval": 1},
        "series": [
            {"type": "bar", "name": times, "data": [one.times for one in days]},
            {"type": "line", "name": newcomers, "data": [one.newcomers for one in days]},
        ],
    }


def draw_hours(hours: Sequence[int], times: str) -> dict[str, Any]:
    """Bars of participations by hour of the day."""
    return {
        "tooltip": {"trigger": "axis"},
        "grid": {**_GRID, "top": 16},
        "xAxis": {"type": "category", "data": [str(hour) for hour in range(len(hours))]},
        "yAxis": {"type": "value", "minInterval": 1},
        "series": [{"type": "bar", "name": times, "data": list(hours)}],
    }

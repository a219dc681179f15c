"""The tables of the dashboard as they are exported: the rows, sums and roundings of its page."""

from __future__ import annotations

from collections.abc import Sequence

from server.base.clock import BEIJING, say_instant
from server.base.texts import Texts
from server.console.exports import ExportSheet, Notes, Value
from server.console.summaries import SummaryFile, SummaryTable
from server.dashboard.service import Dashboard, PlaceFigures

Rows = list[list[Value]]
_MAP_TITLES = {
    "region": "dashboard.map.title",
    "city": "dashboard.map.title_city",
    "county": "dashboard.map.title_county",
}


def list_tables(texts: Texts, found: Dashboard, by: str) -> list[SummaryTable]:
    """The tables of a place's page; `by` is day or week."""
    say = texts.fill_text
    spans = found.weeks if by == "week" else found.days
    tables = [
        _make_table(
            texts, "trend", say("dashboard.export.trend", span=say(f"dashboard.trend.{by}")),
            (by, "times", "newcomers"),
            [[one.first, one.times, one.newcomers] for one in reversed(spans)],
        ),
        _list_groups(texts, found),
        _make_table(
            texts, "funnel", say("dashboard.funnel.title"), ("step", "count", "of_before"),
            [
                [say(f"dashboard.step.{one.step}"), one.people, _round_share(one.share)]
                for one in found.funnel
            ],
        ),
        _make_table(
            texts, "hours", say("dashboard.hours.title"), ("hour", "times"),
            [
                [say("dashboard.hours.span", hour=hour), count]
                for hour, count in enumerate(found.hours)
            ],
        ),
    ]  # fmt: skip
    return tables if found.level == "unit" else [_list_places(texts, found), *tables]


def describe_file(texts: Texts, found: Dashboard) -> SummaryFile:
    """The name of the file with the instant of its figures, its notes, and the recorded act."""
    say = texts.fill_text
    title = say("dashboard.console.heading", name=found.total.name)
    counted, funnel = found.counted_at, found.funnel_at
    stamp = "" if counted is None else f"_{counted.astimezone(BEIJING):%Y%m%d-%H%M}"
    lines = [
        (say("dashboard.column.place"), found.total.name),
        (say("dashboard.export.counted"), say_instant(counted) if counted else ""),
        (say("dashboard.export.funnel_counted"), say_instant(funnel) if funnel else ""),
        (say("dashboard.tile.people"), say("dashboard.tile.people_about")),
        (say("dashboard.tile.times"), say("dashboard.tile.times_about")),
        (say("dashboard.groups.title"), say("dashboard.groups.about")),
        (say("dashboard.funnel.title"), say("dashboard.funnel.about")),
    ]
    if found.level == "county":
        lines.append((say(_MAP_TITLES["county"]), say("dashboard.map.units_about")))
    if found.target is not None and found.target_year is not None:
        about = say("dashboard.target.about", year=found.target_year, percent=found.target)
        lines.append((say("dashboard.target.title"), about))
    return SummaryFile(
        title=f"{title}{stamp}",
        notes=Notes(title=say("dashboard.export.notes"), lines=lines),
        act="dashboard.export_figures",
        facts={"place": found.total.place or ""},
    )


def _list_places(texts: Texts, found: Dashboard) -> SummaryTable:
    """The places of the next level, the people without one, and the sum."""
    say, with_rate = texts.fill_text, found.level == "region"
    rows = [_spell_place(one.name, one, with_rate=with_rate) for one in found.below]
    if found.unplaced is not None:
        name = say(f"dashboard.map.unplaced_{found.level}")
        rows.append(_spell_place(name, found.unplaced, with_rate=with_rate))
    rows.append(_spell_place(say("dashboard.map.sum"), found.total, with_rate=with_rate))
    first = "unit" if found.level == "county" else "place"
    columns = (first, "people", "times", "returned", *(("rate",) if with_rate else ()))
    return _make_table(texts, "places", say(_MAP_TITLES[found.level]), columns, rows)


def _spell_place(name: str, one: PlaceFigures, *, with_rate: bool) -> list[Value]:
    rate = None if one.per_10000 is None else round(one.per_10000, 2)
    return [name, one.people, one.times, one.returned, *((rate,) if with_rate else ())]


def _list_groups(texts: Texts, found: Dashboard) -> SummaryTable:
    reached = {"region": "reached_city", "city": "reached_county"}.get(found.level)
    columns = ("group", "people", "share", "times", *((reached,) if reached else ()))
    rows: Rows = [
        [
            texts.fill_text(f"dashboard.group.{one.audience or 'none'}"),
            one.people,
            _round_share(one.share),
            one.times,
            *((one.reached,) if reached else ()),
        ]
        for one in found.groups
    ]
    return _make_table(texts, "groups", texts.fill_text("dashboard.groups.title"), columns, rows)


def _round_share(share: float | None) -> float | None:
    """A share in percent, as the page shows it."""
    return None if share is None else round(share, 1)


def _make_table(
    texts: Texts, name: str, title: str, columns: Sequence[str], rows: Rows
) -> SummaryTable:
    """Make a table of these columns: the first holds a date or a text, the others hold numbers."""
    percent = {"share": "dashboard.export.share", "of_before": "dashboard.export.of_before"}
    titles = [
        texts.fill_text(percent.get(column, f"dashboard.column.{column}")) for column in columns
    ]
    kinds = ["date" if columns[0] in ("day", "week") else "text", *["number"] * (len(columns) - 1)]
    heads = list(zip(titles, kinds, strict=True))
    sheet = ExportSheet(title=title, heads=heads, rows=rows)
    return SummaryTable(name=name, sheet=sheet, count=len(rows))

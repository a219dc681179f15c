"""Reads and checks a campaign file as a whole: returns a plan, or every reason for refusal.

Stores nothing and moves no dates. Places are checked against the data of `units`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from server.programme.document import DocumentProblem, Node, UnreadableDocument, read_json
from server.programme.kinds import Kind, Precision
from server.programme.rules import DateWords, window_of
from server.units import service as units

SCHEMA = "campaign-fixture/1"
_WORDS = Path(__file__).with_name("data") / "notice_words.json"
_LISTS = ("who", "what", "focus", "audience", "participants", "stop_kinds", "vehicle_levels")


@dataclass(frozen=True, kw_only=True)
class NoticeWords:
    """Keywords of a notice that the parser recognises."""

    dates: DateWords
    levels: Mapping[str, units.Level]


@dataclass(frozen=True, kw_only=True)
class Dates:
    """A date wording with the dates parsed from it, before any move."""

    text: str
    start: date
    end: date
    precision: Precision


@dataclass(frozen=True, kw_only=True)
class ProgrammePlan:
    """A programme as in the file; `owner` is a unit's ref."""

    kind: Kind
    form: str | None
    slug: str
    title: str
    dates: Dates | None
    place: str | None
    place_code: str | None
    owner: str
    owner_assumed: bool
    hosts: tuple[str, ...]
    undertakers: tuple[str, ...]
    open_list: bool
    content: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class CampaignPlan:
    """The campaign with its programmes, read from the campaign file and checked."""

    slug: str
    year: int
    title: str
    title_za: str | None
    theme: str
    region_code: str
    dates: Dates
    phone: str | None
    target: dict[str, Any]
    hosts: tuple[str, ...]
    units: tuple[units.UnitRow, ...]
    programmes: tuple[ProgrammePlan, ...]
    summary: dict[str, Any]
    summary_on: date


# Built at import: two threads that build a decoder at the same time crash the process.
_READ_WORDS = msgspec.json.Decoder(NoticeWords)


@cache
def notice_words() -> NoticeWords:
    """The keywords from the data file, read once."""
    return _READ_WORDS.decode(_WORDS.read_bytes())


def read_campaign(path: Path) -> tuple[CampaignPlan | None, list[DocumentProblem]]:
    """The plan of a campaign file, or None and every problem of it."""
    try:
        document = read_json(path)
    except UnreadableDocument as trouble:
        return None, [DocumentProblem("", str(trouble))]
    if not isinstance(document, dict):
        return None, [DocumentProblem("", "an object is expected")]
    problems: list[DocumentProblem] = []
    plan = _FactReader(Node(document, "", problems)).read_plan()
    return (None, problems) if problems else (plan, [])


class _FactReader:
    """Reads one document; its results are valid only when no problem was recorded."""

    def __init__(self, root: Node) -> None:
        self._root = root
        self._problems = root.problems
        self._year = 0
        self._units: set[str] = set()
        self._slugs: set[str] = set()

    def read_plan(self) -> CampaignPlan | None:
        root = self._root
        root.read_choice("schema", (SCHEMA,))
        root.ignore_fields("source", "notes", "requirements")
        rows = [self._read_unit(node) for node in root.read_nodes("organisations")]
        head = root.read_node("campaign")
        self._year = head.read_integer("year", least=2000, most=2099) or 0
        hosts = self._read_organisers(head, "hosts", needed=True)
        fallback = hosts[0] if hosts else None
        programmes = [
            self._read_programme(node, kind, fallback)
            for kind, key in ((Kind.THEME, "theme_activities"), (Kind.JOINT, "joint_actions"))
            for node in root.read_nodes(key)
        ]
        made = self._read_campaign(head, hosts, rows, programmes)
        root.complain_of_unknown()
        return made

    def _read_campaign(
        self,
        head: Node,
        hosts: tuple[str, ...],
        rows: list[units.UnitRow | None],
        programmes: list[ProgrammePlan | None],
    ) -> CampaignPlan | None:
        head.ignore_fields(
            "plan_title", "region", "start_basis", "background", "approach", "recipients"
        )
        slug, title, theme = (
            head.read_slug("slug"),
            head.read_text("title"),
            head.read_text("theme"),
        )
        title_za = head.optional_text("title_za", longest=200)
        dates, region_code = self._read_dates(head), self._read_region(head)
        phone, target = self._read_phone(head), self._read_target(head.read_node("target"))
        head.complain_of_unknown()
        summary, summary_on = self._read_summary(self._root.read_node("summary_and_awards"))
        if self._problems or dates is None or summary_on is None:
            return None
        return CampaignPlan(
            slug=slug or "",
            year=self._year,
            title=title or "",
            title_za=title_za,
            theme=theme or "",
            region_code=region_code,
            dates=dates,
            phone=phone,
            target=target,
            hosts=hosts,
            units=tuple(row for row in rows if row),
            programmes=tuple(programme for programme in programmes if programme),
            summary=summary,
            summary_on=summary_on,
        )

    def _read_unit(self, node: Node) -> units.UnitRow | None:
        node.ignore_fields("full_name_assumed", "role")
        ref, name = node.read_slug("id", longest=40), node.read_text("name")
        full_name = node.optional_text("full_name")
        kind = node.read_text("kind", longest=40)
        level = node.read_choice("level", tuple(notice_words().levels))
        code = self._read_place(node, "region")
        node.complain_of_unknown()
        if ref in self._units:
            node.complain_about("id", f"{ref} is named twice")
        if ref is not None:
            self._units.add(ref)
        if not (ref and name and kind and level):
            return None
        places = units.load_regions()
        inside = code is not None and code != places.region.code
        city = (places.find_city(code) or places.city_of(code)) if inside and code else None
        return units.UnitRow(
            ref=ref,
            name=name,
            full_name=full_name,
            kind=kind,
            level=notice_words().levels[level],
            city=city.code if city else None,
            county=code if city and code != city.code else None,
        )

    def _read_programme(self, node: Node, kind: Kind, fallback: str | None) -> ProgrammePlan | None:
        theme = kind is Kind.THEME
        node.read_integer("no", least=1, most=999)
        node.ignore_fields("product_feature")
        slug, title = self._fresh_slug(node), node.read_text("title")
        form = node.read_slug("programme", longest=40) if theme else None
        dates = self._read_dates(node) if theme else self._dates_if_any(node)
        hosts = self._read_organisers(node, "hosts", needed=theme)
        owner = hosts[0] if hosts else fallback
        undertakers = self._read_organisers(node, "undertakers", needed=False)
        open_list = node.read_flag("undertakers_open_list")
        place, place_code = node.optional_text("place"), self._read_place(node, "place_code")
        content = self._read_content(node)
        node.complain_of_unknown()
        if slug is None or title is None or owner is None:
            return None
        return ProgrammePlan(
            kind=kind,
            form=form,
            slug=slug,
            title=title,
            dates=dates,
            place=place,
            place_code=place_code,
            owner=owner,
            owner_assumed=not hosts,
            hosts=hosts or (owner,),
            undertakers=undertakers,
            open_list=open_list,
            content=content,
        )

    def _fresh_slug(self, node: Node) -> str | None:
        slug = node.read_slug("slug")
        if slug is not None and slug in self._slugs:
            node.complain_about("slug", f"{slug} is the slug of another programme")
        if slug is not None:
            self._slugs.add(slug)
        return slug

    def _read_content(self, node: Node) -> dict[str, Any]:
        content: dict[str, Any] = {name: node.read_texts(name) for name in _LISTS}
        assumed = node.read_texts("participants_assumed")
        if assumed and content["participants"]:
            node.complain_about("participants_assumed", "the participants are given already")
        content["participants"] = content["participants"] or assumed
        content["participants_assumed"] = bool(assumed)
        content["note"] = node.optional_text("content", longest=500)
        return content

    def _read_organisers(self, node: Node, key: str, *, needed: bool) -> tuple[str, ...]:
        refs = node.read_texts(key, longest=40)
        if needed and not refs:
            node.complain_about(key, "missing owner: no host is named")
        for n, ref in enumerate(refs):
            if ref not in self._units:
                node.complain_about(f"{key}[{n}]", f"unknown organiser {ref}")
            elif ref in refs[:n]:
                node.complain_about(f"{key}[{n}]", f"{ref} is named twice")
        return tuple(refs)

    def _read_place(self, node: Node, key: str) -> str | None:
        code = node.optional_text(key, longest=20)
        if code is not None and not units.load_regions().knows_code(code):
            node.complain_about(key, f"unknown place {code}")
            return None
        return None if code is None else units.load_regions().current_code(code)

    def _read_region(self, head: Node) -> str:
        code = units.load_regions().region.code
        head.read_choice("region_code", (code,))
        return code

    def _read_dates(self, node: Node) -> Dates | None:
        start, end = node.read_day("start"), node.read_day("end")
        text, precision = self._read_wording(node, {"start": start, "end": end}.items())
        if start and end and start > end:
            node.complain_about("end", f"{end} is before the start {start}")
        if not (text and precision and start and end):
            return None
        return Dates(text=text, start=start, end=end, precision=precision)

    def _dates_if_any(self, node: Node) -> Dates | None:
        keys = ("date_text", "start", "end", "precision")
        node.ignore_fields(*keys)
        return self._read_dates(node) if any(map(node.has_field, keys)) else None

    def _read_wording(
        self, node: Node, days: Iterable[tuple[str, date | None]]
    ) -> tuple[str | None, Precision | None]:
        text = node.read_text("date_text", longest=60)
        precision = node.read_choice("precision", tuple(Precision))
        if text is None:
            return None, None
        window = window_of(text, notice_words().dates, year=self._year)
        if window is None:
            node.complain_about("date_text", f"the wording {text} cannot be read as days")
            return None, None
        for key, day in days:
            if day is not None and not window.first <= day <= window.last:
                node.complain_about(
                    key, f"{day} is outside the wording: {window.first}..{window.last}"
                )
        if precision is not None and precision != window.precision:
            node.complain_about(
                "precision", f"{precision} does not fit the wording: {window.precision}"
            )
        return text, Precision(precision) if precision else None

    def _read_phone(self, head: Node) -> str | None:
        if not head.has_field("contact"):
            head.ignore_fields("contact")
            return None
        contact = head.read_node("contact")
        contact.ignore_fields("kind", "also_fax", "owner")
        phone = contact.read_text("phone", longest=40)
        contact.complain_of_unknown()
        return phone

    def _read_target(self, node: Node) -> dict[str, Any]:
        node.ignore_fields("slug", "note")
        target = {
            "metric": node.read_text("metric"),
            "percent": node.read_percent("value_percent"),
            "year": node.read_integer("year", least=2000, most=2099),
            "scope": node.read_text("scope"),
        }
        node.complain_of_unknown()
        return target

    def _read_summary(self, node: Node) -> tuple[dict[str, Any], date | None]:
        node.ignore_fields("slug", "judge", "basis", "method_text", "method_known")
        due = node.read_day("due")
        text, precision = self._read_wording(node, [("due", due)])
        awards = []
        for award in node.read_nodes("awards"):
            awards.append({"slug": award.read_slug("slug"), "title": award.read_text("title")})
            award.ignore_fields("target")
            award.complain_of_unknown()
        node.complain_of_unknown()
        return {"date_text": text, "precision": precision, "awards": awards}, due

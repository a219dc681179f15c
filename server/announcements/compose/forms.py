"""Forms of the pages on which announcements are written. Times are Beijing time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from typing import Any

from wtforms import (
    BooleanField,
    DateTimeLocalField,
    FileField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from server.announcements.compose.drafts import AnnouncementDraft
from server.announcements.compose.faults import (
    LADDER,
    MOST_BODY,
    MOST_TITLE,
    ContentFault,
    templates_for,
)
from server.announcements.enums import Channel, Purpose
from server.announcements.rules.contents import (
    TEMPLATE_KINDS,
    ArticleContent,
    Contents,
    TemplateContent,
    TextContent,
)
from server.base.clock import BEIJING
from server.base.compliance import Clause
from server.base.topics import announcement_topics
from server.console.forms import ConsoleForm, WatchedForm

_AT = "%Y-%m-%dT%H:%M"
_YEARS = range(2020, 2100)
# The three ways to send: person by person along the ladder, one mass message, the inbox alone.
LADDER_WAY, MASS_WAY, INBOX_WAY = "ladder", "mass", "inbox"
_MOST_PER_DAY = 10_000_000


def _check_year(_form: object, field: Any) -> None:
    if field.data is not None and field.data.year not in _YEARS:
        raise ValidationError("announcements.form.year_wrong")


_CLAUSES = frozenset(Clause)


class CheckBoxes(SelectMultipleField):  # type: ignore[misc]  # WTForms is untyped
    """Check boxes for several choices."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class BasicsForm(WatchedForm):
    """Form with the parts that all channels share, the channels and the schedule."""

    form_key = HiddenField(validators=[Length(max=40, message="console.form.no_choice")])
    title = StringField(
        "announcements.form.title",
        validators=[
            InputRequired("announcements.fault.empty"),
            Length(max=MOST_TITLE, message="announcements.fault.title.too_long"),
        ],
    )
    body = TextAreaField(
        "announcements.form.body",
        description="announcements.form.body_hint",
        validators=[Length(max=MOST_BODY, message="announcements.fault.body.too_long")],
        render_kw={"rows": 8},
    )
    purpose = RadioField(
        "announcements.form.purpose",
        choices=[SelectChoice(one.value) for one in Purpose],
        default=Purpose.NEWS.value,
        validators=[InputRequired("console.form.no_choice")],
    )
    activity_ref = SelectField(
        "announcements.form.activity_ref",
        choices=[],
        validate_choice=False,
        description="announcements.form.activity_ref_hint",
    )
    topic = SelectField(
        "announcements.form.topic",
        choices=[SelectChoice(""), *(SelectChoice(one.slug) for one in announcement_topics())],
        description="announcements.form.topic_hint",
    )
    page = StringField(
        "announcements.form.page",
        description="announcements.form.page_hint",
        validators=[Length(max=200, message="announcements.fault.page.unknown")],
        render_kw={"list": "pages"},
    )
    picture = FileField("announcements.form.picture", description="announcements.form.picture_hint")
    picture_gone = BooleanField("announcements.form.picture_gone")
    way = RadioField(
        "announcements.form.way",
        choices=[SelectChoice(one) for one in (LADDER_WAY, MASS_WAY, INBOX_WAY)],
        default=LADDER_WAY,
    )
    channels = CheckBoxes(
        "announcements.form.channels",
        choices=[SelectChoice(one.value) for one in LADDER],
        description="announcements.form.ladder_hint",
    )
    send_at = DateTimeLocalField(
        "announcements.form.send_at",
        format=[_AT, "%Y-%m-%d %H:%M"],
        validators=[Optional(), _check_year],
        description="announcements.form.send_at_hint",
    )
    per_day = IntegerField(
        "announcements.form.per_day",
        validators=[
            Optional(),
            NumberRange(1, _MOST_PER_DAY, message="announcements.fault.per_day.out_of_range"),
        ],
        description="announcements.form.per_day_hint",
    )


def read_basics(
    form: BasicsForm, draft: AnnouncementDraft, picture: str | None
) -> AnnouncementDraft:
    """The draft with the values of the form. A correction keeps its purpose and its grounds."""
    chosen = form.channels.data or []
    about: dict[str, Any] = {}
    if draft.corrects_id is None:
        about = {
            "purpose": Purpose(form.purpose.data),
            "activity_ref": form.activity_ref.data or None,
            "topic": form.topic.data or None,
        }
    ladder = {
        LADDER_WAY: tuple(one for one in LADDER if one.value in chosen),
        MASS_WAY: (Channel.MASS,),
        INBOX_WAY: (),
    }[form.way.data]
    at = form.send_at.data
    return replace(
        draft,
        title=_text(form.title),
        body=(form.body.data or "").replace("\r\n", "\n").strip(),
        **about,
        page=_text(form.page).lstrip("/") or None,
        picture=picture,
        ladder=ladder or (Channel.INBOX,),
        send_at=None if at is None else at.replace(tzinfo=BEIJING).astimezone(UTC),
        per_day=form.per_day.data,
    )


def fill_basics(form: BasicsForm, draft: AnnouncementDraft) -> None:
    """Show a draft in the form."""
    for name in ("title", "body", "page", "per_day"):
        getattr(form, name).data = getattr(draft, name)
    form.purpose.data = draft.purpose.value
    form.activity_ref.data, form.topic.data = draft.activity_ref or "", draft.topic or ""
    form.channels.data = [one.value for one in draft.ladder]
    form.way.data = _way_of(draft)
    if draft.send_at is not None:
        form.send_at.data = draft.send_at.astimezone(BEIJING).replace(tzinfo=None)


def _way_of(draft: AnnouncementDraft) -> str:
    if Channel.MASS in draft.ladder:
        return MASS_WAY
    return INBOX_WAY if draft.ladder in ((), (Channel.INBOX,)) else LADDER_WAY


def input_name(channel: Channel, slug: str, key: str) -> str:
    """The name of the input of a template's field: a template is chosen by a form of its own."""
    return f"{channel.value}__{slug.replace('-', '_')}__{key}"


def _make_contents_form() -> type[ConsoleForm]:
    """Declare the form with the fields of every template; the page shows the chosen ones."""
    fields: dict[str, Any] = {"__doc__": "Form with the content of each channel."}
    for channel in TEMPLATE_KINDS:
        offered = templates_for(channel)
        fields[f"{channel.value}__template"] = SelectField(
            "announcements.form.template",
            choices=[SelectChoice(one.slug, one.title) for one in offered],
            validate_choice=False,
        )
        for template in offered:
            for one in template.fields:
                fields[input_name(channel, template.slug, one.key)] = StringField(
                    "announcements.form.template_field"
                )
    fields["customer_message__text"] = TextAreaField(
        "announcements.form.chat_text", render_kw={"rows": 6}
    )
    fields["mass__title"] = StringField("announcements.form.article_title")
    fields["mass__digest"] = StringField("announcements.form.digest")
    fields["mass__text"] = TextAreaField("announcements.form.article_text", render_kw={"rows": 12})
    return type("ContentsForm", (WatchedForm,), fields)


ContentsForm = _make_contents_form()


def read_form_contents(form: ConsoleForm, draft: AnnouncementDraft) -> AnnouncementDraft:
    """The draft with the contents of the form, for the channels of its ladder."""
    given: dict[str, Any] = {}
    for channel in draft.ladder:
        if channel in TEMPLATE_KINDS:
            given[channel.value] = _read_template(form, channel)
        elif channel is Channel.CUSTOMER_MESSAGE:
            text = (form["customer_message__text"].data or "").replace("\r\n", "\n").strip()
            given[channel.value] = TextContent(text=text)
        elif channel is Channel.MASS:
            given[channel.value] = ArticleContent(
                title=_text(form["mass__title"]),
                digest=_text(form["mass__digest"]),
                text=(form["mass__text"].data or "").replace("\r\n", "\n").strip(),
            )
    return replace(draft, contents=Contents(**given))


def _read_template(form: ConsoleForm, channel: Channel) -> TemplateContent:
    slug = form[f"{channel.value}__template"].data
    chosen = next((one for one in templates_for(channel) if one.slug == slug), None)
    if chosen is None:
        return TemplateContent(template="")
    return TemplateContent(
        template=slug,
        fields={
            one.key: (form[input_name(channel, slug, one.key)].data or "").strip()
            for one in chosen.fields
        },
    )


def fill_contents(form: ConsoleForm, draft: AnnouncementDraft) -> None:
    """Show the contents of a draft in the form."""
    contents = draft.contents
    for channel in TEMPLATE_KINDS:
        found = contents.template_of(channel)
        if found is not None:
            form[f"{channel.value}__template"].data = found.template
            for key, text in found.fields.items():
                name = input_name(channel, found.template, key)
                if name in form:
                    form[name].data = text
    if contents.customer_message is not None:
        form["customer_message__text"].data = contents.customer_message.text
    if contents.mass is not None:
        for part in ("title", "digest", "text"):
            form[f"mass__{part}"].data = getattr(contents.mass, part)


def place_faults(draft: AnnouncementDraft, faults: list[ContentFault]) -> Iterator[tuple[str, str]]:
    """The input of each fault, and the text key of its sentence."""
    for fault in faults:
        yield _input_of(draft, fault), say_fault(fault)


def say_fault(fault: ContentFault) -> str:
    """The text key of a fault."""
    if fault.reason in _CLAUSES:
        return f"base.breach.{fault.reason}"
    if "." not in fault.field and fault.reason not in ("empty", "placeholder_shared"):
        return f"announcements.fault.{fault.field}.{fault.reason}"
    if fault.reason == "too_long":
        return f"announcements.fault.too_long.{fault.most}"
    return f"announcements.fault.{fault.reason}"


def _input_of(draft: AnnouncementDraft, fault: ContentFault) -> str:
    channel, _, key = fault.field.partition(".")
    if not key:
        return {"ladder": "way"}.get(channel, channel)
    found = draft.contents.template_of(Channel(channel))
    if found is not None and key != "template":
        return input_name(Channel(channel), found.template, key)
    return f"{channel}__{key}"


def _text(field: StringField) -> str:
    return (field.data or "").strip()

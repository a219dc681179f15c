"""The pages of publishing packs, the same for announcements and activities."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from wtforms import Field, StringField
from wtforms.validators import InputRequired, Length, ValidationError

from server.announcements.publishing import desk
from server.announcements.publishing.archive import name_folder, write_archive
from server.base.access import Organizer, Permission
from server.base.errors import NotFound
from server.base.uow import UnitOfWork
from server.base.web.page import Download, Page, Pages, Redirect, page
from server.channel.service import CodeTarget
from server.console.forms import ConsoleForm

PAGES = Pages("publishing", Path(__file__).with_name("pages"))
# Names that a form offers; others can be typed.
_OFFERED = ("microblog", "website", "poster", "douyin", "group", "screen", "newspaper")


class ChannelForm(ConsoleForm):
    """Form for a new channel: its name."""

    name = StringField(
        "announcements.pack.name",
        description="announcements.pack.name_hint",
        validators=[
            InputRequired("announcements.pack.name_missing"),
            Length(max=20, message="announcements.pack.name_long"),
        ],
        filters=[lambda given: " ".join((given or "").split())],
        render_kw={"list": "offered-channels", "autocomplete": "off"},
    )

    def validate_name(self, field: Field) -> None:
        """Refuse invisible characters: the name is that of a folder in the pack."""
        if any(unicodedata.category(one)[0] == "C" for one in field.data):
            raise ValidationError("announcements.pack.name_wrong")


@page(PAGES, "GET", "/packs/<target>/<ref>", needs=Permission.SCENE_READ, form=ChannelForm)
def show_pack(
    uow: UnitOfWork, organizer: Organizer, target: str, ref: str, form: ChannelForm
) -> Page:
    """Show the texts, links and codes of each channel, and its reach."""
    shown = desk.show_pack(uow, organizer, _read_target(target), ref)
    may_write = organizer.has_permission(Permission.SCENE_WRITE)
    return Page(
        "publishing/pack.html",
        shown=shown,
        form=form if may_write and shown.publication is not None else None,
        offered=[uow.texts.fill_text(f"announcements.pack_channel.{one}") for one in _OFFERED],
    )


@page(PAGES, "POST", "/packs/<target>/<ref>", needs=Permission.SCENE_WRITE, form=ChannelForm)
def add_channel(
    uow: UnitOfWork, organizer: Organizer, target: str, ref: str, form: ChannelForm
) -> Redirect:
    """Add a channel."""
    desk.add_channel(uow, organizer, _read_target(target), ref, form.name.data)
    return Redirect(f"/packs/{target}/{ref}", said="announcements.pack.added")


@page(PAGES, "POST", "/packs/<target>/<ref>/<code>/stop", needs=Permission.SCENE_WRITE)
def stop_channel(
    uow: UnitOfWork, organizer: Organizer, target: str, ref: str, code: str
) -> Redirect:
    """Leave a channel out of the pack."""
    desk.stop_channel(uow, organizer, _read_target(target), ref, code)
    return Redirect(f"/packs/{target}/{ref}", said="announcements.pack.stopped")


@page(PAGES, "GET", "/packs/<target>/<ref>/file", needs=Permission.SCENE_READ)
def save_pack(uow: UnitOfWork, organizer: Organizer, target: str, ref: str) -> Download:
    """Download the whole pack as a ZIP."""
    parts = desk.collect_parts(uow, organizer, _read_target(target), ref)
    say = uow.texts.fill_text
    title = name_folder(parts.publication.title)
    return Download(
        file_name=say("announcements.pack_file.zip", title=title) + ".zip",
        media="application/zip",
        content=lambda: write_archive(parts, say),
    )


def _read_target(spelled: str) -> CodeTarget:
    if spelled not in list(CodeTarget):
        raise NotFound
    return CodeTarget(spelled)

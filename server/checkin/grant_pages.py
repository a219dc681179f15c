"""The pages of scanner grants: a new one with its QR, the list, revoking."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import segno

from server.activities import service as activities
from server.base.access import Organizer, Permission
from server.base.uow import UnitOfWork
from server.base.web.page import Page, Pages, Redirect, page
from server.checkin import service
from server.checkin.forms import GRANT_HOURS, GrantForm
from server.checkin.service import GrantView
from server.checkin.wording import say_minute

PAGES = Pages("grants", Path(__file__).with_name("pages"))
_WRITE = Permission.CHECKIN_WRITE
_BADGES = {"open": "mind", "held": "good", "expired": "plain", "revoked": "bad"}


@page(PAGES, "GET", "/activities/<ref>/grants", needs=_WRITE, form=GrantForm)
def show_grants(uow: UnitOfWork, organizer: Organizer, ref: str, form: GrantForm) -> Page:
    """Show the grants of an activity, and the form for a new one."""
    say = uow.texts.fill_text
    after = say("checkin.grants.until_end", hours=uow.settings.checkin.grant_hours)
    form.hours.choices = [
        (str(one), say("checkin.grants.until_hours", hours=one) if one else after)
        for one in GRANT_HOURS
    ]
    return Page(
        "grants/grants.html",
        activity=activities.own_activity(uow, organizer, ref),
        form=form,
        grants=[(one, state_of(one)) for one in service.list_grants(uow, organizer, ref)],
        badges=_BADGES,
        say_minute=say_minute,
    )


@page(PAGES, "POST", "/activities/<ref>/grants", needs=_WRITE, form=GrantForm)
def make_grant(uow: UnitOfWork, organizer: Organizer, ref: str, form: GrantForm) -> Page:
    """Make a grant and show its QR, once."""
    hours = int(form.hours.data)
    ends_at = uow.now + timedelta(hours=hours) if hours else None
    made = service.make_grant(uow, organizer, ref, form.gate.data.strip(), ends_at)
    return Page(
        "grants/grant_made.html",
        activity=activities.own_activity(uow, organizer, ref),
        made=made,
        until=say_minute(made.expires_at),
        picture=draw_grant(made.code),
    )


@page(PAGES, "POST", "/grants/<ref>/revoke", needs=_WRITE)
def revoke_grant(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """End a grant at once."""
    activity = service.revoke_grant(uow, organizer, ref)
    return Redirect(f"/activities/{activity}/grants", said="checkin.grants.revoke_done")


def state_of(grant: GrantView) -> str:
    """The state in the words of organizers: open, held, expired or revoked."""
    if grant.row.revoked_at is not None:
        return "revoked"
    if not grant.is_valid:
        return "expired"
    return "open" if grant.row.taken_by is None else "held"


def draw_grant(code: str) -> str:
    """A grant's code as the address of an inline picture."""
    return str(segno.make(code, error="m", micro=False).svg_data_uri(scale=8, border=4))

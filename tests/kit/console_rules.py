"""Pages over keyword rules, as a slice would declare them: a list, one rule, a form, a change."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select
from wtforms import IntegerField, StringField
from wtforms.validators import InputRequired, Length

from server.base.access import Organizer, Permission, Scope
from server.base.errors import NotFound
from server.base.ownership import owned_by, visible_to, writable_by
from server.base.uow import UnitOfWork
from server.base.web.page import Page, Pages, Redirect, page
from server.channel.models import KeywordRule, Mode, RuleState
from server.console.forms import ConsoleForm

PAGES = Pages("sample", Path(__file__).with_name("console_pages"))


class RuleForm(ConsoleForm):
    """The words of the reply."""

    text = StringField(
        "console.permission.reply.read",
        validators=[
            InputRequired("console.form.required"),
            Length(max=9, message="console.form.no_choice"),
        ],
    )
    priority = IntegerField("console.home.name", default=1)


def make_rule(uow: UnitOfWork, owner: Scope, state: RuleState) -> KeywordRule:
    row = KeywordRule(
        slug=f"rule-{owner.spelled.replace(':', '-')}-{state.value}", words=["x"], mode=Mode.EXACT,
        priority=1, text="reply", state=state, **owned_by(owner),
    )  # fmt: skip
    uow.session.add(row)
    uow.session.flush()
    return row


def find_rules(uow: UnitOfWork, organizer: Organizer) -> Sequence[KeywordRule]:
    rows = visible_to(select(KeywordRule), organizer, KeywordRule)
    return uow.session.scalars(rows.order_by(KeywordRule.slug)).all()


def read_rule(uow: UnitOfWork, organizer: Organizer, slug: str) -> KeywordRule:
    rows = visible_to(select(KeywordRule), organizer, KeywordRule)
    row = uow.session.scalars(rows.where(KeywordRule.slug == slug)).one_or_none()
    if row is None:
        raise NotFound
    return row


def own_rule(uow: UnitOfWork, organizer: Organizer, slug: str) -> KeywordRule:
    rows = writable_by(select(KeywordRule), organizer, KeywordRule)
    row = uow.session.scalars(rows.where(KeywordRule.slug == slug)).one_or_none()
    if row is None:
        raise NotFound
    return row


@page(PAGES, "GET", "/rules", needs=Permission.REPLY_READ, menu="console.permission.reply.read")
def list_rules(uow: UnitOfWork, organizer: Organizer) -> Page:
    """Every rule that the organizer may see."""
    return Page("sample/rules.html", rules=find_rules(uow, organizer))


@page(PAGES, "GET", "/rules/<slug>", needs=Permission.REPLY_READ)
def show_rule(uow: UnitOfWork, organizer: Organizer, slug: str) -> Page:
    """One rule."""
    return Page("sample/rules.html", rules=[read_rule(uow, organizer, slug)])


@page(PAGES, "GET", "/rules/<slug>/edit", needs=Permission.REPLY_WRITE, form=RuleForm)
def edit_rule(uow: UnitOfWork, organizer: Organizer, slug: str, form: RuleForm) -> Page:
    """The form of one rule."""
    return Page("sample/edit.html", rule=own_rule(uow, organizer, slug), form=form)


@page(PAGES, "POST", "/rules/<slug>/edit", needs=Permission.REPLY_WRITE, form=RuleForm)
def save_rule(uow: UnitOfWork, organizer: Organizer, slug: str, form: RuleForm) -> Redirect:
    """Change the reply of one rule."""
    own_rule(uow, organizer, slug).text = form.text.data
    return Redirect("/rules", said="console.home.title")


@page(PAGES, "POST", "/rules/<slug>/off", needs=Permission.REPLY_WRITE)
def switch_rule_off(uow: UnitOfWork, organizer: Organizer, slug: str) -> Redirect:
    """Turn one rule off."""
    own_rule(uow, organizer, slug).state = RuleState.OFF
    return Redirect("/rules")

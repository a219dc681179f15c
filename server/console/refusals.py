"""Refused POSTs: shown in their form, on the page of their object, or as done by somebody else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from wtforms import Form, HiddenField, PasswordField, StringField

from server.base.database_away import DatabaseAway
from server.base.errors import AlreadyDone, AppError
from server.base.texts import Texts
from server.base.web.page import FieldRefused, PageRoute, Pages
from server.console.form_session import PREFIX
from server.console.responses import FormExpired

# A changed value, a later moment or another choice may be accepted.
_MENDED_IN_FORM = frozenset(
    {
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
    }
)


def belongs_in_form(refusal: AppError) -> bool:
    """Whether a refusal is shown in the form, or beside the button, that was sent.

    A form whose token has expired comes back with a new one. 404 counts too: when the object of the
    page itself is missing, showing its form fails with 404 again.
    """
    if isinstance(refusal, FormExpired):
        return True
    if isinstance(refusal, AlreadyDone | DatabaseAway):
        return False
    return refusal.status in _MENDED_IN_FORM


def say_refusal(texts: Texts, refusal: AppError, form: Form | None = None) -> str:
    """The sentence of a refusal; with a `form`, a missing object is one that was chosen in it."""
    if isinstance(refusal, FieldRefused):
        return texts.fill_text(refusal.said)
    if form is not None and refusal.code == "not_found":
        return texts.fill_text("console.refused.choice_gone")
    return texts.error_text(refusal.code, refusal.facts)


def place_refusal(texts: Texts, form: Form, refusal: AppError) -> None:
    """Put a refusal at its field of the form, or above the form."""
    if isinstance(refusal, FieldRefused) and refusal.field_name in form:
        for name, said in ((refusal.field_name, refusal.said), *refusal.others):
            form[name].errors = [*form[name].errors, said]
    else:
        form.form_errors = [say_refusal(texts, refusal, form)]


def find_parent(tables: Iterable[Pages], route: PageRoute) -> PageRoute | None:
    """The nearest page above a route's path: `/contests/<ref>` for `/contests/<ref>/publish`."""
    shown = {
        one.path: one for pages in tables for one in pages.routes if one.method == "GET"
    }  # fmt: skip
    steps = route.path.split("/")
    above = ("/".join(steps[:length]) for length in range(len(steps) - 1, 1, -1))
    return next((shown[path] for path in above if path in shown), None)


def fill_path(path: str, places: Mapping[str, str]) -> str:
    """The address of a declared path with its variable parts."""
    for name, value in places.items():
        path = path.replace(f"<{name}>", quote(value, safe=""))
    return f"{PREFIX}{path}".rstrip("/")


def list_typed(form: Form | None) -> Iterator[tuple[str, str]]:
    """Label and text of what was typed, so that it can be copied; never passwords."""
    for one in form or ():
        typed: Any = one.data
        if not isinstance(one, StringField) or isinstance(one, HiddenField | PasswordField):
            continue
        if isinstance(typed, str) and typed.strip():
            yield one.label.text, typed

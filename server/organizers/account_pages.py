"""Pages of an organizer's account: password, authenticator, recovery codes, sessions, WeChat."""

from __future__ import annotations

from pathlib import Path

from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired

from server.base.access import Organizer, Permission
from server.base.uow import UnitOfWork
from server.base.web.page import FieldRefused, Page, PagePreflight, Pages, Redirect, page
from server.console.forms import ConsoleForm
from server.organizers import codes, own_account, wechat_notices

PAGES = Pages("own_account", Path(__file__).with_name("pages"))
_OPEN = Permission.CONSOLE_OPEN


class ConfirmForm(ConsoleForm):
    """Form with the current password, for actions for which an open session is not enough."""

    current = PasswordField(
        "organizers.form.current",
        validators=[InputRequired("organizers.form.password_missing")],
        render_kw={"autocomplete": "current-password"},
    )


class PasswordForm(ConfirmForm):
    """Form for a new password, entered twice."""

    password = PasswordField(
        "organizers.form.new_password",
        description="organizers.password.about",
        validators=[InputRequired("organizers.form.password_missing")],
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        "organizers.form.again",
        validators=[InputRequired("organizers.form.password_missing")],
        render_kw={"autocomplete": "new-password"},
    )


class SecondFactorForm(ConfirmForm):
    """Form with the first code of the newly scanned secret."""

    totp = StringField(
        "organizers.form.first_code",
        validators=[InputRequired("organizers.form.code_missing")],
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "6"},
    )


def _confirm_password(preflight: PagePreflight, form: ConfirmForm) -> None:
    own_account.confirm_password(preflight.uow_factory, preflight.organizer, form.current.data)


def _hash_password(preflight: PagePreflight, form: PasswordForm) -> str:
    if form.password.data != form.again.data:
        raise FieldRefused("again", "organizers.form.again_wrong")
    _confirm_password(preflight, form)
    return own_account.hash_new_password(
        preflight.uow_factory, preflight.organizer, form.password.data
    )


def _fetch_code(preflight: PagePreflight) -> str:
    scene = own_account.start_binding(preflight.uow_factory, preflight.organizer)
    return str(preflight.gateway.scene_code(scene).url)


def _send_test(preflight: PagePreflight) -> str:
    with preflight.uow_factory.begin(read_only=True) as uow:
        openid = own_account.openid_of(uow, preflight.organizer.id)
        text = uow.texts.fill_text("organizers.notice.test", name=preflight.organizer.name)
    return wechat_notices.send_test(preflight.gateway, openid, text)


@page(PAGES, "GET", "/account", needs=_OPEN)
def show_account(uow: UnitOfWork, organizer: Organizer) -> Page:
    """Show the organizer's account with its sessions."""
    last_notice = wechat_notices.say_last_notice(uow, organizer)
    account = own_account.show_own_account(uow, organizer, last_notice)
    return Page("own_account/account.html", account=account)


@page(PAGES, "GET", "/account/password", needs=_OPEN, form=PasswordForm)
def show_password(uow: UnitOfWork, organizer: Organizer, form: PasswordForm) -> Page:  # noqa: ARG001 - the page reads no rows
    """Show the form for a new password."""
    return Page("own_account/password.html", form=form)


@page(PAGES, "POST", "/account/password", needs=_OPEN, form=PasswordForm, ask=_hash_password)
def change_password(
    uow: UnitOfWork,
    organizer: Organizer,
    form: PasswordForm,  # noqa: ARG001 - used by `ask`
    asked: str,
) -> Redirect:
    """Store the new password; all other sessions end."""
    own_account.change_password(uow, organizer, asked)
    return Redirect("/account", said="organizers.account.password_changed")


@page(PAGES, "GET", "/account/second-factor", needs=_OPEN, form=SecondFactorForm)
def show_second_factor(uow: UnitOfWork, organizer: Organizer, form: SecondFactorForm) -> Page:
    """Show the QR code of a new secret."""
    offered = own_account.offer_secret(uow, organizer)
    return Page("own_account/second_factor.html", form=form, offered=offered)


@page(
    PAGES,
    "POST",
    "/account/second-factor",
    needs=_OPEN,
    form=SecondFactorForm,
    ask=_confirm_password,
)
def change_second_factor(
    uow: UnitOfWork,
    organizer: Organizer,
    form: SecondFactorForm,
    asked: None,  # noqa: ARG001 - the password was checked by `ask`
) -> Page:
    """Store the new secret and show new recovery codes once."""
    made = own_account.change_second_factor(uow, organizer, form.totp.data)
    return Page("own_account/codes.html", codes=made)


@page(PAGES, "GET", "/account/recovery-codes", needs=_OPEN, form=ConfirmForm)
def show_renewal(uow: UnitOfWork, organizer: Organizer, form: ConfirmForm) -> Page:  # noqa: ARG001 - the page reads no rows
    """Show the form for new recovery codes."""
    return Page("own_account/renew_codes.html", form=form)


@page(
    PAGES, "POST", "/account/recovery-codes", needs=_OPEN, form=ConfirmForm, ask=_confirm_password
)
def renew_codes(
    uow: UnitOfWork,
    organizer: Organizer,
    form: ConfirmForm,  # noqa: ARG001 - used by `ask`
    asked: None,  # noqa: ARG001 - the password was checked by `ask`
) -> Page:
    """Replace the recovery codes and show them once."""
    return Page("own_account/codes.html", codes=own_account.renew_own_codes(uow, organizer))


@page(PAGES, "POST", "/account/sessions/<ref>/end", needs=_OPEN)
def end_session(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """End one of the organizer's sessions."""
    own_account.end_own_session(uow, organizer, ref)
    return Redirect("/account", said="organizers.account.session_ended")


@page(PAGES, "POST", "/account/wechat", needs=_OPEN, ask=_fetch_code)
def show_wechat_code(uow: UnitOfWork, organizer: Organizer, asked: str) -> Page:  # noqa: ARG001 - used by `ask`
    """Show a QR code; the WeChat account that scans it is bound to the organizer's account."""
    return Page("own_account/wechat.html", picture=codes.qr_picture(asked))


@page(PAGES, "POST", "/account/wechat/unbind", needs=_OPEN)
def unbind_wechat(uow: UnitOfWork, organizer: Organizer) -> Redirect:
    """Unbind the organizer's WeChat account."""
    own_account.unbind_wechat(uow, organizer)
    return Redirect("/account", said="organizers.account.wechat_unbound")


@page(PAGES, "POST", "/account/wechat/test", needs=_OPEN, ask=_send_test)
def send_test(uow: UnitOfWork, organizer: Organizer, asked: str) -> Redirect:  # noqa: ARG001 - used by `ask`
    """Send a test message to the organizer's WeChat account, and show the result."""
    return Redirect("/account", said=asked)


@page(PAGES, "POST", "/account/wechat/notices-on", needs=_OPEN)
def switch_notices_on(uow: UnitOfWork, organizer: Organizer) -> Redirect:
    """Switch the daily notice on."""
    own_account.switch_notices(uow, organizer, on=True)
    return Redirect("/account", said="organizers.account.notices_on")


@page(PAGES, "POST", "/account/wechat/notices-off", needs=_OPEN)
def switch_notices_off(uow: UnitOfWork, organizer: Organizer) -> Redirect:
    """Switch the daily notice off."""
    own_account.switch_notices(uow, organizer, on=False)
    return Redirect("/account", said="organizers.account.notices_off")

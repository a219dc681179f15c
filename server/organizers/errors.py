"""Errors of log-in, one-time links and organizers' accounts."""

from __future__ import annotations

from server.base.errors import (
    AlreadyDone,
    Conflict,
    NotAuthenticated,
    NotFound,
    TooManyRequests,
    Unavailable,
)


class BadLogin(NotAuthenticated):
    """Name, password or code is wrong; the error never says which."""

    code = "bad_login"


class LoginBarred(TooManyRequests):
    """Too many wrong passwords for this account from this address."""

    code = "login_barred"


class PasswordsBusy(Unavailable):
    """Too many passwords are being checked at once."""

    code = "passwords_busy"


class LinkDead(NotFound):
    """A one-time link that was used, replaced, or is too old."""

    code = "link_dead"


class AccountNotOpen(AlreadyDone):
    """The account is closed, or its invitation is not accepted yet."""

    code = "account_not_open"


class OwnAccount(Conflict):
    """Organizers cannot change the role of their own account, recover it or close it."""

    code = "own_account"


class SuccessorUnfit(Conflict):
    """The successor has another role or place, or is the same person."""

    code = "successor_unfit"


class WeChatTaken(Conflict):
    """This WeChat account is bound to another organizer."""

    code = "wechat_taken"


class UnitClosed(AlreadyDone):
    """The unit is closed already."""

    code = "unit_closed"

"""A citizen's picture and phone number, which WeChat checks or verifies."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from server.accounts import avatar_uploads, phones, service
from server.accounts.errors import PicturesWaiting
from server.base.errors import Invalid, NotAuthenticated
from server.base.pictures import (
    PictureKindUnsupported,
    PictureRefused,
    PictureTooLarge,
    check_picture,
)
from server.base.rate_limits import BAD_CODE, OWN_WORDS, PHONE, counting_failures
from server.base.uow import UnitOfWork
from server.base.web.auth import Who
from server.base.web.endpoint import Api, PreflightContext, endpoint
from server.base.web.schema import In, Out
from server.wechat.errors import AWAY, BadLoginCode
from server.wechat.gateway import PhoneNumber

REACH_API = Api("reach")


class PhoneIn(In, frozen=True, kw_only=True):
    """The code of the phone-number button."""

    code: Annotated[str, Meta(min_length=1, max_length=256)]


class PhoneOut(Out, frozen=True, kw_only=True):
    """The masked number."""

    phone_masked: str


def _check_upload(_asking: PreflightContext, upload: bytes) -> None:
    """Check a file by its first bytes."""
    check_picture(upload)


@endpoint(
    REACH_API,
    "POST",
    "/me/avatar",
    who=Who.CITIZEN,
    upload=True,
    status=(202,),
    errors=(PictureRefused, PictureKindUnsupported, PictureTooLarge, PicturesWaiting),
    consent=True,
    ask=_check_upload,
    pace=OWN_WORDS,
)
def give_avatar(uow: UnitOfWork, upload: bytes, asked: None) -> None:  # noqa: ARG001 - checked by `ask`
    """Upload the caller's picture; it is shown after it has passed WeChat's check."""
    avatar_uploads.receive_file(uow, uow.caller_id, upload)


def _exchange_phone_code(preflight: PreflightContext, body: PhoneIn) -> PhoneNumber:
    """Exchange a code, which must be this citizen's own, for the number."""
    citizen_id = preflight.caller.id
    with preflight.uow_factory.begin(read_only=True) as uow:
        openid = service.openid_of(uow, citizen_id, "mini_program")
    if openid is None:
        raise NotAuthenticated
    try:
        with counting_failures(
            preflight.uow_factory.dependencies, BAD_CODE, preflight.network, BadLoginCode
        ):
            number: PhoneNumber = preflight.gateway.phone_number(openid, body.code)
    except BadLoginCode:
        raise Invalid((("body", "code"), "unknown, used or too old")) from None
    return number


@endpoint(
    REACH_API,
    "POST",
    "/me/phone",
    who=Who.CITIZEN,
    body=PhoneIn,
    out=PhoneOut,
    errors=(Invalid, *AWAY),
    consent=True,
    ask=_exchange_phone_code,
    pace=PHONE,
)
def give_phone(uow: UnitOfWork, body: PhoneIn, asked: PhoneNumber) -> PhoneOut:  # noqa: ARG001 - exchanged in `_exchange_phone_code`
    """Store the caller's phone number, as verified by WeChat."""
    return PhoneOut(phone_masked=phones.keep_number(uow, uow.caller_id, asked))

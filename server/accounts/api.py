"""Login, profile, consent, export and erasure for the mini-program."""

from __future__ import annotations

from typing import get_args

from server.accounts import privacy, profile, service
from server.accounts.errors import (
    GuardianConsentRequired,
    NicknameRefused,
    PolicyVersionOutdated,
)
from server.accounts.reach_api import REACH_API
from server.accounts.schemas import (
    AvatarState,
    CitizenOut,
    ConsentIn,
    ConsentOut,
    ExportOut,
    LoginIn,
    LoginOut,
    NicknameState,
    ProfileIn,
    ProfileOut,
)
from server.base.rate_limits import (
    BAD_CODE,
    CHANGE,
    EXPORT,
    LOGIN,
    OWN_WORDS,
    counting_failures,
    spend_token,
)
from server.base.uow import UnitOfWork
from server.base.web.auth import Who
from server.base.web.endpoint import Api, PreflightContext, endpoint
from server.base.web.schema import fill_from
from server.wechat.errors import AWAY, BadLoginCode, LoginRefused
from server.wechat.gateway import WeChatIdentity

API = Api("accounts", routes=[*REACH_API.routes])


def _who_logs_in(preflight: PreflightContext, body: LoginIn) -> WeChatIdentity:
    """Exchange the code with WeChat and count the login against this openid's rate limit."""
    dependencies = preflight.uow_factory.dependencies
    with counting_failures(dependencies, BAD_CODE, preflight.network, BadLoginCode):
        identity: WeChatIdentity = preflight.gateway.code_to_identity(body.code)
    spend_token(dependencies, LOGIN, dependencies.keys.pseudonym_of(identity.openid))
    return identity


@endpoint(
    API,
    "POST",
    "/login",
    who=Who.ANYONE,
    body=LoginIn,
    out=LoginOut,
    errors=(BadLoginCode, LoginRefused, *AWAY),
    ask=_who_logs_in,
    pace=LOGIN,
)
def log_in(uow: UnitOfWork, body: LoginIn, asked: WeChatIdentity) -> LoginOut:  # noqa: ARG001 - exchanged in `_who_logs_in`
    """Open a session with a code of wx.login."""
    signed = service.sign_in(uow, asked)
    seen = profile.shown_at_login(uow, signed.citizen_id)
    citizen = fill_from(
        seen,
        CitizenOut,
        id=seen.ref,
        nickname_state=_nickname_state(seen.nickname_state),
        is_new=signed.is_new,
        policy_version=uow.settings.policy_version,
    )
    return fill_from(signed, LoginOut, citizen=citizen)


@endpoint(API, "POST", "/logout", who=Who.CITIZEN, status=(204,), pace=CHANGE)
def log_out(uow: UnitOfWork) -> None:
    """End this session at once."""
    service.end_session(uow)


@endpoint(API, "GET", "/me", who=Who.CITIZEN, out=ProfileOut)
def show_profile(uow: UnitOfWork) -> ProfileOut:
    """Show the profile of the caller."""
    return _profile_out(uow, uow.caller_id)


def _judged_nickname(preflight: PreflightContext, body: ProfileIn) -> profile.Judged | None:
    """Check a new nickname with WeChat."""
    if not isinstance(body.nickname, str) or preflight.actor is None:
        return None
    name = profile.checked_name(body.nickname)
    with preflight.uow_factory.begin(read_only=True) as uow:
        waiting = profile.find_unchecked_name(uow, preflight.actor.id, name)
    if waiting is None:
        return None
    spend_token(preflight.uow_factory.dependencies, OWN_WORDS, preflight.actor.person)
    return profile.judge_nickname(preflight.gateway, waiting)


@endpoint(
    API,
    "PATCH",
    "/me",
    who=Who.CITIZEN,
    body=ProfileIn,
    out=ProfileOut,
    errors=(NicknameRefused,),
    consent=True,
    ask=_judged_nickname,
    pace=CHANGE,
)
def change_profile(uow: UnitOfWork, body: ProfileIn, asked: profile.Judged | None) -> ProfileOut:
    """Change the given fields of the profile; null clears a field."""
    profile.change_profile(uow, uow.caller_id, body.sent_fields(), asked)
    return _profile_out(uow, uow.caller_id)


@endpoint(
    API,
    "PUT",
    "/me",
    who=Who.CITIZEN,
    body=ProfileIn,
    out=ProfileOut,
    errors=(NicknameRefused,),
    consent=True,
    ask=_judged_nickname,
    pace=CHANGE,
)
def put_profile(uow: UnitOfWork, body: ProfileIn, asked: profile.Judged | None) -> ProfileOut:
    """Change the profile as PATCH does, which a mini-program's wx.request does not support."""
    return change_profile(uow, body, asked)


@endpoint(
    API,
    "POST",
    "/me/consents",
    who=Who.CITIZEN,
    body=ConsentIn,
    out=ConsentOut,
    status=(201,),
    errors=(GuardianConsentRequired, PolicyVersionOutdated),
    pace=CHANGE,
)
def give_consent(uow: UnitOfWork, body: ConsentIn) -> ConsentOut:
    """Agree to the privacy policy in force, for oneself or with a guardian."""
    given = privacy.ConsentGiven(
        policy_version=body.policy_version,
        guardian=body.guardian,
        under_14=body.under_14,
        guardian_name=body.guardian_name,
        guardian_relation=body.guardian_relation,
    )
    row = privacy.give_consent(uow, uow.caller_id, given)
    return ConsentOut(
        policy_version=row.policy_version,
        guardian=row.guardian,
        under_14=row.under_14,
        given_at=row.given_at,
    )


@endpoint(API, "GET", "/me/export", who=Who.CITIZEN, out=ExportOut, pace=EXPORT)
def export_me(uow: UnitOfWork) -> ExportOut:
    """Everything held about the caller."""
    return ExportOut(exported_at=uow.now, held=privacy.export_citizen(uow, uow.caller_id))


@endpoint(API, "DELETE", "/me", who=Who.CITIZEN, status=(204,), pace=CHANGE)
def erase_me(uow: UnitOfWork) -> None:
    """Erase the caller's personal data; anonymous results remain."""
    privacy.erase_citizen(uow, uow.caller_id)


def _nickname_state(state: str) -> NicknameState:
    known: tuple[NicknameState, ...] = get_args(NicknameState)
    # Citizens get `checking` for every internal state of the check.
    return next((name for name in known if name == state), "checking")


def _avatar_state(state: str | None) -> AvatarState:
    if state is None:
        return "none"
    known: tuple[AvatarState, ...] = get_args(AvatarState)
    return next((name for name in known if name == state), "checking")


def _profile_out(uow: UnitOfWork, citizen_id: int) -> ProfileOut:
    seen = profile.profile_of(uow, citizen_id)
    mine = seen.citizen
    return fill_from(
        mine,
        ProfileOut,
        id=mine.ref,
        nickname_state=_nickname_state(mine.nickname_state),
        avatar_state=_avatar_state(seen.avatar_state),
        avatar_preview_url=seen.avatar_preview_url,
        phone_masked=seen.phone_masked,
        city_name=seen.city_name,
        county_name=seen.county_name,
        unit=seen.unit.ref if seen.unit else None,
        unit_name=seen.unit.name if seen.unit else None,
        consented=seen.consented,
        policy_version=uow.settings.policy_version,
    )

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
    spend,
)
from server.base.uow import UnitOfWork
from server.base.web.auth import Who
from server.base.web.endpoint import Api, PreflightContext, endpoint
from server.wechat.errors import AWAY, BadLoginCode, LoginRefused
from server.wechat.gateway import WeChatIdentity

API = Api("accounts", routes=[*REACH_API.routes])


def _who_logs_in(preflight: PreflightContext, body: LoginIn) -> WeChatIdentity:
    """Exchange the code with WeChat and count the login against this openid's rate limit."""
    dependencies = preflight.uow_factory.dependencies
    with counting_failures(dependencies, BAD_CODE, preflight.network, BadLoginCode):
        identity: WeChatIdentity = preflight.gateway.code_to_identity(body.code)
    spend(dependencies, LOGIN, dependencies.keys.pseudonym(identity.openid))
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
def log_in(uow: UnitOfWork, body: LoginIn, asked: WeChatIdentity) -> LoginOut:  # noqa: ARG001 - spent above
    """Open a session with a code of wx.login."""
    signed = service.sign_in(uow, asked)
    seen = profile.profile_of(uow, signed.citizen_id)
    return LoginOut(
        token=signed.token,
        expires_at=signed.expires_at,
        citizen=CitizenOut(
            id=seen.citizen.ref,
            nickname=seen.citizen.nickname,
            nickname_state=_state(seen.citizen.nickname_state),
            avatar_url=seen.citizen.avatar_url,
            is_new=signed.is_new,
            elder_mode=seen.citizen.elder_mode,
            consented=seen.consented,
            policy_version=uow.settings.policy_version,
        ),
    )


@endpoint(API, "POST", "/logout", who=Who.CITIZEN, status=(204,), pace=CHANGE)
def log_out(uow: UnitOfWork) -> None:
    """End this session at once."""
    service.end_session(uow)


@endpoint(API, "GET", "/me", who=Who.CITIZEN, out=ProfileOut)
def show_profile(uow: UnitOfWork) -> ProfileOut:
    """The profile of the caller."""
    return _profile(uow, uow.caller_id)


def _judged_nickname(preflight: PreflightContext, body: ProfileIn) -> profile.Judged | None:
    """Check a new nickname with WeChat."""
    if not isinstance(body.nickname, str) or preflight.actor is None:
        return None
    name = profile.checked_name(body.nickname)
    with preflight.uow_factory.begin(read_only=True) as uow:
        waiting = profile.to_be_judged(uow, preflight.actor.id, name)
    if waiting is None:
        return None
    spend(preflight.uow_factory.dependencies, OWN_WORDS, preflight.actor.person)
    return profile.judge(preflight.gateway, waiting)


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
    """Change the named parts of the profile; null takes a part back."""
    profile.change(uow, uow.caller_id, body.changes(), asked)
    return _profile(uow, uow.caller_id)


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
    """The same as PATCH, which a mini-program's wx.request does not support."""
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
    return ExportOut(exported_at=uow.now, held=privacy.export(uow, uow.caller_id))


@endpoint(API, "DELETE", "/me", who=Who.CITIZEN, status=(204,), pace=CHANGE)
def erase_me(uow: UnitOfWork) -> None:
    """Forget the caller; anonymous results stay."""
    privacy.erase(uow, uow.caller_id)


def _state(state: str) -> NicknameState:
    known: tuple[NicknameState, ...] = get_args(NicknameState)
    # A citizen need not know whether a machine or a person is checking.
    return next((name for name in known if name == state), "checking")


def _avatar_state(state: str | None) -> AvatarState:
    if state is None:
        return "none"
    known: tuple[AvatarState, ...] = get_args(AvatarState)
    return next((name for name in known if name == state), "checking")


def _profile(uow: UnitOfWork, citizen_id: int) -> ProfileOut:
    seen = profile.profile_of(uow, citizen_id)
    mine = seen.citizen
    return ProfileOut(
        id=mine.ref,
        nickname=mine.nickname,
        nickname_state=_state(mine.nickname_state),
        pending_nickname=mine.pending_nickname,
        avatar_url=mine.avatar_url,
        avatar_state=_avatar_state(seen.avatar_state),
        avatar_preview_url=seen.avatar_preview_url,
        phone_masked=seen.phone_masked,
        city=mine.city,
        city_name=seen.city_name,
        county=mine.county,
        county_name=seen.county_name,
        unit=seen.unit.ref if seen.unit else None,
        unit_name=seen.unit.name if seen.unit else None,
        audience=mine.audience.value if mine.audience else None,
        sex=mine.sex.value if mine.sex else None,
        birth_band=mine.birth_band,
        schooling=mine.schooling.value if mine.schooling else None,
        residence=mine.residence.value if mine.residence else None,
        language=mine.language.value,
        elder_mode=mine.elder_mode,
        public_rank=mine.public_rank,
        topics=mine.topics,
        quiet_from=mine.quiet_from,
        quiet_to=mine.quiet_to,
        under_14=mine.under_14,
        consented=seen.consented,
        policy_version=uow.settings.policy_version,
        created_at=mine.created_at,
    )

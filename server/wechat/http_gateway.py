"""The gateway over HTTP: wechatpy's wrappers where they suffice, direct calls elsewhere."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from prometheus_client import Counter

from server.base.clock import Clock
from server.base.settings import WeChat
from server.base.uow import Dependencies, UnitOfWorkFactory
from server.base.web import metrics
from server.wechat.answers import follower_of, objects_of, word_of
from server.wechat.authorized_client import AuthorizedClient, Repeat
from server.wechat.errors import (
    BadLoginCode,
    CallInDoubt,
    ConfigWrong,
    LoginRefused,
    OpenDataRefused,
    TryLater,
    Unclassified,
    WeChatAway,
    WeChatError,
)
from server.wechat.gateway import (
    FollowerDetails,
    FollowerPage,
    GroupEntry,
    MadeSceneCode,
    PhoneNumber,
    TextPlace,
    Verdict,
    WeChatIdentity,
)
from server.wechat.letter_calls import MINI_PROGRAM, OFFICIAL_ACCOUNT
from server.wechat.materials import Materials
from server.wechat.opendata import open_data
from server.wechat.sends import Sends
from server.wechat.tokens import TokenService
from server.wechat.transport import ApiCall, Patience, Transport
from server.wechat.words import count_unknown_word

_log = logging.getLogger(__name__)

_NO_MENU = 46003
_CODE_LIFE_SECONDS = 2592000
_BAD_CODE = frozenset({40003, 40013})
_CODE = re.compile(r"[\x21-\x7e]{1,256}")
_DIGITS = re.compile(r"[0-9]{1,20}")
_PICTURE = 2


class HttpGateway(Sends, Materials):
    """The real WeChat, or another host from the settings."""

    def is_available(self) -> bool:
        """Whether calls are currently sent (circuit breaker closed)."""
        return self._transport.is_available()

    def token_age_seconds(self) -> float | None:
        """Age of the official account's token; None before the first."""
        return self._official_calls.tokens.age_seconds()

    def try_credentials(self, account: str) -> None:
        """Request a token. Source: getStableAccessToken, in its normal mode."""
        self._outside_transaction()
        self._accounts[account].tokens.probe_token()

    def code_to_identity(self, code: str) -> WeChatIdentity:
        """Exchange a wx.login code. Source: auth.code2Session."""
        answer = self._log_in(code)
        # The session key is dropped, because nothing needs it later.
        return WeChatIdentity(
            openid=word_of(answer, "openid"),
            unionid=word_of(answer, "unionid") if answer.get("unionid") else None,
        )

    def fetch_follower(self, openid: str) -> FollowerDetails:
        """Whether a citizen follows. Source: user management, "get user information"."""
        self._outside_transaction()
        return follower_of(self._official.user.get(openid))

    def fetch_followers(self, openids: Sequence[str]) -> list[FollowerDetails]:
        """WeChat's data about up to a hundred followers. Source: user management, "batch get"."""
        self._outside_transaction()
        answer = self._official.user.get_batch(list(openids))
        return [follower_of(one) for one in objects_of(answer, "user_info_list")]

    def follower_page(self, after: str = "") -> FollowerPage:
        """One page of followers. Source: user management, "get the user list"."""
        self._outside_transaction()
        answer = self._official.user.get_followers(after or None)
        count, following = answer.get("count"), answer.get("next_openid")
        if count == 0:
            return FollowerPage(openids=(), following="")
        data = answer.get("data")
        listed = data.get("openid") if isinstance(data, dict) else None
        if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
            raise CallInDoubt
        return FollowerPage(openids=tuple(listed), following=str(following or ""))

    def push_menu(self, menu: Mapping[str, object]) -> None:
        """Replace the menu. Source: custom menu, "create"."""
        self._outside_transaction()
        self._official.menu.create(dict(menu))

    def current_menu(self) -> Mapping[str, object] | None:
        """The menu currently shown. Source: custom menu, "get"."""
        self._outside_transaction()
        try:
            answer = self._official.menu.get()
        except WeChatError as error:
            if error.errcode != _NO_MENU:
                raise
            return None
        menu = answer.get("menu")
        if not isinstance(menu, dict):
            raise CallInDoubt
        return menu

    def scene_code(self, scene: str, *, permanent: bool = False) -> MadeSceneCode:
        """A QR code with a scene. Source: account management, "QR code with parameters"."""
        self._outside_transaction()
        request: dict[str, object] = {
            "action_name": "QR_LIMIT_STR_SCENE" if permanent else "QR_STR_SCENE",
            "action_info": {"scene": {"scene_str": scene}},
        }
        if not permanent:
            request["expire_seconds"] = _CODE_LIFE_SECONDS
        answer = self._official.qrcode.create(request)
        ticket, lasts = word_of(answer, "ticket"), answer.get("expire_seconds")
        return MadeSceneCode(
            ticket=ticket,
            url=word_of(answer, "url"),
            picture_url=f"{self._mp_base}/cgi-bin/showqrcode?ticket={quote(ticket, safe='')}",
            expires_in_seconds=lasts if isinstance(lasts, int) else None,
        )

    def check_text(self, openid: str, text: str, place: TextPlace) -> Verdict:
        """Check a citizen's text. Source: security.msgSecCheck, version 2."""
        self._outside_transaction()
        answer = self._mini_calls.call_api(
            ApiCall(
                method="POST",
                path="/wxa/msg_sec_check",
                body={"version": 2, "scene": int(place), "openid": openid, "content": text},
            )
        )
        result = answer.get("result")
        suggest = result.get("suggest") if isinstance(result, dict) else None
        if not isinstance(suggest, str):
            raise CallInDoubt
        if suggest not in list(Verdict):
            # An unknown verdict is no pass, and a retry would return it again: a person must
            # decide.
            count_unknown_word("text_check", suggest)
            return Verdict.REVIEW
        return Verdict(suggest)

    def mini_program_code(self, scene: str, page: str) -> bytes:
        """The picture of a mini-program code. Source: wxacode.getUnlimited."""
        self._outside_transaction()
        body = {"scene": scene, "page": page, "check_path": False, "env_version": "release"}
        return self._mini_calls.fetch_picture(
            ApiCall(method="POST", path="/wxa/getwxacodeunlimit", body=body)
        )

    def group_entry(self, code: str, encrypted_data: str, iv: str) -> GroupEntry:
        """The WeChat group that opened the mini-program. Source: wx.getGroupEnterInfo."""
        answer = self._log_in(code)
        # The session key exists only during this call.
        data = open_data(
            encrypted_data,
            session_key=word_of(answer, "session_key"),
            iv=iv,
            appid=self._mini_program.appid,
        )
        # wx.getShareInfo spells this field differently.
        opengid = data.get("opengid") or data.get("openGId")
        if not isinstance(opengid, str):
            raise OpenDataRefused
        return GroupEntry(openid=word_of(answer, "openid"), opengid=opengid)

    def phone_number(self, openid: str, code: str) -> PhoneNumber:
        """Exchange a phone-number code. Source: phonenumber.getPhoneNumber."""
        self._outside_transaction()
        if not _CODE.fullmatch(code):
            raise BadLoginCode
        body = {"code": code, "openid": openid}
        call = ApiCall(method="POST", path="/wxa/business/getuserphonenumber", body=body)
        try:
            answer = self._mini_calls.call_api(call, Repeat.NEVER)
        except WeChatError as error:
            raise _about_a_code(error) from None
        info = answer.get("phone_info")
        if not isinstance(info, dict):
            raise CallInDoubt
        country, number = word_of(info, "countryCode"), word_of(info, "purePhoneNumber")
        if not _DIGITS.fullmatch(country) or not _DIGITS.fullmatch(number):
            raise CallInDoubt
        return PhoneNumber(country=country, number=number)

    def check_picture(self, openid: str, address: str) -> str:
        """Start a picture check. Source: security.mediaCheckAsync, version 2."""
        self._outside_transaction()
        body = {
            "version": 2,
            "media_type": _PICTURE,
            "scene": int(TextPlace.PROFILE),
            "openid": openid,
            "media_url": address,
        }
        call = ApiCall(method="POST", path="/wxa/media_check_async", body=body)
        return word_of(self._mini_calls.call_api(call), "trace_id")

    def _log_in(self, code: str) -> dict[str, Any]:
        self._outside_transaction()
        if not _CODE.fullmatch(code):
            raise BadLoginCode
        call = ApiCall(
            method="GET",
            path="/sns/jscode2session",
            params={
                "appid": self._mini_program.appid,
                "secret": self._mini_program.secret,
                "js_code": code,
                "grant_type": "authorization_code",
            },
        )
        with self._transport.place_for(call.path):
            return self._logged_in(call)

    def _logged_in(self, call: ApiCall) -> dict[str, Any]:
        until = self._transport.new_deadline()
        try:
            return self._transport.call_api(call, until)
        except TryLater:
            # WeChat was busy and did not use the code up.
            self._transport.rest_briefly()
        except WeChatError as error:
            raise self._login_error(error) from None
        try:
            return self._transport.call_api(call, until)
        except WeChatError as error:
            raise self._login_error(error) from None

    def _login_error(self, error: WeChatError) -> WeChatError:
        """Translate an error of the login endpoint for the citizen who logs in."""
        if isinstance(error, ConfigWrong):
            self._transport.alarm("login_config")
        if error.errcode in _BAD_CODE:
            return BadLoginCode(errcode=error.errcode, rid=error.rid)
        if isinstance(error, LoginRefused):
            return error
        return _about_a_code(error)


def _about_a_code(error: WeChatError) -> WeChatError:
    """Keep BadLoginCode and WeChatAway; any other error is a mistake of ours."""
    if isinstance(error, BadLoginCode | WeChatAway):
        return error
    return Unclassified(errcode=error.errcode, rid=error.rid)


def open_gateway(
    wechat: WeChat,
    dependencies: Dependencies,
    uow_factory: UnitOfWorkFactory,
    *,
    total_seconds: float | None = None,
    count: Callable[[str, str], Counter] = metrics.calls,
) -> HttpGateway:
    """Create this process's gateway from the settings; makes no call itself.

    Units: `total_seconds` is the timeout of one call, by default that of a request; `count` is the
    counter of a path and an outcome, another one in a worker.
    """

    def outside_transaction() -> None:
        if uow_factory.depth:
            raise RuntimeError("WeChat is called while a transaction is open")

    transport = _open_transport(
        wechat, dependencies.clock, total_seconds or wechat.request_timeout_seconds, count
    )
    apps = {OFFICIAL_ACCOUNT: wechat.official_account, MINI_PROGRAM: wechat.mini_program}
    accounts = {
        name: AuthorizedClient(
            transport,
            TokenService(
                app, transport, dependencies.kv.shared, dependencies.kv.lock, dependencies.clock
            ),
        )
        for name, app in apps.items()
    }
    return HttpGateway(
        transport,
        wechat.mini_program,
        accounts,
        official_appid=wechat.official_account.appid,
        mp_base=wechat.mp_base,
        outside_transaction=outside_transaction,
    )


def _open_transport(
    wechat: WeChat,
    clock: Clock,
    total_seconds: float,
    count: Callable[[str, str], Counter],
) -> Transport:
    def sound_alarm(what: str) -> None:
        count("alarm", what).inc()
        _log.error("wechat needs an operator", extra={"outcome": what})

    return Transport(
        wechat.api_base,
        clock,
        patience=Patience(
            wechat.connect_timeout_seconds,
            total_seconds,
            calls_at_once=wechat.calls_at_once,
        ),
        count=lambda path, outcome: count(path, outcome).inc(),
        alarm=sound_alarm,
    )

"""The gateway's messages to one person and its mass messages.

No send is retried here: only the caller knows whether it may happen twice, and has the id under
which WeChat deduplicates it.
"""

from __future__ import annotations

from collections.abc import Callable

from server.wechat.answers import word_of
from server.wechat.authorized_client import Repeat
from server.wechat.errors import CallInDoubt
from server.wechat.fan_out import LoopFanOut
from server.wechat.gateway import FanOut, FanOutResult
from server.wechat.http_base import HttpBase
from server.wechat.letter_calls import accepted_of, account_of, call_of, id_of
from server.wechat.letters import (
    CustomerText,
    MassAccepted,
    MassSend,
    OfficialSubscription,
    PushLetter,
    SubscriptionMessage,
    TemplateMessage,
)
from server.wechat.send_line import SendLine
from server.wechat.transport import ApiCall


class Sends(HttpBase):
    """The sending calls."""

    def send_text(self, openid: str, text: str) -> None:
        """Send a text to the chat. Source: customer service, "send a message"."""
        self._send_letter(CustomerText(openid=openid, text=text))

    def send_subscription(self, message: SubscriptionMessage) -> str:
        """Send one subscription message. Source: subscribeMessage.send."""
        return self._send_letter(message)

    def send_template(self, message: TemplateMessage) -> str:
        """Send one template message. Source: template message, "send"."""
        return self._send_letter(message)

    def send_official_subscription(self, message: OfficialSubscription) -> str:
        """Send one subscription notice. Source: subscription notice, "send"."""
        return self._send_letter(message)

    def send_mass(self, message: MassSend) -> MassAccepted:
        """Send a draft to chosen followers. Source: mass messages, "send by list of openids"."""
        self._outside_transaction()
        body: dict[str, object] = {
            "touser": list(message.openids),
            "msgtype": "mpnews",
            "mpnews": {"media_id": message.media_id},
            # A reprint of somebody's original article is refused, not sent in its place.
            "send_ignore_reprint": 0,
            "clientmsgid": message.client_msg_id,
        }
        call = ApiCall(method="POST", path="/cgi-bin/message/mass/send", body=body)
        answer = self._official_calls.call_api(call, Repeat.NEVER)
        msg_id = id_of(answer, "msg_id")
        if "errcode" not in answer or not msg_id:
            # Without its id no receipt could be matched; the same send again returns the id.
            raise CallInDoubt
        return MassAccepted(msg_id=msg_id, msg_data_id=id_of(answer, "msg_data_id"))

    def preview_mass(self, openid: str, media_id: str) -> None:
        """Send a draft to one follower. Source: mass messages, "preview"."""
        self._outside_transaction()
        # wechatpy would take an openid of another form for a WeChat name.
        body = {"touser": openid, "msgtype": "mpnews", "mpnews": {"media_id": media_id}}
        call = ApiCall(method="POST", path="/cgi-bin/message/mass/preview", body=body)
        self._official_calls.call_api(call, Repeat.NEVER)

    def mass_status(self, msg_id: str) -> str:
        """State of a mass message. Source: mass messages, "query the state"."""
        self._outside_transaction()
        return word_of(self._official.message.get_mass(msg_id), "msg_status")

    def delete_mass(self, msg_id: str) -> None:
        """Delete a mass message. Source: mass messages, "delete"."""
        self._outside_transaction()
        # This call takes a number, the query of the state a text.
        self._official.message.delete_mass(int(msg_id))

    def open_fan_out(
        self, connections: int, on_result: Callable[[int, FanOutResult], None]
    ) -> FanOut:
        """Open a fan-out of at most `connections` concurrent sends."""
        self._outside_transaction()

        def open_line() -> SendLine:
            appid = self._mini_program.appid
            return SendLine(self._transport, self._accounts, appid, connections)

        return LoopFanOut(open_line, connections, on_result, self._outside_transaction)

    def _send_letter(self, letter: PushLetter) -> str:
        self._outside_transaction()
        calls = self._accounts[account_of(letter)]
        call = call_of(letter, self._mini_program.appid)
        return accepted_of(calls.call_api(call, Repeat.NEVER)).message_id

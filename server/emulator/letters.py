"""The messages and events that WeChat pushes, with their fields in WeChat's order.

Source: "Receiving standard messages", "Receiving event pushes", "Subscription message events".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .apps import MINI, OFFICIAL, App
from .people import Person, platform_openid
from .world import World
from .xml import Array, Pair

SILENT = {"unsubscribe", "view", "view_miniprogram", "scancode_push"}
WITH_MENU_ID = {"view", "view_miniprogram"}
# The confidence that the content model reports.
SURE = 90
# The ErrorCode of a subscription message that did not arrive; WeChat publishes none.
NOT_SENT = 101
WITH_SCAN = {"scancode_push", "scancode_waitmsg"}


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A push: its fields, and which replies are valid for it."""

    account: str
    what: str
    fields: Sequence[Pair]
    json_fields: Sequence[Pair] | None = None
    is_message: bool = False
    may_reply: bool = False

    @property
    def openid(self) -> str:
        """The openid of the person who caused it."""
        return str(dict(self.fields)["FromUserName"])


def build_message(world: World, person: Person, kind: str, content: str) -> Letter:
    """Build a message from the person to the official account."""
    media = world.random_word(43)
    picture = f"http://mmbiz.qpic.cn/{media}"
    parts: dict[str, list[Pair]] = {
        "text": [("Content", content)],
        "image": [("PicUrl", picture), ("MediaId", media)],
        "voice": [("MediaId", media), ("Format", "amr")],
        "video": [("MediaId", media), ("ThumbMediaId", world.random_word(43))],
        "location": [
            ("Location_X", 22.817),
            ("Location_Y", 108.366),
            ("Scale", 16),
            ("Label", content),
        ],
        "link": [("Title", content), ("Description", content), ("Url", picture)],
    }
    if kind not in parts:
        raise ValueError(f"a message is one of {sorted(parts)}")
    fields = [*_build_envelope(world, world.official, person.openid_oa, kind), *parts[kind]]
    fields.append(("MsgId", world.random_number64()))
    return Letter(account=OFFICIAL, what=kind, fields=fields, is_message=True, may_reply=True)


def build_event(
    world: World,
    person: Person,
    name: str,
    key: str | None = None,
    ticket: str | None = None,
    *,
    scanned: str | None = None,
) -> Letter:
    """Build an event of the person in the official account; `scanned` is a scanned code's text."""
    fields = [*_build_envelope(world, world.official, person.openid_oa, "event", f"{name}:{key}")]
    fields.append(("Event", name))
    lowered = name.lower()
    if key is not None:
        fields.append(("EventKey", key))
    if ticket is not None:
        fields.append(("Ticket", ticket))
    if lowered in WITH_MENU_ID:
        fields.append(("MenuId", 424242))
    if lowered in WITH_SCAN:
        read = (key or "") if scanned is None else scanned
        fields.append(("ScanCodeInfo", [("ScanType", "qrcode"), ("ScanResult", read)]))
    return Letter(account=OFFICIAL, what=name, fields=fields, may_reply=lowered not in SILENT)


def popup_event(
    world: World, app: App, openid: str, answers: Sequence[tuple[str, str]], scene: int = 0
) -> Letter:
    """The answers of a person on a subscription sheet.

    `scene` is where it opened: 0 the mini-program, 1 a web page, 2 an article of the account.
    """
    items: list[list[Pair]] = [
        [("TemplateId", template), ("SubscribeStatusString", answer), ("PopupScene", scene)]
        for template, answer in answers
    ]
    as_text: list[list[Pair]] = [
        [(name, str(value)) for name, value in item if isinstance(value, str | int)]
        for item in items
    ]
    return _build_list_event(world, app, openid, "subscribe_msg_popup_event", (items, as_text))


def change_event(world: World, app: App, openid: str, template: str) -> Letter:
    """Build the event of turning a template off in the settings."""
    item: list[Pair] = [("TemplateId", template), ("SubscribeStatusString", "reject")]
    return _build_list_event(world, app, openid, "subscribe_msg_change_event", ([item], [item]))


def sent_event(
    world: World, app: App, openid: str, sent: tuple[str, int], status: str = "success"
) -> Letter:
    """The final result of a subscription message; `sent` is its template and its msgid."""
    template, msgid = sent
    code = 0 if status == "success" else NOT_SENT
    words = ("ErrorStatus", status)
    item: list[Pair] = [("TemplateId", template), ("MsgID", msgid), ("ErrorCode", code), words]
    as_text: list[Pair] = [
        ("TemplateId", template),
        ("MsgID", str(msgid)),
        ("ErrorCode", str(code)),
        words,
    ]
    return _build_list_event(world, app, openid, "subscribe_msg_sent_event", ([item], [as_text]))


def template_receipt(world: World, openid: str, msgid: int, status: str) -> Letter:
    """The final result of a template message: `success`, `failed:user block` or another failure.

    Source: "Event pushes of template messages".
    """
    name = "TEMPLATESENDJOBFINISH"
    fields: list[Pair] = [
        *_build_envelope(world, world.official, openid, "event", name),
        ("Event", name),
        ("MsgID", msgid),
        ("Status", status),
    ]
    return Letter(account=OFFICIAL, what=name, fields=fields)


def mass_receipt(
    world: World,
    msgid: int,
    status: str,
    counts: tuple[int, int, int, int],
    urls: Sequence[str] = (),
) -> Letter:
    """The final result of a mass job; `counts` is total, after filtering, sent, failed.

    Source: "Event pushes of mass messages": pushed by the platform.
    """
    name = "MASSSENDJOBFINISH"
    items: list[list[Pair]] = [
        [("ArticleIdx", number), ("ArticleUrl", url)] for number, url in enumerate(urls, start=1)
    ]
    names = ("TotalCount", "FilterCount", "SentCount", "ErrorCount")
    openid = platform_openid(world.official)
    fields: list[Pair] = [
        *_build_envelope(world, world.official, openid, "event", f"{name}:{msgid}"),
        ("Event", name),
        ("MsgID", msgid),
        ("Status", status),
        *zip(names, counts, strict=True),
        ("CopyrightCheckResult", [("Count", 0), ("ResultList", ""), ("CheckState", 0)]),
        ("ArticleUrlResult", [("Count", len(items)), ("ResultList", [("item", Array(items))])]),
    ]
    return Letter(account=OFFICIAL, what=name, fields=fields)


def media_event(world: World, trace: str, errcode: int, verdict: tuple[str, int]) -> Letter:
    """The verdict on a picture; without verdict when it could not be fetched.

    Source: security.mediaCheckAsync: pushed by the platform, `detail` is an array in JSON.
    """
    name = "wxa_media_check"
    result: list[Pair] = [("suggest", verdict[0]), ("label", verdict[1])]
    detail: list[Pair] = [("strategy", "content_model"), ("errcode", errcode)]
    if errcode == 0:
        detail += [*result, ("prob", SURE)]
    fields: list[Pair] = [
        *_build_envelope(
            world, world.mini, platform_openid(world.mini), "event", f"{name}:{trace}"
        ),
        ("Event", name),
        ("appid", world.mini.appid),
        ("trace_id", trace),
        ("version", 2),
        ("detail", Array([detail])),
        ("errcode", errcode),
        ("errmsg", "ok" if errcode == 0 else "download failed"),
    ]
    if errcode == 0:
        fields.append(("result", result))
    return Letter(account=MINI, what=name, fields=fields)


def authorization_event(
    world: World, app: App, person: Person, name: str, revoked: str = "", plugin: str = ""
) -> Letter:
    """An event of changed or withdrawn authorization, or of a closed account.

    `revoked` has WeChat's numbers, comma-separated; `plugin` is the appid of the plugin that had
    the permission. Source: "Changes of authorized users' information".
    """
    openid = person.openid_mp if app.account == MINI else person.openid_oa
    fields: list[Pair] = [
        *_build_envelope(
            world, app, platform_openid(app), "event", f"{name}:{openid}:{revoked}:{plugin}"
        ),
        ("Event", name),
        ("OpenID", openid),
        ("AppID", app.appid),
    ]
    if revoked:
        fields.append(("RevokeInfo", revoked))
    if plugin:
        fields += [("PluginID", plugin), ("OpenPID", f"G{openid[1:]}")]
    return Letter(account=app.account, what=name, fields=fields)


def odd_event(world: World, person: Person, name: str, filler: str = "") -> Letter:
    """An event of an unknown kind, with a filler of any size."""
    fields = [*_build_envelope(world, world.official, person.openid_oa, "event", name)]
    fields += [("Event", name), ("Filler", filler)]
    return Letter(account=OFFICIAL, what=name, fields=fields)


def _build_list_event(
    world: World,
    app: App,
    openid: str,
    name: str,
    items: tuple[Sequence[Sequence[Pair]], Sequence[Sequence[Pair]]],
) -> Letter:
    # XML wraps the items in an element named after the event; JSON has them at the top level.
    listed_items, as_text = items
    head = [*_build_envelope(world, app, openid, "event", name), ("Event", name)]
    wrapper = "".join(part.capitalize() for part in name.split("_"))
    listed: list[Pair] = [("List", item) for item in listed_items]
    return Letter(
        account=app.account,
        what=name,
        fields=[*head, (wrapper, listed)],
        json_fields=[*head, *(("List", item) for item in as_text)],
    )


def _build_envelope(
    world: World, app: App, openid: str, kind: str, event_key: str | None = None
) -> list[Pair]:
    at = int(world.now()) if event_key is None else world.next_moment(openid, event_key)
    return [
        ("ToUserName", app.original_id),
        ("FromUserName", openid),
        ("CreateTime", at),
        ("MsgType", kind),
    ]

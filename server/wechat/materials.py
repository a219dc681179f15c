"""The gateway's pictures, drafts and templates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from server.wechat.answers import objects_of, word_of
from server.wechat.authorized_client import Repeat
from server.wechat.errors import BadContent
from server.wechat.http_base import HttpBase
from server.wechat.letters import MassArticle, Material, MessageTemplate, TemplateKind
from server.wechat.transport import ApiCall, Upload

_LONG_TERM = 3
_FIELD = re.compile(r"([^\n{}]*)\{\{(\w{1,32})\.DATA\}\}")
_KINDS = {b"\xff\xd8\xff": ("jpg", "image/jpeg"), b"\x89PNG\r\n\x1a\n": ("png", "image/png")}
_NAME = re.compile(r"[^0-9A-Za-z_-]+")


class Materials(HttpBase):
    """The calls for what a message is made of."""

    def add_draft(self, article: MassArticle) -> str:
        """Add a draft of one article. Source: drafts, "add"."""
        self._outside_transaction()
        one = {
            "article_type": "news",
            "title": article.title,
            "digest": article.digest,
            "content": article.content_html,
            "thumb_media_id": article.thumb_media_id,
            "need_open_comment": 0,
            "only_fans_can_comment": 0,
        }
        call = ApiCall(method="POST", path="/cgi-bin/draft/add", body={"articles": [one]})
        # A repetition would leave a second draft that nothing refers to.
        return word_of(self._official_calls.call_api(call, Repeat.NEVER), "media_id")

    def delete_draft(self, media_id: str) -> None:
        """Delete a draft. Source: drafts, "delete"."""
        self._outside_transaction()
        body = {"media_id": media_id}
        call = ApiCall(method="POST", path="/cgi-bin/draft/delete", body=body)
        self._official_calls.call_api(call)

    def upload_picture(self, picture: bytes, name: str) -> Material:
        """Keep a picture for covers. Source: permanent material, "add other material"."""
        self._outside_transaction()
        call = ApiCall(
            method="POST",
            path="/cgi-bin/material/add_material",
            params={"type": "image"},
            upload=_upload_of(picture, name),
        )
        answer = self._official_calls.call_api(call, Repeat.NEVER)
        return Material(word_of(answer, "media_id"), word_of(answer, "url"))

    def upload_article_picture(self, picture: bytes, name: str) -> str:
        """Upload a picture of an article. Source: "upload a picture within an article"."""
        self._outside_transaction()
        call = ApiCall(
            method="POST", path="/cgi-bin/media/uploadimg", upload=_upload_of(picture, name)
        )
        return word_of(self._official_calls.call_api(call), "url")

    def list_templates(self, kind: TemplateKind) -> list[MessageTemplate]:
        """One list of templates.

        Sources: template message, "get the list of templates"; subscription message,
        getMessageTemplateList, which serves both apps.
        """
        self._outside_transaction()
        if kind is TemplateKind.TEMPLATE:
            answer = self._official.template.get_all_private_template()
            return [_template_of(one, "template_id") for one in objects_of(answer, "template_list")]
        mini = kind is TemplateKind.MINI_SUBSCRIPTION
        calls = self._mini_calls if mini else self._official_calls
        answer = calls.call_api(ApiCall(method="GET", path="/wxaapi/newtmpl/gettemplate"))
        return [_template_of(one, "priTmplId") for one in objects_of(answer, "data")]


def _template_of(one: Mapping[str, Any], id_name: str) -> MessageTemplate:
    content = str(one.get("content", ""))
    found = _FIELD.findall(content)
    return MessageTemplate(
        template_id=word_of(one, id_name),
        title=str(one.get("title", "")),
        content=content,
        example=str(one.get("example", "")),
        fields={key: label.strip().rstrip(":：").strip() for label, key in found},
        choices=dict(_choices_of(one)),
        long_term=one.get("type") == _LONG_TERM,
    )


def _choices_of(one: Mapping[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    """The values of the keys of the type `enum`; "keywordCode" is spelled with its ".DATA"."""
    listed = one.get("keywordEnumValueList")
    if not isinstance(listed, list):
        return []
    return [
        (word_of(each, "keywordCode").removesuffix(".DATA"), tuple(map(str, values)))
        for each in listed
        if isinstance(each, dict) and isinstance(values := each.get("enumValueList"), list)
    ]


def _upload_of(picture: bytes, name: str) -> Upload:
    """A picture under a name of plain letters, with the ending that fits its content.

    Raises: BadContent for what is neither JPEG nor PNG, before WeChat is called.
    """
    for mark, (ending, content_type) in _KINDS.items():
        if picture.startswith(mark):
            stem = _NAME.sub("-", name.rpartition(".")[0] or name).strip("-")[:40]
            return Upload(f"{stem or 'picture'}.{ending}", content_type, picture)
    raise BadContent(field="picture")

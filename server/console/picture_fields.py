"""A picture in a form: its field, and its conversion before the transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from werkzeug.datastructures import FileStorage
from wtforms import FileField

from server.base.kept_pictures import PictureMisshapen
from server.base.pictures import PictureRefused
from server.base.web.page import FieldRefused
from server.base.web.uploads import UPLOAD_LIMIT_BYTES

Made = TypeVar("Made")
_KINDS = "image/jpeg,image/png,image/webp,image/gif"
_REFUSALS = {
    "picture_unreadable": "console.picture.unreadable",
    "picture_kind_unsupported": "console.picture.kind_unsupported",
    "picture_too_large": "console.picture.too_large",
    "picture_misshapen": "console.picture.misshapen",
}


def picture_field(label: str, hint: str) -> FileField:
    """A field for one picture; `label` and `hint` are text keys."""
    return FileField(label, description=hint, render_kw={"accept": _KINDS})


def read_picture(field: FileField, convert: Callable[[bytes], Made]) -> Made | None:
    """Convert the file of a field, before the transaction; None without a file.

    Raises: FieldRefused (422), which names the fault beside the field.
    """
    given = field.data
    content: bytes = given.read(UPLOAD_LIMIT_BYTES + 1) if isinstance(given, FileStorage) else b""
    if not content:
        return None
    if len(content) > UPLOAD_LIMIT_BYTES:
        raise FieldRefused(field.short_name, "console.picture.file_large")
    try:
        return convert(content)
    except (PictureRefused, PictureMisshapen) as refusal:
        raise FieldRefused(field.short_name, _REFUSALS[refusal.code]) from None

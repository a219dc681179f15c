"""Files that citizens send: one at a time, as a form, within the limit of the contract."""

from __future__ import annotations

from flask import request

from server.base.errors import BodyTooLarge, Invalid, UnsupportedMedia

UPLOAD_LIMIT_BYTES = 5 * 1024 * 1024
# What a form adds around its one file.
_FORM_BYTES = 16 * 1024
# The longest body that any address reads.
BODY_LIMIT_BYTES = UPLOAD_LIMIT_BYTES + _FORM_BYTES


def one_file() -> bytes:
    """The one file of the form that was sent.

    Raises: UnsupportedMedia (415) for anything but a form, BodyTooLarge (413), Invalid (422).
    """
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMedia
    request.max_content_length = BODY_LIMIT_BYTES
    files = [file for _, file in request.files.items(multi=True)]
    if len(files) != 1:
        raise Invalid((("body",), "exactly one file is expected"))
    content: bytes = files[0].read(UPLOAD_LIMIT_BYTES + 1)
    if len(content) > UPLOAD_LIMIT_BYTES:
        raise BodyTooLarge
    return content

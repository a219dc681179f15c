"""Uploaded files: one per request, as a form, within the documented limit."""

from __future__ import annotations

from flask import request

from server.base.errors import BodyTooLarge, Invalid, UnsupportedMedia

UPLOAD_LIMIT_BYTES = 5 * 1024 * 1024
# The overhead of a form around its file.
_FORM_BYTES = 16 * 1024
# The largest request body that any endpoint accepts.
BODY_LIMIT_BYTES = UPLOAD_LIMIT_BYTES + _FORM_BYTES


def one_file() -> bytes:
    """The single file of the form.

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

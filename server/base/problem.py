"""The format of every refusal over HTTP: problem+json (RFC 9457) and its headers.

The API, the callbacks and the responses to unparsable requests use it; the console shows a page
instead and uses only the headers.
"""

from __future__ import annotations

from http import HTTPStatus

import msgspec

from server.base.errors import AppError, Invalid, TooManyRequests, Unavailable

MEDIA = "application/problem+json"


def problem_body(refusal: AppError, detail: str, rid: str) -> bytes:
    """The document of a refusal.

    `detail` is the sentence for a person, `rid` the request id. Facts that JSON can express become
    additional members; they never replace the standard ones.
    """
    facts = {k: v for k, v in refusal.facts.items() if isinstance(v, str | int | float | bool)}
    document: dict[str, object] = {
        **facts,
        "type": f"urn:kepu:problem:{refusal.code}",
        "title": HTTPStatus(refusal.status).phrase,
        "status": refusal.status,
        "detail": detail,
        "code": refusal.code,
        "request_id": rid,
    }
    if isinstance(refusal, Invalid):
        document["errors"] = [{"loc": list(loc), "msg": words} for loc, words in refusal.errors]
    return msgspec.json.encode(document)


def retry_headers(refusal: AppError) -> tuple[tuple[str, str], ...]:
    """`Retry-After` in whole seconds, for refusals after which a retry may succeed."""
    if isinstance(refusal, TooManyRequests | Unavailable):
        return (("Retry-After", str(refusal.retry_after_seconds)),)
    return ()

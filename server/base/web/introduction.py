"""The introduction of the OpenAPI document: purpose, error format, how to get a token."""

from __future__ import annotations

from server.base.settings import Settings

_ABOUT = """The API of the mini-program. Every address below `/api/v1` takes and gives JSON.

**Refusals** are `application/problem+json` (RFC 9457): branch on `code`, show `detail`, report
`request_id`. A number of seconds in `Retry-After` says when the same request makes sense again.
**Repeats**: with an `Idempotency-Key` a repeated write gets the first answer.
**Time**: `X-Campaign-Time` on every answer is the server's clock, in Beijing time.

## A token

`POST /api/v1/login` takes the code of `wx.login` and gives a token. Send it as
`Authorization: Bearer …`; on this page, put it behind the button *Authorize*. Addresses with the
code `consent_required` want `POST /api/v1/me/consents` first, with the `policy_version` that
`GET /api/v1/campaign` names."""

_RECIPE = """

Here WeChat is emulated, so a person and a code can be made by hand:

```sh
EMULATOR={emulator}
SERVER={server}
field() {{ sed "s/.*\\"$1\\": *\\"\\([^\\"]*\\)\\".*/\\1/"; }}
person=$(curl -s $EMULATOR/_emu/people -d '{{"name": "Wei"}}' | field person)
code=$(curl -s $EMULATOR/_emu/login_code -d "{{\\"person\\": \\"$person\\"}}" | field code)
token=$(curl -s $SERVER/api/v1/login -H 'Content-Type: application/json' \\
  -d "{{\\"code\\": \\"$code\\"}}" | field token)
echo "$token"
curl -s $SERVER/api/v1/me -H "Authorization: Bearer $token"
```"""


def compose_introduction(settings: Settings) -> str:
    """The text as Markdown; includes a recipe with addresses only where WeChat is emulated."""
    if not settings.emulated:
        return _ABOUT
    emulator = f"http://127.0.0.1:{settings.emulator_port}"
    server = f"http://127.0.0.1:{settings.port}"
    return _ABOUT + _RECIPE.format(emulator=emulator, server=server)

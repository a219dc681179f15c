"""The page at `/`: a few links for people who open it in a browser."""

from __future__ import annotations

from html import escape

from flask import Blueprint, Response

from server.base.settings import Settings
from server.base.texts import Texts

_POLICY = "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'none'"
_PAGE = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/front.css">
</head><body><main><h1>{title}</h1><p>{about}</p><ul>{links}</ul></main></body></html>
"""
_STYLE = """:root { font: 17px/1.6 system-ui, sans-serif; color: #1c2620; background: #eef2ef; }
body { margin: 0; }
main { max-width: 640px; margin: 8vh auto; padding: 0 20px; }
h1 { font-size: 26px; }
ul { padding: 0; list-style: none; }
li { margin: 12px 0; border: 1px solid #d5dcd7; border-radius: 10px; background: #fff; }
a { display: block; min-height: 44px; padding: 9px 16px; color: #17507f; }
a:focus-visible { outline: 3px solid #0b57a4; outline-offset: 2px; }
"""


def front_page(settings: Settings, texts: Texts) -> Blueprint:
    """The page and its style; the phone is linked only where WeChat is emulated."""
    pages = Blueprint("front", __name__)
    links = [
        ("/docs", texts.fill_text("base.front.docs")),
        ("/healthz", texts.fill_text("base.front.health")),
        ("/readyz", texts.fill_text("base.front.ready")),
    ]
    if settings.emulated:
        emulator = f"http://127.0.0.1:{settings.emulator_port}"
        links.insert(0, (f"{emulator}/phone/", texts.fill_text("base.front.phone")))
        links.append((f"{emulator}/", texts.fill_text("base.front.emulator")))
    page = _PAGE.format(
        title=escape(texts.fill_text("base.front.title")),
        about=escape(texts.fill_text("base.front.about")),
        links="".join(
            f'<li><a href="{escape(to)}">{escape(words)}</a></li>' for to, words in links
        ),
    )

    @pages.get("/")
    def show_front() -> Response:
        answer = Response(page, content_type="text/html; charset=utf-8")
        answer.headers["Content-Security-Policy"] = _POLICY
        return answer

    @pages.get("/front.css")
    def serve_style() -> Response:
        return Response(_STYLE, content_type="text/css; charset=utf-8")

    return pages

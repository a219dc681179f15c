"""Texts that break careless programs: markup, formulas, templates, control and odd characters.

Any field for text must take or refuse each of them, show it as text on every page, and export it as
text. `HOSTILE` has at least 200 different ones without NUL; `WITH_NUL` has some with it.
"""

from __future__ import annotations

from itertools import product

_SCRIPTS = [
    "<script>alert({n})</script>",
    "<img src=x onerror=alert({n})>",
    "<svg onload=alert({n})>",
    '"><script>alert({n})</script>',
    "'><img src=x onerror=alert({n})>",
    "<body onload=alert({n})>",
    "<iframe src=javascript:alert({n})></iframe>",
    "<a href=javascript:alert({n})>x</a>",
    "javascript:alert({n})",
    "<details open ontoggle=alert({n})>",
    "<math><mi onclick=alert({n})>",
    "<input autofocus onfocus=alert({n})>",
    '" onmouseover=alert({n}) x="',
    "' onfocus=alert({n}) '",
    "</textarea><script>alert({n})</script>",
    "</title><script>alert({n})</script>",
    "</script><script>alert({n})</script>",
    "<style>@import'//x.example/{n}'</style>",
    "<link rel=stylesheet href=//x.example/{n}>",
    "<base href=//x.example/{n}>",
    "<meta http-equiv=refresh content=0;url=//x.example/{n}>",
    "<form action=//x.example/{n}><button>x",
    "<object data=javascript:alert({n})>",
    "<embed src=javascript:alert({n})>",
    "<!--{n}--><b>x</b>",
    "<b hx-get=/console hx-trigger=load>{n}</b>",
    "<b hx-on:click=alert({n})>x</b>",
    "<div data-hx-get=//x.example/{n} hx-trigger=load>",
    "`${{alert({n})}}`",
    "<template>{n}</template>",
]
_FORMULAS = [
    "=1+{n}",
    "+1+{n}",
    "-1+{n}",
    "@SUM(A{n})",
    "\t=1+{n}",
    "\r=1+{n}",
    "＝1+{n}",
    "＋1+{n}",
    "－1+{n}",
    "＠SUM(A{n})",
    '=HYPERLINK("http://x.example/{n}","x")',
    "=cmd|' /C calc'!A{n}",
    '=IMPORTXML("http://x.example/{n}","//a")',
    "-2℃{n}",
    "+86 771 {n}",
    "'=1+{n}",
]
_PLACES = [
    "{{{{{n}*7}}}}",
    "{{%{n}%}}",
    "${{{n}}}",
    "#{{{n}}}",
    "{{{n}",
    "{n}}}",
    "%s%n%{n}",
    "%00{n}",
    "$({n})",
    "`{n}`",
    "'; DROP TABLE citizen;--{n}",
    "' OR '1'='{n}",
    "\\\\{n}\\",
    "../../etc/passwd{n}",
    "%2e%2e%2f{n}",
    "CON{n}",
    "a\nSet-Cookie: x={n}",
    "a\r\nX-Injected: {n}",
    "&lt;b&gt;{n}",
    "&{n};",
]
_ODD = [
    "\u202egnp.{n}",
    "\u200b{n}\u200b",
    "\ufeff{n}",
    "{n}\u2028x",
    "{n}\u2029x",
    "\u0007{n}",
    "\x1b[31m{n}",
    "e\u0301{n}",
    "\u00e9{n}",
    "👨‍👩‍👧‍👦{n}",
    "🏳️‍🌈{n}",
    "壮族Vahcuengh{n}",
    "龘𠮷𰻝{n}",
    "ａｂｃ{n}",
    "①②㈱{n}",
    "\u0300\u0301\u0302{n}",
    "ﷺ{n}",
    "x\u00a0{n}",
    " {n} ",
    "\u3000{n}\u3000",
    "\ud7ff{n}",
    "\U0010ffff{n}",
]
_LONG = ["长" * 500, "a" * 2000, "<b>" * 200, "﷽" * 40, "a\u0301" * 300, "👩‍🚀" * 60]

HOSTILE: list[str] = list(
    dict.fromkeys(
        [
            text.format(n=number)
            for number, text in product(range(1, 4), [*_SCRIPTS, *_FORMULAS, *_PLACES, *_ODD])
        ]
        + _LONG
    )
)
WITH_NUL: list[str] = ["\0", "a\0b", "\0<script>alert(1)</script>"]

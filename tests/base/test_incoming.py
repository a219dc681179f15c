"""The parts of a request that an endpoint reads, from the WSGI environment."""

from __future__ import annotations

from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from server.base.web.incoming import Incoming


@given(st.text(alphabet="ab=&;%41+ \xe9?", max_size=24))
def test_a_query_without_encoded_characters_is_read_as_any_other(query: str) -> None:
    wanted: dict[str, str] = {}
    sent = query.encode("latin-1").decode("utf-8", "replace")
    for name, value in parse_qsl(sent, keep_blank_values=True, errors="werkzeug.url_quote"):
        wanted.setdefault(name, value)
    assert Incoming({"QUERY_STRING": query}, "/").query_arguments() == wanted

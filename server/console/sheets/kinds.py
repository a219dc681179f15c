"""Recognises a file by its first bytes and names those that cannot be read; pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from server.console.sheets.reasons import FileRefused


class FileKind(StrEnum):
    """A kind of file that can be read."""

    WORKBOOK = "workbook"
    TEXT = "text"


_ARCHIVE = b"PK\x03\x04"
# First bytes and the reason for refusing them.
_REFUSED: Mapping[bytes, str] = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "old_office",
    b"%PDF": "pdf_document",
    b"{\\rtf": "word_document",
    b"\x89PNG": "picture_file",
    b"\xff\xd8\xff": "picture_file",
    b"GIF8": "picture_file",
    b"PK\x05\x06": "other_archive",
    b"Rar!": "other_archive",
    b"7z\xbc\xaf": "other_archive",
    b"\x1f\x8b": "other_archive",
}
_MARKUP: Mapping[bytes, str] = {
    b"<?xml": "xml_document",
    b"<quiz": "xml_document",
    b"<!doctype html": "web_page",
    b"<html": "web_page",
    b"<table": "web_page",
}


def kind_of_file(raw: bytes) -> FileKind:
    """The kind of a file's content.

    Raises: FileRefused with the remedy for a kind that is not read.
    """
    if raw.startswith(_ARCHIVE):
        return FileKind.WORKBOOK
    for start, reason in _REFUSED.items():
        if raw.startswith(start):
            raise FileRefused(reason)
    text = raw[:4096].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for start, reason in _MARKUP.items():
        if text.startswith(start):
            raise FileRefused(reason)
    if _is_json(text):
        raise FileRefused("json_document")
    return FileKind.TEXT


def _is_json(text: bytes) -> bool:
    """Whether a text begins like JSON: brackets, and then a quoted name or nothing else."""
    inner = text.lstrip(b"[{ \r\n\t")
    return text[:1] in (b"{", b"[") and (inner.startswith(b'"') or not inner.strip(b"]} \r\n\t"))

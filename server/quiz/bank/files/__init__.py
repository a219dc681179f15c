"""Reads files of questions by unknown authors: tables, GIFT, Aiken and pasted text; pure."""

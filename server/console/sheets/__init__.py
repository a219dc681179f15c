"""Reads tables of unknown authors: text files and workbooks to rows of cells; pure."""

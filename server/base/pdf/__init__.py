"""PDF documents with text in a subset of an embedded OpenType font."""

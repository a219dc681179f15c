"""The interface of the announcements to the code above this slice."""

from __future__ import annotations

from server.announcements.compose.pictures import announcement_picture_of as picture_content

__all__ = ["picture_content"]

"""Manifest of the slice of certificates."""

from __future__ import annotations

from pathlib import Path

from server.base.access import Permission
from server.base.manifest import Slice
from server.certificates import api, console, tasks
from server.certificates.personal_data import PERSONAL
from server.certificates.verify_page import verify_pages as verify_pages

SLICE = Slice(
    name="certificates",
    texts=Path(__file__).parent,
    apis=(api.API,),
    pages=(console.PAGES,),
    tasks=tasks.TASKS,
    permissions=(Permission.CERTIFICATE_READ, Permission.CERTIFICATE_WRITE),
    personal_data=PERSONAL,
)

"""The retention of receipts."""

from __future__ import annotations

from datetime import timedelta

from server.announcements.models import SendReceipt
from server.base.personal_data import Erase, Keep, Merge, Personal

# WeChat repeats receipts for seven days; their result is in the ledger.
RECEIPTS = Personal(
    SendReceipt,
    "citizen_id",
    erase=Erase.DELETE,
    merge=Merge.REPOINT,
    keep=Keep(since="received_at", longest=timedelta(days=30)),
    untold_because="reports of WeChat for some days; their result is told with the recipient",
)

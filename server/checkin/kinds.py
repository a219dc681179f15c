"""Ways of admission, directions and results of scans."""

from __future__ import annotations

from enum import StrEnum

# Characters of a gate's label, of a reason, and of a scan's nonce.
GATE_LENGTH = 20
REASON_LENGTH = 300
NONCE_LENGTH = 64


class AdmissionWay(StrEnum):
    """The way in which a person was admitted or checked out."""

    # A member of the gate's staff scanned the ticket.
    SCAN = "scan"
    # The citizen scanned the venue's rotating code.
    SELF = "self"
    # An organizer, or the gate's staff, found the person in the list.
    MANUAL = "manual"
    # A person without a seat was admitted at the gate.
    WALK_IN = "walk_in"


class ScanDirection(StrEnum):
    """The direction in which a person passes the gate."""

    IN = "in"
    OUT = "out"


class ScanResult(StrEnum):
    """The result of one scan, as scanners display it.

    ALREADY tells, for `in`, that the ticket's people are inside, and for `out` that they are not.
    CANCELLED covers every sign-up that has ended, WAITLISTED everyone without a seat so far.
    """

    OK = "OK"
    ALREADY = "ALREADY"
    WRONG_SESSION = "WRONG_SESSION"
    CANCELLED = "CANCELLED"
    WAITLISTED = "WAITLISTED"
    TOO_EARLY = "TOO_EARLY"
    BAD_SIGNATURE = "BAD_SIGNATURE"
    NOT_FOUND = "NOT_FOUND"


class GatePhase(StrEnum):
    """Phase of an activity: whether it admits people at an instant."""

    EARLY = "early"
    OPEN = "open"
    OVER = "over"
    CANCELLED = "cancelled"

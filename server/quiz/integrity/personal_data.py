"""Flags and holds as personal data: they follow their entry."""

from __future__ import annotations

from server.base.personal_data import Erase, Personal
from server.quiz.models import IntegrityCase, IntegrityFlag

PERSONAL = (
    Personal(
        IntegrityFlag,
        "entry_id",
        erase=Erase.DELETE,
        untold_because="the export would show how cheating is found; the hold itself is exported",
    ),
    Personal(
        IntegrityCase,
        "entry_id",
        erase=Erase.BLANK,
        blank={"appeal": None},
        stays=(
            *("id", "ref", "state", "hold_reason", "holder_id", "held_at", "appeal_words"),
            *("appealed_at", "decision_reason", "decider_id", "decided_at"),
        ),
        export={
            "held_results": (
                *("state", "held_at", "hold_reason", "appeal", "appealed_at"),
                *("decision_reason", "decided_at"),
            )
        },
    ),
)

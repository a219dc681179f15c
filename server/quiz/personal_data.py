"""Personal data of all sub-packages, in the order in which an erasure processes it."""

from __future__ import annotations

from server.base.uow import Hooks
from server.quiz.attempts import devices, reminders
from server.quiz.attempts import personal_data as attempts
from server.quiz.integrity import personal_data as integrity
from server.quiz.leaderboards import personal_data as leaderboards
from server.quiz.practice import personal_data as practice
from server.quiz.review import personal_data as review
from server.quiz.sharing import personal_data as sharing

PERSONAL = (
    *leaderboards.PERSONAL,
    *sharing.PERSONAL,
    *integrity.PERSONAL,
    *devices.PERSONAL,
    *review.PERSONAL,
    *practice.PERSONAL,
    *attempts.PERSONAL,
)
HOOKS = Hooks(
    relocate=(attempts.relocate_entries,),
    counted_until=(attempts.counted_until,),
    sends=(reminders.TEMPLATE,),
)

"""Tables of this slice with personal data, in the order in which an erasure processes them."""

from __future__ import annotations

from server.base.personal_data import Erase, Merge, Personal
from server.base.uow import Hooks
from server.quiz import own_hooks
from server.quiz.attempts import personal_data as board_hooks
from server.quiz.attempts import reminders
from server.quiz.models import (
    Attempt,
    Entry,
    GroupMember,
    Practice,
    PracticeAnswer,
    QuestionReport,
    Share,
    Standing,
)

_ANONYMOUS = "boards and statistics count on, with nobody's name"

PERSONAL = (
    Personal(
        GroupMember,
        "citizen_id",
        erase=Erase.KEEP_ANONYMOUS,
        kept_because="an erased entry keeps its place on the group's board, with nobody's name",
        merge=Merge.KEEP_ONE,
        export={"groups": own_hooks.tell_groups},
    ),
    Personal(
        Share,
        "citizen_id",
        erase=Erase.DELETE,
        merge=Merge.REPOINT,
        export={"shares": own_hooks.tell_shares},
    ),
    Personal(
        QuestionReport,
        "citizen_id",
        erase=Erase.DELETE,
        merge=Merge.KEEP_ONE,
        export={"question_reports": own_hooks.tell_reports},
    ),
    Personal(
        PracticeAnswer,
        "practice_id",
        erase=Erase.DELETE,
        export={"practice": own_hooks.tell_practice, "mistakes": own_hooks.tell_mistakes},
    ),
    Personal(
        Practice,
        "citizen_id",
        erase=Erase.DELETE,
        merge=Merge.REPOINT,
        untold_because="its answers are told",
    ),
    Personal(
        Standing,
        "entry_id",
        erase=Erase.KEEP_ANONYMOUS,
        kept_because=_ANONYMOUS,
        untold_because="worked out from the papers, which are told",
    ),
    Personal(
        Attempt,
        "entry_id",
        also=("citizen_id",),
        erase=Erase.KEEP_ANONYMOUS,
        kept_because=_ANONYMOUS,
        export={"contest_papers": board_hooks.tell_papers},
    ),
    Personal(
        Entry,
        "citizen_id",
        lock_first=True,
        erase=board_hooks.erase_entries,
        merge=board_hooks.merge_entries,
        export={"contest_entries": board_hooks.tell_entries},
    ),
)
HOOKS = Hooks(
    relocate=(board_hooks.relocate_entries,),
    counted_until=(board_hooks.counted_until,),
    sends=(reminders.TEMPLATE,),
)

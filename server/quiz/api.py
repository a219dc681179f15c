"""All routes of the contest; each is declared in its sub-package."""

from __future__ import annotations

from server.base.web.endpoint import Api
from server.quiz.attempts.api import ATTEMPT_API
from server.quiz.contests.api import RULES_API
from server.quiz.integrity.api import APPEAL_API
from server.quiz.leaderboards.api import BOARD_API
from server.quiz.leaderboards.group_api import GROUP_API
from server.quiz.practice.api import PRACTICE_API
from server.quiz.review.api import REPORT_API
from server.quiz.sealing.api import FINAL_API
from server.quiz.sharing.api import SHARE_API

API = Api(
    "quiz",
    routes=[
        route
        for api in (
            BOARD_API,
            PRACTICE_API,
            REPORT_API,
            GROUP_API,
            SHARE_API,
            ATTEMPT_API,
            RULES_API,
            APPEAL_API,
            FINAL_API,
        )
        for route in api.routes
    ],
)

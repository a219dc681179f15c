"""Words of organizers that citizens read promise nothing for sharing or following."""

from __future__ import annotations

import pytest
from flask import Flask

from server.announcements.watching.console import CancelForm, WithdrawForm
from server.certificates.console import RevokeForm
from server.console.forms import ConsoleForm
from server.quiz.integrity.console import ClearForm, DecisionForm, HoldForm
from server.quiz.review.forms import LiftForm, ReportAnswerForm, VoidDecisionForm
from server.signups.change_pages import NewDateForm, WhyForm
from server.unit_requests.console import AnswerForm

READ_BY_CITIZENS = [
    (WithdrawForm, "reason"),
    (RevokeForm, "reason"),
    (DecisionForm, "reason"),
    (HoldForm, "reason"),
    (LiftForm, "reason"),
    (ReportAnswerForm, "answer"),
    (VoidDecisionForm, "reason"),
    (NewDateForm, "reason"),
    (WhyForm, "reason"),
    (AnswerForm, "sentence"),
]
READ_BY_COLLEAGUES = [(CancelForm, "reason"), (ClearForm, "reason")]
PROMISES = {
    "转发给同学，可得积分": "base.breach.share_reward",
    "请先关注公众号领礼品": "base.breach.follow_reward",
    "转发后才能查看成绩": "base.breach.forced_share",
}


def errors_of(form: type[ConsoleForm], name: str, text: str) -> list[str]:
    with Flask(__name__).test_request_context(method="POST", data={name: text}):
        filled = form()
        filled.validate()
        return list(filled[name].errors)


@pytest.mark.parametrize(("text", "said"), PROMISES.items())
@pytest.mark.parametrize(("form", "name"), READ_BY_CITIZENS)
def test_a_reason_for_citizens_promises_nothing(
    form: type[ConsoleForm], name: str, text: str, said: str
) -> None:
    assert errors_of(form, name, text) == [said]


@pytest.mark.parametrize(("form", "name"), READ_BY_CITIZENS)
def test_a_reason_may_speak_of_sharing_or_of_a_draw(form: type[ConsoleForm], name: str) -> None:
    for text in ("时间写错了，请转告身边的朋友", "抽奖的日期写错了", "分享会改到三楼"):
        assert errors_of(form, name, text) == []


@pytest.mark.parametrize(("form", "name"), READ_BY_COLLEAGUES)
def test_a_reason_for_colleagues_may_quote_a_promise(form: type[ConsoleForm], name: str) -> None:
    assert errors_of(form, name, "正文里写了转发得积分，不能发") == []

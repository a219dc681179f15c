"""Every column that holds or refers to a person is declared, or left out with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table

from server import slices
from server.base.personal_data import Erase, Personal
from server.base.sql.tables import Base
from server.quiz.models import Share
from tests.kit.databases import load_all_tables

PERSON = "citizen"
# Words in the name of a column that holds a person, or something by which one is known.
WORDS = frozenset(
    ("address", "author", "avatar", "birth", "born", "by", "caller", "citizen", "contact",
     "cursor", "email", "face", "follower", "guardian", "hash", "invited", "ip", "member",
     "mobile", "name", "nickname", "opengid", "openid", "operator", "person", "phone", "photo",
     "picture", "portrait", "reader", "relation", "sex", "surname", "tel", "telephone", "text",
     "unionid", "user", "username", "visitor", "winner", "words")
)  # fmt: skip
# Columns that sound like a person and hold none, or none that can be told apart.
NOT_PERSONAL: Mapping[str, str] = {
    "activity.address": "the address of a place that is open to everybody",
    "activity.office_phone": "the telephone of an office",
    "activity.phone_needed": "whether the sign-up asks for a number",
    "activity.writer_id": "the organizer who wrote it, on duty",
    "announcement.picture": "the picture of an announcement",
    "announcement_picture.name": "the name of a picture of announcements",
    "channel_code.name": "the name of a channel, such as a website",
    "channel_code.picture": "the mini-program code of a channel",
    "announcement.content_hash": "the hash of what organizers approve",
    "announcement.letter_id": "the text that all inbox copies share",
    "announcement.writer_id": "the organizer who wrote it, on duty",
    "announcement_approval.organizer_id": "the organizer who approved it, on duty",
    "announcement_approval.content_hash": "the hash of what organizers approve",
    "mass_batch.client_msg_id": "our own id of one mass call",
    "mass_batch.media_id": "the id of an article at WeChat",
    "mass_batch.message_id": "WeChat's id of one mass call",
    "activity_file.writer_id": "the organizer who uploaded it, on duty",
    "activity_file.file_name": "the name of a file",
    "noted_attendance.last_scan_id": "the number of a scan, up to which scans were counted",
    "activity.decider_id": "the organizer who decided on it, on duty",
    "question.writer_id": "the organizer who wrote it, on duty",
    "question.decider_id": "the organizer who decided on it, on duty",
    "question_void.proposer_id": "the organizer who proposed it, on duty",
    "question_void.decider_id": "the organizer who decided on it, on duty",
    "rescoring.cursor": "the number of a paper, up to which papers were read",
    "question_import.writer_id": "the organizer who uploaded it, on duty",
    "unit_file.writer_id": "the organizer who uploaded it, on duty",
    "unit_file.file_name": "the name of a file",
    "question_import.file_name": "the name of a file",
    "hall_screen.code_hash": "the hash of the address of a projector page",
    "question.picture": "the picture of a question",
    "question.picture_alt": "what the picture of a question shows",
    "question_picture.name": "the address of a question's picture",
    "activity_poster.name": "the address of an activity's poster",
    "audit_entry.organizer_id": "an official in office: the log that the law asks for",
    "audit_entry.organizer_name": "an official in office, as above",
    "contest.final_id": "the published version of the contest's ranks, which refers back",
    "sealed_version.author_id": "an official in office, as above",
    "sealed_version.author_name": "an official in office, as above",
    "sealed_version.publisher_id": "an official in office, as above",
    "sealed_version.publisher_name": "an official in office, as above",
    "seal_change.organizer_id": "an official in office, so that nobody publishes an own change",
    "seal_change.organizer_name": "an official in office, as above",
    "contest.drafted_by": "an official in office, so that nobody publishes an own draft",
    "campaign.phone": "the telephone of the organisers",
    "unit.name": "an organisation",
    "unit_request.name": "an organisation, as a citizen spelled it",
    "unit_request.name_key": "an organisation, as above",
    "unit_request.name_check": "a verdict",
    "unit_request.decider_id": "the organizer who answered it, on duty",
    "unit.full_name": "an organisation",
    "campaign.date_text": "a date in words",
    "campaign.notice_text": "words of the notice",
    "programme.date_text": "a date in words",
    "programme.notice_text": "words of the notice",
    "keyword_rule.words": "what a rule answers to",
    "keyword_rule.text": "what a rule answers",
    "scene_reply.text": "what a code is answered with",
    "lease.name": "a background task",
    "follower_sweep.cursor": "a place in WeChat's list: sealed, and overwritten by the next page",
    "scene_code.picture_url": "the QR code of a channel",
    "unmatched_text.text": "words of nobody in particular: they stand without their author",
    "media_verdict.trace_id": "WeChat's name of a check; the picture's row has the owner",
    **{
        f"organizer{column}": "an account of the organisers' staff, not of a citizen"
        for column in (
            ".username",
            ".name",
            ".password_hash",
            "_session.token_hash",
            "_link.token_hash",
            "_recovery_code.code_hash",
            "_login_tries.key_hash",
            "_browser.browser_hash",
            "_wechat.openid",
            "_wechat.openid_hash",
        )
    },
    "wechat_group.opengid_hash": "a group; who is in it stands in group_member",
}


def named_like_a_person(column: Column[object]) -> bool:
    return not WORDS.isdisjoint(column.name.split("_"))


def missing(
    tables: Iterable[Table],
    declared: Sequence[Personal],
    exempt: Mapping[str, str] = NOT_PERSONAL,
) -> list[str]:
    """What is to be done about each column that nobody has declared."""
    by_name = {one.name: one for one in declared}
    return [
        f"{table.name}.{column.name} {what}"
        for table in tables
        for column in table.c
        if f"{table.name}.{column.name}" not in exempt
        and (what := _to_do(column, by_name.get(table.name), set(by_name)))
    ]


def _to_do(column: Column[object], one: Personal | None, declared: set[str]) -> str:
    refers = {key.column.table.name for key in column.foreign_keys}
    like_a_person = named_like_a_person(column)
    if one is None and (like_a_person or refers & (declared | {PERSON})):
        return (
            "holds or refers to a person: declare its table in the personal_data.py of its slice"
            " (base/personal_data.py says how), or name it in NOT_PERSONAL with the reason"
        )
    if one is None and column.name.endswith("_id") and not column.foreign_keys:
        return (
            "is a number without a foreign key: say what it refers to by one, or name it in"
            " NOT_PERSONAL with the reason"
        )
    if one is None or column.name in {one.owner_column, *one.also}:
        return ""
    if PERSON in refers:
        return "refers to a second person: say in `also` of its declaration why that is no harm"
    kept = one.erase is not Erase.DELETE and column.name not in {*one.blank, *one.stays}
    if kept and like_a_person:
        return "outlives an erasure: blank it, or name it in `stays` of its declaration"
    return ""


def test_no_column_holds_a_person_undeclared() -> None:
    load_all_tables()
    found = missing(Base.metadata.sorted_tables, slices.PERSONAL_DATA.order)
    assert found == [], "\n".join(found)


def test_every_exemption_is_of_a_column_that_would_be_found() -> None:
    load_all_tables()
    found = missing(Base.metadata.sorted_tables, slices.PERSONAL_DATA.order, exempt={})
    assert set(NOT_PERSONAL) - {line.split()[0] for line in found} == set(), (
        "delete these from NOT_PERSONAL: no such column would be found any more"
    )


def a_table(*columns: Column[object]) -> Table:
    metadata = MetaData()
    for name in ("citizen", "practice"):
        Table(name, metadata, Column("id", Integer, primary_key=True))
    return Table("lottery", metadata, Column("id", Integer, primary_key=True), *columns)


@pytest.mark.parametrize(
    "column",
    [
        Column("winner_id", ForeignKey("citizen.id")),
        Column("practice_id", ForeignKey("practice.id")),
        Column("openid", String),
        Column("contact_phone", String),
        Column("invited_by", String),
        Column("reader_id", Integer),
    ],
    ids=lambda column: column.name,
)
def test_a_new_column_that_holds_a_person_is_found(column: Column[object]) -> None:
    (line,) = missing([a_table(column)], slices.PERSONAL_DATA.order)
    assert line.startswith(f"lottery.{column.name} holds or refers to a person: declare")


def test_a_column_of_something_else_is_not_found() -> None:
    assert missing([a_table(Column("drawn_at", String))], slices.PERSONAL_DATA.order) == []


class _Second:
    """A declared table with a column that nobody has said anything about."""

    name = "lottery"
    owner_column, also, blank, stays = "citizen_id", (), {}, ()

    def __init__(self, erase: Erase) -> None:
        self.erase = erase


@pytest.mark.parametrize(
    ("erase", "column", "what"),
    [
        (Erase.DELETE, Column("invited_id", ForeignKey("citizen.id")), "refers to a second person"),
        (Erase.KEEP_ANONYMOUS, Column("nickname", String), "outlives an erasure"),
        (Erase.DELETE, Column("nickname", String), ""),
    ],
)
def test_a_new_column_of_a_declared_table_is_found(
    erase: Erase, column: Column[object], what: str
) -> None:
    table = a_table(Column("citizen_id", ForeignKey("citizen.id")), column)
    found = missing([table], [_Second(erase)])  # type: ignore[list-item]
    wanted = [f"lottery.{column.name} {what}"] if what else []
    assert [line.split(":")[0] for line in found] == wanted


def test_a_declared_table_is_found_again_when_its_declaration_is_taken_away() -> None:
    left = [one for one in slices.PERSONAL_DATA.order if one.table is not Share]
    found = missing([Share.__table__], left)  # type: ignore[list-item]
    assert [line.split()[0] for line in found] == [
        "share.citizen_id",
        "share.attempt_id",
        "share.code_picture",
    ]

"""Wording: every key that is said exists, every key that exists is said, in percent a language."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from server import slices
from server.base.access import Permission, Role
from server.base.texts import FIRST_LANGUAGE, load_texts
from tests.house.source import SERVER, nodes_of, trees

# Keys put together at run time: the part before the dot is enough to say that somebody uses them.
COMPOSED = (
    "announcements.recipient_state.", "announcements.pack.", "announcements.pack_missing.",
    "announcements.pack_channel.", "announcements.pack_file.", "announcements.public.",
    "announcements.receipt_word.", "announcements.watch_channel.", "announcements.watch_reason.",
    "announcements.recorded", "announcements.pause_reason.", "announcements.unknown_reason.",
    "announcements.watching.",
    "certificates.kind.", "certificates.standing.", "certificates.verify_state.",
    "certificates.verify_about.", "certificates.recorded", "quiz.certificate_",
    "checkin.certificate_",
    "quiz.rank_reason.", "quiz.integrity.task_", "quiz.entrants.state_word.",
    "audit.kind.", "quiz.signal.", "quiz.signal_evidence.", "quiz.hold_state.", "quiz.hold_letter.",
    "quiz.final_letter.", "notices.not_pushed.",
    "quiz.seal.",
    "unit_requests.state.", "unit_requests.letter.", "unit_requests.answer.",
    "quiz.seal.", "quiz.share_rank.", "quiz.final.", "quiz.ranks.",
    "quiz.rules.", "quiz.chat.", "channel.menu.", "console.role.", "console.role_about.",
    "console.scope_about.", "console.permission.", "console.section.", "console.act.",
    "console.job_state.",
    "quiz.question_file.",
    "quiz.question_column.", "organizers.link.",
    "quiz.kind.", "quiz.stage.", "quiz.difficulty.", "console.file_state.",
    "dashboard.group.", "dashboard.step.", "dashboard.column.", "dashboard.map.",
    "quiz.contest.", "quiz.harm.", "quiz.timer.", "quiz.season.",
    "quiz.question_column.", "organizers.link.", "organizers.state.",
    "dashboard.rows.", "dashboard.completed.",
    "quiz.doubt.", "quiz.doubt_about.", "quiz.no_figure.", "quiz.report_decision.",
    "quiz.report_letter.", "quiz.void_state.", "quiz.rescoring_stage.", "quiz.rescore_letter.",
    "quiz.review.",
    "quiz.question_column.", "organizers.link.", "organizers.state.", "organizers.unit_kind.",
    "organizers.unit_file.", "organizers.login.over_", "audit.author.", "audit.recorded",
    "quiz.recorded", "organizers.recorded", "unit_requests.recorded", "channel.recorded",
    "dashboard.recorded.", "activities.recorded", "signups.notice.", "signups.notice_word.",
    "dashboard.recorded.", "activities.recorded", "activities.fault.", "activities.form.",
    "base.breach.",
    "announcements.fault.", "announcements.state.", "announcements.channel.",
    "announcements.purpose.", "announcements.way.", "announcements.signup.",
    "announcements.kind.", "announcements.recorded", "announcements.obstacle.",
    "announcements.problem.",
    "activities.kind.", "activities.state.", "activities.audience.", "activities.map_",
    "activities.phone_", "signups.state.", "signups.hindrance.", "signups.people.act_",
    "signups.people.before_", "signups.recorded", "checkin.recorded",
    "signups.people.before_", "signups.recorded", "signups.change.act_", "signups.change.about_",
    "signups.change.now_", "signups.change.moved", "signups.change.dated",
    "signups.change.postponed", "signups.change.cancelled", "activities.move_fault.",
    "activities.column.", "activities.file.", "signups.chat.", "signups.no_show.",
    "checkin.admit_reason.", "checkin.desk.conflict_", "checkin.desk_state.",
    "checkin.desk_filter.", "checkin.way.", "checkin.grant_state.",
    "checkin.chat.", "checkin.feedback.rated.",
)  # fmt: skip


def templates() -> list[Path]:
    return [p for p in SERVER.rglob("*.html") if p.relative_to(SERVER).parts[0] != "emulator"]


def said_keys() -> set[str]:
    in_templates = {
        key
        for path in templates()
        # Macros get keys as arguments.
        for key in re.findall(r'"(\w+(?:\.\w+)+)"', path.read_text(encoding="utf-8"))
    }
    return in_templates | {
        node.value
        for tree in trees().values()
        for node in nodes_of(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_no_sentence_is_unused_and_none_is_missing() -> None:
    texts = load_texts(slices.TEXTS)
    have = set(texts.sentences[FIRST_LANGUAGE])
    constants = said_keys()
    error_codes = {key.rsplit(".", 1)[1] for key in have if ".error." in key}
    unused = {
        key
        for key in have
        if ".error." not in key
        and key not in constants
        and key.split(".", 1)[1] not in constants
        and key.replace(".act.", ".", 1) not in constants
        and not key.startswith(COMPOSED)
    }
    assert unused == set(), (
        "no source names these keys: delete them; if a key's end is put on at run time, add its"
        " beginning to COMPOSED"
    )
    assert error_codes <= constants, "no error has these codes: delete their texts under [error]"


def test_a_template_holds_no_wording_of_its_own() -> None:
    worded = [
        f"{path.relative_to(SERVER)}: put the words into the slice's texts.toml and say their key"
        for path in templates()
        if re.search(r"[\u3000-\u9fff\uff00-\uffef]", path.read_text(encoding="utf-8"))
    ]
    assert worded == []


def test_every_key_that_a_template_says_exists() -> None:
    have = set(load_texts(slices.TEXTS).sentences[FIRST_LANGUAGE])
    missing = [
        f"{path.relative_to(SERVER)}: {key}"
        for path in templates()
        for key in re.findall(r'say\("([^"]+)"[,)]', path.read_text(encoding="utf-8"))
        if key not in have
    ]
    assert missing == [], "write these keys into the texts.toml of their slices"


def test_every_role_power_and_level_has_its_words() -> None:
    have = set(load_texts(slices.TEXTS).sentences[FIRST_LANGUAGE])
    wanted = {f"console.{kind}.{role}" for role in Role for kind in ("role", "role_about")}
    wanted |= {f"console.permission.{p}" for p in Permission if p is not Permission.CONSOLE_OPEN}
    wanted |= {f"console.scope_about.{level}" for level in ("region", "city", "county", "unit")}
    assert wanted - have == set(), "add these keys to server/console/texts.toml"


def test_each_language_tells_how_complete_it_is() -> None:
    texts = load_texts(slices.TEXTS)
    total = len(texts.sentences[FIRST_LANGUAGE])
    for language in texts.sentences:
        gaps = texts.missing_keys(language)
        print(
            f"{language}: {100 * (total - len(gaps)) // total} % of {total} sentences; gaps: {gaps}"
        )
        assert set(texts.sentences[language]) <= set(texts.sentences[FIRST_LANGUAGE])

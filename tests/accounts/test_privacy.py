"""Consent, export, and erasure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from server.accounts import privacy, profile, service
from server.accounts.errors import GuardianConsentRequired, PolicyVersionOutdated
from server.accounts.models import App, Citizen, Consent, Identity, SessionToken
from server.accounts.privacy import ConsentGiven
from server.accounts.profile import Judged
from server.base.errors import Invalid, NotAuthenticated
from server.base.jobs import TaskContext
from server.base.maintenance import empty_log
from server.base.signing import Keys, Unreadable
from server.base.sql.tables import Base
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.base.web.idempotency import KeptAnswer
from server.notices import service as notices
from tests.kit.accounts import Person, a_citizen, a_consent, a_session
from tests.kit.clock import FakeClock
from tests.kit.notices import FIRST


def given(uow: UnitOfWork, **declared: Any) -> ConsentGiven:
    usual = {"policy_version": uow.settings.policy_version, "guardian": False, "under_14": False}
    return ConsentGiven(**{**usual, **declared})


GUARDIAN = {"guardian": True, "guardian_name": "韦大山", "guardian_relation": "父亲"}


def test_a_consent_is_kept_with_its_time_and_version(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        a_citizen(uow)
        person = a_citizen(uow, consented=False)
        assert not privacy.has_consented(uow, person.id)
        row = privacy.give_consent(uow, person.id, given(uow))
        assert (row.policy_version, row.given_at) == (uow.settings.policy_version, uow.now)
        assert privacy.has_consented(uow, person.id)


def test_a_later_consent_stands_beside_the_earlier_one(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        person = a_citizen(uow)
    clock.advance(60)
    with uow_factory.begin() as uow:
        a_consent(uow, person.id, under_14=True, **GUARDIAN)
        rows = uow.session.scalars(select(Consent).order_by(Consent.id)).all()
        assert [(row.under_14, row.guardian) for row in rows] == [(False, False), (True, True)]
        assert rows[1].given_at - rows[0].given_at == timedelta(seconds=60)


def test_another_version_than_the_one_in_force_is_refused(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        person = a_citizen(uow, consented=False)
        with pytest.raises(PolicyVersionOutdated):
            privacy.give_consent(uow, person.id, given(uow, policy_version="1999-1"))
        assert not privacy.has_consented(uow, person.id)


def test_a_child_needs_a_guardian(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        child = a_citizen(uow, consented=False)
        with pytest.raises(GuardianConsentRequired):
            privacy.give_consent(uow, child.id, given(uow, under_14=True))
        privacy.give_consent(uow, child.id, given(uow, under_14=True, **GUARDIAN))
        assert uow.session.get_one(Citizen, child.id).under_14
        assert privacy.has_consented(uow, child.id)


@pytest.mark.parametrize(
    ("left_out", "field"),
    [
        ({"guardian_name": " \u200b"}, "guardian_name"),
        ({"guardian_relation": "很" * 21}, "guardian_relation"),
    ],
)
def test_a_guardians_name_and_relation_can_be_read(
    uow_factory: UnitOfWorkFactory, left_out: dict[str, str | None], field: str
) -> None:
    with uow_factory.begin() as uow:
        child = a_citizen(uow, consented=False)
        with pytest.raises(Invalid) as refused:
            privacy.give_consent(uow, child.id, given(uow, **{**GUARDIAN, **left_out}))
        assert refused.value.errors[0][0] == ("body", field)


def test_the_record_of_a_guardian_stands_without_a_name(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        child = a_citizen(uow, consented=False)
        row = privacy.give_consent(uow, child.id, given(uow, under_14=True, guardian=True))
        assert (row.guardian, row.guardian_name, row.guardian_relation) == (True, None, None)
        assert privacy.has_consented(uow, child.id)


def test_a_guardians_name_is_sealed_to_its_row(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        child = a_citizen(uow, consented=False)
        row = privacy.give_consent(uow, child.id, given(uow, under_14=True, **GUARDIAN))
        other = privacy.give_consent(uow, child.id, given(uow, under_14=True, **GUARDIAN))
        assert row.guardian_name is not None
        assert "韦大山" not in row.guardian_name
        # Moved to another row or opened with another key it is unreadable.
        uow.session.execute(
            update(Consent).where(Consent.ref == other.ref).values(guardian_name=row.guardian_name)
        )
        with pytest.raises(Unreadable):
            privacy.export_citizen(uow, child.id)
        strange = replace(uow, dependencies=replace(uow.dependencies, keys=Keys("x" * 48)))
        with pytest.raises(Unreadable):
            privacy.export_citizen(strange, child.id)


def test_a_guardian_who_is_not_needed_is_not_kept(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        person = a_citizen(uow, consented=False)
        row = privacy.give_consent(uow, person.id, given(uow, **{**GUARDIAN, "guardian": False}))
        assert (row.guardian_name, row.guardian_relation) == (None, None)


def test_the_export_holds_everything_about_this_citizen_alone(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        a_citizen(uow, openid="openid-noise", unionid="union-noise", nickname="旁人")
        person = a_citizen(uow, openid="openid-mp", unionid="union-a", nickname="小明")
        service.learn_unionid(uow, "official_account", "openid-oa", "union-a")
        a_consent(uow, person.id, under_14=True, **GUARDIAN)
        a_session(uow, person)
        profile.change_profile(
            uow,
            person.id,
            {"city": "450100", "nickname": "小红"},
            Judged(name="小红", verdict=None),
        )
        held = privacy.export_citizen(uow, person.id)
    assert held["person"]["nickname"] == "小明"
    assert held["person"]["pending_nickname"] == "小红"
    assert held["person"]["unionid"] == "union-a"
    assert held["person"]["city"] == "450100"
    assert sorted((one["app"], one["openid"]) for one in held["identities"]) == [
        ("mini_program", "openid-mp"),
        ("official_account", "openid-oa"),
    ]
    assert len(held["sessions"]) == 1
    assert [one["guardian_name"] for one in held["consents"]] == [None, "韦大山"]
    assert [one["guardian_relation"] for one in held["consents"]] == [None, "父亲"]
    assert "noise" not in str(held)
    assert "旁人" not in str(held)


def every_text(uow: UnitOfWork) -> Iterator[str]:
    """Every value of every column of every table, as text."""
    for table in Base.metadata.sorted_tables:
        for row in uow.session.execute(select(table)):
            yield from (str(value) for value in row if value is not None)


def somebody(uow: UnitOfWork, letter: str) -> tuple[Person, set[str]]:
    """A citizen with everything that can be held, and the words nobody may find afterwards."""
    person = a_citizen(
        uow,
        openid=f"openid-mp-{letter}",
        unionid=f"union-{letter}",
        nickname=f"昵称{letter}",
        avatar_url=f"https://pictures/{letter}.png",
        city="450100",
        county="450103",
        audience="youth",
        birth_band="2010",
    )
    service.learn_unionid(uow, "official_account", f"openid-oa-{letter}", f"union-{letter}")
    a_consent(
        uow,
        person.id,
        under_14=True,
        guardian=True,
        guardian_name=f"监护人{letter}",
        guardian_relation=f"关系{letter}",
    )
    a_session(uow, person)
    waiting = f"新名{letter}"
    profile.change_profile(
        uow,
        person.id,
        {
            "nickname": waiting,
            "topics": [f"topic-{letter}"],
            "quiet_from": "21:01",
            "quiet_to": "07:01",
        },
        Judged(name=waiting, verdict=None),
    )
    notices.record_client_results(uow, person.id, {FIRST: "accept"})
    letter_in = notices.Letter(key=f"key-{letter}", title=f"给昵称{letter}", body=f"正文{letter}")
    notices.post_message(uow, person.id, letter_in)
    uow.session.add(
        KeptAnswer(
            caller=f"citizen:{person.id}",
            key=f"kept-{letter}",
            fingerprint="f",
            status=200,
            body=f'{{"nickname":"昵称{letter}"}}',
            claimed_at=uow.now,
        )
    )
    words = {
        *(f"openid-mp-{letter}", f"openid-oa-{letter}", f"union-{letter}", f"昵称{letter}"),
        *(f"新名{letter}", f"topic-{letter}", f"监护人{letter}", f"关系{letter}"),
        *(f"https://pictures/{letter}.png", f"正文{letter}", f"kept-{letter}"),
    }
    return person, words


def test_after_erasure_no_column_of_any_table_names_the_citizen(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        person, words = somebody(uow, "甲")
        noise, noise_words = somebody(uow, "乙")
        kept_of_noise = privacy.export_citizen(uow, noise.id)
        hidden = {"监护人甲", "关系甲", "监护人乙", "关系乙"}
        before = list(every_text(uow))
        for word in (words | noise_words) - hidden:
            assert any(word in text for text in before), word
    with uow_factory.begin() as uow:
        privacy.erase_citizen(uow, person.id)
    with uow_factory.begin(read_only=True) as uow:
        after = list(every_text(uow))
        assert [word for word in words if any(word in text for text in after)] == []
        assert privacy.export_citizen(uow, noise.id) == kept_of_noise
        for word in noise_words - hidden:
            assert any(word in text for text in after), word
        sealed = uow.session.execute(
            select(Consent.guardian_name, Consent.guardian_relation).where(
                Consent.citizen_id == person.id
            )
        )
        assert set(sealed) == {(None, None)}


def test_after_erasure_no_file_of_sqlite_names_the_citizen(uow_factory: UnitOfWorkFactory) -> None:
    context = TaskContext(uow_factory=uow_factory, gateway=None)
    if uow_factory.engine.dialect.name != "sqlite":
        assert empty_log(context) == 0
        return
    with uow_factory.begin() as uow:
        person, words = somebody(uow, "甲")
        _, noise_words = somebody(uow, "乙")
    assert held_by_files(uow_factory, words)
    with uow_factory.begin() as uow:
        privacy.erase_citizen(uow, person.id)
    assert held_by_files(uow_factory, words)  # the log still has the pages of before
    assert empty_log(context) == 0
    assert held_by_files(uow_factory, words) == []
    assert held_by_files(uow_factory, noise_words)


def held_by_files(uow_factory: UnitOfWorkFactory, words: set[str]) -> list[str]:
    base = str(uow_factory.engine.url.database)
    kept = Path(base).read_bytes() + Path(f"{base}-wal").read_bytes()
    return [word for word in words if word.encode() in kept]


def test_an_erased_row_says_nothing_but_that_it_was(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        person, _ = somebody(uow, "甲")
        privacy.erase_citizen(uow, person.id)
    with uow_factory.begin(read_only=True) as uow:
        row = uow.session.get_one(Citizen, person.id)
        blank = {c.key: getattr(row, c.key) for c in Citizen.__table__.columns}
        assert blank.pop("outbox_tries") == 0
        stays = (
            "id",
            "ref",
            "shown_number",
            "created_at",
            "erased_at",
            "language",
            "nickname_state",
        )
        for name in stays:
            blank.pop(name)
        assert set(map(str, blank.values())) == {"None", "False", "[]"}
        assert row.erased_at == uow.now
        assert uow.session.scalars(select(Identity)).all() == []
        assert uow.session.scalars(select(SessionToken)).all() == []
        # The ledger still says that somebody agreed, when, and to what.
        assert len(uow.session.scalars(select(Consent)).all()) == 2


def test_erasing_again_does_nothing(uow_factory: UnitOfWorkFactory, clock: FakeClock) -> None:
    with uow_factory.begin() as uow:
        person, _ = somebody(uow, "甲")
        privacy.erase_citizen(uow, person.id)
        first = uow.now
    clock.advance(60)
    with uow_factory.begin() as uow:
        privacy.erase_citizen(uow, person.id)
        assert uow.session.get_one(Citizen, person.id).erased_at == first
        with pytest.raises(NotAuthenticated):
            a_consent(uow, person.id)
        with pytest.raises(NotAuthenticated):
            profile.change_profile(uow, person.id, {"city": "450100"})


def test_a_follower_merged_before_is_gone_with_the_citizen(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        follower = a_citizen(uow, app="official_account", openid="openid-oa", nickname="老张")
        person = a_citizen(uow, openid="openid-mp", unionid="union-a")
        service.learn_unionid(uow, "official_account", "openid-oa", "union-a")
        privacy.erase_citizen(uow, person.id)
        texts = list(every_text(uow))
    assert not [text for text in texts if "openid" in text or "老张" in text or "union-a" in text]
    with uow_factory.begin() as uow:
        again = service.citizen_of_openid(uow, "official_account", "openid-oa", create=True)
        assert again not in (follower.id, person.id)


def test_the_scan_sees_what_is_left_behind(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        person, _ = somebody(uow, "甲")
        privacy.erase_citizen(uow, person.id)
        uow.session.execute(
            update(Citizen).where(Citizen.id == person.id).values(topics=["topic-甲"])
        )
        uow.session.add(
            Identity(
                app=App.MINI_PROGRAM,
                openid="openid-mp-甲",
                citizen_id=person.id,
                made_at=uow.now,
            )
        )
        uow.session.flush()
        texts = list(every_text(uow))
    assert any("openid-mp-甲" in text for text in texts)
    assert any("topic-甲" in text for text in texts)

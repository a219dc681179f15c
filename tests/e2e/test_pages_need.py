"""What the mini-program's pages need besides a paper, through the real processes of the demo."""

from __future__ import annotations

import threading
import urllib.request
from typing import Any

import pytest

from tests.e2e.outside import Citizen, Demo
from tests.kit.pictures import a_picture, as_form, opened

pytestmark = pytest.mark.slow
SHARES_DEMO = True


@pytest.fixture
def wei(demo: Demo) -> Citizen:
    return newcomer(demo, "Wei")


def newcomer(demo: Demo, name: str) -> Citizen:
    citizen = Citizen.born(demo, name)
    citizen.log_in()
    citizen.agree()
    return citizen


def contest_of(demo: Demo) -> str:
    return str(demo.api("GET", "/contests").body["items"][0]["id"])


def fetched(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=60) as answer:
        return bytes(answer.read())


def test_practice_begins_with_twelve_questions_and_fills_the_book(wei: Citizen) -> None:
    dealt = wei.api("POST", "/practice", {"count": 20})
    assert (dealt.status, len(dealt.body["questions"])) == (201, 12)
    wrong = set()
    for question in dealt.body["questions"]:
        given = {"question_id": question["id"], "answer": [question["options"][0]["key"]]}
        told = wei.api("POST", f"/practice/{dealt.body['id']}/answers", given).body
        if not told["correct"]:
            wrong.add(question["id"])
    book = wei.api("GET", "/me/mistakes?limit=100").body["items"]
    assert {one["question_id"] for one in book} == wrong
    assert wrong


def test_a_card_has_a_poster_whose_code_leads_back_to_it(demo: Demo, wei: Citizen) -> None:
    contest = contest_of(demo)
    paper, _ = wei.take_paper(contest)
    card = wei.api("POST", "/shares", {"kind": "quiz_result", "attempt_id": paper["id"]}).body
    assert opened(fetched(demo.server + card["image_url"])).size == (750, 1334)
    assert opened(fetched(demo.server + card["card_url"])).size == (750, 600)
    codes = demo.emu("GET", "codes").body["items"]
    assert card["id"] in {code["scene"] for code in codes if code["kind"] == "WXA_CODE"}
    guest = newcomer(demo, "Lan")
    for scene in (card["id"], card["id"], "nobody-knows-it"):
        assert guest.api("POST", "/visits", {"scene": scene}).status == 204
    held = guest.api("GET", "/me/export").body["held"]["visits"]
    assert [visit["scene"] for visit in held] == [card["id"]]


def test_a_group_sees_its_members_and_nobody_else_does(demo: Demo, wei: Citizen) -> None:
    contest = contest_of(demo)
    wei.take_paper(contest)
    lan, stranger = newcomer(demo, "Lan"), newcomer(demo, "Mo")
    members = [wei.person, lan.person]
    group = demo.emu("POST", "groups", {"name": "g", "members": members}).body["group"]
    ids = set()
    for member in (wei, lan):
        asked = {"person": member.person, "group": group}
        entry: dict[str, Any] = demo.emu("POST", "group_entry", asked).body
        sent = {name: entry[name] for name in ("code", "encrypted_data", "iv")}
        ids.add(member.api("POST", "/groups", sent).body["group_id"])
    (number,) = ids
    path = f"/contests/{contest}/leaderboard?scope=group:{number}"
    assert lan.api("GET", path).body["total"] == 1
    assert stranger.api("GET", path).status == demo.api("GET", path).status == 404


def test_a_picture_is_shown_after_wechat_has_looked_at_it(demo: Demo) -> None:
    for name, state in (("Wei", "shown"), ("Lan [risky]", "refused")):
        citizen = newcomer(demo, name)
        form = as_form(a_picture())
        sent = urllib.request.Request(
            f"{demo.server}/api/v1/me/avatar",
            data=form["data"],
            headers={
                "Content-Type": form["content_type"],
                "Authorization": f"Bearer {citizen.token}",
            },
        )
        with urllib.request.urlopen(sent, timeout=60) as answer:
            assert answer.status == 202
        me = judged(citizen)
        assert me["avatar_state"] == state
        assert (me["avatar_url"] is not None) == (state == "shown")
        if me["avatar_url"]:
            assert opened(fetched(demo.server + me["avatar_url"])).size == (256, 256)


def judged(citizen: Citizen) -> dict[str, Any]:
    """The profile once the check is over."""
    waiting = threading.Event()
    for _ in range(200):
        me: dict[str, Any] = citizen.api("GET", "/me").body
        if me["avatar_state"] != "checking":
            return me
        waiting.wait(0.1)
    raise AssertionError("no verdict came")


def test_a_phone_number_is_shown_masked(demo: Demo, wei: Citizen) -> None:
    code = demo.emu("POST", "phone_code", {"person": wei.person}).body["code"]
    given = wei.api("POST", "/me/phone", {"code": code})
    assert given.status == 200
    assert given.body["phone_masked"][3:7] == "****"
    assert wei.api("POST", "/me/phone", {"code": code}).status == 422

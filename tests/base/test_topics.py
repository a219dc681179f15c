"""The list of topics: one file, in which each programme of the campaign has its topic."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from server.base.settings import ROOT
from server.base.topics import announcement_topics, find_topic, read_topics

TOPICS = ROOT / "config" / "topics.json"
CAMPAIGN = ROOT / "config" / "campaign" / "2020" / "campaign.json"


def test_each_programme_of_the_campaign_belongs_to_one_topic() -> None:
    campaign = json.loads(CAMPAIGN.read_text("utf-8"))
    programmes = [*campaign["theme_activities"], *campaign["joint_actions"]]
    named = [slug for one in announcement_topics() for slug in one.programmes]
    assert sorted(named) == sorted(one["slug"] for one in programmes)


def test_slugs_are_plain_and_names_short() -> None:
    for one in announcement_topics():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", one.slug), one
        assert len(one.slug) <= 20, one
        assert 2 <= len(one.name) <= 10, one


def test_a_topic_is_found_by_its_slug() -> None:
    first = announcement_topics()[0]
    assert find_topic(first.slug) == first
    assert find_topic("no-such-topic") is None


def changed(tmp_path: Path, **parts: Any) -> Path:
    document = {**json.loads(TOPICS.read_text("utf-8")), **parts}
    path = tmp_path / "topics.json"
    path.write_text(json.dumps(document), "utf-8")
    return path


@pytest.mark.parametrize(
    ("parts", "complaint"),
    [
        ({"schema": "topics/2"}, "the schema is not topics/1"),
        ({"topics": [{"slug": "a"}]}, "missing required field"),
        (
            {"topics": [{"slug": "a", "name": name, "programmes": []} for name in "xy"]},
            "comes twice",
        ),
        (
            {"topics": [{"slug": slug, "name": "x", "programmes": []} for slug in "ab"]},
            "comes twice",
        ),
        (
            {"topics": [{"slug": one, "name": one, "programmes": ["p"]} for one in "ab"]},
            "comes twice",
        ),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, parts: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_topics(changed(tmp_path, **parts))

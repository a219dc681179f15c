"""The message templates: one data file that server and emulator read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from server.base.templates import (
    OFFICIAL_NOTICE,
    OFFICIAL_TEMPLATE,
    all_templates,
    message_templates,
    read_templates,
    template_id_of,
    templates_of_kind,
)

OF_EACH = ["announcement", "oa-announcement", "oa-sub-announcement"]


def a_template(**facts: Any) -> dict[str, Any]:
    field = {"key": "thing1", "name": "活动名称"}
    row = {"slug": "s", "id": "i" * 43, "title": "t", "kind": "mp_once", "fields": [field]}
    return {**row, **facts}


def a_file(folder: Path, *templates: dict[str, Any], schema: str = "wechat-templates/1") -> Path:
    path = folder / "templates.json"
    path.write_text(json.dumps({"schema": schema, "templates": templates}), encoding="utf-8")
    return path


def test_the_houses_templates_have_ids_of_wechats_length_and_named_fields() -> None:
    templates = all_templates()
    assert "quiz-daily" in {template.slug for template in templates}
    assert {len(template.id) for template in templates} == {43}
    assert all(field.key and field.name for t in templates for field in t.fields)
    assert all(len(template.fields) <= 5 for template in templates)


def test_each_channel_has_its_own_templates() -> None:
    kinds = [templates_of_kind(OFFICIAL_TEMPLATE), templates_of_kind(OFFICIAL_NOTICE)]
    slugs = [{template.slug for template in kind} for kind in [message_templates(), *kinds]]
    assert [slug in names for slug, names in zip(OF_EACH, slugs, strict=True)] == [True] * 3
    assert sum(map(len, slugs)) == len(all_templates())
    assert template_id_of("oa-activity") in {template.id for template in kinds[0]}


def test_a_sound_file_is_read(tmp_path: Path) -> None:
    (read,) = read_templates(a_file(tmp_path, a_template()))
    assert (read.slug, read.fields[0].name) == ("s", "活动名称")


@pytest.mark.parametrize(
    ("templates", "schema"),
    [
        ([a_template()], "other/1"),
        ([a_template(id=7)], "wechat-templates/1"),
        ([a_template(fields="thing1")], "wechat-templates/1"),
        ([a_template(), a_template(slug="other")], "wechat-templates/1"),
        ([a_template(), a_template(id="j" * 43)], "wechat-templates/1"),
    ],
)
def test_a_file_of_another_shape_is_refused(
    tmp_path: Path, templates: list[dict[str, Any]], schema: str
) -> None:
    with pytest.raises(ValueError, match=r"templates\.json"):
        read_templates(a_file(tmp_path, *templates, schema=schema))


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "templates.json"
    path.write_bytes(b"{")
    with pytest.raises(ValueError, match=r"templates\.json"):
        read_templates(path)

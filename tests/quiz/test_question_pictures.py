"""Pictures of questions: uploaded, converted, shown, exported, imported, deleted."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import func, select, update

from server.base.jobs import TaskContext
from server.base.kept_pictures import KEPT_UNUSED, digest_of
from server.base.uow import UnitOfWorkFactory
from server.quiz.bank import pictures
from server.quiz.bank import service as banks
from server.quiz.bank.commands import import_questions
from server.quiz.bank.file_imports import QUESTION_FILES
from server.quiz.bank.import_console import PAGES
from server.quiz.models import Question, QuestionImport, QuestionPicture
from tests.kit.accounts import a_citizen, a_session
from tests.kit.client import CheckedClient
from tests.kit.console import Browser, console_app
from tests.kit.jobs import run_jobs
from tests.kit.pictures import a_heic, a_picture, opened
from tests.kit.question_probes import WRITTEN
from tests.kit.quiz import open_contest
from tests.quiz.test_bank_pages import upload
from tests.quiz.test_file_imports import EDITOR, QuestionFile, keep

ALT = "红底白横杠的圆形标志"
TITLES = "题干,选项A,选项B,答案,图片,图片说明\n"


@pytest.fixture
def bank_app(uow_factory: UnitOfWorkFactory) -> Flask:
    return console_app(uow_factory, PAGES)[0]


@pytest.fixture
def task_context(uow_factory: UnitOfWorkFactory) -> TaskContext:
    return TaskContext(uow_factory=uow_factory, gateway=None)


def send_question(
    app: Flask, path: str, fields: dict[str, str], picture: bytes = b"", who: str = "editor-county"
) -> tuple[int, str]:
    """Post the form of a question with a picture; the status, and the next path or the page."""
    return Browser(app, who).send_files(path, fields, {"picture": picture})


def write_pictured(app: Flask, picture: bytes, **changed: str) -> str:
    """A new question with a picture; its ref."""
    given = {**WRITTEN, "picture_alt": ALT, **changed}
    status, page = send_question(app, "/questions/new", given, picture)
    assert status == 303, page
    return page.rpartition("/")[2]


def read_rows(uow_factory: UnitOfWorkFactory) -> list[Question]:
    with uow_factory.begin(read_only=True) as uow:
        rows = list(uow.session.scalars(select(Question).order_by(Question.id)))
        uow.session.expunge_all()
        return rows


def stored(uow_factory: UnitOfWorkFactory) -> dict[str, bytes]:
    with uow_factory.begin(read_only=True) as uow:
        asked = select(QuestionPicture.name, QuestionPicture.content)
        return {row[0]: row[1] for row in uow.session.execute(asked)}


def packed(files: dict[str, bytes], **how: Any) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in files.items():
            package.writestr(name, content, **how)
    return made.getvalue()


@contextmanager
def imported(uow_factory: UnitOfWorkFactory, raw: bytes, name: str = "题目.zip") -> Iterator[Any]:
    """The import of a file after its check."""
    with uow_factory.begin(EDITOR) as uow:
        ref = keep(uow, EDITOR, QuestionFile(name=name, content=raw))
    run_jobs(uow_factory)
    with uow_factory.begin(read_only=True) as uow:
        yield QUESTION_FILES.find_file(uow, EDITOR, ref)


def codes_of(uow_factory: UnitOfWorkFactory, raw: bytes) -> list[str]:
    with imported(uow_factory, raw) as row:
        return [problem[2] for problem in row.report["problems"]]


def test_a_picture_is_converted_stripped_and_stored_once(
    bank_app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    exif = a_picture("JPEG", (2400, 1200), exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0")
    refs = [write_pictured(bank_app, exif, stem=stem) for stem in ("一？", "二？")]
    (name, content), = stored(uow_factory).items()  # fmt: skip
    assert opened(content).size == (1080, 540)
    assert opened(content).format == "JPEG"
    assert (b"Exif" in exif, b"Exif" in content, len(content) < 200_000) == (True, False, True)
    rows = read_rows(uow_factory)
    assert [(row.ref, row.picture, row.picture_alt) for row in rows] == [
        (ref, name, ALT) for ref in refs
    ]
    shown = Browser(bank_app, "editor-county").get(f"/questions/{refs[0]}")[1]
    assert f'src="/pictures/questions/{name}.jpg" alt="{ALT}"' in shown


@pytest.mark.parametrize(
    ("picture", "alt", "sentence"),
    [
        (a_picture(), "", "没有填“图片说明”"),
        (b"", "一张图", "没有图片"),
        (a_heic(), ALT, "这种格式不能用"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", ALT, "这种格式不能用"),
        (b"\x89PNG\r\n\x1a\n broken", ALT, "读不出来"),
        (a_picture(size=(30, 30)), ALT, "太小或太窄"),
        (a_picture(size=(1600, 100)), ALT, "太小或太窄"),
        (a_picture(size=(4000, 4000), mode="1", colour=1), ALT, "尺寸太大"),
        (b"\x89PNG" + b"x" * (5 * 2**20), ALT, "超过 5 MB"),
    ],
)
def test_a_wrong_picture_is_refused_beside_its_field(
    bank_app: Flask, uow_factory: UnitOfWorkFactory, picture: bytes, alt: str, sentence: str
) -> None:
    given = {**WRITTEN, "picture_alt": alt, "stem": "留着的题干？"}
    status, shown = send_question(bank_app, "/questions/new", given, picture)
    assert (status, sentence in shown, "留着的题干？" in shown) == (422, True, True)
    assert (read_rows(uow_factory), stored(uow_factory)) == ([], {})


def test_a_picture_belongs_to_the_version_and_old_papers_keep_theirs(
    bank_app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    ref = write_pictured(bank_app, a_picture())
    editor, approver = Browser(bank_app, "editor-county"), Browser(bank_app, "approver-city")
    assert editor.ask("POST", f"/questions/{ref}/send", {})[0] == 303
    assert approver.ask("POST", f"/questions/{ref}/approve", {})[0] == 303
    changed = {**WRITTEN, "picture_alt": "新的图"}
    other = a_picture(size=(90, 90))
    assert send_question(bank_app, f"/questions/{ref}/edit", changed, other)[0] == 303
    first, second = read_rows(uow_factory)
    assert first.picture != second.picture
    compared = editor.get(f"/questions/{ref}/versions")[1]
    assert all(f"/pictures/questions/{row.picture}.jpg" in compared for row in (first, second))
    gone = {**WRITTEN, "picture_alt": "新的图", "picture_gone": "y"}
    assert send_question(bank_app, f"/questions/{ref}/edit", gone)[0] == 303
    assert [row.picture for row in read_rows(uow_factory)] == [first.picture, None]
    with uow_factory.begin(read_only=True) as uow:
        bank = banks.bank_of(uow, first.bank)
        shown = bank.by_id[first.id].picture
    assert shown is not None
    assert shown.url.endswith(f"/pictures/questions/{first.picture}.jpg")
    assert (shown.alt, shown.width, shown.height) == (ALT, 400, 300)
    # Without a new file the picture stays.
    kept = {**WRITTEN, "picture_alt": ALT, "stem": "另一个题干？"}
    ref = write_pictured(bank_app, a_picture(), stem="三？")
    assert send_question(bank_app, f"/questions/{ref}/edit", kept)[0] == 303
    assert read_rows(uow_factory)[-1].picture == first.picture


def test_a_picture_is_served_to_caches_without_being_run_and_only_by_its_name(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        name = pictures.keep_picture(uow, pictures.convert_picture(a_picture()))
    answer = app.test_client().get(f"/pictures/questions/{name}.jpg?again=1")
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert answer.headers["Cache-Control"] == "public, max-age=86400"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'"
    # The name has 100 random bits and tells nothing about the content.
    digest = digest_of(answer.data)
    for guess in (digest, digest[:24], "pic_0", name.upper(), "%00", "1"):
        assert app.test_client().get(f"/pictures/questions/{guess}.jpg").status_code == 404


@pytest.mark.parametrize("kind", ["zip", "xlsx"])
def test_an_export_with_pictures_is_imported_again_unchanged(
    bank_app: Flask, uow_factory: UnitOfWorkFactory, kind: str
) -> None:
    # Two questions with the same words about two pictures.
    for colour in ("red", "blue"):
        write_pictured(bank_app, a_picture(colour=colour))
    write_pictured(bank_app, b"", picture_alt="", stem="没有图的题？")
    answer = Browser(bank_app, "editor-county").open(
        "POST", "/questions/export", {"file_format": kind, "every_column": "all"}
    )
    assert answer.status_code == 200, answer.text
    before = stored(uow_factory)
    if kind == "zip":
        with zipfile.ZipFile(io.BytesIO(answer.data)) as package:
            names = package.namelist()
            assert {name: package.read(name) for name in names if name.endswith(".jpg")} == {
                f"{name}.jpg": content for name, content in before.items()
            }
    page = upload(bank_app, f"题库.{kind}", answer.data, "editor-county")
    run_jobs(uow_factory)
    shown = Browser(bank_app, "editor-county").get(page)[1]
    with uow_factory.begin(read_only=True) as uow:
        told = uow.session.scalars(select(QuestionImport.report)).one()
    assert told is not None
    counts = (told["unchanged"], told["added"], told["changed"])
    assert (counts, told["problems"]) == ((3, 0, 0), []), shown
    assert stored(uow_factory) == before


def test_a_package_brings_the_pictures_that_its_rows_name(
    bank_app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    rows = (
        "红的是？,甲,乙,A,图片/红.PNG,红色方块\n"
        "蓝的是？,甲,乙,A,蓝,蓝色方块\n"
        "没图？,甲,乙,A,,\n"
        "缺图？,甲,乙,A,缺.png,不在包里\n"
        "坏图？,甲,乙,A,坏.jpg,读不出来\n"
        "无说明？,甲,乙,A,红.png,\n"
    )
    raw = packed(
        {
            "题目/题目.csv": (TITLES + rows).encode(),
            "题目/图片/红.png": a_picture(colour="red"),
            "题目/图片/蓝.png": a_picture(colour="blue"),
            "题目/图片/坏.jpg": b"\xff\xd8\xff nothing",
            "题目/图片/多余.png": a_picture(),
            "__MACOSX/题目/._题目.csv": b"junk",
            "题目/.DS_Store": b"junk",
        }
    )
    page = upload(bank_app, "题目.zip", raw, "editor-county")
    run_jobs(uow_factory)
    browser = Browser(bank_app, "editor-county")
    shown = browser.get(page)[1]
    for sentence in (
        "有 3 处问题；其余 3 道题可以导入",
        "没有找到图片“缺.png”",
        "图片“坏.jpg”读不出来",
        "有图片，但没有填“图片说明”",
        "有 1 张图片没有题目用到，例如 多余.png",
    ):
        assert sentence in shown
    checked = stored(uow_factory)
    assert browser.ask("POST", f"{page}/good", {})[0] == 303
    run_jobs(uow_factory)
    named = {row.stem: row.picture for row in read_rows(uow_factory)}
    assert set(named) == {"红的是？", "蓝的是？", "没图？"}
    assert {named["红的是？"], named["蓝的是？"]} == set(checked) == set(stored(uow_factory))
    assert named["没图？"] is None


def test_a_file_without_a_column_for_pictures_leaves_them_as_they_are(
    bank_app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    ref = write_pictured(bank_app, a_picture())
    text = f"编号,题干,选项A,选项B,答案\n{ref},改了的？,甲,乙,A\n"
    with imported(uow_factory, text.encode(), "题目.csv") as row:
        assert (row.report["changed"], row.report["problems"]) == (1, [])
        import_ref = row.ref
    with uow_factory.begin(EDITOR) as uow:
        QUESTION_FILES.confirm_file(uow, EDITOR, import_ref, good_only=False)
    run_jobs(uow_factory)
    (row,) = read_rows(uow_factory)
    assert (row.stem, row.picture_alt, row.picture is None) == ("改了的？", ALT, False)
    same = "题干,选项A,选项B,答案\n改了的？,甲,乙,A\n"
    with imported(uow_factory, same.encode(), "题目.csv") as row:
        assert (row.report["unchanged"], row.report["added"]) == (1, 0)


def test_a_name_without_a_file_is_taken_only_from_questions_one_may_see(
    bank_app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    answer = send_question(
        bank_app, "/questions/new", {**WRITTEN, "picture_alt": ALT}, a_picture(), "editor-region"
    )
    assert answer[0] == 303
    (name,) = stored(uow_factory)
    sheet = f"{TITLES}哪个？,甲,乙,A,{name}.jpg,图\n".encode()
    # A draft of the region is nothing that a county sees.
    assert codes_of(uow_factory, packed({"a.csv": sheet})) == ["picture_missing"]


def a_bomb() -> bytes:
    return packed({"a.csv": (TITLES + "题？,甲,乙,A,,\n").encode(), "b.jpg": b"\0" * 25_000_000})


def a_lying_package() -> bytes:
    """A package whose directory states a small size for a large member."""
    raw = bytearray(packed({"a.csv": TITLES.encode() + b"x" * 100_000}))
    at = raw.rindex(b"PK\x01\x02")
    raw[at + 24 : at + 28] = (50).to_bytes(4, "little")
    return bytes(raw)


def a_link() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as package:
        package.writestr("a.csv", TITLES)
        link = zipfile.ZipInfo("b.jpg")
        link.external_attr = 0o120777 << 16
        package.writestr(link, "/etc/passwd")
    return made.getvalue()


@pytest.mark.parametrize(
    ("pack", "code"),
    [
        (a_bomb, "packed_too_tightly"),
        (lambda: packed({f"{n}.jpg": b"" for n in range(1001)}), "package_members"),
        (
            lambda: packed({"a.csv": b"x", "b.jpg": bytes(range(256)) * 130_000}),
            "package_unpacks_too_large",
        ),
        (lambda: packed({"a.csv": TITLES.encode(), "../b.jpg": b"x"}), "package_path"),
        (lambda: packed({"a.csv": TITLES.encode(), "/etc/b.jpg": b"x"}), "package_path"),
        (lambda: packed({"a.csv": TITLES.encode(), "..\\b.jpg": b"x"}), "package_path"),
        (lambda: packed({"a.csv": TITLES.encode(), "C:\\b.jpg": b"x"}), "package_path"),
        (a_link, "package_path"),
        (a_lying_package, "package_broken"),
        (lambda: packed({"a.csv": b"x"})[:60], "other_archive"),
        (lambda: packed({"图.jpg": b"x"}), "package_without_sheet"),
        (lambda: packed({"a.csv": b"x", "b.xlsx": b"x"}), "package_sheets"),
        (
            lambda: packed({"a.csv": TITLES.encode(), "a/1.jpg": b"x", "b/1.jpg": b"y"}),
            "package_twice",
        ),
    ],
    # Numbers, because the bytes of a package have its time in them; packed by the test alone.
    ids=range(13),
)
def test_a_dangerous_or_unclear_package_is_refused_with_a_reason(
    uow_factory: UnitOfWorkFactory, pack: Callable[[], bytes], code: str
) -> None:
    found = codes_of(uow_factory, pack())
    assert found == [code] or (code == "other_archive" and found == ["workbook_broken"])
    assert stored(uow_factory) == {}


def test_names_packed_on_windows_are_read(uow_factory: UnitOfWorkFactory) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as package:
        sheet = f"{TITLES}哪个？,甲,乙,A,标志.png,图\n".encode("gb18030")
        package.writestr("AAAA.csv", sheet)
        package.writestr("BBBB.png", a_picture())
    # Windows writes the bytes of GBK without a mark for the encoding.
    raw = (
        made.getvalue()
        .replace(b"AAAA", "题目".encode("gbk"))
        .replace(b"BBBB", "标志".encode("gbk"))
    )
    with imported(uow_factory, raw) as row:
        assert (row.report["added"], row.report["problems"]) == (1, [])


def test_pictures_in_the_cells_of_a_workbook_are_named_as_not_read(
    uow_factory: UnitOfWorkFactory,
) -> None:
    book = openpyxl.Workbook()
    book.active.append(["题干", "选项A", "选项B", "答案"])
    book.active.append(["哪个？", "甲", "乙", "A"])
    made = io.BytesIO()
    book.save(made)
    with zipfile.ZipFile(made, "a") as package:
        package.writestr("xl/media/image1.png", a_picture())
    with imported(uow_factory, made.getvalue(), "题目.xlsx") as row:
        assert [one[2] for one in row.report["warnings"]] == ["pictures_in_cells"]


def test_the_command_imports_a_package_and_a_dry_run_stores_nothing(
    uow_factory: UnitOfWorkFactory, tmp_path: Any
) -> None:
    path = tmp_path / "a.zip"
    sheet = f"{TITLES}哪个？,甲,乙,A,1.png,图\n"
    path.write_bytes(packed({"a.csv": sheet.encode(), "1.png": a_picture()}))
    assert import_questions(uow_factory, path, dry_run=True).added == 1
    assert (stored(uow_factory), read_rows(uow_factory)) == ({}, [])
    assert import_questions(uow_factory, path).added == 1
    (row,) = read_rows(uow_factory)
    assert set(stored(uow_factory)) == {row.picture}
    assert import_questions(uow_factory, path).unchanged == 1


def test_an_unused_picture_is_deleted_after_a_week_and_a_used_one_is_kept(
    bank_app: Flask, uow_factory: UnitOfWorkFactory, task_context: TaskContext
) -> None:
    write_pictured(bank_app, a_picture())
    with uow_factory.begin() as uow:
        pictures.keep_picture(uow, pictures.convert_picture(a_picture(colour="blue")))
    assert pictures.drop_unused_pictures(task_context) == 0
    with uow_factory.begin() as uow:
        old = uow.now - KEPT_UNUSED - timedelta(seconds=1)
        uow.session.execute(update(QuestionPicture).values(used_at=old))
    assert pictures.drop_unused_pictures(task_context) == 1
    (row,) = read_rows(uow_factory)
    assert set(stored(uow_factory)) == {row.picture}


def test_a_picture_that_is_used_again_is_not_deleted_as_unused(
    uow_factory: UnitOfWorkFactory, task_context: TaskContext
) -> None:
    made = pictures.convert_picture(a_picture())
    with uow_factory.begin() as uow:
        first = pictures.keep_picture(uow, made)
        old = uow.now - KEPT_UNUSED - timedelta(seconds=1)
        uow.session.execute(update(QuestionPicture).values(used_at=old))
    with uow_factory.begin() as uow:
        assert pictures.keep_picture(uow, made) == first
    assert pictures.drop_unused_pictures(task_context) == 0
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalar(select(func.count()).select_from(QuestionPicture)) == 1


def test_an_export_with_too_many_pictures_says_what_to_do(
    bank_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pictured(bank_app, a_picture())
    monkeypatch.setattr(pictures, "MOST_EXPORTED", 10)
    answer = Browser(bank_app, "editor-county").open(
        "POST", "/questions/export", {"file_format": "zip", "every_column": ""}
    )
    assert (answer.status_code, "一个压缩包装不下" in answer.text) == (422, True)


def test_papers_reviews_practice_and_mistakes_name_the_picture(
    client: CheckedClient, uow_factory: UnitOfWorkFactory
) -> None:
    contest = open_contest(uow_factory)
    made = pictures.convert_picture(a_picture())
    with uow_factory.begin() as uow:
        name = pictures.keep_picture(uow, made)
        uow.session.execute(update(Question).values(picture=name, picture_alt=ALT))
        banks.renew_revision(uow, contest.bank)
        phone = a_session(uow, a_citizen(uow))
    answer = client.post(f"/contests/{contest.ref}/attempts", json={}, citizen=phone)
    paper = answer.get_json()
    wanted = {"url": f"/pictures/questions/{name}.jpg", "alt": ALT, "width": 400, "height": 300}

    def told(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [one["picture"] for one in questions]

    assert told(paper["questions"]) == [wanted] * len(paper["questions"])
    client.post(f"/attempts/{paper['id']}/submission", json={}, citizen=phone)
    closed = client.get(f"/attempts/{paper['id']}", citizen=phone).get_json()
    assert told(closed["questions"]) == [wanted] * len(paper["questions"])
    mistakes = client.get("/me/mistakes", citizen=phone).get_json()["items"]
    assert told(mistakes) == [wanted] * len(mistakes)
    practice = client.post("/practice", json={"count": 3}, citizen=phone).get_json()
    assert told(practice["questions"]) == [wanted] * 3

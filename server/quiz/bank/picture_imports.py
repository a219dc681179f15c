"""Pictures of imported questions: found in the package, converted, named, put into the drafts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from server.base.access import Organizer
from server.base.errors import AppError
from server.base.kept_pictures import MadePicture, digest_of
from server.base.uow import UnitOfWorkFactory
from server.console.sheets.reasons import Problem
from server.quiz.bank import pictures
from server.quiz.bank.files.packages import Package, is_package, plain_name, read_package
from server.quiz.bank.files.reading import ReadingOptions, Table, read_bytes, read_questions
from server.quiz.bank.files.reasons import QuestionReason
from server.quiz.bank.files.rows import Draft

# The reason for refusing a row, by the code of its picture's refusal.
_REFUSALS = {
    "picture_kind_unsupported": "picture_kind",
    "picture_too_large": "picture_large",
    "picture_misshapen": "picture_misshapen",
}


@dataclass(frozen=True, kw_only=True)
class ReadFile:
    """A file's questions, and its pictures by their plain names."""

    table: Table
    package: Package | None = None


@dataclass(frozen=True, kw_only=True)
class PictureWork:
    """Input for finding pictures: the organizer, names from an earlier run, whether to store.

    Without `organizer` a command acts, which may use every stored picture. A dry run stores nothing
    and names a new picture by its digest.
    """

    organizer: Organizer | None = None
    remembered: Mapping[str, str] = field(default_factory=dict)
    dry_run: bool = False
    report_progress: Callable[[int, int], None] = lambda _done, _total: None


def read_upload(name: str, raw: bytes, said: ReadingOptions | None = None) -> ReadFile:
    """Read a file of questions, or a package of one with its pictures.

    Raises: FileRefused.
    """
    if not is_package(raw):
        return ReadFile(table=read_questions(name, raw, said))
    package = read_package(raw)
    table = read_questions(package.sheet_name, package.sheet, said)
    wanted = {draft.picture for draft in table.drafts if draft.picture}
    used = [package.find_picture(cell) for cell in wanted]
    unused = sorted(name for name, raw in package.pictures.items() if raw not in used)
    if unused:
        facts = {"count": len(unused), "first": unused[0]}
        table.warnings.append(
            Problem(line=1, why=QuestionReason(code="pictures_unused", facts=facts))
        )
    return ReadFile(table=table, package=package)


def read_file(path: Path, said: ReadingOptions | None = None) -> ReadFile:
    """Read a file of questions, or a package of one with its pictures, from the disk.

    Raises: FileRefused.
    """
    return read_upload(path.name, read_bytes(path), said)


def place_pictures(
    uow_factory: UnitOfWorkFactory, read: ReadFile, work: PictureWork
) -> tuple[Table, Mapping[str, str]]:
    """The table with names of stored pictures in its drafts, and the name for each cell.

    A draft whose picture is missing or unreadable is refused. Converts outside of transactions.
    """
    cells = sorted({draft.picture for draft in read.table.drafts if draft.picture})
    if not cells:
        return read.table, {}
    found = _find_stored(uow_factory, read.package, cells, work)
    made: dict[str, MadePicture] = {}
    refused: dict[str, QuestionReason] = {}
    new = [cell for cell in cells if cell not in found]
    for at, cell in enumerate(new):
        work.report_progress(at, len(new))
        try:
            made[cell] = _convert_one(read.package, cell)
        except AppError as refusal:
            code = _REFUSALS.get(refusal.code, "picture_broken")
            refused[cell] = QuestionReason(code=code, facts={"name": cell[:80]})
        except KeyError:
            refused[cell] = QuestionReason(code="picture_missing", facts={"name": cell[:80]})
    names = {**found, **_keep_made(uow_factory, made, found.values(), work)}
    return _fill_drafts(read.table, names, refused), names


def _find_stored(
    uow_factory: UnitOfWorkFactory, package: Package | None, cells: list[str], work: PictureWork
) -> dict[str, str]:
    """Pictures that need no conversion: those of an export, and those of an earlier run."""
    files = {cell: None if package is None else package.find_picture(cell) for cell in cells}
    digests = {cell: digest_of(raw) for cell, raw in files.items() if raw is not None}
    asked = {cell: plain_name(cell).removesuffix(".jpg") for cell in cells if cell not in digests}
    with uow_factory.begin(read_only=True) as uow:
        known = pictures.names_by_digest(uow, digests.values())
        used = pictures.names_in_use(uow, work.organizer, asked.values())
        there = pictures.existing_names(uow, work.remembered.values())
    by_digest = {cell: known[digest] for cell, digest in digests.items() if digest in known}
    by_name = {cell: name for cell, name in asked.items() if name in used}
    before = {cell: name for cell, name in work.remembered.items() if name in there}
    found = {**before, **by_name, **by_digest}
    return {cell: found[cell] for cell in cells if cell in found}


def _convert_one(package: Package | None, cell: str) -> MadePicture:
    raw = None if package is None else package.find_picture(cell)
    if raw is None:
        raise KeyError(cell)
    return pictures.convert_picture(raw)


def _keep_made(
    uow_factory: UnitOfWorkFactory,
    made: Mapping[str, MadePicture],
    used: Iterable[str],
    work: PictureWork,
) -> dict[str, str]:
    if work.dry_run:
        return {cell: one.digest[:40] for cell, one in made.items()}
    with uow_factory.begin(work.organizer) as uow:
        pictures.keep_names(uow, used)
        return {cell: pictures.keep_picture(uow, one) for cell, one in made.items()}


def _fill_drafts(
    table: Table, names: Mapping[str, str], refused: Mapping[str, QuestionReason]
) -> Table:
    drafts: list[Draft] = []
    problems = list(table.problems)
    for draft in table.drafts:
        if draft.picture is None:
            drafts.append(draft)
        elif draft.picture in refused:
            why = refused[draft.picture]
            problems.append(Problem(line=draft.line, sheet=draft.sheet, why=why))
        else:
            drafts.append(replace(draft, picture=names[draft.picture]))
    return replace(table, drafts=drafts, problems=problems)

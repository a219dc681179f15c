"""Reads packages: a ZIP with one file of questions and the pictures it names.

Sizes and paths are checked by the archive's own directory, before anything is unpacked, and a
member is unpacked to its stated size at most. Nothing is written to a disk.
"""

from __future__ import annotations

import io
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from server.console.sheets.grids import MIB, MOST_BYTES
from server.console.sheets.reasons import FileRefused
from server.quiz.bank.files.reasons import QuestionsRefused

MOST_UNPACKED = 30 * MIB
MOST_RATIO = 100
MOST_MEMBERS = 1_000
_ARCHIVE = b"PK\x03\x04"
_TABLES = (".xlsx", ".csv", ".tsv")
_TEXTS = (".txt", ".gift")
_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".heic", ".bmp", ".tif", ".tiff")
# Files that macOS and Windows add to an archive or a folder; they are ignored.
_JUNK = ("__macosx/", ".ds_store", "thumbs.db", "desktop.ini")
_UTF8_NAME, _ENCRYPTED = 0x800, 0x1


@dataclass(frozen=True, kw_only=True)
class Package:
    """The file of questions, and the pictures by their plain names."""

    sheet_name: str
    sheet: bytes = field(repr=False)
    pictures: Mapping[str, bytes] = field(repr=False)

    def find_picture(self, cell: str) -> bytes | None:
        """The picture that a cell names: with or without its folder and its ending."""
        name = plain_name(cell)
        found = self.pictures.get(name)
        if found is not None:
            return found
        same = [key for key in self.pictures if key.rpartition(".")[0] == name]
        return self.pictures[same[0]] if len(same) == 1 else None


def plain_name(path: str) -> str:
    """The name of a file without its folder, in one spelling."""
    name = path.replace("\\", "/").rpartition("/")[2]
    return unicodedata.normalize("NFC", name).strip().casefold()


def is_package(raw: bytes) -> bool:
    """Whether a file is an archive that is neither a workbook nor a document."""
    if not raw.startswith(_ARCHIVE):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            return "[Content_Types].xml" not in packed.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


def read_package(raw: bytes) -> Package:
    """The content of a package.

    Raises: FileRefused.
    """
    if len(raw) > MOST_BYTES:
        raise FileRefused("too_large", most=MOST_BYTES // MIB)
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            members = packed.infolist()
            _check_sizes(members, len(raw))
            named = _named_members(members)
            sheet = _find_sheet(named)
            return Package(
                sheet_name=sheet.rpartition("/")[2],
                sheet=packed.read(named[sheet]),
                pictures=_read_pictures(packed, named),
            )
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError,
            ValueError):  # fmt: skip
        # RuntimeError: a password. NotImplementedError: an unusual compression.
        raise QuestionsRefused("package_broken") from None


def _check_sizes(members: list[zipfile.ZipInfo], packed: int) -> None:
    if len(members) > MOST_MEMBERS:
        raise QuestionsRefused("package_members", most=MOST_MEMBERS)
    unpacked = sum(member.file_size for member in members)
    if unpacked > MOST_UNPACKED:
        raise QuestionsRefused("package_unpacks_too_large", most=MOST_UNPACKED // MIB)
    if unpacked > packed * MOST_RATIO:
        raise FileRefused("packed_too_tightly", most=MOST_RATIO)
    if any(member.flag_bits & _ENCRYPTED for member in members):
        raise QuestionsRefused("package_broken")


def _named_members(members: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """The files by their decoded names.

    Raises: FileRefused for a path that leads out of the package, and for a link.
    """
    named: dict[str, zipfile.ZipInfo] = {}
    for member in members:
        name = _readable_name(member)
        path = PurePosixPath(name.replace("\\", "/"))
        link = stat.S_ISLNK(member.external_attr >> 16)
        if link or path.is_absolute() or ".." in path.parts or ":" in name:
            raise QuestionsRefused("package_path", name=name[:80])
        junk = any(part in f"{path}".casefold() for part in _JUNK) or path.name.startswith("._")
        if not member.is_dir() and not junk:
            named[str(path)] = member
    return named


def _readable_name(member: zipfile.ZipInfo) -> str:
    """The name of a member; Chinese names packed without the UTF-8 flag are decoded."""
    if member.flag_bits & _UTF8_NAME:
        return member.filename
    try:
        packed = member.filename.encode("cp437")
    except UnicodeEncodeError:
        return member.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return packed.decode(encoding)
        except UnicodeDecodeError:
            continue
    return member.filename


def _find_sheet(named: Mapping[str, zipfile.ZipInfo]) -> str:
    for endings in (_TABLES, _TEXTS):
        found = [name for name in named if name.casefold().endswith(endings)]
        if len(found) > 1:
            raise QuestionsRefused("package_sheets", names=", ".join(sorted(found)[:5]))
        if found:
            return found[0]
    raise QuestionsRefused("package_without_sheet")


def _read_pictures(
    packed: zipfile.ZipFile, named: Mapping[str, zipfile.ZipInfo]
) -> dict[str, bytes]:
    pictures: dict[str, bytes] = {}
    for path, member in named.items():
        name = plain_name(path)
        if not name.endswith(_PICTURES):
            continue
        content = packed.read(member)
        if pictures.setdefault(name, content) != content:
            raise QuestionsRefused("package_twice", name=name)
    return pictures

"""The picture and the PDF: the code leads to the public page, the words can be read back."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFont

from server.base.lettering import Face, path_of_face
from server.certificates.content import CertificateContent
from server.certificates.drawing import draw_picture, name_content, write_document
from server.certificates.kinds import Detail
from server.certificates.sheet import SIZE, TextLine, lay_out
from tests.kit.node import node
from tests.kit.qr_codes import read_code

ADDRESS = "https://kepu.example.org/verify/KP-7F3K-9QWE-0A2B-4C6D-X7"
CONTENT = CertificateContent(
    campaign=("八桂科普大行动", "Bagvei Gohbuj Dayingzdung"),
    heading="成绩证书",
    name="韦小明",
    sentence="参加“2026年广西公民科学素质网络竞赛”，总成绩190分，特发此证。",
    details=(
        Detail(label="总成绩", value="190分"),
        Detail(label="单份最好成绩", value="100分（满分100分）"),
        Detail(label="完成答卷", value="2份"),
        Detail(label="全区最终名次", value="第12名"),
        Detail(label="成绩截至", value="2026年5月2日（竞赛还在进行）"),
    ),
    issuer="颁发单位：广西壮族自治区科学技术协会",
    issued_on="颁发日期：2026年5月2日",
    issued_at=datetime(2026, 5, 2, tzinfo=UTC),
    serial_line="证书编号：KP-7F3K-9QWE-0A2B-4C6D-X7",
    serial="KP-7F3K-9QWE-0A2B-4C6D-X7",
    address=ADDRESS,
    how_to_verify="扫码核验真伪",
)
LONG = "广西壮族自治区公民科学素质提升行动主题科普活动网络知识竞赛" * 4

READ_TEXT = """
import { getDocumentProxy, getMeta } from "unpdf";
import { readFileSync } from "node:fs";
const file = await getDocumentProxy(new Uint8Array(readFileSync(process.argv[1])));
const page = await file.getPage(1);
const { info } = await getMeta(file);
const { items } = await page.getTextContent();
const runs = items.map((one) => one.str);
const { numPages: pages } = file;
console.log(JSON.stringify({ pages, view: page.view, title: info.Title, runs }));
"""


def run_script(program: str, *arguments: str) -> Any:
    run = node("--input-type=module", "--eval", program, *arguments)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_an_independent_reader_finds_the_public_address_in_the_picture(tmp_path: Path) -> None:
    with Image.open(io.BytesIO(draw_picture(CONTENT))) as picture:
        assert (picture.format, picture.size) == ("PNG", SIZE)
        assert read_code(picture, tmp_path) == ADDRESS
        small = picture.convert("RGB").resize((SIZE[0] // 2, SIZE[1] // 2))
        assert read_code(small, tmp_path) == ADDRESS


def test_every_word_is_read_back_from_the_document(tmp_path: Path) -> None:
    file = tmp_path / "certificate.pdf"
    content = replace(CONTENT, name="堃喆䶮 Lukas é")
    file.write_bytes(write_document(content))
    read = run_script(READ_TEXT, str(file))
    assert read["pages"] == 1
    assert [round(one) for one in read["view"]] == [0, 0, 842, 595]
    assert read["title"] == f"成绩证书 {CONTENT.serial}"
    text = "".join(read["runs"]).replace(" ", "")
    wanted = [
        *content.campaign, content.heading, content.name, content.sentence, content.issuer,
        content.issued_on, content.serial_line, content.how_to_verify,
        *(f"{one.label}：{one.value}" for one in content.details),
    ]  # fmt: skip
    assert [one for one in wanted if one.replace(" ", "") not in text] == []


def test_the_document_embeds_a_small_part_of_the_fonts() -> None:
    document = write_document(CONTENT)
    assert document.count(b"/FontFile3") == len(Face)
    assert 8_000 < len(document) < 120_000
    whole = sum(path_of_face(face).stat().st_size for face in Face)
    assert len(document) < whole / 100


def test_equal_contents_give_equal_files_and_others_have_another_name() -> None:
    assert draw_picture(CONTENT) == draw_picture(CONTENT)
    assert write_document(CONTENT) == write_document(CONTENT)
    names = {name_content("png", CONTENT), name_content("pdf", CONTENT)}
    names |= {name_content("png", replace(CONTENT, **{field: "x"})) for field in (
        "heading", "name", "sentence", "issuer", "issued_on", "serial", "address",
    )}  # fmt: skip
    assert len(names) == 9


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"name": "阿卜杜拉·买买提明·吐尔逊江·艾合买提"},
        {"sentence": LONG, "campaign": (LONG, "Vahcuengh " * 30)},
        {"issuer": LONG, "details": (Detail(label=LONG, value=LONG),) * 5},
        {"campaign": ("八桂科普大行动",), "details": ()},
    ],
)
def test_no_line_leaves_the_sheet_or_touches_another(changes: dict[str, Any]) -> None:
    lines = [one for one in lay_out(replace(CONTENT, **changes)) if isinstance(one, TextLine)]
    boxes = [box_of(one) for one in lines]
    for left, top, right, bottom in boxes:
        assert left >= 100
        assert right <= SIZE[0] - 100
        assert top >= 110
        assert bottom <= SIZE[1] - 84
    for at, one in enumerate(boxes):
        for other in boxes[at + 1 :]:
            assert not are_touching(one, other), (lines[at].text, one, other)


def box_of(line: TextLine) -> tuple[float, float, float, float]:
    with Image.new("L", (10, 10)) as empty:
        font = ImageFont.truetype(str(path_of_face(line.face)), line.size)
        left, top, right, bottom = ImageDraw.Draw(empty).textbbox(
            (line.x, line.y), line.text, font=font, anchor="ms" if line.centred else "ls"
        )
    return left, top, right, bottom


def are_touching(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def test_a_sentence_of_two_lines_leaves_no_single_character_for_the_second() -> None:
    sentence = "参加“溶洞是怎样形成的——八桂讲坛·大众科普第12讲”，经签到核实，特发此证。"
    lines = [
        one.text
        for one in lay_out(replace(CONTENT, sentence=sentence))
        if isinstance(one, TextLine)
    ]
    (first,) = [at for at, text in enumerate(lines) if text.startswith("参加")]
    assert lines[first] + lines[first + 1] == sentence
    assert len(lines[first + 1]) > len(sentence) / 3

"""Writes papers as WordprocessingML (ECMA-376, part 1, clause 17)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from .content import Heading, Table
from .ooxml import HEAD, encode_package, encode_relations

if TYPE_CHECKING:
    from .content import Paper, Properties

__all__ = ["encode_docx"]

_MAIN = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml"

# The width of the type area in twentieths of a point.
_WIDTH = 8960


def _paragraph(text: str, style: str = "", align: str = "") -> str:
    described = f'<w:pStyle w:val="{style}"/>' if style else ""
    described += f'<w:jc w:val="{align}"/>' if align else ""
    described = f"<w:pPr>{described}</w:pPr>" if described else ""
    return f'<w:p>{described}<w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'


def _row(table: Table, row: tuple[str, ...]) -> str:
    cells = []
    for column, (cell, share) in enumerate(zip(row, table.shares, strict=True)):
        style = "TableHead" if row is table.head else "TableCell"
        align = "right" if column in table.numbers and row is not table.head else ""
        cells.append(
            f'<w:tc><w:tcPr><w:tcW w:w="{round(_WIDTH * share)}" w:type="dxa"/></w:tcPr>'
            f"{_paragraph(cell, style, align)}</w:tc>"
        )
    head = "<w:trPr><w:tblHeader/></w:trPr>" if row is table.head else ""
    return f"<w:tr>{head}{''.join(cells)}</w:tr>"


def _table(table: Table) -> str:
    grid = "".join(f'<w:gridCol w:w="{round(_WIDTH * share)}"/>' for share in table.shares)
    rows = "".join(_row(table, row) for row in (table.head, *table.rows))
    return (
        f'<w:tbl><w:tblPr><w:tblStyle w:val="TableGrid"/><w:tblW w:w="{_WIDTH}" w:type="dxa"/>'
        f'<w:tblLayout w:type="fixed"/></w:tblPr><w:tblGrid>{grid}</w:tblGrid>{rows}</w:tbl>'
        "<w:p/>"
    )


def _document(paper: Paper) -> str:
    blocks = [_paragraph(paper.title, "Title")]
    blocks.extend(_paragraph(line, "Subtitle") for line in paper.subtitle)
    for part in paper.parts:
        if isinstance(part, Heading):
            blocks.append(_paragraph(part.text, "Heading1"))
        elif isinstance(part, Table):
            blocks.append(_table(part))
        else:
            blocks.append(_paragraph(part, "BodyText"))
    blocks.extend(_paragraph("    ".join(row), "Signature") for row in paper.signatures)
    return (
        f'{HEAD}<w:document {_MAIN} xmlns:r="{_RELATIONS}"><w:body>{"".join(blocks)}<w:sectPr>'
        '<w:footerReference w:type="default" r:id="rId2"/><w:pgSz w:w="11906" w:h="16838"/>'
        '<w:pgMar w:top="2098" w:right="1474" w:bottom="1984" w:left="1587" w:header="851" '
        'w:footer="992" w:gutter="0"/></w:sectPr></w:body></w:document>'
    )


def _footer() -> str:
    return (
        f'{HEAD}<w:ftr {_MAIN}><w:p><w:pPr><w:jc w:val="center"/></w:pPr>'
        '<w:fldSimple w:instr=" PAGE "><w:r><w:t>1</w:t></w:r></w:fldSimple></w:p></w:ftr>'
    )


def _style(name: str, label: str, paragraph: str, run: str) -> str:
    return (
        f'<w:style w:type="paragraph" w:styleId="{name}"><w:name w:val="{label}"/>'
        f'<w:basedOn w:val="Normal"/><w:qFormat/><w:pPr>{paragraph}</w:pPr><w:rPr>{run}</w:rPr>'
        "</w:style>"
    )


def _styles(*, chinese: bool) -> str:
    language = "zh-CN" if chinese else "en-GB"
    indent = '<w:ind w:firstLineChars="200" w:firstLine="480"/>' if chinese else ""
    borders = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="auto"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    return (
        f"{HEAD}<w:styles {_MAIN}><w:docDefaults><w:rPrDefault><w:rPr>"
        '<w:rFonts w:ascii="Times New Roman" w:hAnsi="Times New Roman" w:eastAsia="SimSun" '
        'w:cs="Times New Roman"/><w:sz w:val="24"/>'
        f'<w:lang w:val="{language}" w:eastAsia="zh-CN"/></w:rPr></w:rPrDefault></w:docDefaults>'
        '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/>'
        '<w:pPr><w:spacing w:line="360" w:lineRule="auto"/></w:pPr></w:style>'
        + _style("Title", "Title", '<w:jc w:val="center"/>', '<w:b/><w:sz w:val="36"/>')
        + _style("Subtitle", "Subtitle", '<w:jc w:val="center"/>', '<w:sz w:val="22"/>')
        + _style(
            "Heading1",
            "heading 1",
            '<w:keepNext/><w:spacing w:before="240"/><w:outlineLvl w:val="0"/>',
            '<w:b/><w:sz w:val="28"/>',
        )
        + _style("BodyText", "Body Text", indent, "")
        + _style("TableHead", "Table Head", '<w:jc w:val="center"/>', '<w:b/><w:sz w:val="21"/>')
        + _style("TableCell", "Table Cell", "", '<w:sz w:val="21"/>')
        + _style("Signature", "Signature", '<w:jc w:val="right"/>', "")
        + '<w:style w:type="table" w:styleId="TableGrid"><w:name w:val="Table Grid"/><w:tblPr>'
        f"<w:tblBorders>{borders}</w:tblBorders></w:tblPr></w:style></w:styles>"
    )


def encode_docx(paper: Paper, properties: Properties) -> bytes:
    """Write a text document."""
    relations = {"styles.xml": f"{_RELATIONS}/styles", "footer1.xml": f"{_RELATIONS}/footer"}
    return encode_package(
        {
            "word/document.xml": _document(paper),
            "word/styles.xml": _styles(chinese=properties.language.startswith("zh")),
            "word/footer1.xml": _footer(),
            "word/_rels/document.xml.rels": encode_relations(relations),
        },
        types={
            "word/document.xml": f"{_TYPE}.document.main+xml",
            "word/styles.xml": f"{_TYPE}.styles+xml",
            "word/footer1.xml": f"{_TYPE}.footer+xml",
        },
        properties=properties,
    )

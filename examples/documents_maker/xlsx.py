"""Writes sheets as SpreadsheetML (ECMA-376, part 1, clause 18)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from .content import Formula
from .ooxml import HEAD, encode_package, encode_relations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .content import Cell, Properties, Sheet

__all__ = ["encode_xlsx"]

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"

# Places in the list of cell formats that `_styles` writes.
_PLAIN, _TITLE, _HEAD, _TEXT, _COUNT, _AMOUNT, _COUNT_SUM, _AMOUNT_SUM = range(8)


def _cell(place: str, cell: Cell, style: int) -> str:
    if isinstance(cell, str):
        return (
            f'<c r="{place}" s="{style}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
            if cell
            else f'<c r="{place}" s="{style}"/>'
        )
    formula = f"<f>{cell.text}</f>" if isinstance(cell, Formula) else ""
    value = cell.value if isinstance(cell, Formula) else cell
    return f'<c r="{place}" s="{style}">{formula}<v>{value}</v></c>'


def _style_of(cell: Cell, *, is_total: bool) -> int:
    if isinstance(cell, str):
        return _COUNT_SUM if is_total else _TEXT
    value = cell.value if isinstance(cell, Formula) else cell
    if isinstance(value, Decimal) and value.as_tuple().exponent:
        return _AMOUNT_SUM if is_total else _AMOUNT
    return _COUNT_SUM if is_total else _COUNT


def _row(number: int, cells: tuple[Cell, ...], styles: Iterable[int]) -> str:
    body = "".join(
        _cell(f"{chr(ord('A') + column)}{number}", cell, style)
        for column, (cell, style) in enumerate(zip(cells, styles, strict=True))
    )
    return f'<row r="{number}">{body}</row>'


def _worksheet(sheet: Sheet) -> str:
    last = chr(ord("A") + len(sheet.head) - 1)
    rows = [_row(1, (sheet.title,), [_TITLE]), _row(2, sheet.head, [_HEAD] * len(sheet.head))]
    for number, cells in enumerate((*sheet.rows, sheet.totals), start=3):
        is_total = cells is sheet.totals
        styles = [_style_of(cell, is_total=is_total) for cell in cells]
        rows.append(_row(number, cells, styles))
    number = 3 + len(sheet.rows)
    for note in sheet.notes:
        number += 1
        rows.append(_row(number, (note,), [_PLAIN]))
    columns = "".join(
        f'<col min="{place}" max="{place}" width="{width}" customWidth="1"/>'
        for place, width in enumerate(sheet.widths, start=1)
    )
    return (
        f'{HEAD}<worksheet {_MAIN}><dimension ref="A1:{last}{number}"/><sheetViews>'
        '<sheetView workbookViewId="0"><pane ySplit="2" topLeftCell="A3" '
        'activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f"<cols>{columns}</cols><sheetData>{''.join(rows)}</sheetData>"
        f'<mergeCells count="1"><mergeCell ref="A1:{last}1"/></mergeCells>'
        '<pageMargins left="0.7" right="0.7" top="0.75" bottom="0.75" header="0.3" footer="0.3"/>'
        '<pageSetup paperSize="9" orientation="landscape"/></worksheet>'
    )


def _styles() -> str:
    sides = "".join(f'<{side} style="thin"/>' for side in ("left", "right", "top", "bottom"))
    formats = (
        '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>',
        (
            '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyAlignment="1">'
            '<alignment horizontal="center"/></xf>'
        ),
        (
            '<xf numFmtId="0" fontId="2" fillId="2" borderId="1" xfId="0" applyAlignment="1">'
            '<alignment horizontal="center"/></xf>'
        ),
        '<xf numFmtId="0" fontId="0" fillId="0" borderId="1" xfId="0"/>',
        '<xf numFmtId="3" fontId="0" fillId="0" borderId="1" xfId="0" applyNumberFormat="1"/>',
        '<xf numFmtId="4" fontId="0" fillId="0" borderId="1" xfId="0" applyNumberFormat="1"/>',
        '<xf numFmtId="3" fontId="2" fillId="0" borderId="1" xfId="0" applyNumberFormat="1"/>',
        '<xf numFmtId="4" fontId="2" fillId="0" borderId="1" xfId="0" applyNumberFormat="1"/>',
    )
    return (
        f'{HEAD}<styleSheet {_MAIN}><fonts count="3">'
        '<font><sz val="11"/><name val="SimSun"/></font>'
        '<font><b/><sz val="14"/><name val="SimSun"/></font>'
        '<font><b/><sz val="11"/><name val="SimSun"/></font></fonts>'
        '<fills count="3"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill><fill><patternFill patternType="solid">'
        '<fgColor rgb="FFE7E6E6"/><bgColor indexed="64"/></patternFill></fill></fills>'
        '<borders count="2"><border><left/><right/><top/><bottom/><diagonal/></border>'
        f"<border>{sides}<diagonal/></border></borders>"
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'
        f'</cellStyleXfs><cellXfs count="{len(formats)}">{"".join(formats)}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
        "</styleSheet>"
    )


def encode_xlsx(sheet: Sheet, properties: Properties) -> bytes:
    """Write a workbook with one sheet."""
    workbook = (
        f'{HEAD}<workbook {_MAIN} xmlns:r="{_RELATIONS}"><sheets>'
        f'<sheet name="{escape(sheet.name)}" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    relations = {
        "worksheets/sheet1.xml": f"{_RELATIONS}/worksheet",
        "styles.xml": f"{_RELATIONS}/styles",
    }
    return encode_package(
        {
            "xl/workbook.xml": workbook,
            "xl/_rels/workbook.xml.rels": encode_relations(relations),
            "xl/worksheets/sheet1.xml": _worksheet(sheet),
            "xl/styles.xml": _styles(),
        },
        types={
            "xl/workbook.xml": f"{_TYPE}.sheet.main+xml",
            "xl/worksheets/sheet1.xml": f"{_TYPE}.worksheet+xml",
            "xl/styles.xml": f"{_TYPE}.styles+xml",
        },
        properties=properties,
    )

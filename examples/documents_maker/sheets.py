"""The spreadsheets: a budget request and a count of fixed assets."""
# Half of the texts are Chinese and use Chinese punctuation.

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from .content import Formula, Sheet

if TYPE_CHECKING:
    from .content import Cell

__all__ = ["make_asset_count", "make_budget_request"]

# Rows 1 and 2 of a sheet hold the title and the head.
_FIRST_ROW = 3

_REQUESTS = (
    ("B-01", "Digitisation of archives, phase 2", 260_000, "0.35", "Continues contract 2026-017"),
    ("B-02", "Archive boxes, acid free", 1_200, "18.50", "Replacement"),
    ("B-03", "Repository air conditioning, service", 4, "6800.00", "Quarterly"),
    ("B-04", "Document scanners, A3", 3, "27500.00", "Two replaced, one new"),
    ("B-05", "Storage for scans, 48 TB", 2, "64000.00", "One at the second site"),
    ("B-06", "Time stamps and anchoring", 12, "1500.00", "Monthly"),
    ("B-07", "Training, records officers", 36, "420.00", "One per division"),
    ("B-08", "Removal and transport of volumes", 80, "95.00", "Box rate"),
)

_ASSETS = (
    ("ZC-2019-0042", "台式计算机", "台", 212, 212, "5200.00"),
    ("ZC-2020-0007", "便携式计算机", "台", 96, 95, "4386.00"),
    ("ZC-2020-0031", "激光打印机", "台", 74, 74, "1850.00"),
    ("ZC-2021-0018", "文档扫描仪", "台", 21, 20, "1530.00"),
    ("ZC-2021-0055", "档案密集架", "组", 48, 48, "9600.00"),
    ("ZC-2022-0003", "公务用车", "辆", 6, 6, "158000.00"),
    ("ZC-2023-0011", "办公桌椅", "套", 926, 926, "780.00"),
    ("ZC-2024-0009", "温湿度监测仪", "台", 3, 3, "2400.00"),
)


def make_budget_request() -> Sheet:
    """Build the budget request; the amounts are formulas with their values."""
    rows: list[tuple[Cell, ...]] = []
    for number, (code, item, count, price, reason) in enumerate(_REQUESTS, start=_FIRST_ROW):
        amount = Formula(text=f"C{number}*D{number}", value=count * Decimal(price))
        rows.append((code, item, count, Decimal(price), amount, reason))
    last = _FIRST_ROW + len(rows) - 1
    total = sum((count * Decimal(price) for _, _, count, price, _ in _REQUESTS), Decimal(0))
    return Sheet(
        name="FY2027",
        title="Yunhe Municipal Finance Bureau: budget request FY2027, General Office (CNY)",
        widths=(8, 40, 12, 14, 16, 32),
        head=("Code", "Item", "Quantity", "Unit price", "Amount", "Reason"),
        rows=tuple(rows),
        totals=("", "Total", "", "", Formula(text=f"SUM(E{_FIRST_ROW}:E{last})", value=total), ""),
        notes=("Requested: Su Yu'an, 14 August 2026", "Not yet reviewed by the Budget Division"),
    )


def make_asset_count() -> Sheet:
    """Build the count of fixed assets; differences and values are formulas."""
    rows: list[tuple[Cell, ...]] = []
    for number, (code, name, unit, booked, found, price) in enumerate(_ASSETS, start=_FIRST_ROW):
        difference = Formula(text=f"E{number}-D{number}", value=Decimal(found - booked))
        worth = Formula(text=f"D{number}*G{number}", value=booked * Decimal(price))
        rows.append((code, name, unit, booked, found, difference, Decimal(price), worth))
    last = _FIRST_ROW + len(rows) - 1
    booked_sum, found_sum = sum(asset[3] for asset in _ASSETS), sum(asset[4] for asset in _ASSETS)
    worth_sum = sum((asset[3] * Decimal(asset[5]) for asset in _ASSETS), Decimal(0))

    def column_sum(column: str, value: Decimal | int) -> Formula:
        return Formula(text=f"SUM({column}{_FIRST_ROW}:{column}{last})", value=Decimal(value))

    return Sheet(
        name="盘点表",
        title="云河市财政局2026年固定资产盘点表（截至2026年2月28日，金额单位：元）",
        widths=(16, 20, 8, 12, 12, 12, 14, 18),
        head=("资产编号", "名称", "单位", "账面数量", "实盘数量", "盘盈（亏）", "单价", "账面原值"),
        rows=tuple(rows),
        totals=(
            "合计", "", "",
            column_sum("D", booked_sum), column_sum("E", found_sum),
            column_sum("F", found_sum - booked_sum), "", column_sum("H", worth_sum),
        ),
        notes=("盘点人：白砚秋", "监盘人：陆清禾",
               "说明：便携式计算机、文档扫描仪各盘亏1台，原因待查。"),
    )  # fmt: skip

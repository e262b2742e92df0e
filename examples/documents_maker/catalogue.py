"""Which files there are, what they are called, and what is in them."""
# Half of the names are Chinese and use Chinese brackets.

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from . import letters, papers, plain
from .content import Letter, Paper, Properties
from .docx import encode_docx
from .layout import lay_out_letter, lay_out_paper
from .ofd import encode_ofd
from .pdf import encode_pdf
from .png import draw_receipt, draw_seal_specimen
from .sheets import make_asset_count, make_budget_request
from .tiff import PAGE_SIZE, generate_scan
from .xlsx import encode_xlsx

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["LARGE_NAME", "make_documents", "save_documents", "save_large"]

LARGE_NAME = "档案扫描总卷-2026-第1册.tif"
"""The one file that is made on the fly and never committed."""

_CHINA = timezone(timedelta(hours=8))
_BUREAU = "Yunhe Municipal Finance Bureau"


def _describe(title: str, when: str, *, chinese: bool) -> Properties:
    return Properties(
        title=title,
        author=letters.OFFICE if chinese else _BUREAU,
        created=datetime.fromisoformat(when).replace(tzinfo=_CHINA),
        language="zh-CN" if chinese else "en-GB",
    )


def _letter_pdf(letter: Letter, when: str) -> bytes:
    return encode_pdf(lay_out_letter(letter), _describe("".join(letter.title), when, chinese=True))


def _letter_ofd(letter: Letter, when: str) -> bytes:
    return encode_ofd(lay_out_letter(letter), _describe("".join(letter.title), when, chinese=True))


def _paper_pdf(paper: Paper, when: str, *, chinese: bool) -> bytes:
    properties = _describe(paper.title, when, chinese=chinese)
    return encode_pdf(lay_out_paper(paper, chinese=chinese), properties)


def _register_csv() -> bytes:
    """Write the register as spreadsheets save it: with a mark at the start and CR LF."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerows(plain.REGISTER)
    return buffer.getvalue().encode("utf-8-sig")


def _makers() -> dict[str, Callable[[], bytes]]:
    """Return how each file is made, by its name."""

    def sheet(name: str, when: str, *, chinese: bool) -> bytes:
        made = make_asset_count() if chinese else make_budget_request()
        return encode_xlsx(made, _describe(name, when, chinese=chinese))

    return {
        "关于开展2026年度档案数字化工作的通知.pdf": lambda: _letter_pdf(
            letters.NOTICE, "2026-03-18T09:30:00"
        ),
        "云财报〔2026〕9号 关于2026年上半年预算执行情况的报告.pdf": lambda: _letter_pdf(
            letters.REPORT, "2026-07-10T16:05:00"
        ),
        "合同-2026-017.pdf": lambda: _paper_pdf(
            papers.CONTRACT, "2026-04-02T10:00:00", chinese=True
        ),
        "Audit report 2026-Q1.pdf": lambda: _paper_pdf(
            papers.AUDIT, "2026-04-20T11:15:00", chinese=False
        ),
        "Memorandum of Understanding - Exchange of Records.pdf": lambda: _paper_pdf(
            papers.MEMORANDUM, "2026-03-18T14:40:00", chinese=False
        ),
        "会议纪要〔2026〕5号.ofd": lambda: _letter_ofd(letters.MINUTES, "2026-03-13T17:20:00"),
        "关于云河市档案馆2027年部门预算的批复（云财预〔2026〕31号）.ofd": lambda: _letter_ofd(
            letters.REPLY, "2026-12-22T09:10:00"
        ),
        "云河市财政局档案管理办法（征求意见稿）.docx": lambda: encode_docx(
            papers.RULES, _describe(papers.RULES.title, "2026-05-08T15:00:00", chinese=True)
        ),
        "Records retention schedule v3.docx": lambda: encode_docx(
            papers.RETENTION,
            _describe(papers.RETENTION.title, "2026-06-26T10:30:00", chinese=False),
        ),
        "Budget request FY2027.xlsx": lambda: sheet(
            "Budget request FY2027", "2026-08-14T16:45:00", chinese=False
        ),
        "固定资产盘点表-2026.xlsx": lambda: sheet(
            "固定资产盘点表", "2026-02-28T17:00:00", chinese=True
        ),
        "收据-2026-0318-扫描件.png": draw_receipt,
        "印章样章.png": draw_seal_specimen,
        "值班记录 2026-03-18.txt": plain.DUTY_LOG.encode,
        "Transfer note, box 12.txt": plain.TRANSFER_NOTE.encode,
        "关于《云河市财政局档案管理办法（征求意见稿）》修改意见采纳情况的汇总说明（根据2026年6月3日"
        "局务会意见第七次修改后的送审稿）.txt": plain.COMMENTS.encode,
        "Re Box 12, page 31.eml": lambda: plain.MESSAGE.replace("\n", "\r\n").encode(),
        "收发文登记簿2026.csv": _register_csv,
        "附件3：差错登记表（空白）.txt": bytes,
    }


def make_documents() -> dict[str, bytes]:
    """Make all small files; the same bytes on every machine.

    Returns:
        The content of each file by its name.
    """
    return {name: make() for name, make in _makers().items()}


def save_documents(folder: Path) -> list[Path]:
    """Write all small files into a folder and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, content in make_documents().items():
        path = folder / name
        path.write_bytes(content)
        paths.append(path)
    return paths


def save_large(folder: Path, *, size_mib: int) -> Path:
    """Write a scan of whole pages that is at least this large, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LARGE_NAME
    pages = -(-size_mib * 2**20 // PAGE_SIZE)
    with path.open("wb") as stream:
        stream.writelines(generate_scan(pages))
    return path

"""A process to be killed while it gives out numbers: ``number_victim.py URL``.

Numbers as the API does: looks for the next serial, tries it, and where another
process was first takes the one after. Prints each serial once it is durable.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace

from store_kit import accept, make_submission
from vermilion_ledger.errors import ConflictError
from vermilion_ledger.numbers import DocumentNumber, Numbering, next_serial
from vermilion_ledger.store import open_database

OFFICE, YEAR = "国办发", 2026


def main() -> None:
    database = open_database(sys.argv[1])
    while True:
        serial = next_serial(database.numbers.load_serials(OFFICE, YEAR))
        number = DocumentNumber(office=OFFICE, year=YEAR, serial=serial)
        made = make_submission(text=os.urandom(16).hex(), nonce=os.urandom(16).hex())
        try:
            accept(database, replace(made, numbering=Numbering(number=number, salt=os.urandom(32))))
        except ConflictError:
            continue
        print(serial, flush=True)


if __name__ == "__main__":
    main()

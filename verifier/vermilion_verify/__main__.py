"""``python -m vermilion_verify``: the command where no script is installed."""

from __future__ import annotations

import sys

from vermilion_verify.cli import main

if __name__ == "__main__":
    sys.exit(main())

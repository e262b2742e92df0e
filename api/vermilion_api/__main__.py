"""``python -m vermilion_api`` is ``vermilion``."""

from __future__ import annotations

import sys

from vermilion_api.cli import main

if __name__ == "__main__":
    sys.exit(main())

"""``vermilion migrate``: make the home folder, bring the database up to date."""

from __future__ import annotations

from vermilion_api.cli.common import DEFAULT_HOME, HomeOption, JsonOption, show

__all__ = ["migrate"]


def migrate(*, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Make the home folder if there is none, and bring its database to this release."""
    from vermilion_api.home import create_home
    from vermilion_api.settings import Settings
    from vermilion_api.wiring import open_ledger

    create_home(home, Settings())
    ledger = open_ledger(home)
    ledger.database.migrate()
    ledger.database.close()
    origin = ledger.settings.origin
    show(
        {"home": str(home), "origin": origin},
        f"{home} is ready for the log {origin}",
        as_json=as_json,
    )

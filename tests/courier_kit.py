"""An office without a network, a machine with one, and a folder that travels between them."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from chain import Chain
from homes import grow_home
from vermilion_anchor.courier_files import parse_answer, parse_order
from vermilion_anchor.deploy import fund_development_account, register_log
from vermilion_anchor.evm import AccountSigner
from vermilion_anchor.fees import FeePolicy
from vermilion_api.cli import main
from vermilion_api.home import Home
from vermilion_api.services.bundles import BundleDesk
from vermilion_api.settings import ChainSettings, load_settings, save_settings
from vermilion_api.wiring import open_ledger
from vermilion_ledger.encoding import encode_json
from vermilion_ledger.private_files import create_private_file
from vermilion_ledger.store.watching import SqlWatch

__all__ = ["Desk", "Told", "open_office", "reseal", "write_account"]

_owners = itertools.count(1)


@dataclass(frozen=True)
class Told:
    """What a command said."""

    code: int
    value: dict[str, Any]
    err: str

    @property
    def error(self) -> str:
        """The code of the error; empty if there was none."""
        _, _, rest = self.err.partition("error[")
        return rest.partition("]")[0]


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The office's home folder, the chain, and the folder that travels."""

    home: Path
    chain: Chain
    bag: Path
    key: bytes

    @property
    def signer(self) -> AccountSigner:
        return AccountSigner(self.key)

    def run(self, *arguments: str | Path, language: str = "en") -> Told:
        """Run a command in the office, where nothing may connect."""
        with _no_network():
            return _run(*arguments, "--home", self.home, "--lang", language)

    def export(self, *more: str, name: str = "order") -> Told:
        return self.run("anchor", "export", "--out", self.bag / name, *more, "--json")

    def carry(self, *more: str, order: str = "order", name: str = "answer") -> Told:
        """Carry an order to the chain; anvil mines at once, so finality is a matter of seconds."""
        arguments = ("--rpc", self.chain.node.url, "--out", str(self.bag / name))
        return _run("anchor", "carry", self.bag / order, *arguments, "--wait", "0", *more, "--json")

    def copy(self, place: Path) -> Desk:
        """The same office at the same moment, to go on in another way."""
        home = Path(shutil.copytree(self.home, place / "office"))
        return replace(self, home=home, bag=Path(shutil.copytree(self.bag, place / "bag")))

    def take(self, *more: str | Path, name: str = "answer") -> Told:
        return self.run("anchor", "import", self.bag / name, *more, "--json")

    def finish(self, *, wait: str = "0") -> Told:
        """Carry, mine until it is final, carry again with the list."""
        self.carry()
        self.chain.mine(5)
        return self.carry("--list", str(self.bag / "list"), "--wait", wait)

    def ask(self) -> Told:
        """Bring a status, as before the first anchor."""
        assert self.export("--ask").code == 0
        return self.carry("--status", "--list", str(self.bag / "list"), name="status")

    def status(self, name: str = "status") -> tuple[str, str]:
        return ("--status", str(self.bag / name))

    def lay(self, name: str, data: bytes | str) -> Path:
        path = self.bag / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def read(self, name: str) -> dict[str, Any]:
        value: dict[str, Any] = json.loads((self.bag / name).read_bytes())
        return value

    def order(self, name: str = "order") -> Any:
        return parse_order((self.bag / name).read_bytes())

    def answer(self, name: str = "answer") -> Any:
        return parse_answer((self.bag / name).read_bytes())

    def change(self, **changes: Any) -> None:
        settings = load_settings(self.home)
        (table,) = settings.chains
        save_settings(self.home, replace(settings, chains=(replace(table, **changes),)))

    def grow(self, *names: str) -> list[str]:
        return grow_home(self.home, names)

    def finals(self) -> list[int]:
        """Sizes under a final anchor, as the journal has them."""
        ledger = open_ledger(self.home)
        try:
            return [each.size for each in ledger.database.anchors.list_final()]
        finally:
            ledger.database.close()

    def jobs(self) -> int:
        """How many anchors were ever planned."""
        ledger = open_ledger(self.home)
        try:
            return len(ledger.database.anchors.list_all())
        finally:
            ledger.database.close()

    def bundle(self, record: str) -> bytes:
        ledger = open_ledger(self.home)
        try:
            return BundleDesk(
                identity=ledger.identity,
                reader=ledger.reader(),
                anchors=ledger.database.anchors,
                lookup=SqlWatch(ledger.database.engine),
                blocks=ledger.database.blocks,
                timestamps=ledger.database.timestamps,
                targets=ledger.targets,
                intake_seed=ledger.secrets.intake,
            ).bundle(record)
        finally:
            ledger.database.close()


def open_office(
    chain: Chain, template: Path, place: Path, *, finality: str = "confirmations:2"
) -> Desk:
    """An office with seven documents, whose log somebody else registered for its account."""
    home = Path(shutil.copytree(template, place / "office"))
    number = next(_owners)
    owner, key = (
        hashlib.sha256(f"{each} {number}".encode()).digest() for each in ("owner", "account")
    )
    account = write_account(Home(path=home), key)
    for address in (AccountSigner(owner).address, account):
        fund_development_account(chain.client, address)
    settings = load_settings(home)
    log = register_log(
        chain.client,
        AccountSigner(owner),
        contract=chain.target.contract,
        origin=settings.origin,
        publisher=account,
        fees=FeePolicy(),
    )
    table = ChainSettings(
        id=chain.target.chain_id,
        courier=True,
        contract="0x" + chain.target.contract.hex(),
        log="0x" + log.hex(),
        code_hash="0x" + chain.artifact.code_hash.hex(),
        finality=finality,
    )
    save_settings(home, replace(settings, chains=(table,)))
    bag = place / "bag"
    bag.mkdir()
    return Desk(home=home, chain=chain, bag=bag, key=key)


def write_account(home: Home, key: bytes) -> bytes:
    """A keystore as ours, but for a password that is derived in no time; its address."""
    keystore = Account.encrypt(key, "word", iterations=2)
    create_private_file(home.keystore, json.dumps(keystore).encode())
    create_private_file(home.password, b"word")
    return AccountSigner(key).address


def reseal(members: Mapping[str, Any]) -> bytes:
    """The file that somebody writes who knows how the checksum is made."""
    rest = {name: value for name, value in members.items() if name != "checksum"}
    made = hashlib.sha256(b"vermilion/courier/v1\0" + encode_json(rest)).hexdigest()
    return encode_json({**rest, "checksum": made})


def _run(*arguments: str | Path) -> Told:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([str(each) for each in arguments])
    value = json.loads(out.getvalue()) if out.getvalue().startswith("{") else {}
    return Told(code, value, err.getvalue())


@contextmanager
def _no_network() -> Iterator[None]:
    def refuse(*_: object) -> None:
        pytest.fail("the isolated office connects")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        yield

"""``vermilion anchor address|export|carry|import``: anchoring from an office without a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vermilion_api.cli.common import DEFAULT_HOME, HomeOption, JsonOption, say, show, write_file
from vermilion_api.cli.ownership import ChainOption, ContractOption

if TYPE_CHECKING:
    from vermilion_anchor.courier import CourierOrder
    from vermilion_anchor.fees import Fees
    from vermilion_api.couriers import Taken

__all__ = ["add_commands", "address", "carry", "export", "import_"]

_POLL_SECONDS = 1.0
_OutOption = Annotated[Path, typer.Option("--out", help="File to write.")]


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the group ``anchor``."""
    app.command("address")(address)
    app.command("export")(export)
    app.command("carry")(carry)
    app.command("import")(import_)


def address(*, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Show the address that pays for anchors; makes home folder and key where there are none."""
    from vermilion_api.couriers import prepare_account

    account = "0x" + prepare_account(home).hex()
    show({"address": account}, account, as_json=as_json)


def export(  # noqa: PLR0913 - one parameter per option
    *,
    out: _OutOption,
    home: HomeOption = DEFAULT_HOME,
    chain: ChainOption = 0,
    contract: ContractOption = "",
    ask: Annotated[
        bool, typer.Option("--ask", help="Only ask how chain and account stand.")
    ] = False,
    status: Annotated[
        Path | None, typer.Option(help="Answer of the last trip: tells head, nonce and fees.")
    ] = None,
    unsigned: Annotated[
        bool, typer.Option("--unsigned", help="Leave the signature to a cold wallet.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Sign anew, dearer, what was signed before.")
    ] = False,
    nonce: Annotated[int | None, typer.Option(min=0, help="Nonce of the account.")] = None,
    head_size: Annotated[
        int | None, typer.Option(min=0, help="Size of the contract's head.")
    ] = None,
    max_fee: Annotated[int | None, typer.Option(min=1, help="In wei per gas.")] = None,
    priority_fee: Annotated[int | None, typer.Option(min=0, help="In wei per gas.")] = None,
    gas_limit: Annotated[int | None, typer.Option(min=21_000, help="In gas.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the transaction that anchors the newest checkpoint, to be carried to the chain.

    For a chain of the settings with `courier = true`. The same transaction
    is written again until it is final, unless it shall be replaced.
    """
    from vermilion_anchor.courier_files import encode_order, parse_answer
    from vermilion_anchor.courier_wish import OrderWish
    from vermilion_api.couriers import open_desk

    answer = None if status is None else parse_answer(_read(status))
    fees = _fees(max_fee, priority_fee)
    with open_desk(home, chain, contract) as desk:
        if ask:
            order = desk.office.ask()
        else:
            wish = OrderWish(
                status=None if answer is None else desk.office.read_status(answer),
                nonce=nonce,
                head_size=head_size,
                fees=fees,
                gas_limit=gas_limit,
                is_replacing=replace,
            )
            order = desk.office.export(wish, signer=None if unsigned else desk.open_signer())
    write_file(out, encode_order(order))
    _show_order(order, out, as_json=as_json)


def carry(
    order: Annotated[Path, typer.Argument(help="File that `vermilion anchor export` wrote.")],
    *,
    rpc: Annotated[
        list[str], typer.Option("--rpc", help="Node of the chain; repeat it: all must agree.")
    ],
    out: _OutOption,
    hashes: Annotated[
        Path | None, typer.Option("--list", help="List of trusted block hashes to add to.")
    ] = None,
    status: Annotated[
        bool, typer.Option("--status", help="Send nothing, only look how things stand.")
    ] = False,
    wait: Annotated[float, typer.Option(help="Seconds to wait until it is final.")] = 1800.0,
    as_json: JsonOption = False,
) -> None:
    """Send an order from a machine with a network, and write the answer to take back.

    Needs neither home nor key. What the contract would refuse is not sent. The
    answer is written even when there is no receipt: it says how things stand.
    """
    from vermilion_anchor.courier_files import encode_answer
    from vermilion_api.carrying import Carrier
    from vermilion_api.wiring import now
    from vermilion_verify.listing import append_block_hashes

    if len(set(rpc)) == 1:
        say(f"only {rpc[0].partition('//')[2].partition('/')[0]} is asked: nobody contradicts it")
    carrier = Carrier(_read(order), rpc, clock=now, poll_seconds=_POLL_SECONDS, notify=say)
    found = carrier.carry(wait_seconds=wait, is_asking=status)
    if hashes is not None and found.collected is not None:
        append_block_hashes(hashes, [found.collected.section])
    write_file(out, encode_answer(found.answer))
    receipt = found.answer.receipt
    text = f"{out}: head {found.answer.status.head_size}, nonce {found.answer.status.nonce}"
    if receipt is not None:
        text = f"{out}: size {receipt.size} is under a final anchor"
    members = {"file": str(out), "size": None if receipt is None else receipt.size}
    show(members, text, as_json=as_json)
    if found.trouble is not None:
        raise found.trouble


def import_(
    file: Annotated[Path, typer.Argument(help="Answer of a courier; with --signed the order.")],
    *,
    home: HomeOption = DEFAULT_HOME,
    chain: ChainOption = 0,
    contract: ContractOption = "",
    headers: Annotated[
        list[Path] | None, typer.Option("--headers", help="List of block hashes you trust.")
    ] = None,
    signed: Annotated[
        Path | None, typer.Option(help="What a cold wallet signed, as 0x hex.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="With --signed: file to write.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Take over what a courier brought, or with --signed what a cold wallet signed.

    The receipt is verified here, without a network; its block must stand in a
    list of trusted hashes that did not come with the courier alone.
    """
    from vermilion_anchor.courier_files import encode_order, parse_answer, parse_order
    from vermilion_api.couriers import open_desk
    from vermilion_ledger.encoding import parse_wire_hex
    from vermilion_ledger.errors import InputError
    from vermilion_verify.blocks import load_block_hashes

    data = _read(file)
    if signed is not None:
        if out is None:
            raise InputError("courier.out", "--signed needs --out for the signed order")
        text = _read(signed).decode("ascii", "replace").strip()
        raw = parse_wire_hex(text, size_max=len(text), what="signed transaction")
        with open_desk(home, chain, contract) as desk:
            order = desk.office.take_signed(parse_order(data), raw)
        write_file(out, encode_order(order))
        _show_order(order, out, as_json=as_json)
        return
    answer = parse_answer(data)
    with open_desk(home, chain, contract) as desk:
        taken = desk.take(answer, load_block_hashes(headers or []))
    show(_members(taken), _text(taken), as_json=as_json)


def _read(path: Path) -> bytes:
    from vermilion_anchor.courier_files import FILE_SIZE_MAX
    from vermilion_ledger.errors import NotFoundError
    from vermilion_verify.files import read_file

    try:
        return read_file(path, size_max=FILE_SIZE_MAX)
    except OSError as exc:
        raise NotFoundError("courier.file-missing", f"{path}: {exc.strerror}") from exc


def _fees(max_fee: int | None, priority_fee: int | None) -> Fees | None:
    from vermilion_anchor.fees import Fees
    from vermilion_ledger.errors import InputError

    if max_fee is None and priority_fee is None:
        return None
    if max_fee is None or priority_fee is None or priority_fee > max_fee:
        raise InputError("courier.fees", "both fees are given, and the priority fee is not larger")
    return Fees(max_fee=max_fee, priority_fee=priority_fee)


def _show_order(order: CourierOrder, out: Path, *, as_json: bool) -> None:
    if order.fields is None:
        show({"file": str(out), "size": None}, f"{out}: an inquiry", as_json=as_json)
        return
    kind = "unsigned" if order.raw is None else "signed"
    transaction = "0x" + order.attempts[-1].transaction.hex() if order.raw is not None else None
    show(
        {
            "file": str(out),
            "size": order.call.size,
            "nonce": order.fields.nonce,
            "costMaxWei": str(order.fields.cost_max),
            "transaction": transaction,
        },
        f"{out}: size {order.call.size}, {kind}, nonce {order.fields.nonce},"
        f" at most {order.fields.cost_max} wei",
        as_json=as_json,
    )


def _members(taken: Taken) -> dict[str, object]:
    return {
        "size": None if taken.anchor is None else taken.anchor.size,
        "block": None if taken.anchor is None else taken.anchor.block_number,
        "seen": None if taken.block is None else taken.block.number,
    }


def _text(taken: Taken) -> str:
    text = "no receipt"
    if taken.anchor is not None:
        text = f"size {taken.anchor.size} is under a final anchor in block"
        text += f" {taken.anchor.block_number}"
    if taken.block is not None:
        text += f"; statements may quote block {taken.block.number}"
    return text

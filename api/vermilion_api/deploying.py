"""Putting a ledger's log on a chain: the contract, its registration, the settings."""

from __future__ import annotations

from dataclasses import replace

from vermilion_api.anchor_signer import open_anchor_signer
from vermilion_api.home import Home
from vermilion_api.settings import ChainSettings, Settings, save_settings
from vermilion_ledger.encoding import parse_wire_hex
from vermilion_ledger.errors import ConflictError
from vermilion_ledger.evm.finality import parse_finality

__all__ = ["add_chain", "deploy_log"]


def deploy_log(
    home: Home, settings: Settings, rpc: str, *, contract: str = "", finality: str = ""
) -> ChainSettings:
    """Deploy the contract, or use the given one, and register the log of this ledger.

    A keystore is made where there is none yet; the anchoring key becomes owner
    and first publisher of the log. web3 is imported here only.

    Args:
        home: Where the anchoring key lies.
        settings: Of this ledger; its origin names the log.
        rpc: Address of a node of the chain.
        contract: ``0x`` address of an `EvidenceAnchor` that is there already.
        finality: Rule for this chain; empty takes the default of the settings.

    Raises:
        UnavailableError: Node or signer is out of reach, the account has no
            funds, or a transaction is not mined in time.
        NotFoundError: ``chain.no-contract``.
        ConflictError: ``chain.other-contract``, or the chain refused a step.
        VerificationError: The signer signed something else.
        InputError: The address or the rule is malformed, or the key's files do not do.
    """
    from vermilion_anchor.artifact import load_artifact
    from vermilion_anchor.deploy import deploy
    from vermilion_anchor.evm import EvmChain
    from vermilion_anchor.fees import FeePolicy
    from vermilion_anchor.keys import create_key

    if finality:
        parse_finality(finality)  # before anything is paid for
    if settings.signer.kind == "keystore" and not home.keystore.exists():
        create_key(home.keystore, home.password)
    made = deploy(
        EvmChain(rpc, load_artifact()),
        open_anchor_signer(home, settings),
        load_artifact(),
        origin=settings.origin,
        contract=parse_wire_hex(contract, size=20, what="contract") if contract else None,
        fees=FeePolicy(),
    )
    chain = ChainSettings(
        id=made.chain_id,
        rpc=rpc,
        contract="0x" + made.contract.hex(),
        log="0x" + made.log.hex(),
        code_hash="0x" + made.code_hash.hex(),
        deployed_block=made.deployed_block,
    )
    return replace(chain, finality=finality) if finality else chain


def add_chain(home: Home, settings: Settings, chain: ChainSettings) -> Settings:
    """Write a chain into the settings and return them; the ledger reads them at its start.

    Raises:
        ConflictError: ``anchor.chain-exists``: the settings have this log on this chain.
        UnavailableError: The settings cannot be written.
    """
    if any((each.id, each.contract) == (chain.id, chain.contract) for each in settings.chains):
        raise ConflictError("anchor.chain-exists", f"chain {chain.id} is in the settings already")
    wanted = replace(settings, chains=(*settings.chains, chain))
    save_settings(home.path, wanted)
    return wanted

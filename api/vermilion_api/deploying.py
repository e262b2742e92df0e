"""Putting a ledger's log on a chain: the contract, its registration, the settings.

Done once for each chain; afterwards the log has an owner, for whom
`open_owned_log` prepares what `vermilion_anchor.ownership` does. web3 is
imported inside these functions only.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from vermilion_api.anchor_signer import open_anchor_signer
from vermilion_api.chains import open_chain, target_of
from vermilion_api.home import Home
from vermilion_api.settings import ChainSettings, Settings, load_settings, save_settings
from vermilion_ledger.encoding import parse_wire_hex
from vermilion_ledger.errors import ConflictError, InputError, UnavailableError
from vermilion_ledger.evm.finality import parse_finality

if TYPE_CHECKING:
    from vermilion_anchor.deployments import DeploymentRecord
    from vermilion_anchor.ownership import OwnedLog
    from vermilion_anchor.ports import ChainClient

__all__ = ["add_chain", "deploy_log", "deploy_recorded", "open_owned_log"]


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
    client = EvmChain(rpc, load_artifact())
    genesis = _find_genesis(client)
    made = deploy(
        client,
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
        genesis=genesis,
        deployed_block=made.deployed_block,
    )
    return replace(chain, finality=finality) if finality else chain


def deploy_recorded(
    home: Home, settings: Settings, rpc: str, folder: Path, *, contract: str = "", finality: str
) -> ChainSettings:
    """As `deploy_log`, in the contract on record for that chain; without a record, write one.

    What is on record is compared with the chain like any other contract.

    Raises:
        ConflictError: ``deployment.differs``: the record is of another contract or
            other code than wanted; ``deployment.exists``: somebody was faster.
        UnavailableError: ``deployment.unusable``: the folder cannot be used.
        InputError: The record is malformed.
        EvidenceError: As for `deploy_log`.
    """
    from vermilion_anchor.artifact import load_artifact
    from vermilion_anchor.deployments import DeploymentRecord, load_deployment, save_deployment
    from vermilion_anchor.evm import EvmChain

    artifact = load_artifact()
    known = load_deployment(folder, EvmChain(rpc, artifact).chain_id())
    if known is not None:
        contract = _recorded(known, contract, artifact.code_hash)
        made = deploy_log(home, settings, rpc, contract=contract, finality=finality)
        return replace(made, deployed_block=known.block)
    made = deploy_log(home, settings, rpc, contract=contract, finality=finality)
    record = DeploymentRecord(
        chain_id=made.id,
        contract=bytes.fromhex(made.contract[2:]),
        code_hash=bytes.fromhex(made.code_hash[2:]),
        block=made.deployed_block,
    )
    save_deployment(folder, record)
    return made


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


def open_owned_log(
    path: Path, chain_id: int, contract: str, *, keystore: Path | None, password: Path | None
) -> OwnedLog:
    """Return a log of the settings with the key that acts for it, its contract checked.

    Args:
        path: Home folder of the ledger.
        chain_id: Chain of the log; 0 where the settings have only one.
        contract: ``0x`` address, where the chain has several; else empty.
        keystore: Key of the owner, or of a nominated one; the anchoring key by default.
        password: Password file of that keystore.

    Raises:
        InputError: ``anchor.no-chain``, ``anchor.several-chains``, or a key
            file is malformed.
        NotFoundError: ``settings.missing``, ``key.file-missing`` or ``chain.no-contract``.
        ConflictError: ``chain.other-chain``, ``chain.other-genesis`` or ``chain.other-contract``.
        UnavailableError: No endpoint of the chain answers.
    """
    from vermilion_anchor.fees import FeePolicy
    from vermilion_anchor.keys import load_signer
    from vermilion_anchor.ownership import OwnedLog

    home = Home(path=path)
    settings = load_settings(path)
    chain = _choose(settings.online_chains, chain_id, contract)
    signer = (
        open_anchor_signer(home, settings)
        if keystore is None
        else load_signer(keystore, password or home.password)
    )
    client, target = open_chain(chain), target_of(chain)
    client.chain_id()  # each endpoint that answers has been checked
    return OwnedLog(
        chain=client,
        signer=signer,
        contract=target.contract,
        log=target.log,
        fees=FeePolicy(),
    )


def _find_genesis(client: ChainClient) -> str:
    """Return the hash of block 0; empty where its header is not that of an Ethereum block.

    Such chains exist, and came to be what they are later.
    """
    try:
        block = client.block(0)
    except UnavailableError:
        return ""  # a node that is out of reach says so to the next question
    return "" if block is None else "0x" + block.hash.hex()


def _choose(chains: tuple[ChainSettings, ...], chain_id: int, contract: str) -> ChainSettings:
    """Return the one chain table that was meant."""
    meant = [
        each
        for each in chains
        if chain_id in {0, each.id} and contract.lower() in {"", each.contract}
    ]
    if not meant:
        raise InputError("anchor.no-chain", "the settings have no such [[chain]] table")
    if len(meant) > 1:
        names = ", ".join(f"{each.contract} on chain {each.id}" for each in meant)
        raise InputError("anchor.several-chains", f"the settings have {names}")
    return meant[0]


def _recorded(known: DeploymentRecord, contract: str, code_hash: bytes) -> str:
    """Return the contract on record, unless it is not the one that is wanted."""
    recorded = "0x" + known.contract.hex()
    if contract not in {"", recorded}:
        raise ConflictError(
            "deployment.differs", f"chain {known.chain_id} has {recorded} on record"
        )
    if known.code_hash != code_hash:
        raise ConflictError(
            "deployment.differs",
            f"the contract on record has code 0x{known.code_hash.hex()}, not 0x{code_hash.hex()}",
        )
    return recorded

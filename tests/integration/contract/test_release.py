"""The worked example on a real chain: ether that waits for a document's entry in an anchored log.

The arguments come from an evidence bundle, by the script that the how-to page shows.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from eth_abi.abi import encode

from chain import Chain, start_chain
from office import Log, close, filled_log
from vermilion_anchor.deploy import send_call
from vermilion_anchor.fees import FeePolicy
from vermilion_ledger.bundle import EvidenceBundle
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.tree import build_consistency

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "examples" / "contract_arguments.py"
PAYEE = "0x" + "b0" * 20
DEADLINE = 4_000_000_000


@pytest.fixture(scope="module")
def creation_code(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What forge makes of the example; `make contracts` installs it."""
    contracts, made = ROOT / "contracts", tmp_path_factory.mktemp("made")
    # folders of its own: another run of forge may be at work in those of the project
    build = ["build", "src/examples/ReleaseOnEvidence.sol", "--out", str(made / "out")]
    subprocess.run(
        ["node", "tools/forge.mjs", *build, "--cache-path", str(made / "cache")],
        cwd=contracts,
        check=True,
        capture_output=True,
    )
    artifact = made / "out" / "ReleaseOnEvidence.sol" / "ReleaseOnEvidence.json"
    code: str = json.loads(artifact.read_bytes())["bytecode"]["object"]
    return code


@pytest.fixture
def chain() -> Iterator[Chain]:
    with start_chain() as running:
        yield running


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("contract_arguments", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Escrow:
    """The example contract on a chain, called by an unlocked account of the node."""

    def __init__(self, chain: Chain, creation_code: str) -> None:
        self.chain = chain
        self.account = chain.rpc("eth_accounts")[0]
        words = encode(
            ["address", "bytes32"],
            ["0x" + chain.deployment.contract.hex(), chain.deployment.code_hash],
        )
        made = self._send({"data": creation_code + words.hex()})
        assert made["status"] == "0x1"
        self.address = made["contractAddress"]

    def send(self, signature: str, *arguments: Any, value: int = 0) -> bool:
        """Send a call; whether it was not reverted."""
        data = "0x" + self._data(signature, arguments)
        sent = self._send({"to": self.address, "data": data, "value": hex(value)})
        return bool(sent["status"] == "0x1")

    def balance_of(self, account: str) -> int:
        data = "0x" + self._data("balanceOf(address)", (account,))
        call = {"to": self.address, "data": data}
        return int(self.chain.rpc("eth_call", call, "latest"), 16)

    def hold(self, found: dict[str, Any], value: int) -> bool:
        log = self.chain.deployment.log
        return self.send(
            "hold(bytes32,bytes32,bytes32,address,uint64)",
            log,
            unwire(found["commitment"]),
            unwire(found["tag"]),
            PAYEE,
            DEADLINE,
            value=value,
        )

    def release(self, deal: int, found: dict[str, Any]) -> bool:
        proof = [unwire(node) for node in found["proof"]]
        return self.send("release(uint256,uint64,bytes32[])", deal, found["index"], proof)

    def _data(self, signature: str, arguments: tuple[Any, ...]) -> str:
        kinds = signature.partition("(")[2].removesuffix(")").split(",")
        return (keccak256(signature.encode())[:4] + encode(kinds, arguments)).hex()

    def _send(self, transaction: dict[str, Any]) -> Any:
        asked = {"from": self.account, "gas": hex(5_000_000), **transaction}
        return self.chain.rpc("eth_sendTransactionSync", asked)


def unwire(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def anchor(chain: Chain, log: Log) -> None:
    """Anchor everything that is in the log."""
    head = chain.client.head(chain.deployment.contract, chain.deployment.log)
    proof = build_consistency(head.size, log.size, log.read) if head.size else ()
    data = chain.client.anchor_data(
        log=chain.deployment.log, size=log.size, root=log.root, proof=proof
    )
    send_call(chain.client, chain.signer, to=chain.deployment.contract, data=data, fees=FeePolicy())


def withheld(bundle: EvidenceBundle, script: ModuleType) -> EvidenceBundle:
    """The bundle for outsiders: tags instead of the record key."""
    entries = tuple(
        replace(each, tag=script.open_entry(bundle, each)[1]) for each in bundle.entries
    )
    return close(replace(bundle, record_key=None, entries=entries))


def run(bundle: EvidenceBundle, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    path = folder / "document.evidence.json"
    path.write_bytes(bundle.encode())
    return subprocess.run(
        [sys.executable, SCRIPT, path, *more], capture_output=True, text=True, check=False
    )


def test_ether_is_released_when_the_document_is_anchored(
    chain: Chain, creation_code: str, tmp_path: Path
) -> None:
    log = filled_log()
    found = json.loads(run(log.bundle(), tmp_path).stdout)
    escrow = Escrow(chain, creation_code)
    assert escrow.hold(found, 7)
    assert not escrow.release(0, found)  # not anchored yet

    anchor(chain, log)

    assert escrow.release(0, found)
    assert escrow.balance_of(PAYEE) == 7
    assert not escrow.release(0, found)  # once
    assert escrow.balance_of(PAYEE) == 7


def test_a_log_that_has_grown_asks_for_a_newer_bundle(
    chain: Chain, creation_code: str, script: ModuleType
) -> None:
    log = filled_log()
    older = script.contract_arguments(log.bundle())
    escrow = Escrow(chain, creation_code)
    assert escrow.hold(older, 7)
    anchor(chain, log)
    for _ in range(3):
        log.add(log.items[-1][0].envelope, b"\x09" * 32)
    anchor(chain, log)

    assert not escrow.release(0, older)
    newer = script.contract_arguments(log.bundle())
    assert newer["size"] > older["size"]
    assert escrow.release(0, newer)


def test_a_later_entry_of_the_record_is_another_leaf(
    chain: Chain, creation_code: str, script: ModuleType
) -> None:
    log = filled_log()
    first, second = (script.contract_arguments(log.bundle(), each) for each in (0, 1))
    escrow = Escrow(chain, creation_code)
    assert escrow.hold(first, 7)
    anchor(chain, log)

    assert not escrow.release(0, second)
    assert not escrow.release(0, {**first, "index": second["index"]})
    assert escrow.release(0, first)


def test_a_bundle_with_its_record_key_withheld_gives_the_same(
    script: ModuleType, tmp_path: Path
) -> None:
    bundle = filled_log().bundle()

    whole, cut = run(bundle, tmp_path), run(withheld(bundle, script), tmp_path)

    assert whole.stdout
    assert whole.stdout == cut.stdout


def test_a_bundle_whose_proof_does_not_hold_gives_nothing(script: ModuleType) -> None:
    bundle = filled_log().bundle()
    first, *others = bundle.entries
    bent = replace(first, proof=(bytes(32), *first.proof[1:]))

    with pytest.raises(EvidenceError):
        script.contract_arguments(replace(bundle, entries=(bent, *others)))


@pytest.mark.parametrize("sequence", ["2", "-1", "first"])
def test_an_entry_that_is_not_there_is_refused(tmp_path: Path, sequence: str) -> None:
    done = run(filled_log().bundle(), tmp_path, sequence)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr


def test_a_file_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"{}")

    done = subprocess.run(
        [sys.executable, SCRIPT, tmp_path / "x"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (1, "")

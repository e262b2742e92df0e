from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chain import AnvilNode, call, free_port, node_options, put_contract
from vermilion_anchor.node import NodeOptions, find_anvil
from vermilion_ledger.errors import NotFoundError, UnavailableError


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_node_answers_when_start_returns_and_is_gone_after_stop() -> None:
    node = AnvilNode(node_options(chain_id=77))
    assert node.pid is None

    node.start()
    pid = node.pid
    assert pid is not None
    assert call(node.url, "eth_chainId") == "0x4d"
    node.stop()
    node.stop()

    assert not is_alive(pid)


def test_old_state_is_pruned_and_the_newest_256_blocks_are_kept() -> None:
    words = node_options().command()

    assert words[words.index("--prune-history") + 1] == "256"


def test_a_port_in_use_is_refused_even_where_another_node_answers_on_it() -> None:
    with AnvilNode(node_options()) as node:
        second = AnvilNode(node_options(port=node.options.port))
        with pytest.raises(UnavailableError) as error:
            second.start()
        assert second.pid is None

    assert error.value.code == "node.port-in-use"
    assert str(node.options.port) in str(error.value)


def test_a_port_in_use_by_anything_is_refused() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        node = AnvilNode(node_options(port=holder.getsockname()[1]))
        with pytest.raises(UnavailableError) as error:
            node.start()

    assert error.value.code == "node.port-in-use"


def test_a_missing_binary_is_named(tmp_path: Path) -> None:
    node = AnvilNode(NodeOptions(binary=tmp_path / "anvil", port=free_port()))

    with pytest.raises(NotFoundError) as error:
        node.start()

    assert error.value.code == "node.binary-missing"


def test_a_binary_is_looked_for_by_name_then_in_the_tree_then_on_the_path(tmp_path: Path) -> None:
    native = tmp_path / "contracts/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
    on_path = tmp_path / "bin/anvil"
    for binary in (native, on_path):
        binary.parent.mkdir(parents=True)
        binary.write_text("")
        binary.chmod(0o755)
    environment = {"PATH": str(on_path.parent)}

    assert find_anvil(environment, root=tmp_path) == native
    assert find_anvil(environment) == on_path
    assert find_anvil({"VERMILION_ANVIL": str(on_path)}, root=tmp_path) == on_path
    for wrong in ({"VERMILION_ANVIL": str(tmp_path)}, {"PATH": ""}, {}):
        with pytest.raises(NotFoundError) as error:
            find_anvil(wrong, root=tmp_path / "bin")
        assert error.value.code == "node.binary-missing"


def test_the_chain_survives_a_restart_with_a_state_file(tmp_path: Path) -> None:
    options = node_options(state=tmp_path / "state.json")
    with AnvilNode(options) as node:
        chain = put_contract(node)
        before = call(node.url, "eth_getBlockByNumber", "0x2", False)
    with AnvilNode(options) as node:
        assert call(node.url, "eth_getBlockByNumber", "0x2", False)["hash"] == before["hash"]
        assert chain.client.code(chain.target.contract) == chain.artifact.runtime_code


def test_a_damaged_state_file_is_told(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text('{"block":')

    with pytest.raises(UnavailableError) as error:
        AnvilNode(node_options(state=state)).start()

    assert error.value.code == "node.failed"
    assert str(error.value).count("\n") < 20


def test_the_same_transactions_give_the_same_blocks() -> None:
    hashes = set()
    for _ in range(2):
        with AnvilNode(node_options()) as node:
            call(node.url, "anvil_setBlockTimestampInterval", 1)  # else the wall clock goes in
            put_contract(node)
            hashes.add(call(node.url, "eth_getBlockByNumber", "latest", False)["hash"])

    assert len(hashes) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="parent-death signals are Linux's")
def test_the_node_ends_with_a_parent_that_is_killed() -> None:
    script = (
        "import sys, time\n"
        "from chain import AnvilNode, node_options\n"
        "node = AnvilNode(node_options())\n"
        "node.start()\n"
        "print(node.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert is_alive(pid)

    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()

    deadline = time.monotonic() + 10
    while is_alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)

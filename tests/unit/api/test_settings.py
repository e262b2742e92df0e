"""The settings file: what is written is read back; what is wrong is refused by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from vermilion_api.classes import ClassSettings
from vermilion_api.settings import (
    SETTINGS_FILE,
    ChainSettings,
    Settings,
    TsaSettings,
    load_settings,
    save_settings,
)
from vermilion_api.signer_settings import SignerSettings
from vermilion_ledger.errors import EvidenceError

CHAIN = ChainSettings(
    id=31337,
    rpc="http://127.0.0.1:8545",
    contract="0x" + 20 * "ab",
    log="0x" + 32 * "cd",
    code_hash="0x" + 32 * "ef",
)
RPC = '"http://127.0.0.1:8545"'
CHAIN_TEXT = f"""
[[chain]]
id = 1
rpc = {RPC}
contract = "{CHAIN.contract}"
log = "{CHAIN.log}"
code_hash = "{CHAIN.code_hash}"
"""


def test_saved_settings_are_read_back_unchanged(tmp_path: Path) -> None:
    settings = Settings(
        origin="l.example/甲",
        roots=("ab" * 32,),
        quorum=2,
        log_ml_dsa=True,
        log_ml_dsa_from=1024,
        chains=(CHAIN, replace(CHAIN, id=5, rpc="", courier=True)),
        tsas=(TsaSettings(url="https://tsa.example/a", roots="pem/a.pem", timeout_seconds=2.5),),
        certificate_roots=("pem/ca.pem", "pem/a.pem"),
        certificates_required=True,
        class_required=True,
        classes=(ClassSettings(name="发文", policy="ab" * 32),),
    )

    save_settings(tmp_path, settings)

    assert load_settings(tmp_path) == settings


def test_a_chain_has_one_endpoint_or_several(tmp_path: Path) -> None:
    several = replace(
        CHAIN, rpc=("https://a.example/key", "https://b.example"), rpc_agree=2, genesis=CHAIN.log
    )
    save_settings(tmp_path, Settings(chains=(CHAIN, several)))

    read = load_settings(tmp_path).chains

    assert read == (CHAIN, several)
    assert [chain.endpoints for chain in read] == [("http://127.0.0.1:8545",), several.rpc]


def test_a_signer_and_the_caps_of_a_chain_are_read_back(tmp_path: Path) -> None:
    signer = SignerSettings(
        kind="remote", address="0x" + 20 * "ab", url="https://signer.example", timeout_seconds=2.5
    )
    chain = replace(CHAIN, anchor_cost_max_wei=10**16, day_cost_max_wei=10**20, balance_min_wei=1)
    settings = Settings(signer=signer, chains=(chain,))

    save_settings(tmp_path, settings)

    assert load_settings(tmp_path) == settings


def test_a_text_with_quotes_and_line_ends_survives(tmp_path: Path) -> None:
    settings = replace(Settings(), database_url='postgresql://u:"p\\q\n"@h/d')

    save_settings(tmp_path, settings)

    assert load_settings(tmp_path) == settings


def test_a_whole_number_is_taken_for_seconds(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_text("wait_seconds = 3\n")

    assert load_settings(tmp_path).wait_seconds == 3.0


def test_a_setting_that_slipped_into_a_table_is_told_where_it_stands(tmp_path: Path) -> None:
    text = f'[[class]]\nname = "a"\npolicy = "{"ab" * 32}"\nclass_required = true\n'
    (tmp_path / SETTINGS_FILE).write_text(text)

    with pytest.raises(EvidenceError) as caught:
        load_settings(tmp_path)

    assert caught.value.message == (
        "[[class]] of vermilion.toml has unknown class_required:"
        " class_required stands above the first table"
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("prot = 1", "settings.unknown"),
        ('step_up_header = "X Step"', "settings.value"),
        ('certificate_roots = ["ca.der"]', "settings.value"),
        ("certificate_roots = [1]", "settings.value"),
        ('certificate_roots = "ca.pem"', "settings.value"),
        ('certificate_roots = ["a/ca.pem", "b/ca.pem"]', "settings.value"),
        ("certificates_required = true", "settings.value"),
        (
            'certificate_roots = ["b/a.pem"]\n[[tsa]]\nurl = "https://a.example"\nroots = "a.pem"',
            "settings.value",
        ),
        ('[[tsa]]\nurl = "https://a.example"', "settings.value"),
        ('[[tsa]]\nroots = "a.pem"', "settings.value"),
        ('[[tsa]]\nurl = "ftp://a.example"\nroots = "a.pem"', "settings.value"),
        ('[[tsa]]\nurl = "https://u:p@a.example"\nroots = "a.pem"', "settings.value"),
        ('[[tsa]]\nurl = "https://a.example"\nroots = "trust.toml"', "settings.value"),
        ('[[tsa]]\nurl = "https://a.example"\nroots = "a.pem"\nname = "a"', "settings.unknown"),
        (
            '[[tsa]]\nurl = "https://a.example"\nroots = "a.pem"\ntimeout_seconds = 0',
            "settings.value",
        ),
        (2 * '[[tsa]]\nurl = "https://a.example"\nroots = "a.pem"\n', "settings.value"),
        (
            "".join(
                f'[[tsa]]\nurl = "https://{name}.example"\nroots = "{name}/x.pem"\n'
                for name in "ab"
            ),
            "settings.value",
        ),
        ("tsas = []", "settings.unknown"),
        ('[[class]]\nname = "a"', "hex.malformed"),
        (f'[[class]]\npolicy = "{"ab" * 32}"', "text.empty"),
        (f'[[class]]\nname = "a"\npolicy = "{"AB" * 32}"', "hex.malformed"),
        (f'[[class]]\nname = "a"\npolicy = "{"ab" * 32}"\nrule = 1', "settings.unknown"),
        (2 * f'[[class]]\nname = "a"\npolicy = "{"ab" * 32}"\n', "settings.value"),
        ("classes = []", "settings.unknown"),
        ("class_required = 1", "settings.value"),
        ("chains = []", "settings.unknown"),
        ("port = ", "settings.malformed"),
        ('port = "8460"', "settings.value"),
        ("port = true", "settings.value"),
        ("port = 65536", "settings.value"),
        ("port = -1", "settings.value"),
        ("publish_interval_seconds = 0.01", "settings.value"),
        ("wait_seconds = 0.0", "settings.value"),
        ("offered_block_days = 6.5", "settings.value"),
        ("quorum = 0", "settings.value"),
        ("log_ml_dsa = 1", "settings.value"),
        ('log_ml_dsa = "true"', "settings.value"),
        ("log_ml_dsa_from = -1", "settings.value"),
        ("log_ml_dsa_from = 9007199254740991", "settings.value"),
        ("log_ml_dsa_from = true", "settings.value"),
        ('roots = ["AB"]', "hex.malformed"),
        ('origin = "a b"', "note.key-name"),
        ("chain = 1", "settings.value"),
        ("chain = [1]", "settings.value"),
        ("[[chain]]\nid = 1", "settings.value"),
        ('[[chain]]\nid = 1\nrpc = "x"\ncontract = "0x12"', "hex.malformed"),
        ("[[chain]]\ngas = 1", "settings.unknown"),
        (f"{CHAIN_TEXT}courier = true", "settings.value"),
        (f"{CHAIN_TEXT}courier = 1", "settings.value"),
        (CHAIN_TEXT.replace("http://127.0.0.1:8545", ""), "settings.value"),
        (f"{CHAIN_TEXT}day_cost_max_wei = -1", "settings.value"),
        (f"{CHAIN_TEXT}anchor_cost_max_wei = -1", "settings.value"),
        (f"{CHAIN_TEXT}balance_min_wei = -1", "settings.value"),
        (f"{CHAIN_TEXT}balance_min_wei = 1.5", "settings.value"),
        (f"{CHAIN_TEXT}balance_min_wei = true", "settings.value"),
        (f"{CHAIN_TEXT}rpc_agree = 2", "settings.value"),
        (f"{CHAIN_TEXT}rpc_agree = -1", "settings.value"),
        (f"{CHAIN_TEXT}genesis = '0x12'", "hex.malformed"),
        (f"{CHAIN_TEXT}genesis = ''\nfinality = ['immediate']", "settings.value"),
        (CHAIN_TEXT.replace(RPC, "[]"), "settings.value"),
        (CHAIN_TEXT.replace(RPC, "[1]"), "settings.value"),
        (CHAIN_TEXT.replace(RPC, "1"), "settings.value"),
        (CHAIN_TEXT.replace(RPC, '"ipc:///node"'), "settings.value"),
        (CHAIN_TEXT.replace(RPC, "['http://a', '']"), "settings.value"),
        (CHAIN_TEXT.replace(RPC, "['http://a', 'http://a']"), "settings.value"),
        (CHAIN_TEXT.replace(RPC, "['http://a', ['http://b']]"), "settings.value"),
        ("signer = 1", "settings.value"),
        ("[[signer]]", "settings.value"),
        ("[signer]\nkind = 'hsm'", "settings.value"),
        ("[signer]\npassword = 'x'", "settings.unknown"),
        ("[signer]\naddress = '0x12'", "hex.malformed"),
        ("[signer]\ntimeout_seconds = 0", "settings.value"),
        ("[signer]\ntimeout_seconds = 61", "settings.value"),
        ("[signer]\nkind = 'remote'", "settings.value"),
        (f"[signer]\nkind = 'remote'\naddress = '{CHAIN.contract}'", "settings.value"),
        ("[signer]\nkind = 'remote'\nurl = 'https://s.example'", "settings.value"),
        (f"[signer]\nkind = 'pkcs11'\naddress = '{CHAIN.contract}'", "settings.value"),
    ],
)
def test_a_wrong_setting_is_refused(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / SETTINGS_FILE).write_text(text + "\n")

    with pytest.raises(EvidenceError) as caught:
        load_settings(tmp_path)

    assert caught.value.code == code


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError) as caught:
        load_settings(tmp_path)

    assert caught.value.code == "settings.missing"


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_bytes(b"\xff\xfe")

    with pytest.raises(EvidenceError) as caught:
        load_settings(tmp_path)

    assert caught.value.code == "settings.malformed"


def test_a_home_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(EvidenceError) as caught:
        save_settings(tmp_path / "file", Settings())

    assert caught.value.code == "home.unusable"

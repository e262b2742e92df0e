// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EvidenceAnchor} from "../src/EvidenceAnchor.sol";
import {Test, Vm} from "./support/Test.sol";

/// @dev The public RFC 6962 proof vectors. They are not part of this repository: without the folder beside it that
/// holds them, the tests are skipped.
contract VectorsTest is Test {
    string private constant FOLDER = "../../shared/vectors/merkle-rfc6962/testdata/";

    EvidenceAnchor private _contract;
    uint256 private _accepted;
    uint256 private _refused;
    uint256 private _inexpressible;
    uint256 private _logs;

    function setUp() public {
        _contract = new EvidenceAnchor();
        if (!_present()) vm.skip(true, "the public vectors are not beside the repository");
    }

    /// @dev Forge cannot permit a folder that is not there, and reverts when asked about it.
    function _present() private view returns (bool) {
        try vm.exists(FOLDER) returns (bool present) {
            return present;
        } catch {
            return false;
        }
    }

    function test_the_public_consistency_vectors_get_their_verdict() public {
        _run("consistency", _consistency);

        vm.assertEq(_accepted, 6);
        vm.assertEq(_refused, 92);
        vm.assertEq(_inexpressible, 0);
    }

    function test_the_public_inclusion_vectors_get_their_verdict() public {
        _run("inclusion", _inclusion);

        vm.assertEq(_accepted, 6);
        vm.assertEq(_refused + _inexpressible, 92);
        // An empty leaf hash or root has no place in the calldata.
        vm.assertEq(_inexpressible, 11);
    }

    function _run(string memory kind, function(string memory) internal returns (bool) verify) private {
        Vm.DirEntry[] memory entries = vm.readDir(string.concat(FOLDER, kind), 3);
        for (uint256 i = 0; i < entries.length; ++i) {
            if (entries[i].isDir) continue;
            string memory json = vm.readFile(entries[i].path);
            bool accepted = verify(json);
            vm.assertTrue(accepted != vm.parseJsonBool(json, ".wantErr"), entries[i].path);
            if (accepted) ++_accepted;
            else ++_refused;
        }
        _refused -= _inexpressible;
    }

    function _consistency(string memory json) private view returns (bool) {
        return _contract.verifyConsistency(
            uint64(vm.parseJsonUint(json, ".size1")),
            _hash(vm.parseJsonString(json, ".root1")),
            uint64(vm.parseJsonUint(json, ".size2")),
            _hash(vm.parseJsonString(json, ".root2")),
            _proof(json)
        );
    }

    /// @dev A fresh log whose head is the vector's tree. An empty tree is no head: every proof about it is refused.
    function _inclusion(string memory json) private returns (bool) {
        string memory root = vm.parseJsonString(json, ".root");
        string memory leafHash = vm.parseJsonString(json, ".leafHash");
        if (bytes(root).length == 0 || bytes(leafHash).length == 0) {
            ++_inexpressible;
            return false;
        }
        uint64 size = uint64(vm.parseJsonUint(json, ".treeSize"));
        bytes32 log = _contract.register(bytes32(++_logs), address(this));
        if (size != 0) _contract.anchor(log, size, _hash(root), new bytes32[](0));
        uint64 index = uint64(vm.parseJsonUint(json, ".leafIdx"));
        return _contract.verifyInclusion(log, index, _hash(leafHash), _proof(json));
    }

    function _proof(string memory json) private pure returns (bytes32[] memory proof) {
        // `null` is encoded as an empty string, an array is not.
        if (vm.parseJson(json, ".proof").length < 64) return new bytes32[](0);
        string[] memory hashes = vm.parseJsonStringArray(json, ".proof");
        proof = new bytes32[](hashes.length);
        for (uint256 i = 0; i < hashes.length; ++i) {
            proof[i] = _hash(hashes[i]);
        }
    }

    /// @dev Base64 to a hash. The placeholder texts among the vectors are shorter and are padded with zeros.
    function _hash(string memory base64) private pure returns (bytes32) {
        bytes memory text = bytes(base64);
        uint256 value = 0;
        uint256 bits = 0;
        for (uint256 i = 0; i < text.length && text[i] != "="; ++i) {
            // The last digit of 32 bytes carries two bits too many.
            bits += 6;
            value = bits <= 256 ? value << 6 | _digit(text[i]) : value << 4 | _digit(text[i]) >> 2;
        }
        require(bits <= 258, "more than 32 bytes");
        return bits >= 256 ? bytes32(value) : bytes32(value << (256 - bits));
    }

    function _digit(bytes1 letter) private pure returns (uint256) {
        uint8 code = uint8(letter);
        if (code >= 0x61) return code - 0x61 + 26;
        if (code >= 0x41) return code - 0x41;
        if (code >= 0x30) return code - 0x30 + 52;
        return letter == "+" ? 62 : 63;
    }
}

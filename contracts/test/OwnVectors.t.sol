// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EvidenceAnchor} from "../src/EvidenceAnchor.sol";
import {Test, Vm} from "./support/Test.sol";

/// @dev The files in `tests/vectors` that the Python tests read, with the same verdict. What has no place in the calldata
/// (an index below zero, a hash of another length) is counted as such: the compiler's own checks refuse it.
contract OwnVectorsTest is Test {
    string private constant FOLDER = "../tests/vectors/";

    EvidenceAnchor private _contract;
    uint256 private _accepted;
    uint256 private _refused;
    uint256 private _inexpressible;
    uint256 private _logs;

    function setUp() public {
        _contract = new EvidenceAnchor();
    }

    function test_our_consistency_vectors_get_their_verdict() public {
        _run("merkle-consistency", _consistency);

        vm.assertEq(_accepted, 5);
        vm.assertEq(_refused, 14);
        vm.assertEq(_inexpressible, 1);
    }

    function test_our_inclusion_vectors_get_their_verdict() public {
        _run("merkle-inclusion", _inclusion);

        vm.assertEq(_accepted, 4);
        vm.assertEq(_refused, 16);
        vm.assertEq(_inexpressible, 3);
    }

    function _run(string memory kind, function(string memory) internal returns (bool) verify) private {
        Vm.DirEntry[] memory entries = vm.readDir(string.concat(FOLDER, kind), 1);
        for (uint256 i = 0; i < entries.length; ++i) {
            string memory json = vm.readFile(entries[i].path);
            bool expected = vm.parseJsonBool(json, ".accept");
            if (!_expressible(json)) {
                vm.assertFalse(expected, entries[i].path);
                ++_inexpressible;
                continue;
            }
            vm.assertTrue(verify(json) == expected, entries[i].path);
            if (expected) ++_accepted;
            else ++_refused;
        }
    }

    function _consistency(string memory json) private view returns (bool) {
        return _contract.verifyConsistency(
            uint64(vm.parseJsonUint(json, ".size1")),
            vm.parseBytes32(vm.parseJsonString(json, ".root1")),
            uint64(vm.parseJsonUint(json, ".size2")),
            vm.parseBytes32(vm.parseJsonString(json, ".root2")),
            _proof(json)
        );
    }

    /// @dev A fresh log whose head is the vector's tree. An empty tree is no head: every proof about it is refused.
    function _inclusion(string memory json) private returns (bool) {
        uint64 size = uint64(vm.parseJsonUint(json, ".size"));
        bytes32 root = vm.parseBytes32(vm.parseJsonString(json, ".root"));
        bytes32 log = _contract.register(bytes32(++_logs), address(this));
        if (size != 0) _contract.anchor(log, size, root, new bytes32[](0));
        bytes32 leafHash = vm.parseBytes32(vm.parseJsonString(json, ".leafHash"));
        return _contract.verifyInclusion(log, uint64(vm.parseJsonUint(json, ".index")), leafHash, _proof(json));
    }

    function _proof(string memory json) private pure returns (bytes32[] memory proof) {
        string[] memory hashes = vm.parseJsonStringArray(json, ".proof");
        proof = new bytes32[](hashes.length);
        for (uint256 i = 0; i < hashes.length; ++i) {
            proof[i] = vm.parseBytes32(hashes[i]);
        }
    }

    function _expressible(string memory json) private view returns (bool) {
        string[4] memory names = [".root", ".leafHash", ".root1", ".root2"];
        for (uint256 i = 0; i < names.length; ++i) {
            if (vm.keyExistsJson(json, names[i]) && !_isHash(vm.parseJsonString(json, names[i]))) return false;
        }
        string[] memory hashes = vm.parseJsonStringArray(json, ".proof");
        for (uint256 i = 0; i < hashes.length; ++i) {
            if (!_isHash(hashes[i])) return false;
        }
        return !vm.keyExistsJson(json, ".index") || vm.parseJsonInt(json, ".index") >= 0;
    }

    function _isHash(string memory hex64) private pure returns (bool) {
        return bytes(hex64).length == 64;
    }
}

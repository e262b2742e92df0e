// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EvidenceAnchor} from "../src/EvidenceAnchor.sol";
import {Test} from "./support/Test.sol";

/// @dev Forge and tools/compile.mjs, with their own settings each, must come to the same bytes.
contract ArtifactTest is Test {
    string private _artifact;

    function setUp() public {
        _artifact = vm.readFile("artifacts/EvidenceAnchor.json");
    }

    function test_the_committed_creation_code_is_what_the_source_compiles_to() public view {
        vm.assertEq(type(EvidenceAnchor).creationCode, vm.parseJsonBytes(_artifact, ".bytecode"));
    }

    function test_the_committed_runtime_code_is_what_is_deployed() public {
        EvidenceAnchor deployed = new EvidenceAnchor();

        vm.assertEq(address(deployed).code, vm.parseJsonBytes(_artifact, ".deployedBytecode"));
        vm.assertEq(address(deployed).codehash, vm.parseJsonBytes32(_artifact, ".codeHash"));
    }

    function test_a_head_is_two_slots_in_the_committed_layout() public view {
        string memory types = ".storageLayout.types";
        string memory head = string.concat(types, "['", _typeOf("t_struct(Head)"), "']");

        vm.assertEq(vm.parseJsonUint(_artifact, string.concat(head, ".numberOfBytes")), 64);
    }

    /// @dev The full name of a type, which ends with a number of the compiler's own.
    function _typeOf(string memory prefix) private view returns (string memory) {
        bytes memory text = bytes(_artifact);
        bytes memory sought = abi.encodePacked('"', prefix);
        for (uint256 start = 0; start + sought.length < text.length; ++start) {
            uint256 length = 0;
            while (length < sought.length && text[start + length] == sought[length]) ++length;
            if (length < sought.length) continue;
            while (text[start + length] != '"') ++length;
            bytes memory name = new bytes(length - 1);
            for (uint256 i = 0; i < name.length; ++i) {
                name[i] = text[start + 1 + i];
            }
            return string(name);
        }
        revert(prefix);
    }
}

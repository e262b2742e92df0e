// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Ways to damage a list of hashes. Each gives a new list.
library Mutants {
    function copy(bytes32[] memory list) internal pure returns (bytes32[] memory) {
        return resized(list, list.length);
    }

    function flipped(bytes32[] memory list, uint256 place, uint256 bit)
        internal
        pure
        returns (bytes32[] memory mutant)
    {
        mutant = copy(list);
        mutant[place] ^= bytes32(uint256(1) << bit);
    }

    function swapped(bytes32[] memory list, uint256 place, uint256 other)
        internal
        pure
        returns (bytes32[] memory mutant)
    {
        mutant = copy(list);
        (mutant[place], mutant[other]) = (mutant[other], mutant[place]);
    }

    function dropped(bytes32[] memory list, uint256 place) internal pure returns (bytes32[] memory mutant) {
        mutant = new bytes32[](list.length - 1);
        for (uint256 i = 0; i < mutant.length; ++i) {
            mutant[i] = list[i < place ? i : i + 1];
        }
    }

    function inserted(bytes32[] memory list, uint256 place, bytes32 extra)
        internal
        pure
        returns (bytes32[] memory mutant)
    {
        mutant = new bytes32[](list.length + 1);
        for (uint256 i = 0; i < mutant.length; ++i) {
            mutant[i] = i < place ? list[i] : i == place ? extra : list[i - 1];
        }
    }

    function resized(bytes32[] memory list, uint256 length) internal pure returns (bytes32[] memory mutant) {
        mutant = new bytes32[](length);
        for (uint256 i = 0; i < length && i < list.length; ++i) {
            mutant[i] = list[i];
        }
    }
}

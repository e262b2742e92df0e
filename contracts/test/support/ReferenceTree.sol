// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev RFC 9162 as it is defined, by recursion: slow, plain, and sharing no step with the code under test.
library ReferenceTree {
    /// @dev A proof being read from its end, where the recursion of section 2.1.4.1 put the uppermost hash.
    struct Reader {
        bytes32[] proof;
        uint256 remaining;
        bool exhausted;
        bytes32 root1;
    }

    function node(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(hex"01", left, right));
    }

    /// @dev `k` of the RFC: the largest power of two below `size`.
    function split(uint256 size) internal pure returns (uint256 k) {
        k = 1;
        while (k << 1 < size) k <<= 1;
    }

    /// @dev MTH(leaves[start:end]), section 2.1.1, over leaf hashes.
    function root(bytes32[] memory leaves, uint256 start, uint256 end) internal pure returns (bytes32) {
        if (end - start == 1) return leaves[start];
        uint256 middle = start + split(end - start);
        return node(root(leaves, start, middle), root(leaves, middle, end));
    }

    /// @dev PATH(index, leaves[start:end]), section 2.1.3.1.
    function path(bytes32[] memory leaves, uint256 index, uint256 start, uint256 end)
        internal
        pure
        returns (bytes32[] memory)
    {
        if (end - start == 1) return new bytes32[](0);
        uint256 middle = start + split(end - start);
        if (index < middle) return append(path(leaves, index, start, middle), root(leaves, middle, end));
        return append(path(leaves, index, middle, end), root(leaves, start, middle));
    }

    /// @dev PROOF(size1, leaves[0:size2]), section 2.1.4.1.
    function proof(bytes32[] memory leaves, uint256 size1, uint256 size2) internal pure returns (bytes32[] memory) {
        return subproof(leaves, size1, 0, size2, true);
    }

    function subproof(bytes32[] memory leaves, uint256 size1, uint256 start, uint256 end, bool complete)
        internal
        pure
        returns (bytes32[] memory)
    {
        uint256 size = end - start;
        if (size1 == size) {
            bytes32[] memory none = new bytes32[](0);
            return complete ? none : append(none, root(leaves, start, end));
        }
        uint256 k = split(size);
        if (size1 <= k) {
            return append(subproof(leaves, size1, start, start + k, complete), root(leaves, start + k, end));
        }
        return append(subproof(leaves, size1 - k, start + k, end, false), root(leaves, start, start + k));
    }

    /// @dev Number of hashes in PROOF(size1, D[size2]).
    function proofLength(uint256 size1, uint256 size2, bool complete) internal pure returns (uint256) {
        if (size1 == size2) return complete ? 0 : 1;
        uint256 k = split(size2);
        if (size1 <= k) return 1 + proofLength(size1, k, complete);
        return 1 + proofLength(size1 - k, size2 - k, false);
    }

    /// @dev Number of hashes in PATH(index, D[size]).
    function pathLength(uint256 index, uint256 size) internal pure returns (uint256) {
        if (size == 1) return 0;
        uint256 k = split(size);
        return 1 + (index < k ? pathLength(index, k) : pathLength(index - k, size - k));
    }

    /// @dev The verdict on a consistency proof, by undoing the recursion that made it.
    function isConsistent(uint256 size1, bytes32 root1, uint256 size2, bytes32 root2, bytes32[] memory hashes)
        internal
        pure
        returns (bool)
    {
        if (size1 == 0 || size1 > size2) return false;
        Reader memory reader = Reader(hashes, hashes.length, false, root1);
        (bytes32 older, bytes32 newer) = roots(reader, size1, size2, true);
        return !reader.exhausted && reader.remaining == 0 && older == root1 && newer == root2;
    }

    /// @dev The two roots that a consistency proof leads to.
    function roots(Reader memory reader, uint256 size1, uint256 size2, bool complete)
        internal
        pure
        returns (bytes32 older, bytes32 newer)
    {
        if (size1 == size2) {
            bytes32 whole = complete ? reader.root1 : take(reader);
            return (whole, whole);
        }
        uint256 k = split(size2);
        bytes32 sibling = take(reader);
        if (size1 <= k) {
            (older, newer) = roots(reader, size1, k, complete);
            return (older, node(newer, sibling));
        }
        (older, newer) = roots(reader, size1 - k, size2 - k, false);
        return (node(sibling, older), node(sibling, newer));
    }

    /// @dev The verdict on an inclusion proof, by undoing the recursion that made it.
    function isIncluded(uint256 index, bytes32 leaf, uint256 size, bytes32 top, bytes32[] memory hashes)
        internal
        pure
        returns (bool)
    {
        if (index >= size) return false;
        Reader memory reader = Reader(hashes, hashes.length, false, 0);
        bytes32 computed = rootOfPath(reader, index, leaf, size);
        return !reader.exhausted && reader.remaining == 0 && computed == top;
    }

    function rootOfPath(Reader memory reader, uint256 index, bytes32 leaf, uint256 size)
        internal
        pure
        returns (bytes32)
    {
        if (size == 1) return leaf;
        uint256 k = split(size);
        bytes32 sibling = take(reader);
        if (index < k) return node(rootOfPath(reader, index, leaf, k), sibling);
        return node(sibling, rootOfPath(reader, index - k, leaf, size - k));
    }

    function take(Reader memory reader) internal pure returns (bytes32) {
        if (reader.remaining == 0) {
            reader.exhausted = true;
            return 0;
        }
        return reader.proof[--reader.remaining];
    }

    function append(bytes32[] memory list, bytes32 last) internal pure returns (bytes32[] memory longer) {
        longer = new bytes32[](list.length + 1);
        for (uint256 i = 0; i < list.length; ++i) {
            longer[i] = list[i];
        }
        longer[list.length] = last;
    }

    /// @dev `count` leaf hashes that depend on `seed`.
    function leafHashes(bytes32 seed, uint256 count) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            leaves[i] = sha256(abi.encodePacked(hex"00", seed, i));
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Merkle proofs of RFC 9162 over SHA-256
/// @notice Decides inclusion and consistency proofs. A proof has exactly the length its sizes ask for; anything else is
/// refused, so the length of the input never bounds the work: a walk ends after at most 64 steps.
library Rfc9162 {
    /// @notice Decides an inclusion proof (section 2.1.3.2).
    /// @param index Position of the leaf, from 0.
    /// @param leafHash Leaf hash.
    /// @param size Number of leaves.
    /// @param root Root hash.
    /// @param path Sibling hashes from the leaf upwards.
    /// @return Whether the leaf at this position of this tree has this hash.
    function isIncluded(uint64 index, bytes32 leafHash, uint64 size, bytes32 root, bytes32[] calldata path)
        internal
        view
        returns (bool)
    {
        if (index >= size) return false;
        (, bytes32 computed, bool complete) = _climb(index, size - 1, leafHash, path, false);
        return complete && computed == root;
    }

    /// @notice Decides a consistency proof (section 2.1.4.2).
    /// @dev The RFC's algorithm asks for 0 < size1 < size2. Equal sizes need equal roots and an empty proof; size 0 is
    /// refused, because any tree extends the empty one and nothing would have been shown.
    /// @param size1 Number of leaves of the older tree.
    /// @param root1 Root hash of the older tree.
    /// @param size2 Number of leaves of the newer tree.
    /// @param root2 Root hash of the newer tree.
    /// @param path Node hashes from the boundary of the older tree upwards.
    /// @return Whether the newer tree begins with the older one.
    function isConsistent(uint64 size1, bytes32 root1, uint64 size2, bytes32 root2, bytes32[] calldata path)
        internal
        view
        returns (bool)
    {
        if (size1 == 0 || size1 > size2) return false;
        if (size1 == size2) return path.length == 0 && root1 == root2;
        if (path.length == 0) return false;

        // Steps 2 to 5. An older tree that is a complete subtree is its own starting point; otherwise the path names it.
        uint256 fn = size1 - 1;
        uint256 sn = size2 - 1;
        bool whole = size1 & fn == 0;
        while (fn & 1 == 1) {
            fn >>= 1;
            sn >>= 1;
        }
        (bytes32 older, bytes32 newer, bool complete) =
            whole ? _climb(fn, sn, root1, path, true) : _climb(fn, sn, path[0], path[1:], true);
        return complete && older == root1 && newer == root2;
    }

    /// @dev Climbs from a node at position `fn` of a level whose last position is `sn` to the root, taking siblings from
    /// `path`. `newer` is the root of the whole tree; `older`, computed if `both`, the root of the tree that ends with
    /// the starting node. `complete` tells that the path had exactly the length of the way.
    function _climb(uint256 fn, uint256 sn, bytes32 start, bytes32[] calldata path, bool both)
        private
        view
        returns (bytes32 older, bytes32 newer, bool complete)
    {
        assembly ("memory-safe") {
            // SHA-256 (precompile 2) of 0x01, left, right. The 65 bytes stand in unallocated memory, of which the first
            // word keeps the prefix in its last byte; the digest lands in the scratch space. An address without a
            // precompile succeeds and returns nothing, hence the second condition.
            function children(buffer, left, right) -> digest {
                mstore(add(buffer, 0x20), left)
                mstore(add(buffer, 0x40), right)
                let success := staticcall(gas(), 2, add(buffer, 0x1f), 0x41, 0x00, 0x20)
                if iszero(and(success, eq(returndatasize(), 0x20))) {
                    mstore(0x00, 0x86a9562d) // Sha256Unavailable()
                    revert(0x1c, 0x04)
                }
                digest := mload(0x00)
            }

            let buffer := mload(0x40)
            mstore(buffer, 1)
            older := start
            newer := start
            let cursor := path.offset
            let end := add(cursor, shl(5, path.length))
            for {} lt(cursor, end) { cursor := add(cursor, 0x20) } {
                // The root is reached: a longer path is not a proof.
                if iszero(sn) { break }
                let sibling := calldataload(cursor)
                switch or(and(fn, 1), eq(fn, sn))
                case 0 { newer := children(buffer, newer, sibling) }
                default {
                    newer := children(buffer, sibling, newer)
                    if both { older := children(buffer, sibling, older) }
                    // The last node of an incomplete level rises unchanged until it has a left sibling.
                    for {} and(iszero(and(fn, 1)), gt(fn, 0)) {} {
                        fn := shr(1, fn)
                        sn := shr(1, sn)
                    }
                }
                fn := shr(1, fn)
                sn := shr(1, sn)
            }
            complete := and(eq(cursor, end), iszero(sn))
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEvidenceAnchor} from "./IEvidenceAnchor.sol";

/// @title Merkle proofs of RFC 9162 over SHA-256
/// @notice Decides inclusion and consistency proofs. A proof has exactly the length that its sizes ask for; any other is
/// refused.
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
        uint256 fn = index;
        uint256 sn = size - 1;
        bytes32 node = leafHash;
        for (uint256 i = 0; i < path.length; ++i) {
            // The root is reached: a longer path is not a proof.
            if (sn == 0) return false;
            if (fn & 1 == 1 || fn == sn) {
                node = _children(path[i], node);
                // The last node of a level rises unchanged until it has a left sibling.
                while (fn & 1 == 0 && fn != 0) {
                    fn >>= 1;
                    sn >>= 1;
                }
            } else {
                node = _children(node, path[i]);
            }
            fn >>= 1;
            sn >>= 1;
        }
        return sn == 0 && node == root;
    }

    /// @notice Decides a consistency proof (section 2.1.4.2).
    /// @dev The RFC asks for 0 < size1 < size2. Equal sizes need equal roots and an empty proof; size 0 is refused, because
    /// every tree extends the empty one and nothing would have been shown.
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
        return isExtension(size1, root1, size2, root2, path);
    }

    /// @notice Decides a consistency proof between trees of different sizes. The caller ensures 0 < size1 < size2.
    /// @dev The RFC's algorithm, arranged for gas. `fn` and `sn` are the positions of the boundary node and of the last
    /// node on the current level, as there. While they differ, every level takes one hash: the sibling is on the left
    /// where `fn` has a 1, on the right where it has a 0. Once they are equal the node is the last of every level and
    /// meets a left sibling where `fn` has a 1, nothing where it has a 0. A sibling on the left belongs to both trees,
    /// one on the right to the newer tree alone.
    ///
    /// The way is known from the sizes, so the loops follow the sizes, at most 64 steps together, and whether the path
    /// had that very length is asked once, at the end. Reading past a short path is harmless: it is refused.
    ///
    /// SHA-256 is precompile 2. It answers with 32 bytes or, out of gas or on a chain without it, with none; and the
    /// cursor advances by what it answered. So the path fits only if every call succeeded, and the last answer tells why
    /// it did not.
    /// @param size1 Number of leaves of the older tree.
    /// @param root1 Root hash of the older tree.
    /// @param size2 Number of leaves of the newer tree.
    /// @param root2 Root hash of the newer tree.
    /// @param path Node hashes from the boundary of the older tree upwards.
    /// @return extension Whether the newer tree begins with the older one.
    function isExtension(uint256 size1, bytes32 root1, uint256 size2, bytes32 root2, bytes32[] calldata path)
        internal
        view
        returns (bool extension)
    {
        assembly ("memory-safe") {
            // Memory map, so that the 65 bytes `0x01 || left || right` always stand in one piece:
            //   0x9f prefix   0xa0 left of the newer node   0xc0 newer node   0xe0 right of the newer node
            //   0x11f prefix  0x120 left of the older node  0x140 older node
            // Before a hash with a sibling on the right, the word at 0xa0 is 1: the prefix in front of the newer node.
            // Constant addresses are safe only while nobody has allocated memory.
            if sub(mload(0x40), 0x80) { revert(0x00, 0x00) }

            // Steps 2 to 5. An older tree that is a complete subtree is its own starting point; otherwise the path
            // begins with it.
            let fn := sub(size1, 1)
            let sn := sub(size2, 1)
            let start := root1
            let cursor := path.offset
            if and(size1, fn) {
                start := calldataload(cursor)
                cursor := add(cursor, 0x20)
            }
            for {} and(fn, 1) {} {
                fn := shr(1, fn)
                sn := shr(1, sn)
            }
            mstore(0x80, 1)
            mstore(0xc0, start)
            mstore(0x100, 1)
            mstore(0x140, start)

            // The levels with a sibling on the right, as bits: below the highest bit in which fn and sn differ, where fn
            // has a 0.
            let rights := xor(fn, sn)
            rights := or(rights, shr(1, rights))
            rights := or(rights, shr(2, rights))
            rights := or(rights, shr(4, rights))
            rights := or(rights, shr(8, rights))
            rights := or(rights, shr(16, rights))
            rights := or(rights, shr(32, rights))
            rights := and(rights, not(fn))
            let first := cursor

            // Step 6, up to the last sibling on the right.
            for {} 1 {} {
                mstore(0xa0, 1)
                for {} and(rights, 1) { rights := shr(1, rights) } {
                    mstore(0xe0, calldataload(cursor))
                    pop(staticcall(gas(), 2, 0xbf, 0x41, 0xc0, 0x20))
                    cursor := add(cursor, returndatasize())
                }
                if iszero(rights) { break }
                let sibling := calldataload(cursor)
                mstore(0x120, sibling)
                pop(staticcall(gas(), 2, 0x11f, 0x41, 0x140, 0x20))
                let answered := returndatasize()
                mstore(0xa0, sibling)
                pop(staticcall(gas(), 2, 0x9f, 0x41, 0xc0, 0x20))
                cursor := add(cursor, and(answered, returndatasize()))
                rights := shr(1, rights)
            }
            // The rest of step 6: every level so far took one hash, and from here on each 1 of fn takes one.
            for { fn := shr(shr(5, sub(cursor, first)), fn) } fn { fn := and(fn, sub(fn, 1)) } {
                let sibling := calldataload(cursor)
                mstore(0x120, sibling)
                pop(staticcall(gas(), 2, 0x11f, 0x41, 0x140, 0x20))
                let answered := returndatasize()
                mstore(0xa0, sibling)
                pop(staticcall(gas(), 2, 0x9f, 0x41, 0xc0, 0x20))
                cursor := add(cursor, and(answered, returndatasize()))
            }
            if sub(returndatasize(), 0x20) {
                mstore(0x00, 0x86a9562d) // IEvidenceAnchor.Sha256Unavailable()
                revert(0x1c, 0x04)
            }

            // Step 7.
            extension := and(
                eq(cursor, add(path.offset, shl(5, path.length))),
                and(eq(mload(0x140), root1), eq(mload(0xc0), root2))
            )
        }
    }

    /// @dev Hash of an inner node, `SHA-256(0x01 || left || right)`.
    function _children(bytes32 left, bytes32 right) private view returns (bytes32 digest) {
        bool hashed;
        assembly ("memory-safe") {
            // Memory beyond the free pointer is free to use as long as nothing has to stay there.
            let buffer := mload(0x40)
            mstore(buffer, 1)
            mstore(add(buffer, 0x20), left)
            mstore(add(buffer, 0x40), right)
            hashed := staticcall(gas(), 2, add(buffer, 0x1f), 0x41, 0x00, 0x20)
            // An address without a precompile succeeds and returns nothing.
            hashed := and(hashed, eq(returndatasize(), 0x20))
            digest := mload(0x00)
        }
        if (!hashed) revert IEvidenceAnchor.Sha256Unavailable();
    }
}

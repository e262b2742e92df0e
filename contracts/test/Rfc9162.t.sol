// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EvidenceAnchor} from "../src/EvidenceAnchor.sol";
import {IEvidenceAnchor} from "../src/IEvidenceAnchor.sol";
import {Rfc9162} from "../src/Rfc9162.sol";
import {Mutants} from "./support/Mutants.sol";
import {ReferenceTree} from "./support/ReferenceTree.sol";
import {Test} from "./support/Test.sol";

/// @dev A caller of the library that already uses memory, where the library wants to put its constant addresses.
contract Hoarder {
    function isExtension(uint64 size1, bytes32 root1, uint64 size2, bytes32 root2, bytes32[] calldata proof)
        external
        view
        returns (bool extension, bytes memory hoard)
    {
        hoard = abi.encode(root1);
        extension = Rfc9162.isExtension(size1, root1, size2, root2, proof);
    }
}

/// @dev The proofs, seen through the contract's own functions and compared with the recursive reference.
contract Rfc9162Test is Test {
    using Mutants for bytes32[];

    EvidenceAnchor private _contract;
    uint256 private _logs;

    function setUp() public {
        _contract = new EvidenceAnchor();
    }

    // Consistency: real trees.

    function test_every_consistency_proof_of_small_trees_is_accepted() public view {
        bytes32[] memory leaves = ReferenceTree.leafHashes("small", 33);
        for (uint256 size2 = 1; size2 <= leaves.length; ++size2) {
            bytes32 root2 = ReferenceTree.root(leaves, 0, size2);
            for (uint256 size1 = 1; size1 <= size2; ++size1) {
                bytes32 root1 = ReferenceTree.root(leaves, 0, size1);
                vm.assertTrue(_consistent(size1, root1, size2, root2, ReferenceTree.proof(leaves, size1, size2)));
            }
        }
    }

    function test_every_mutant_of_a_consistency_proof_is_refused() public view {
        bytes32[] memory leaves = ReferenceTree.leafHashes("mutants", 17);
        for (uint256 size2 = 2; size2 <= leaves.length; ++size2) {
            for (uint256 size1 = 1; size1 < size2; ++size1) {
                _refuseMutants(leaves, size1, size2);
            }
        }
    }

    function test_every_flipped_bit_of_a_consistency_proof_is_refused() public view {
        bytes32[] memory leaves = ReferenceTree.leafHashes("bits", 16);
        _refuseFlippedBits(leaves, 7, 16);
        _refuseFlippedBits(leaves, 8, 13);
        _refuseFlippedBits(leaves, 6, 7);
        _refuseFlippedBits(leaves, 1, 2);
    }

    function test_equal_sizes_need_equal_roots_and_no_proof() public view {
        bytes32[] memory none = new bytes32[](0);
        bytes32[] memory one = new bytes32[](1);

        vm.assertTrue(_consistent(5, "root", 5, "root", none));
        vm.assertFalse(_consistent(5, "root", 5, "other", none));
        vm.assertFalse(_consistent(5, "root", 5, "root", one));
    }

    function test_the_empty_tree_is_refused() public view {
        bytes32[] memory none = new bytes32[](0);
        bytes32 empty = sha256("");

        vm.assertFalse(_consistent(0, empty, 0, empty, none));
        vm.assertFalse(_consistent(0, empty, 1, "root", none));
        vm.assertFalse(_consistent(0, 0, 0, 0, none));
        vm.assertFalse(_consistent(0, "root", 1, "root", new bytes32[](1)));
        vm.assertFalse(_consistent(1, "root", 0, empty, none));
    }

    function test_a_shrinking_tree_is_refused() public view {
        bytes32[] memory leaves = ReferenceTree.leafHashes("shrinking", 8);
        bytes32 root5 = ReferenceTree.root(leaves, 0, 5);
        bytes32 root8 = ReferenceTree.root(leaves, 0, 8);

        vm.assertFalse(_consistent(8, root8, 5, root5, ReferenceTree.proof(leaves, 5, 8)));
    }

    function test_a_larger_tree_needs_a_proof() public view {
        bytes32[] memory none = new bytes32[](0);

        vm.assertFalse(_consistent(4, "root", 5, "root", none), "a power of two");
        vm.assertFalse(_consistent(5, "root", 6, "root", none), "not a power of two");
        vm.assertFalse(_consistent(4, "root", 5, "root", _one("root")));
        vm.assertFalse(_consistent(5, "root", 6, "root", _one("root")));
    }

    function test_the_largest_sizes_are_decided() public view {
        uint256 top = type(uint64).max;
        _acceptForged(top - 1, top, "near the top");
        _acceptForged(1, top, "from the first leaf");
        _acceptForged(1 << 63, top, "a complete half");
        _acceptForged((1 << 63) - 1, 1 << 63, "all bits below");
        _acceptForged((1 << 63) - 1, (1 << 63) + 1, "across the top bit");
        _acceptForged(4_000_000_007, 4_000_090_001, "four billion");
    }

    function test_sizes_that_differ_in_a_single_bit_are_decided() public view {
        for (uint256 bit = 0; bit < 64; ++bit) {
            uint256 apart = 1 << bit;
            uint256 mixed = 0x2aaaaaaaaaaaaaaa & (apart - 1);
            // Positions of the last leaves, whose difference rules the walk; the largest has no size of 64 bits.
            _acceptForged(1, apart + 1, "from the first leaf");
            _acceptForged(mixed + 1, (mixed | apart) + 1, "mixed siblings");
            _acceptForged(mixed + 1, 2 * apart - (bit == 63 ? 1 : 0), "to the end of the level");
        }
    }

    /// @dev Known limit, stated on the interface: the shape of the proof is all that the sizes decide.
    function test_a_wrong_size_of_the_same_shape_is_not_noticed_here() public view {
        bytes32[] memory leaves = ReferenceTree.leafHashes("shape", 3);
        bytes32[] memory proof = ReferenceTree.proof(leaves, 1, 3);
        bytes32 root3 = ReferenceTree.root(leaves, 0, 3);

        vm.assertTrue(_consistent(1, leaves[0], 4, root3, proof));
        vm.assertTrue(ReferenceTree.isConsistent(1, leaves[0], 4, root3, proof));
    }

    // Consistency: random sizes up to 2^64 - 1, random hashes.

    function testFuzz_a_forged_pair_of_trees_of_any_size_is_accepted(uint64 a, uint64 b, uint8 shift, bytes32 seed)
        public
        view
    {
        (uint256 size1, uint256 size2) = _sizes(a, b, shift);
        _acceptForged(size1, size2, seed);
    }

    function testFuzz_the_verdict_on_any_mutant_is_the_reference_s(
        uint64 a,
        uint64 b,
        uint8 shift,
        bytes32 seed,
        uint8 kind
    ) public view {
        (uint256 size1, uint256 size2) = _sizes(a, b, shift);
        (bytes32 root1, bytes32 root2, bytes32[] memory proof) = _forge(size1, size2, seed);
        uint256 pick = uint256(seed) >> 8;
        bool mustRefuse = true;
        if (kind % 9 == 0) {
            root1 ^= bytes32(uint256(1) << (pick % 256));
        } else if (kind % 9 == 1) {
            root2 ^= bytes32(uint256(1) << (pick % 256));
        } else if (kind % 9 == 2) {
            mustRefuse = root1 != root2;
            (root1, root2) = (root2, root1);
        } else if (kind % 9 == 3) {
            proof = proof.inserted(pick % (proof.length + 1), seed);
        } else if (kind % 9 == 4) {
            mustRefuse = false;
            size1 = pick % 2 == 0 ? size1 - 1 : size1 + 1;
            if (size1 > type(uint64).max) return;
        } else if (kind % 9 == 5) {
            mustRefuse = false;
            size2 = pick % 2 == 0 ? size2 - 1 : size2 + 1;
            if (size2 > type(uint64).max) return;
        } else if (proof.length == 0) {
            return;
        } else if (kind % 9 == 6) {
            proof = proof.flipped(pick % proof.length, (pick >> 64) % 256);
        } else if (kind % 9 == 7) {
            proof = proof.dropped(pick % proof.length);
        } else {
            proof = proof.inserted(pick % proof.length, proof[pick % proof.length]);
        }

        bool verdict = _consistent(size1, root1, size2, root2, proof);

        vm.assertTrue(verdict == ReferenceTree.isConsistent(size1, root1, size2, root2, proof), "reference");
        if (mustRefuse) vm.assertFalse(verdict, "mutant");
    }

    function testFuzz_a_random_proof_gets_the_reference_s_verdict(
        uint64 size1,
        bytes32 root1,
        uint64 size2,
        bytes32 root2,
        bytes32[] memory proof
    ) public view {
        bool verdict = _consistent(size1, root1, size2, root2, proof);

        vm.assertTrue(verdict == ReferenceTree.isConsistent(size1, root1, size2, root2, proof));
    }

    function testFuzz_proofs_of_real_trees_are_accepted(uint8 a, uint8 b, bytes32 seed) public view {
        uint256 size2 = 1 + uint256(a) % 96;
        uint256 size1 = 1 + uint256(b) % size2;
        bytes32[] memory leaves = ReferenceTree.leafHashes(seed, size2);
        bytes32 root1 = ReferenceTree.root(leaves, 0, size1);
        bytes32 root2 = ReferenceTree.root(leaves, 0, size2);

        vm.assertTrue(_consistent(size1, root1, size2, root2, ReferenceTree.proof(leaves, size1, size2)));
    }

    // Inclusion.

    function test_every_inclusion_proof_of_small_trees_is_accepted() public {
        bytes32[] memory leaves = ReferenceTree.leafHashes("included", 19);
        for (uint256 size = 1; size <= leaves.length; ++size) {
            bytes32 log = _anchored(size, ReferenceTree.root(leaves, 0, size));
            for (uint256 index = 0; index < size; ++index) {
                bytes32[] memory path = ReferenceTree.path(leaves, index, 0, size);
                vm.assertTrue(_included(log, index, leaves[index], path));
                vm.assertFalse(_included(log, index, leaves[(index + 1) % leaves.length], path), "another leaf");
                vm.assertFalse(_included(log, index, leaves[index], path.inserted(path.length, 0)), "longer");
                vm.assertFalse(_included(log, index, leaves[index], path.inserted(0, leaves[index])), "preceded");
                if (path.length > 0) {
                    vm.assertFalse(_included(log, index, leaves[index], path.dropped(path.length - 1)), "shorter");
                    vm.assertFalse(_included(log, index, leaves[index], path.dropped(0)), "beheaded");
                    vm.assertFalse(_included(log, index, leaves[index], path.flipped(0, index)), "flipped");
                }
                if (path.length > 1) {
                    vm.assertFalse(_included(log, index, leaves[index], path.swapped(0, 1)), "swapped");
                }
            }
        }
    }

    function test_an_index_outside_the_tree_is_refused() public {
        bytes32[] memory none = new bytes32[](0);
        bytes32 log = _anchored(1, "leaf");

        vm.assertTrue(_included(log, 0, "leaf", none));
        vm.assertFalse(_included(log, 1, "leaf", none));
        vm.assertFalse(_included(log, type(uint64).max, "leaf", none));
    }

    /// @dev A head that lies about its size: the hashes of the real tree would fit, its size does not.
    function test_a_path_longer_than_the_size_allows_is_refused_though_its_hashes_fit() public {
        bytes32[] memory leaves = ReferenceTree.leafHashes("longer", 4);
        bytes32 root = ReferenceTree.root(leaves, 0, 4);
        bytes32 one = _anchored(1, root);
        bytes32 two = _anchored(2, root);
        bytes32[] memory path = ReferenceTree.path(leaves, 3, 0, 4);

        vm.assertFalse(_included(one, 0, leaves[3], path));
        vm.assertFalse(_included(two, 1, leaves[3], path));
    }

    function test_an_inner_node_is_not_a_leaf() public {
        bytes32[] memory leaves = ReferenceTree.leafHashes("inner", 4);
        bytes32 log = _anchored(4, ReferenceTree.root(leaves, 0, 4));
        bytes32 left = ReferenceTree.root(leaves, 0, 2);
        bytes32[] memory path = _one(ReferenceTree.root(leaves, 2, 4));

        for (uint256 index = 0; index < 4; ++index) {
            vm.assertFalse(_included(log, index, left, path));
        }
    }

    function test_nothing_is_included_in_a_log_without_an_anchor() public view {
        vm.assertFalse(_included("unknown", 0, 0, new bytes32[](0)));
        vm.assertFalse(_included("unknown", 0, sha256(""), new bytes32[](0)));
    }

    function testFuzz_a_forged_path_of_any_size_is_accepted(uint64 index, uint64 size, uint8 shift, bytes32 seed)
        public
    {
        (index, size) = _position(index, size, shift);
        (bytes32 top, bytes32[] memory path) = _forgePath(index, size, seed);
        bytes32 log = _anchored(size, top);

        vm.assertTrue(_included(log, index, seed, path));
    }

    function testFuzz_the_verdict_on_any_path_is_the_reference_s(
        uint64 index,
        uint64 size,
        uint8 shift,
        bytes32 seed,
        uint8 kind
    ) public {
        (index, size) = _position(index, size, shift);
        (bytes32 top, bytes32[] memory path) = _forgePath(index, size, seed);
        uint64 claimed = index;
        uint256 pick = uint256(seed) >> 8;
        bool mustRefuse = true;
        if (kind % 5 == 0) {
            mustRefuse = false;
            claimed = uint64(pick);
        } else if (kind % 5 == 1) {
            path = path.inserted(pick % (path.length + 1), seed);
        } else if (path.length == 0) {
            return;
        } else if (kind % 5 == 2) {
            path = path.dropped(pick % path.length);
        } else if (kind % 5 == 3) {
            path = path.flipped(pick % path.length, (pick >> 64) % 256);
        } else {
            path = path.inserted(pick % path.length, path[pick % path.length]);
        }
        bytes32 log = _anchored(size, top);

        bool verdict = _included(log, claimed, seed, path);

        vm.assertTrue(verdict == ReferenceTree.isIncluded(claimed, seed, size, top, path), "reference");
        if (mustRefuse) vm.assertFalse(verdict, "mutant");
    }

    // The precompile.

    function test_a_chain_without_the_precompile_decides_nothing() public {
        (bytes32 root1, bytes32 root2, bytes32[] memory proof) = _forge(7, 16, "precompile");
        bytes32 log = _anchored(16, root2);
        vm.mockCall(address(2), "", "");

        vm.expectRevert(abi.encodePacked(IEvidenceAnchor.Sha256Unavailable.selector));
        _contract.verifyConsistency(7, root1, 16, root2, proof);
        vm.expectRevert(abi.encodePacked(IEvidenceAnchor.Sha256Unavailable.selector));
        _contract.verifyConsistency(8, root1, 13, root1, new bytes32[](0));
        vm.expectRevert(abi.encodePacked(IEvidenceAnchor.Sha256Unavailable.selector));
        _contract.verifyInclusion(log, 3, "leaf", proof);
    }

    function test_a_failing_precompile_decides_nothing() public {
        (bytes32 root1, bytes32 root2, bytes32[] memory proof) = _forge(7, 16, "precompile");
        bytes32 log = _anchored(16, root2);
        vm.mockCallRevert(address(2), "", "");

        vm.expectRevert(abi.encodePacked(IEvidenceAnchor.Sha256Unavailable.selector));
        _contract.verifyConsistency(7, root1, 16, root2, proof);
        vm.expectRevert(abi.encodePacked(IEvidenceAnchor.Sha256Unavailable.selector));
        _contract.verifyInclusion(log, 3, "leaf", proof);
    }

    /// @dev No chain does this, but then nothing may be proved by a hash that was not computed. Each claims as a root
    /// what would be left if the hash had been skipped.
    function test_one_unanswered_hash_proves_nothing() public {
        bytes32[] memory leaves = ReferenceTree.leafHashes("unanswered", 8);
        bytes32 root1 = ReferenceTree.root(leaves, 0, 3);
        bytes32 root2 = ReferenceTree.root(leaves, 0, 8);
        bytes32[] memory proof = ReferenceTree.proof(leaves, 3, 8);
        bytes32 left = ReferenceTree.root(leaves, 0, 2);
        bytes32 right = ReferenceTree.root(leaves, 2, 4);
        bytes32 rest = ReferenceTree.root(leaves, 4, 8);
        bytes32 withoutLeft = ReferenceTree.node(right, rest);
        bytes32 withoutLast = ReferenceTree.node(ReferenceTree.node(left, leaves[2]), rest);
        vm.assertTrue(_consistent(3, root1, 8, root2, proof));

        vm.mockCall(address(2), abi.encodePacked(hex"01", left, leaves[2]), "");
        vm.assertFalse(_consistent(3, leaves[2], 8, root2, proof), "of the older tree");
        vm.clearMockedCalls();
        vm.mockCall(address(2), abi.encodePacked(hex"01", left, right), "");
        vm.assertFalse(_consistent(3, root1, 8, withoutLeft, proof), "of the newer tree, left sibling");
        vm.clearMockedCalls();
        vm.mockCall(address(2), abi.encodePacked(hex"01", leaves[2], leaves[3]), "");
        vm.assertFalse(_consistent(3, root1, 8, withoutLast, proof), "of the newer tree, right sibling");
    }

    /// @dev The same where both trees end alike and meet left siblings alone, one level after the other.
    function test_one_unanswered_hash_at_the_edge_proves_nothing() public {
        bytes32[] memory leaves = ReferenceTree.leafHashes("unanswered", 8);
        bytes32 root1 = ReferenceTree.root(leaves, 0, 7);
        bytes32 root2 = ReferenceTree.root(leaves, 0, 8);
        bytes32[] memory proof = ReferenceTree.proof(leaves, 7, 8);
        bytes32 far = ReferenceTree.root(leaves, 0, 4);
        bytes32 near = ReferenceTree.root(leaves, 4, 6);
        bytes32 last = ReferenceTree.root(leaves, 6, 8);
        vm.assertTrue(_consistent(7, root1, 8, root2, proof));

        vm.mockCall(address(2), abi.encodePacked(hex"01", near, leaves[6]), "");
        vm.assertFalse(_consistent(7, ReferenceTree.node(far, leaves[6]), 8, root2, proof), "of the older tree");
        vm.clearMockedCalls();
        vm.mockCall(address(2), abi.encodePacked(hex"01", near, last), "");
        bytes32 withoutNear = ReferenceTree.node(far, last);
        vm.expectRevert(abi.encodeWithSelector(IEvidenceAnchor.Sha256Unavailable.selector));
        _contract.verifyConsistency(7, root1, 8, withoutNear, proof);
    }

    function test_a_caller_with_memory_of_its_own_is_refused() public {
        Hoarder hoarder = new Hoarder();
        (bytes32 root1, bytes32 root2, bytes32[] memory proof) = _forge(7, 16, "memory");

        vm.expectRevert("");
        hoarder.isExtension(7, root1, 16, root2, proof);
    }

    /// @dev Whatever gas a call gets, a good proof is never refused and a bad one never accepted: it ends without
    /// an answer instead.
    function test_running_out_of_gas_is_no_verdict() public view {
        (bytes32 root1, bytes32 root2, bytes32[] memory proof) = _forge(1_234_567, 1_300_001, "gas");
        bytes memory good = abi.encodeCall(_contract.verifyConsistency, (1_234_567, root1, 1_300_001, root2, proof));
        bytes memory bad =
            abi.encodeCall(_contract.verifyConsistency, (1_234_567, root1, 1_300_001, root2, proof.flipped(0, 0)));

        for (uint256 limit = 500; limit < 13_000; limit += 37) {
            (bool answered, bytes memory result) = address(_contract).staticcall{gas: limit}(good);
            if (answered) vm.assertTrue(abi.decode(result, (bool)), "a good proof");
            (answered, result) = address(_contract).staticcall{gas: limit}(bad);
            if (answered) vm.assertFalse(abi.decode(result, (bool)), "a bad proof");
        }
    }

    // Helpers.

    function _refuseMutants(bytes32[] memory leaves, uint256 size1, uint256 size2) private view {
        bytes32 root1 = ReferenceTree.root(leaves, 0, size1);
        bytes32 root2 = ReferenceTree.root(leaves, 0, size2);
        bytes32[] memory proof = ReferenceTree.proof(leaves, size1, size2);
        vm.assertTrue(_consistent(size1, root1, size2, root2, proof));

        vm.assertFalse(_consistent(size1, root2, size2, root1, proof), "roots swapped");
        vm.assertFalse(_consistent(size1, root1, size2, root1, proof), "older root twice");
        vm.assertFalse(_consistent(size1, root2, size2, root2, proof), "newer root twice");
        vm.assertFalse(_consistent(size2, root1, size1, root2, proof), "sizes swapped");
        vm.assertFalse(_consistent(size1, root1, size2, root2, new bytes32[](0)), "no proof");
        vm.assertFalse(_consistent(size1, root1, size2, root2, proof.resized(200)), "200 hashes");
        for (uint256 place = 0; place <= proof.length; ++place) {
            vm.assertFalse(_consistent(size1, root1, size2, root2, proof.inserted(place, 0)), "extra zero");
            vm.assertFalse(_consistent(size1, root1, size2, root2, proof.inserted(place, root1)), "extra older root");
            vm.assertFalse(_consistent(size1, root1, size2, root2, proof.inserted(place, root2)), "extra newer root");
        }
        for (uint256 place = 0; place < proof.length; ++place) {
            vm.assertFalse(_consistent(size1, root1, size2, root2, proof.flipped(place, size1)), "flipped");
            vm.assertFalse(_consistent(size1, root1, size2, root2, proof.dropped(place)), "dropped");
            vm.assertFalse(_consistent(size1, root1, size2, root2, proof.inserted(place, proof[place])), "duplicated");
            for (uint256 other = place + 1; other < proof.length; ++other) {
                vm.assertFalse(_consistent(size1, root1, size2, root2, proof.swapped(place, other)), "swapped");
            }
        }
        // Another size is refused unless its proofs have the same shape, which the reference knows.
        for (uint256 other = 0; other <= leaves.length + 1; ++other) {
            bool older = ReferenceTree.isConsistent(other, root1, size2, root2, proof);
            vm.assertTrue(_consistent(other, root1, size2, root2, proof) == older, "another older size");
            bool newer = ReferenceTree.isConsistent(size1, root1, other, root2, proof);
            vm.assertTrue(_consistent(size1, root1, other, root2, proof) == newer, "another newer size");
        }
    }

    function _refuseFlippedBits(bytes32[] memory leaves, uint256 size1, uint256 size2) private view {
        bytes32 root1 = ReferenceTree.root(leaves, 0, size1);
        bytes32 root2 = ReferenceTree.root(leaves, 0, size2);
        bytes32[] memory proof = ReferenceTree.proof(leaves, size1, size2);
        for (uint256 bit = 0; bit < 256; ++bit) {
            bytes32 flip = bytes32(uint256(1) << bit);
            vm.assertFalse(_consistent(size1, root1 ^ flip, size2, root2, proof));
            vm.assertFalse(_consistent(size1, root1, size2, root2 ^ flip, proof));
            for (uint256 place = 0; place < proof.length; ++place) {
                vm.assertFalse(_consistent(size1, root1, size2, root2, proof.flipped(place, bit)));
            }
        }
    }

    function _acceptForged(uint256 size1, uint256 size2, bytes32 seed) private view {
        (bytes32 root1, bytes32 root2, bytes32[] memory proof) = _forge(size1, size2, seed);

        vm.assertTrue(_consistent(size1, root1, size2, root2, proof));
    }

    /// @dev Roots and proof of two trees nobody could hold in memory: the proof is random, the roots follow from it.
    function _forge(uint256 size1, uint256 size2, bytes32 seed)
        private
        pure
        returns (bytes32 root1, bytes32 root2, bytes32[] memory proof)
    {
        proof = ReferenceTree.leafHashes(seed, ReferenceTree.proofLength(size1, size2, true));
        ReferenceTree.Reader memory reader =
            ReferenceTree.Reader(proof, proof.length, false, keccak256(abi.encode(seed)));
        (root1, root2) = ReferenceTree.roots(reader, size1, size2, true);
    }

    function _forgePath(uint256 index, uint256 size, bytes32 leaf)
        private
        pure
        returns (bytes32 top, bytes32[] memory path)
    {
        path = ReferenceTree.leafHashes(leaf, ReferenceTree.pathLength(index, size));
        ReferenceTree.Reader memory reader = ReferenceTree.Reader(path, path.length, false, 0);
        top = ReferenceTree.rootOfPath(reader, index, leaf, size);
    }

    /// @dev 0 < size1 <= size2, of all magnitudes; half of the pairs lie close together.
    function _sizes(uint64 a, uint64 b, uint8 shift) private pure returns (uint256 size1, uint256 size2) {
        size1 = (uint256(a) >> (shift % 64)) | 1;
        if (shift & 64 == 0) size1 = size1 == type(uint64).max ? size1 : size1 + 1;
        size2 = shift & 128 == 0 ? b : size1 + (uint256(b) >> (b % 64));
        if (size2 > type(uint64).max) size2 = type(uint64).max;
        if (size1 > size2) (size1, size2) = (size2, size1);
        if (size1 == 0) size1 = 1;
    }

    /// @dev index < size, of all magnitudes.
    function _position(uint64 index, uint64 size, uint8 shift) private pure returns (uint64, uint64) {
        size >>= shift % 64;
        if (size == 0) size = 1;
        // Every fourth leaf is near the right edge, where levels are incomplete.
        uint64 back = shift & 192 == 0 ? (index % size) % 9 : index % size;
        return (size - 1 - back, size);
    }

    function _consistent(uint256 size1, bytes32 root1, uint256 size2, bytes32 root2, bytes32[] memory proof)
        private
        view
        returns (bool)
    {
        return _contract.verifyConsistency(uint64(size1), root1, uint64(size2), root2, proof);
    }

    function _included(bytes32 log, uint256 index, bytes32 leaf, bytes32[] memory path) private view returns (bool) {
        return _contract.verifyInclusion(log, uint64(index), leaf, path);
    }

    /// @dev A new log whose head is this tree.
    function _anchored(uint256 size, bytes32 root) private returns (bytes32 log) {
        log = _contract.register(bytes32(++_logs), address(this));
        _contract.anchor(log, uint64(size), root, new bytes32[](0));
    }

    function _one(bytes32 hash) private pure returns (bytes32[] memory list) {
        list = new bytes32[](1);
        list[0] = hash;
    }
}

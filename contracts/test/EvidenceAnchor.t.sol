// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EvidenceAnchor} from "../src/EvidenceAnchor.sol";
import {IEvidenceAnchor} from "../src/IEvidenceAnchor.sol";
import {Mutants} from "./support/Mutants.sol";
import {ReferenceTree} from "./support/ReferenceTree.sol";
import {Test, Vm} from "./support/Test.sol";

contract EvidenceAnchorTest is Test {
    using Mutants for bytes32[];

    /// @dev SHA-256 of "ledger.example.gov/office-1".
    bytes32 private constant ORIGIN = 0x4e29797efa5930b896d11338d240d5bff06b1625e9030c7fc502a6599dd6e010;
    address private constant OWNER = address(0xA11CE);
    address private constant PUBLISHER = address(0xB0B);
    address private constant STRANGER = address(0xBAD);

    EvidenceAnchor private _contract;
    bytes32 private _log;
    bytes32[] private _leaves;

    function setUp() public {
        _contract = new EvidenceAnchor();
        vm.prank(OWNER);
        _log = _contract.register(ORIGIN, PUBLISHER);
        _leaves = ReferenceTree.leafHashes("log", 24);
    }

    // register

    function test_a_log_is_named_by_its_owner_and_origin() public view {
        vm.assertEq(_log, keccak256(abi.encode(OWNER, ORIGIN)));
    }

    function test_registration_is_announced() public {
        bytes32 expected = keccak256(abi.encode(STRANGER, ORIGIN));
        vm.expectEmit(true, true, true, true, address(_contract));
        emit IEvidenceAnchor.LogRegistered(expected, STRANGER, ORIGIN);
        vm.expectEmit(true, true, true, true, address(_contract));
        emit IEvidenceAnchor.PublisherSet(expected, PUBLISHER, true);

        vm.prank(STRANGER);
        vm.assertEq(_contract.register(ORIGIN, PUBLISHER), expected);
    }

    function test_nobody_can_take_the_log_of_another() public {
        vm.prank(STRANGER);
        bytes32 other = _contract.register(ORIGIN, STRANGER);

        vm.assertTrue(other != _log);
        _refuse(
            abi.encodeWithSelector(IEvidenceAnchor.NotPublisher.selector, _log, STRANGER),
            STRANGER,
            1,
            _root(1),
            _none()
        );
    }

    function test_a_log_is_registered_once() public {
        vm.expectRevert(abi.encodeWithSelector(IEvidenceAnchor.LogAlreadyRegistered.selector, _log));
        vm.prank(OWNER);
        _contract.register(ORIGIN, PUBLISHER);
    }

    function test_a_log_is_registered_once_even_after_it_changed_hands() public {
        _transfer(STRANGER);

        vm.expectRevert(abi.encodeWithSelector(IEvidenceAnchor.LogAlreadyRegistered.selector, _log));
        vm.prank(OWNER);
        _contract.register(ORIGIN, PUBLISHER);
    }

    function test_the_zero_address_is_not_registered_as_a_publisher() public {
        vm.expectRevert(abi.encodeWithSelector(IEvidenceAnchor.ZeroPublisher.selector));
        _contract.register("other", address(0));
    }

    function test_an_owner_has_one_log_for_each_origin() public {
        vm.prank(OWNER);
        bytes32 second = _contract.register("other", PUBLISHER);
        _anchorAs(PUBLISHER, 3);

        (uint64 size,,,) = _contract.head(second);
        vm.assertEq(size, 0);
    }

    // setPublisher

    function test_an_allowed_publisher_may_anchor_and_a_forbidden_one_may_not() public {
        vm.expectEmit(true, true, true, true, address(_contract));
        emit IEvidenceAnchor.PublisherSet(_log, STRANGER, true);
        vm.prank(OWNER);
        _contract.setPublisher(_log, STRANGER, true);
        vm.assertTrue(_anchorAs(STRANGER, 1));

        vm.expectEmit(true, true, true, true, address(_contract));
        emit IEvidenceAnchor.PublisherSet(_log, STRANGER, false);
        vm.prank(OWNER);
        _contract.setPublisher(_log, STRANGER, false);
        _refuse(
            abi.encodeWithSelector(IEvidenceAnchor.NotPublisher.selector, _log, STRANGER),
            STRANGER,
            2,
            _root(2),
            _none()
        );

        vm.assertTrue(_anchorAs(PUBLISHER, 2));
    }

    function test_only_the_owner_sets_publishers() public {
        vm.expectRevert(abi.encodeWithSelector(IEvidenceAnchor.NotOwner.selector, _log, PUBLISHER));
        vm.prank(PUBLISHER);
        _contract.setPublisher(_log, STRANGER, true);
    }

    function test_publishers_of_an_unknown_log_cannot_be_set() public {
        vm.expectRevert(abi.encodeWithSelector(IEvidenceAnchor.UnknownLog.selector, bytes32("unknown")));
        _contract.setPublisher("unknown", STRANGER, true);
    }

    function test_the_zero_address_is_not_made_a_publisher() public {
        vm.expectRevert(abi.encodeWithSelector(IEvidenceAnchor.ZeroPublisher.selector));
        vm.prank(OWNER);
        _contract.setPublisher(_log, address(0), true);
    }

    function test_the_owner_is_not_a_publisher_unless_made_one() public {
        _refuse(abi.encodeWithSelector(IEvidenceAnchor.NotPublisher.selector, _log, OWNER), OWNER, 1, _root(1), _none());
    }

    // transferOwnership, acceptOwnership

    function test_ownership_changes_when_it_is_accepted() public {
        vm.expectEmit(true, true, true, true, address(_contract));
        emit IEvidenceAnchor.OwnershipTransferStarted(_log, OWNER, STRANGER);
        vm.prank(OWNER);
        _contract.transferOwnership(_log, STRANGER);

        vm.expectRevert(abi.encodeWithSelector(IEvidenceAnchor.NotOwner.selector, _log, STRANGER));
        vm.prank(STRANGER);
        _contract.setPublisher(_log, STRANGER, true);

        vm.expectEmit(true, true, true, true, address(_contract));
        emit IEvidenceAnchor.OwnershipTransferred(_log, OWNER, STRANGER);
        vm.prank(STRANGER);
        _contract.acceptOwnership(_log);

        vm.prank(STRANGER);
        _contract.setPublisher(_log, STRANGER, true);
        vm.expectRevert(abi.encodeWithSelector(IEvidenceAnchor.NotOwner.selector, _log, OWNER));
        vm.prank(OWNER);
        _contract.setPublisher(_log, OWNER, true);
    }

    function test_a_nomination_is_used_once() public {
        _transfer(STRANGER);

        vm.expectRevert(abi.encodeWithSelector(IEvidenceAnchor.NotPendingOwner.selector, _log, STRANGER));
        vm.prank(STRANGER);
        _contract.acceptOwnership(_log);
    }

    function test_a_later_nomination_replaces_the_earlier_one() public {
        vm.prank(OWNER);
        _contract.transferOwnership(_log, STRANGER);
        vm.prank(OWNER);
        _contract.transferOwnership(_log, PUBLISHER);

        vm.expectRevert(abi.encodeWithSelector(IEvidenceAnchor.NotPendingOwner.selector, _log, STRANGER));
        vm.prank(STRANGER);
        _contract.acceptOwnership(_log);
        vm.prank(PUBLISHER);
        _contract.acceptOwnership(_log);
    }

    function test_a_nomination_can_be_withdrawn() public {
        vm.prank(OWNER);
        _contract.transferOwnership(_log, STRANGER);
        vm.prank(OWNER);
        _contract.transferOwnership(_log, address(0));

        vm.expectRevert(abi.encodeWithSelector(IEvidenceAnchor.NotPendingOwner.selector, _log, STRANGER));
        vm.prank(STRANGER);
        _contract.acceptOwnership(_log);
    }

    function test_only_the_owner_nominates() public {
        vm.expectRevert(abi.encodeWithSelector(IEvidenceAnchor.NotOwner.selector, _log, STRANGER));
        vm.prank(STRANGER);
        _contract.transferOwnership(_log, STRANGER);
    }

    function test_an_unknown_log_is_neither_given_nor_taken() public {
        vm.expectRevert(abi.encodeWithSelector(IEvidenceAnchor.UnknownLog.selector, bytes32("unknown")));
        _contract.transferOwnership("unknown", STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IEvidenceAnchor.UnknownLog.selector, bytes32("unknown")));
        _contract.acceptOwnership("unknown");
        // The zero address is the pending owner of every log without a nomination, and not even it may accept.
        vm.expectRevert(abi.encodeWithSelector(IEvidenceAnchor.UnknownLog.selector, bytes32("unknown")));
        vm.prank(address(0));
        _contract.acceptOwnership("unknown");
    }

    function test_a_change_of_owner_leaves_head_and_publishers_alone() public {
        _anchorAs(PUBLISHER, 5);
        _transfer(STRANGER);

        _assertHead(5);
        vm.assertTrue(_anchorAs(PUBLISHER, 6));
    }

    // anchor

    function test_a_first_anchor_is_kept_and_announced() public {
        vm.roll(42);
        vm.warp(1_767_225_600);
        bytes32 expected = _root(7);
        vm.expectEmit(true, true, true, true, address(_contract));
        emit IEvidenceAnchor.Anchored(_log, 7, expected);

        vm.assertTrue(_anchor(7, expected, _none()));

        (uint64 size, bytes32 root, uint64 blockNumber, uint64 time) = _contract.head(_log);
        vm.assertEq(size, 7);
        vm.assertEq(root, _root(7));
        vm.assertEq(blockNumber, 42);
        vm.assertEq(time, 1_767_225_600);
    }

    function test_a_log_grows_through_every_size() public {
        for (uint256 size = 1; size <= _leaves.length; ++size) {
            bytes32 root = _root(size);
            bytes32[] memory proof = size == 1 ? _none() : ReferenceTree.proof(_leaves, size - 1, size);
            vm.expectEmit(true, true, true, true, address(_contract));
            emit IEvidenceAnchor.Anchored(_log, uint64(size), root);
            vm.assertTrue(_anchor(size, root, proof));
            _assertHead(size);
        }
    }

    function test_a_duplicate_changes_nothing_whatever_the_proof() public {
        _anchorAs(PUBLISHER, 5);
        bytes32[] memory proof = ReferenceTree.proof(_leaves, 5, 8);
        _anchor(8, _root(8), proof);
        (,, uint64 blockNumber, uint64 time) = _contract.head(_log);
        vm.roll(block.number + 100);
        vm.warp(block.timestamp + 1000);

        vm.record();
        vm.recordLogs();
        vm.assertFalse(_anchor(8, _root(8), _none()));
        vm.assertFalse(_anchor(8, _root(8), proof));
        vm.assertFalse(_anchor(8, _root(8), new bytes32[](500)));

        (, bytes32[] memory writes) = vm.accesses(address(_contract));
        vm.assertEq(writes.length, 0);
        vm.assertEq(vm.getRecordedLogs().length, 0);
        (uint64 size, bytes32 root, uint64 blockAfter, uint64 timeAfter) = _contract.head(_log);
        vm.assertEq(size, 8);
        vm.assertEq(root, _root(8));
        vm.assertEq(blockAfter, blockNumber);
        vm.assertEq(timeAfter, time);
    }

    function test_another_root_of_the_same_size_is_refused() public {
        _anchorAs(PUBLISHER, 5);
        bytes32 other = ReferenceTree.root(ReferenceTree.leafHashes("fork", 5), 0, 5);

        _refuse(
            abi.encodeWithSelector(IEvidenceAnchor.RootConflict.selector, _log, uint64(5), _root(5), other),
            PUBLISHER,
            5,
            other,
            _none()
        );
        _assertHead(5);
    }

    function test_inclusion_is_judged_in_a_tree_of_the_size_of_the_head() public {
        _anchorAs(PUBLISHER, 1);

        vm.assertTrue(_contract.verifyInclusion(_log, 0, _root(1), _none()));
        vm.assertFalse(_contract.verifyInclusion(_log, 1, _root(1), _none()));
    }

    function test_consistency_leads_from_the_older_tree_to_the_newer_one() public view {
        bytes32[] memory proof = ReferenceTree.proof(_leaves, 5, 9);

        vm.assertTrue(_contract.verifyConsistency(5, _root(5), 9, _root(9), proof));
        vm.assertFalse(_contract.verifyConsistency(9, _root(9), 5, _root(5), proof));
    }

    function test_a_smaller_size_is_refused() public {
        _anchorAs(PUBLISHER, 5);

        for (uint64 size = 0; size < 5; ++size) {
            _refuse(
                abi.encodeWithSelector(IEvidenceAnchor.SizeBelowHead.selector, _log, uint64(5), size),
                PUBLISHER,
                size,
                size == 0 ? sha256("") : _root(size),
                _none()
            );
        }
        _assertHead(5);
    }

    function test_an_empty_tree_is_refused() public {
        _refuse(abi.encodeWithSelector(IEvidenceAnchor.EmptyTree.selector, _log), PUBLISHER, 0, sha256(""), _none());
        // Size and root of a head that does not exist: not a duplicate.
        _refuse(abi.encodeWithSelector(IEvidenceAnchor.EmptyTree.selector, _log), PUBLISHER, 0, 0, _none());
    }

    function test_an_unknown_log_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(IEvidenceAnchor.UnknownLog.selector, bytes32("unknown")));
        vm.prank(PUBLISHER);
        _contract.anchor("unknown", 1, "root", _none());
    }

    function test_a_stranger_is_refused() public {
        _refuse(
            abi.encodeWithSelector(IEvidenceAnchor.NotPublisher.selector, _log, STRANGER),
            STRANGER,
            1,
            _root(1),
            _none()
        );
    }

    function test_a_stranger_learns_nothing_from_a_duplicate() public {
        _anchorAs(PUBLISHER, 5);

        _refuse(
            abi.encodeWithSelector(IEvidenceAnchor.NotPublisher.selector, _log, STRANGER),
            STRANGER,
            5,
            _root(5),
            _none()
        );
    }

    function test_a_first_anchor_with_a_proof_is_refused() public {
        _refuse(
            abi.encodeWithSelector(IEvidenceAnchor.UnexpectedProof.selector, _log),
            PUBLISHER,
            5,
            _root(5),
            new bytes32[](1)
        );
    }

    function test_a_fork_is_refused() public {
        bytes32[] memory fork = ReferenceTree.leafHashes("fork", 24);
        for (uint256 i = 0; i < 4; ++i) {
            fork[i] = _leaves[i];
        }
        _anchorAs(PUBLISHER, 5);

        for (uint256 size = 6; size <= fork.length; ++size) {
            _refuse(
                abi.encodeWithSelector(IEvidenceAnchor.InconsistentTree.selector, _log, uint64(5), uint64(size)),
                PUBLISHER,
                size,
                ReferenceTree.root(fork, 0, size),
                ReferenceTree.proof(fork, 5, size)
            );
        }
        _assertHead(5);
    }

    function test_every_damaged_proof_is_refused() public {
        for (uint256 size1 = 1; size1 < 12; ++size1) {
            _anchorAs(PUBLISHER, size1);
            for (uint256 size2 = size1 + 1; size2 <= 13; ++size2) {
                bytes32[] memory proof = ReferenceTree.proof(_leaves, size1, size2);
                _refuseProof(size1, size2, _root(size1), proof);
                _refuseProof(size1, size2, _root(size2), _none());
                _refuseProof(size1, size2, _root(size2), proof.inserted(proof.length, 0));
                _refuseProof(size1, size2, _root(size2), proof.resized(300));
                for (uint256 place = 0; place < proof.length; ++place) {
                    _refuseProof(size1, size2, _root(size2), proof.flipped(place, 8 * size2));
                    _refuseProof(size1, size2, _root(size2), proof.dropped(place));
                    _refuseProof(size1, size2, _root(size2), proof.inserted(place, proof[place]));
                }
                if (proof.length > 1) _refuseProof(size1, size2, _root(size2), proof.swapped(0, proof.length - 1));
            }
        }
    }

    function testFuzz_a_log_grows_by_any_steps(uint8 a, uint8 b, uint8 c) public {
        uint256 size1 = 1 + a % 8;
        uint256 size2 = size1 + b % 8;
        uint256 size3 = size2 + c % 9;

        vm.assertTrue(_anchorAs(PUBLISHER, size1));
        vm.assertTrue(_anchorAs(PUBLISHER, size2) == (size2 > size1));
        vm.assertTrue(_anchorAs(PUBLISHER, size3) == (size3 > size2));
        _assertHead(size3);
    }

    // Storage, calldata, ether.

    function test_the_head_is_two_slots_at_the_documented_place() public {
        vm.roll(42);
        vm.warp(1_767_225_600);
        _anchorAs(PUBLISHER, 3);
        bytes32[] memory proof = ReferenceTree.proof(_leaves, 3, 7);
        vm.roll(43);
        vm.warp(1_767_225_612);

        vm.record();
        _anchor(7, _root(7), proof);

        (, bytes32[] memory writes) = vm.accesses(address(_contract));
        bytes32 slot = keccak256(abi.encode(_log, uint256(0)));
        vm.assertEq(writes.length, 2);
        vm.assertEq(writes[0], slot);
        vm.assertEq(writes[1], bytes32(uint256(slot) + 1));
        uint256 packed = uint256(1_767_225_612) << 128 | uint256(43) << 64 | 7;
        vm.assertEq(vm.load(address(_contract), slot), bytes32(packed));
        vm.assertEq(vm.load(address(_contract), bytes32(uint256(slot) + 1)), _root(7));
    }

    function test_block_number_and_time_stay_in_their_fields() public {
        vm.roll(uint256(type(uint64).max) + 2);
        vm.warp(uint256(type(uint64).max) + 3);
        _anchorAs(PUBLISHER, 7);

        (uint64 size,, uint64 blockNumber, uint64 time) = _contract.head(_log);
        vm.assertEq(size, 7);
        vm.assertEq(blockNumber, 1);
        vm.assertEq(time, 2);
        bytes32 packed = bytes32(uint256(2) << 128 | uint256(1) << 64 | 7);
        vm.assertEq(vm.load(address(_contract), keccak256(abi.encode(_log, uint256(0)))), packed);
    }

    function test_the_largest_size_is_anchored_and_nothing_after_it() public {
        uint64 top = type(uint64).max;
        vm.assertTrue(_anchor(top, "root", _none()));

        vm.assertFalse(_anchor(top, "root", _none()));
        _refuse(
            abi.encodeWithSelector(IEvidenceAnchor.SizeBelowHead.selector, _log, top, uint64(1)),
            PUBLISHER,
            1,
            "root",
            _none()
        );
    }

    function test_a_size_beyond_64_bits_is_refused() public {
        bytes memory data = abi.encodeCall(_contract.anchor, (_log, 1, _root(1), _none()));
        // Bit 64 of the second argument: ignored, it would be size 1 again.
        data[4 + 32 + 23] = 0x01;
        _refuseCall(PUBLISHER, data);

        data[4 + 32 + 23] = 0x00;
        _acceptCall(PUBLISHER, data);
    }

    function test_an_address_beyond_160_bits_is_refused() public {
        bytes memory data = abi.encodeCall(_contract.setPublisher, (_log, STRANGER, true));
        data[4 + 32 + 11] = 0x01;
        _refuseCall(OWNER, data);

        data[4 + 32 + 11] = 0x00;
        _acceptCall(OWNER, data);
    }

    function test_a_flag_that_is_neither_true_nor_false_is_refused() public {
        bytes memory data = abi.encodeCall(_contract.setPublisher, (_log, STRANGER, true));
        data[4 + 64 + 31] = 0x02;
        _refuseCall(OWNER, data);

        data[4 + 64 + 31] = 0x01;
        _acceptCall(OWNER, data);
    }

    function test_a_proof_that_lies_about_its_length_is_refused() public {
        _anchorAs(PUBLISHER, 3);
        bytes memory data = abi.encodeCall(_contract.anchor, (_log, 7, _root(7), ReferenceTree.proof(_leaves, 3, 7)));
        uint256 lengthAt = 4 + 4 * 32;

        data[lengthAt + 31] = 0x05;
        _refuseCall(PUBLISHER, data);
        data[lengthAt] = 0xff;
        _refuseCall(PUBLISHER, data);

        data[lengthAt] = 0x00;
        data[lengthAt + 31] = 0x04;
        _acceptCall(PUBLISHER, data);
    }

    function test_a_proof_outside_the_calldata_is_refused() public {
        bytes memory data = abi.encodeCall(_contract.anchor, (_log, 7, _root(7), _none()));

        data[4 + 3 * 32 + 31] = 0xff;
        _refuseCall(PUBLISHER, data);
        data[4 + 3 * 32] = 0xff;
        _refuseCall(PUBLISHER, data);
    }

    function test_truncated_calldata_is_refused() public {
        bytes memory data = abi.encodeCall(_contract.anchor, (_log, 7, _root(7), _none()));
        for (uint256 length = 0; length < data.length; length += 7) {
            bytes memory shorter = new bytes(length);
            for (uint256 i = 0; i < length; ++i) {
                shorter[i] = data[i];
            }
            _refuseCall(PUBLISHER, shorter);
        }
    }

    function test_bytes_after_the_proof_are_not_read() public {
        _anchorAs(PUBLISHER, 3);
        bytes32[] memory proof = ReferenceTree.proof(_leaves, 3, 7);
        bytes32[] memory shorter = proof.dropped(proof.length - 1);
        bytes memory data = abi.encodeCall(_contract.anchor, (_log, 7, _root(7), shorter));

        // The missing hash stands where the walk would read on, but outside the proof.
        _refuseCall(PUBLISHER, abi.encodePacked(data, proof[proof.length - 1]));
        _assertHead(3);
    }

    function test_ether_is_refused() public {
        vm.deal(PUBLISHER, 1 ether);
        bytes memory data = abi.encodeCall(_contract.anchor, (_log, 1, _root(1), _none()));

        vm.prank(PUBLISHER);
        (bool accepted,) = address(_contract).call{value: 1}(data);
        vm.assertFalse(accepted);
        vm.prank(PUBLISHER);
        (accepted,) = address(_contract).call{value: 1}("");
        vm.assertFalse(accepted);
    }

    function test_an_unknown_function_is_refused() public {
        _refuseCall(OWNER, "");
        _refuseCall(OWNER, hex"00");
        _refuseCall(OWNER, abi.encodeWithSignature("upgradeTo(address)", STRANGER));
    }

    // Helpers.

    function _root(uint256 size) private view returns (bytes32) {
        return ReferenceTree.root(_leaves, 0, size);
    }

    function _none() private pure returns (bytes32[] memory) {
        return new bytes32[](0);
    }

    /// @dev Anchors the log's own tree of this size, with the proof it needs, as `caller`.
    function _anchorAs(address caller, uint256 size) private returns (bool) {
        (uint64 headSize,,,) = _contract.head(_log);
        bytes32[] memory proof = headSize == 0 ? _none() : ReferenceTree.proof(_leaves, headSize, size);
        bytes32 root = _root(size);
        vm.prank(caller);
        return _contract.anchor(_log, uint64(size), root, proof);
    }

    function _anchor(uint256 size, bytes32 root, bytes32[] memory proof) private returns (bool) {
        vm.prank(PUBLISHER);
        return _contract.anchor(_log, uint64(size), root, proof);
    }

    function _refuse(bytes memory reason, address caller, uint256 size, bytes32 root, bytes32[] memory proof) private {
        vm.expectRevert(reason);
        vm.prank(caller);
        _contract.anchor(_log, uint64(size), root, proof);
    }

    function _refuseProof(uint256 size1, uint256 size2, bytes32 root, bytes32[] memory proof) private {
        _refuse(
            abi.encodeWithSelector(IEvidenceAnchor.InconsistentTree.selector, _log, uint64(size1), uint64(size2)),
            PUBLISHER,
            size2,
            root,
            proof
        );
    }

    function _refuseCall(address caller, bytes memory data) private {
        vm.prank(caller);
        (bool accepted,) = address(_contract).call(data);
        vm.assertFalse(accepted);
    }

    function _acceptCall(address caller, bytes memory data) private {
        vm.prank(caller);
        (bool accepted,) = address(_contract).call(data);
        vm.assertTrue(accepted);
    }

    function _transfer(address successor) private {
        vm.prank(OWNER);
        _contract.transferOwnership(_log, successor);
        vm.prank(successor);
        _contract.acceptOwnership(_log);
    }

    function _assertHead(uint256 expected) private view {
        (uint64 size, bytes32 root,,) = _contract.head(_log);
        vm.assertEq(size, expected);
        vm.assertEq(root, _root(expected));
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EvidenceAnchor} from "../src/EvidenceAnchor.sol";
import {IEvidenceAnchor} from "../src/IEvidenceAnchor.sol";
import {ReleaseOnEvidence} from "../src/examples/ReleaseOnEvidence.sol";
import {Mutants} from "./support/Mutants.sol";
import {ReferenceTree} from "./support/ReferenceTree.sol";
import {Test} from "./support/Test.sol";

/// @dev A payee that calls back while it is being paid, once.
contract Greedy {
    ReleaseOnEvidence private immutable _DEALS;
    bytes private _again;
    bool public attempted;
    bool public succeeded;

    constructor(ReleaseOnEvidence deals, bytes memory again) {
        _DEALS = deals;
        _again = again;
    }

    function take() external {
        _DEALS.withdraw();
    }

    receive() external payable {
        if (attempted) return;
        attempted = true;
        (succeeded,) = address(_DEALS).call(_again);
    }
}

/// @dev An account that refuses ether.
contract Unpayable {
    function take(ReleaseOnEvidence deals) external {
        deals.withdraw();
    }
}

/// @dev Says of everything that it is included.
contract Flatterer {
    function head(bytes32) external pure returns (uint64, bytes32, uint64, uint64) {
        return (1, 0, 0, 0);
    }

    function verifyInclusion(bytes32, uint64, bytes32, bytes32[] calldata) external pure returns (bool) {
        return true;
    }
}

contract ReleaseOnEvidenceTest is Test {
    using Mutants for bytes32[];

    address private constant PAYER = address(0xA11CE);
    address private constant PAYEE = address(0xB0B);
    address private constant STRANGER = address(0xBAD);
    bytes32 private constant COMMITMENT = "commitment of the document";
    bytes32 private constant TAG = "tag of the document";
    uint64 private constant DEADLINE = 2_000_000;
    uint64 private constant INDEX = 4;

    EvidenceAnchor private _anchor;
    ReleaseOnEvidence private _deals;
    bytes32 private _log;
    bytes32[] private _leaves;
    uint256 private _deal;
    uint256 private _accepted;

    /// @dev A log of seven entries, anchored at four; the document's is the fifth. One deal waits for it.
    function setUp() public {
        vm.warp(1_000_000);
        _anchor = new EvidenceAnchor();
        _deals = new ReleaseOnEvidence(_anchor, address(_anchor).codehash);
        _log = _anchor.register("origin", address(this));
        _leaves = ReferenceTree.leafHashes("log", 7);
        _leaves[INDEX] = sha256(abi.encodePacked(hex"00", hex"01", COMMITMENT, TAG));
        _anchorUpTo(4);
        vm.deal(PAYER, 100 ether);
        _deal = _hold(3 ether, PAYEE);
    }

    // Held.

    function test_a_deal_is_held_and_announced() public {
        vm.expectEmit(true, true, true, true, address(_deals));
        emit ReleaseOnEvidence.Held(1, PAYER, PAYEE, _log, _leaves[INDEX], 2 ether, DEADLINE);

        vm.assertEq(_hold(2 ether, PAYEE), 1);

        ReleaseOnEvidence.Deal memory deal = _deals.dealOf(1);
        vm.assertEq(deal.log, _log);
        vm.assertEq(deal.leafHash, _leaves[INDEX]);
        vm.assertEq(deal.amount, 2 ether);
        vm.assertEq(deal.payer, PAYER);
        vm.assertEq(deal.payee, PAYEE);
        vm.assertEq(deal.deadline, DEADLINE);
        vm.assertTrue(deal.state == ReleaseOnEvidence.State.Held);
        vm.assertEq(_deals.dealCount(), 2);
        vm.assertEq(address(_deals).balance, 5 ether);
    }

    function test_a_deal_without_ether_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(ReleaseOnEvidence.NothingToHold.selector));
        _deals.hold(_log, COMMITMENT, TAG, PAYEE, DEADLINE);
    }

    function test_a_deal_for_nobody_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(ReleaseOnEvidence.ZeroPayee.selector));
        vm.prank(PAYER);
        _deals.hold{value: 1}(_log, COMMITMENT, TAG, address(0), DEADLINE);
    }

    function test_a_deadline_that_is_not_in_the_future_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(ReleaseOnEvidence.DeadlinePassed.selector, uint64(1_000_000)));
        vm.prank(PAYER);
        _deals.hold{value: 1}(_log, COMMITMENT, TAG, PAYEE, 1_000_000);
    }

    function test_ether_that_is_just_sent_is_refused() public {
        vm.prank(PAYER);
        (bool accepted,) = address(_deals).call{value: 1}("");

        vm.assertFalse(accepted);
    }

    function test_another_contract_than_the_anchor_is_refused() public {
        bytes32 expected = address(_anchor).codehash;
        Flatterer flatterer = new Flatterer();

        vm.expectRevert(abi.encodeWithSelector(ReleaseOnEvidence.OtherContract.selector, address(flatterer).codehash));
        new ReleaseOnEvidence(IEvidenceAnchor(address(flatterer)), expected);
    }

    function test_an_address_without_code_is_refused() public {
        bytes32 expected = address(_anchor).codehash;

        vm.expectRevert(abi.encodeWithSelector(ReleaseOnEvidence.OtherContract.selector, STRANGER.codehash));
        new ReleaseOnEvidence(IEvidenceAnchor(STRANGER), expected);
    }

    // Released.

    function test_anybody_releases_a_deal_once_the_entry_is_anchored() public {
        _anchorUpTo(7);
        bytes32[] memory proof = _proof(7);
        vm.expectEmit(true, true, true, true, address(_deals));
        emit ReleaseOnEvidence.Released(_deal, INDEX, 7);

        vm.prank(STRANGER);
        _deals.release(_deal, INDEX, proof);

        vm.assertTrue(_deals.dealOf(_deal).state == ReleaseOnEvidence.State.Released);
        vm.assertEq(_deals.balanceOf(PAYEE), 3 ether);
        vm.assertEq(_deals.balanceOf(STRANGER), 0);
        vm.assertEq(_deals.balanceOf(PAYER), 0);
    }

    function test_an_entry_that_is_not_anchored_yet_releases_nothing() public {
        _refuse(_deal, INDEX, _proof(7), 4);
        _refuse(_deal, INDEX, _proof(5), 4);
        _refuse(_deal, 3, ReferenceTree.path(_leaves, 3, 0, 4), 4);
    }

    function test_a_log_without_an_anchor_releases_nothing() public {
        bytes32 log = _anchor.register("empty", address(this));
        uint256 deal = _holdFor(log, 1 ether);

        _refuse(deal, INDEX, _proof(7), 0);
        _refuse(deal, 0, new bytes32[](0), 0);
    }

    function test_a_log_that_nobody_registered_releases_nothing() public {
        uint256 deal = _holdFor("unknown", 1 ether);
        _anchorUpTo(7);

        _refuse(deal, INDEX, _proof(7), 0);
    }

    /// @dev Anybody can register a log of their own and anchor in it what they like.
    function test_the_entry_in_another_log_releases_nothing() public {
        vm.prank(STRANGER);
        bytes32 other = _anchor.register("origin", STRANGER);
        vm.prank(STRANGER);
        _anchor.anchor(other, 1, _leaves[INDEX], new bytes32[](0));
        vm.assertTrue(_anchor.verifyInclusion(other, 0, _leaves[INDEX], new bytes32[](0)));

        _refuse(_deal, 0, new bytes32[](0), 4);
    }

    function test_another_index_releases_nothing() public {
        _anchorUpTo(7);

        for (uint64 index = 0; index < 9; ++index) {
            if (index != INDEX) _refuse(_deal, index, _proof(7), 7);
        }
    }

    function test_another_entry_releases_nothing() public {
        _anchorUpTo(7);

        for (uint64 index = 0; index < 7; ++index) {
            if (index != INDEX) _refuse(_deal, index, ReferenceTree.path(_leaves, index, 0, 7), 7);
        }
    }

    function test_a_damaged_proof_releases_nothing() public {
        _anchorUpTo(7);
        bytes32[] memory proof = _proof(7);

        for (uint256 place = 0; place < proof.length; ++place) {
            _refuse(_deal, INDEX, proof.flipped(place, 17), 7);
            _refuse(_deal, INDEX, proof.dropped(place), 7);
            _refuse(_deal, INDEX, proof.inserted(place, proof[place]), 7);
        }
        _refuse(_deal, INDEX, proof.inserted(proof.length, 0), 7);
    }

    /// @dev Commitment and tag that are two halves of an inner node: the hash that would stand in the tree is made behind
    /// 0x01, ours behind 0x00 and a version.
    function test_an_inner_node_releases_nothing() public {
        vm.prank(PAYER);
        uint256 deal = _deals.hold{value: 1}(_log, _leaves[0], _leaves[1], PAYEE, DEADLINE);
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = ReferenceTree.root(_leaves, 2, 4);

        _refuse(deal, 0, proof, 4);
    }

    function test_a_proof_to_an_older_tree_needs_renewal() public {
        _anchorUpTo(5);
        bytes32[] memory older = _proof(5);
        _anchorUpTo(7);

        _refuse(_deal, INDEX, older, 7);
        _deals.release(_deal, INDEX, _proof(7));
    }

    function test_a_deal_is_released_once() public {
        _anchorUpTo(7);
        _deals.release(_deal, INDEX, _proof(7));

        bytes32[] memory proof = _proof(7);
        vm.expectRevert(abi.encodeWithSelector(ReleaseOnEvidence.NotHeld.selector, _deal));
        _deals.release(_deal, INDEX, proof);
        vm.assertEq(_deals.balanceOf(PAYEE), 3 ether);
    }

    function test_a_deal_that_does_not_exist_is_refused() public {
        _anchorUpTo(7);
        bytes32[] memory proof = _proof(7);

        vm.expectRevert(abi.encodeWithSelector(ReleaseOnEvidence.NotHeld.selector, uint256(99)));
        _deals.release(99, INDEX, proof);
        vm.expectRevert(abi.encodeWithSelector(ReleaseOnEvidence.NotHeld.selector, uint256(99)));
        _deals.refund(99);
    }

    function test_two_deals_on_one_entry_are_released_each_by_itself() public {
        uint256 second = _hold(5 ether, STRANGER);
        _anchorUpTo(7);

        _deals.release(second, INDEX, _proof(7));

        vm.assertEq(_deals.balanceOf(PAYEE), 0);
        vm.assertEq(_deals.balanceOf(STRANGER), 5 ether);
        vm.assertTrue(_deals.dealOf(_deal).state == ReleaseOnEvidence.State.Held);
    }

    function test_two_deals_for_one_payee_add_up() public {
        uint256 second = _hold(5 ether, PAYEE);
        _anchorUpTo(7);

        _deals.release(_deal, INDEX, _proof(7));
        _deals.release(second, INDEX, _proof(7));

        vm.assertEq(_deals.balanceOf(PAYEE), 8 ether);
    }

    function test_a_deal_is_released_after_the_deadline_unless_it_was_taken_back() public {
        _anchorUpTo(7);
        vm.warp(DEADLINE + 1);

        _deals.release(_deal, INDEX, _proof(7));

        vm.assertEq(_deals.balanceOf(PAYEE), 3 ether);
    }

    // Taken back.

    function test_the_payer_takes_a_deal_back_at_the_deadline() public {
        vm.warp(DEADLINE);
        vm.expectEmit(true, true, true, true, address(_deals));
        emit ReleaseOnEvidence.Refunded(_deal);

        vm.prank(PAYER);
        _deals.refund(_deal);

        vm.assertTrue(_deals.dealOf(_deal).state == ReleaseOnEvidence.State.Refunded);
        vm.assertEq(_deals.balanceOf(PAYER), 3 ether);
    }

    function test_the_payer_waits_for_the_deadline() public {
        vm.warp(DEADLINE - 1);

        vm.expectRevert(abi.encodeWithSelector(ReleaseOnEvidence.TooEarly.selector, _deal, DEADLINE));
        vm.prank(PAYER);
        _deals.refund(_deal);
    }

    function test_only_the_payer_takes_a_deal_back() public {
        vm.warp(DEADLINE);

        vm.expectRevert(abi.encodeWithSelector(ReleaseOnEvidence.NotPayer.selector, _deal, STRANGER));
        vm.prank(STRANGER);
        _deals.refund(_deal);
    }

    function test_a_deal_that_was_taken_back_is_over() public {
        _anchorUpTo(7);
        vm.warp(DEADLINE);
        vm.prank(PAYER);
        _deals.refund(_deal);
        bytes32[] memory proof = _proof(7);

        vm.expectRevert(abi.encodeWithSelector(ReleaseOnEvidence.NotHeld.selector, _deal));
        _deals.release(_deal, INDEX, proof);
        vm.expectRevert(abi.encodeWithSelector(ReleaseOnEvidence.NotHeld.selector, _deal));
        vm.prank(PAYER);
        _deals.refund(_deal);
    }

    function test_a_released_deal_is_not_taken_back() public {
        _anchorUpTo(7);
        _deals.release(_deal, INDEX, _proof(7));
        vm.warp(DEADLINE);

        vm.expectRevert(abi.encodeWithSelector(ReleaseOnEvidence.NotHeld.selector, _deal));
        vm.prank(PAYER);
        _deals.refund(_deal);
    }

    // Paid.

    function test_the_payee_takes_out_what_was_released() public {
        _anchorUpTo(7);
        _deals.release(_deal, INDEX, _proof(7));
        vm.expectEmit(true, true, true, true, address(_deals));
        emit ReleaseOnEvidence.Withdrawn(PAYEE, 3 ether);

        vm.prank(PAYEE);
        _deals.withdraw();

        vm.assertEq(PAYEE.balance, 3 ether);
        vm.assertEq(address(_deals).balance, 0);
        vm.expectRevert(abi.encodeWithSelector(ReleaseOnEvidence.NothingToWithdraw.selector, PAYEE));
        vm.prank(PAYEE);
        _deals.withdraw();
    }

    function test_whoever_owns_nothing_takes_out_nothing() public {
        vm.expectRevert(abi.encodeWithSelector(ReleaseOnEvidence.NothingToWithdraw.selector, PAYEE));
        vm.prank(PAYEE);
        _deals.withdraw();
    }

    function test_a_payee_that_calls_withdraw_again_gets_nothing_more() public {
        Greedy greedy = new Greedy(_deals, abi.encodeCall(_deals.withdraw, ()));
        _payTo(address(greedy));

        greedy.take();

        vm.assertTrue(greedy.attempted());
        vm.assertFalse(greedy.succeeded());
        vm.assertEq(address(greedy).balance, 1 ether);
        vm.assertEq(address(_deals).balance, 3 ether);
    }

    function test_a_payee_that_calls_release_again_gets_nothing_more() public {
        Greedy greedy = new Greedy(_deals, abi.encodeCall(_deals.release, (1, INDEX, _proof(7))));
        _payTo(address(greedy));

        greedy.take();

        vm.assertTrue(greedy.attempted());
        vm.assertFalse(greedy.succeeded());
        vm.assertEq(_deals.balanceOf(address(greedy)), 0);
        vm.assertEq(address(_deals).balance, 3 ether);
    }

    function test_a_payee_that_cannot_be_paid_loses_nothing_and_holds_up_nobody() public {
        Unpayable unpayable = new Unpayable();
        _payTo(address(unpayable));

        vm.expectRevert(abi.encodeWithSelector(ReleaseOnEvidence.PaymentRefused.selector, address(unpayable)));
        unpayable.take(_deals);

        vm.assertEq(_deals.balanceOf(address(unpayable)), 1 ether);
        _deals.release(_deal, INDEX, _proof(7));
        vm.prank(PAYEE);
        _deals.withdraw();
        vm.assertEq(PAYEE.balance, 3 ether);
    }

    // Any order of any calls: what is held, owed and paid is what was put in.

    function testFuzz_the_ether_here_is_what_is_held_and_owed(uint8[12] memory steps) public {
        _anchorUpTo(7);
        for (uint256 i = 0; i < steps.length; ++i) {
            uint256 kind = steps[i] % 5;
            uint256 deal = (steps[i] / 5) % _deals.dealCount();
            if (kind == 0 && block.timestamp < DEADLINE) {
                _hold(1 + uint256(steps[i]), steps[i] % 2 == 0 ? PAYEE : STRANGER);
            } else if (kind == 1) {
                _try(STRANGER, abi.encodeCall(_deals.release, (deal, INDEX, _proof(7))));
            } else if (kind == 2) {
                _try(PAYER, abi.encodeCall(_deals.refund, (deal)));
            } else if (kind == 3) {
                _try(steps[i] % 2 == 0 ? PAYEE : PAYER, abi.encodeCall(_deals.withdraw, ()));
            } else if (steps[i] > 150) {
                vm.warp(DEADLINE);
            }
            _assertBalanced();
        }
    }

    // Helpers.

    /// @dev Some of these calls are refused, which is no matter.
    function _try(address caller, bytes memory data) private {
        vm.prank(caller);
        (bool accepted,) = address(_deals).call(data);
        if (accepted) ++_accepted;
    }

    function _assertBalanced() private view {
        uint256 due = _deals.balanceOf(PAYEE) + _deals.balanceOf(PAYER) + _deals.balanceOf(STRANGER);
        for (uint256 deal = 0; deal < _deals.dealCount(); ++deal) {
            ReleaseOnEvidence.Deal memory each = _deals.dealOf(deal);
            if (each.state == ReleaseOnEvidence.State.Held) due += each.amount;
        }
        vm.assertEq(address(_deals).balance, due);
    }

    function _hold(uint256 amount, address payee) private returns (uint256) {
        vm.prank(PAYER);
        return _deals.hold{value: amount}(_log, COMMITMENT, TAG, payee, DEADLINE);
    }

    function _holdFor(bytes32 log, uint256 amount) private returns (uint256) {
        vm.prank(PAYER);
        return _deals.hold{value: amount}(log, COMMITMENT, TAG, PAYEE, DEADLINE);
    }

    /// @dev A second deal, of one ether, released to an account; the first, of three, stays.
    function _payTo(address payee) private {
        uint256 deal = _hold(1 ether, payee);
        _anchorUpTo(7);
        _deals.release(deal, INDEX, _proof(7));
    }

    function _anchorUpTo(uint256 size) private {
        (uint64 headSize,,,) = _anchor.head(_log);
        bytes32[] memory proof = headSize == 0 ? new bytes32[](0) : ReferenceTree.proof(_leaves, headSize, size);
        _anchor.anchor(_log, uint64(size), ReferenceTree.root(_leaves, 0, size), proof);
    }

    function _proof(uint256 size) private view returns (bytes32[] memory) {
        return ReferenceTree.path(_leaves, INDEX, 0, size);
    }

    function _refuse(uint256 deal, uint64 index, bytes32[] memory proof, uint64 size) private {
        vm.expectRevert(abi.encodeWithSelector(ReleaseOnEvidence.NotInAnchoredLog.selector, deal, size));
        _deals.release(deal, index, proof);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EvidenceAnchor} from "../src/EvidenceAnchor.sol";
import {Mutants} from "./support/Mutants.sol";
import {ReferenceTree} from "./support/ReferenceTree.sol";
import {Test, Vm} from "./support/Test.sol";

/// @dev Acts on the contract as owners, publishers and strangers, honest and not, and keeps a plain model of what must
/// be true. Every anchor, whoever sends it and whatever it holds, goes through `_send`, which counts violations.
contract Handler is Test {
    using Mutants for bytes32[];

    struct Model {
        address owner;
        address pendingOwner;
        mapping(address account => bool) publishers;
        uint64 size;
        mapping(uint64 size => bytes32) roots;
    }

    EvidenceAnchor public immutable anchorContract = new EvidenceAnchor();
    address[4] public actors = [address(0xA1), address(0xA2), address(0xA3), address(0xA4)];
    bytes32[] public logs;
    mapping(bytes32 log => Model) private _models;

    uint256 public anchored;
    uint256 public refused;
    uint256 public duplicates;
    uint256 public fallen;
    uint256 public forked;
    uint256 public trespassed;
    uint256 public disturbed;
    uint256 public wronglyRefused;

    constructor() {
        register(0, 0, 0);
        register(1, 0, 1);
    }

    function register(uint256 owner, uint256 origin, uint256 publisher) public {
        (address from, address to) = (_actor(owner), _actor(publisher));
        bytes32 log = keccak256(abi.encode(from, bytes32(origin % 2)));
        Model storage model = _models[log];
        bool expected = model.owner == address(0);
        vm.prank(from);
        try anchorContract.register(bytes32(origin % 2), to) returns (bytes32 given) {
            if (!expected || given != log) ++trespassed;
            logs.push(log);
            model.owner = from;
            model.publishers[to] = true;
        } catch {
            if (expected) ++wronglyRefused;
        }
    }

    function setPublisher(uint256 caller, uint256 which, uint256 publisher, bool allowed) public {
        Model storage model = _models[_log(which)];
        bool expected = model.owner == _actor(caller);
        vm.prank(_actor(caller));
        try anchorContract.setPublisher(_log(which), _actor(publisher), allowed) {
            if (!expected) ++trespassed;
            model.publishers[_actor(publisher)] = allowed;
        } catch {
            if (expected) ++wronglyRefused;
        }
    }

    function transferOwnership(uint256 caller, uint256 which, uint256 successor) public {
        Model storage model = _models[_log(which)];
        bool expected = model.owner == _actor(caller);
        vm.prank(_actor(caller));
        try anchorContract.transferOwnership(_log(which), _actor(successor)) {
            if (!expected) ++trespassed;
            model.pendingOwner = _actor(successor);
        } catch {
            if (expected) ++wronglyRefused;
        }
    }

    function acceptOwnership(uint256 caller, uint256 which) public {
        Model storage model = _models[_log(which)];
        bool expected = model.pendingOwner == _actor(caller);
        vm.prank(_actor(caller));
        try anchorContract.acceptOwnership(_log(which)) {
            if (!expected) ++trespassed;
            (model.owner, model.pendingOwner) = (_actor(caller), address(0));
        } catch {
            if (expected) ++wronglyRefused;
        }
    }

    /// @dev The log's own tree, a little larger, with its proof: accepted from every publisher.
    function extend(uint256 caller, uint256 which, uint256 step) public {
        bytes32 log = _log(which);
        uint64 size = _larger(log, step);
        if (!_publishes(log, caller) || size > 64) return;
        if (!_send(caller, log, size, _root(log, size), _proof(log, size))) ++wronglyRefused;
    }

    /// @dev As `extend`, by somebody who may not.
    function trespass(uint256 caller, uint256 which, uint256 step) public {
        bytes32 log = _log(which);
        uint64 size = _larger(log, step);
        if (_publishes(log, caller) || size > 64) return;
        _send(caller, log, size, _root(log, size), _proof(log, size));
    }

    /// @dev A well-formed proof of another tree, by anybody.
    function fork(uint256 caller, uint256 which, uint256 step) public {
        bytes32 log = _log(which);
        Model storage model = _models[log];
        uint64 size = _larger(log, step);
        if (model.size == 0) return;
        bytes32[] memory leaves = ReferenceTree.leafHashes("fork", size);
        _send(caller, log, size, ReferenceTree.root(leaves, 0, size), ReferenceTree.proof(leaves, model.size, size));
        _send(caller, log, model.size, ReferenceTree.root(leaves, 0, model.size), new bytes32[](0));
    }

    /// @dev A damaged proof, by anybody.
    function damage(uint256 caller, uint256 which, uint256 step, uint256 place, uint8 bit) public {
        bytes32 log = _log(which);
        uint64 size = _larger(log, step);
        if (_models[log].size == 0) return;
        bytes32[] memory proof = _proof(log, size);
        _send(caller, log, size, _root(log, size), proof.flipped(place % proof.length, bit));
        _send(caller, log, size, _root(log, size), proof.dropped(place % proof.length));
    }

    /// @dev Anything at all, by anybody. A log without an anchor would take it: it is left to `extend`.
    function junk(uint256 caller, uint256 which, uint64 size, bytes32 root, bytes32[] memory proof) public {
        if (_models[_log(which)].size == 0) return;
        _send(caller, _log(which), size, root, proof.resized(proof.length % 70));
    }

    /// @dev An earlier tree of the log itself, by anybody.
    function shrink(uint256 caller, uint256 which, uint256 size) public {
        bytes32 log = _log(which);
        if (_models[log].size < 2) return;
        uint64 smaller = uint64(1 + size % (_models[log].size - 1));
        _send(caller, log, smaller, _root(log, smaller), new bytes32[](0));
    }

    /// @dev The head again, by a publisher: false, and nothing else.
    function duplicate(uint256 caller, uint256 which, bytes32[] memory proof) public {
        bytes32 log = _log(which);
        Model storage model = _models[log];
        if (!_publishes(log, caller) || model.size == 0) return;
        bytes32 before = _state(log);
        vm.record();
        vm.recordLogs();
        vm.prank(_actor(caller));
        bool changed = anchorContract.anchor(log, model.size, model.roots[model.size], proof.resized(proof.length % 70));
        (, bytes32[] memory writes) = vm.accesses(address(anchorContract));
        bool quiet = !changed && writes.length == 0 && vm.getRecordedLogs().length == 0;
        if (!quiet || _state(log) != before) ++disturbed;
        ++duplicates;
    }

    function pass(uint8 blocks) public {
        vm.roll(block.number + blocks);
        vm.warp(block.timestamp + 12 * uint256(blocks));
    }

    function logCount() public view returns (uint256) {
        return logs.length;
    }

    function modelHead(bytes32 log) public view returns (uint64 size, bytes32 root) {
        return (_models[log].size, _models[log].roots[_models[log].size]);
    }

    function _send(uint256 caller, bytes32 log, uint64 size, bytes32 root, bytes32[] memory proof)
        private
        returns (bool accepted)
    {
        Model storage model = _models[log];
        bytes32 before = _state(log);
        vm.recordLogs();
        vm.prank(_actor(caller));
        try anchorContract.anchor(log, size, root, proof) returns (bool changed) {
            if (!model.publishers[_actor(caller)]) ++trespassed;
            accepted = true;
            if (changed) _note(model, log, size, root);
            else if (_state(log) != before) ++disturbed;
        } catch {
            ++refused;
            if (_state(log) != before) ++disturbed;
        }
    }

    /// @dev Enters an accepted anchor, as its event tells it, into the model.
    function _note(Model storage model, bytes32 log, uint64 size, bytes32 root) private {
        Vm.Log[] memory events = vm.getRecordedLogs();
        bytes32 data = keccak256(abi.encode(size, root));
        if (events.length != 1 || events[0].topics[1] != log || keccak256(events[0].data) != data) ++disturbed;
        if (size <= model.size) ++fallen;
        if (model.roots[size] != 0 && model.roots[size] != root) ++forked;
        if (root != _root(log, size)) ++forked;
        model.size = size;
        model.roots[size] = root;
        ++anchored;
    }

    function _state(bytes32 log) private view returns (bytes32) {
        (uint64 size, bytes32 root, uint64 blockNumber, uint64 time) = anchorContract.head(log);
        return keccak256(abi.encode(size, root, blockNumber, time));
    }

    function _publishes(bytes32 log, uint256 caller) private view returns (bool) {
        return _models[log].publishers[_actor(caller)];
    }

    function _larger(bytes32 log, uint256 step) private view returns (uint64) {
        return uint64(_models[log].size + 1 + step % 6);
    }

    function _root(bytes32 log, uint64 size) private pure returns (bytes32) {
        // A size that only junk can have.
        if (size > 1000) return 0;
        return ReferenceTree.root(ReferenceTree.leafHashes(log, size), 0, size);
    }

    function _proof(bytes32 log, uint64 size) private view returns (bytes32[] memory) {
        uint64 from = _models[log].size;
        return from == 0 ? new bytes32[](0) : ReferenceTree.proof(ReferenceTree.leafHashes(log, size), from, size);
    }

    function _actor(uint256 which) private view returns (address) {
        return actors[which % actors.length];
    }

    function _log(uint256 which) private view returns (bytes32) {
        return logs[which % logs.length];
    }
}

contract InvariantsTest is Test {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Handler private _handler;

    function setUp() public {
        _handler = new Handler();
    }

    /// @dev Read by forge: which contract to call at random.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    /// @dev Read by forge: which functions, honest anchors more often than the rest.
    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](12);
        selectors[0] = Handler.register.selector;
        selectors[1] = Handler.setPublisher.selector;
        selectors[2] = Handler.transferOwnership.selector;
        selectors[3] = Handler.acceptOwnership.selector;
        selectors[4] = Handler.extend.selector;
        selectors[5] = Handler.trespass.selector;
        selectors[6] = Handler.fork.selector;
        selectors[7] = Handler.damage.selector;
        selectors[8] = Handler.junk.selector;
        selectors[9] = Handler.shrink.selector;
        selectors[10] = Handler.duplicate.selector;
        selectors[11] = Handler.pass.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_handler), selectors);
    }

    function invariant_the_anchored_size_never_falls() public view {
        vm.assertEq(_handler.fallen(), 0);
        for (uint256 i = 0; i < _handler.logCount(); ++i) {
            (uint64 size,,,) = _handler.anchorContract().head(_handler.logs(i));
            (uint64 expected,) = _handler.modelHead(_handler.logs(i));
            vm.assertEq(size, expected);
        }
    }

    function invariant_two_roots_never_share_a_size() public view {
        vm.assertEq(_handler.forked(), 0);
        for (uint256 i = 0; i < _handler.logCount(); ++i) {
            (, bytes32 root,,) = _handler.anchorContract().head(_handler.logs(i));
            (, bytes32 expected) = _handler.modelHead(_handler.logs(i));
            vm.assertEq(root, expected);
        }
    }

    function invariant_only_publishers_write() public view {
        vm.assertEq(_handler.trespassed(), 0);
    }

    function invariant_a_duplicate_changes_nothing() public view {
        vm.assertEq(_handler.disturbed(), 0);
    }

    function invariant_nothing_honest_is_refused() public view {
        vm.assertEq(_handler.wronglyRefused(), 0);
    }

    /// @dev The handler does reach what the invariants are about.
    function test_the_handler_anchors_refuses_and_repeats() public {
        _handler.extend(0, 0, 4);
        _handler.extend(0, 0, 2);
        _handler.fork(0, 0, 1);
        _handler.damage(0, 0, 3, 0, 7);
        _handler.trespass(2, 0, 1);
        _handler.shrink(0, 0, 1);
        _handler.duplicate(0, 0, new bytes32[](2));

        vm.assertEq(_handler.anchored(), 2);
        vm.assertEq(_handler.refused(), 6);
        vm.assertEq(_handler.duplicates(), 1);
    }
}

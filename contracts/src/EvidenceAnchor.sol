// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEvidenceAnchor} from "./IEvidenceAnchor.sol";
import {Rfc9162} from "./Rfc9162.sol";

/// @title Evidence anchor
/// @notice See `IEvidenceAnchor`.
contract EvidenceAnchor is IEvidenceAnchor {
    /// @dev Two storage slots: the numbers share the first, lowest bits first, the root is the second.
    struct Head {
        uint64 size;
        uint64 blockNumber;
        uint64 time;
        bytes32 root;
    }

    /// @dev `head` is written only by `anchor`. `owner` is zero exactly as long as nobody registered the log.
    struct Log {
        Head head;
        address owner;
        address pendingOwner;
        mapping(address account => bool) publishers;
    }

    /// @dev At storage slot 0: a state proof of a head is about slots keccak256(log || 0) and the one after it.
    mapping(bytes32 log => Log) private _logs;

    /// @inheritdoc IEvidenceAnchor
    function register(bytes32 originHash, address publisher) external returns (bytes32 log) {
        if (publisher == address(0)) revert ZeroPublisher();
        log = keccak256(abi.encode(msg.sender, originHash));
        if (_logs[log].owner != address(0)) revert LogAlreadyRegistered(log);
        _logs[log].owner = msg.sender;
        emit LogRegistered(log, msg.sender, originHash);
        _logs[log].publishers[publisher] = true;
        emit PublisherSet(log, publisher, true);
    }

    /// @inheritdoc IEvidenceAnchor
    function setPublisher(bytes32 log, address publisher, bool allowed) external {
        _requireOwner(log);
        if (publisher == address(0)) revert ZeroPublisher();
        _logs[log].publishers[publisher] = allowed;
        emit PublisherSet(log, publisher, allowed);
    }

    /// @inheritdoc IEvidenceAnchor
    function transferOwnership(bytes32 log, address owner) external {
        _requireOwner(log);
        _logs[log].pendingOwner = owner;
        emit OwnershipTransferStarted(log, msg.sender, owner);
    }

    /// @inheritdoc IEvidenceAnchor
    function acceptOwnership(bytes32 log) external {
        address from = _logs[log].owner;
        if (from == address(0)) revert UnknownLog(log);
        if (_logs[log].pendingOwner != msg.sender) revert NotPendingOwner(log, msg.sender);
        delete _logs[log].pendingOwner;
        _logs[log].owner = msg.sender;
        emit OwnershipTransferred(log, from, msg.sender);
    }

    /// @inheritdoc IEvidenceAnchor
    function anchor(bytes32 log, uint64 size, bytes32 root, bytes32[] calldata proof) external returns (bool) {
        Log storage entry = _logs[log];
        // Whoever is a publisher here publishes for a log that exists: no need to ask.
        if (!entry.publishers[msg.sender]) {
            if (entry.owner == address(0)) revert UnknownLog(log);
            revert NotPublisher(log, msg.sender);
        }

        Head storage stored = entry.head;
        uint64 headSize = stored.size;
        if (headSize == 0) {
            if (size == 0) revert EmptyTree(log);
            if (proof.length != 0) revert UnexpectedProof(log);
        } else {
            if (size < headSize) revert SizeBelowHead(log, headSize, size);
            bytes32 headRoot = stored.root;
            if (size == headSize) {
                if (root != headRoot) revert RootConflict(log, size, headRoot, root);
                return false;
            }
            if (!Rfc9162.isExtension(headSize, headRoot, size, root, proof)) {
                revert InconsistentTree(log, headSize, size);
            }
        }

        // By hand, because the compiler would read the first slot again to keep its unused bits.
        uint256 packed = uint256(size) | uint256(uint64(block.number)) << 64 | uint256(uint64(block.timestamp)) << 128;
        assembly ("memory-safe") {
            sstore(stored.slot, packed)
            sstore(add(stored.slot, 1), root)
        }
        emit Anchored(log, size, root);
        return true;
    }

    /// @inheritdoc IEvidenceAnchor
    function head(bytes32 log) external view returns (uint64 size, bytes32 root, uint64 blockNumber, uint64 time) {
        Head storage stored = _logs[log].head;
        return (stored.size, stored.root, stored.blockNumber, stored.time);
    }

    /// @inheritdoc IEvidenceAnchor
    function verifyInclusion(bytes32 log, uint64 index, bytes32 leafHash, bytes32[] calldata proof)
        external
        view
        returns (bool)
    {
        Head storage stored = _logs[log].head;
        return Rfc9162.isIncluded(index, leafHash, stored.size, stored.root, proof);
    }

    /// @inheritdoc IEvidenceAnchor
    function verifyConsistency(uint64 size1, bytes32 root1, uint64 size2, bytes32 root2, bytes32[] calldata proof)
        external
        view
        returns (bool)
    {
        return Rfc9162.isConsistent(size1, root1, size2, root2, proof);
    }

    /// @dev Refuses everyone but the owner of an existing log.
    function _requireOwner(bytes32 log) private view {
        address owner = _logs[log].owner;
        if (owner == address(0)) revert UnknownLog(log);
        if (owner != msg.sender) revert NotOwner(log, msg.sender);
    }
}

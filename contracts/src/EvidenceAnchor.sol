// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEvidenceAnchor} from "./IEvidenceAnchor.sol";
import {Rfc9162} from "./Rfc9162.sol";

/// @title Evidence anchor
/// @notice See `IEvidenceAnchor`.
contract EvidenceAnchor is IEvidenceAnchor {
    /// @dev Two storage slots: the numbers share the first, the root is the second.
    struct Head {
        uint64 size;
        uint64 blockNumber;
        uint64 time;
        bytes32 root;
    }

    /// @dev Written only by `anchor`. At storage slot 0, so that a state proof of a head needs no table of names.
    mapping(bytes32 log => Head) private _heads;

    /// @dev A publisher here is enough to know that the log exists: `register` and its owner alone write this.
    mapping(bytes32 log => mapping(address account => bool)) private _publishers;

    /// @dev Zero means that nobody registered the log.
    mapping(bytes32 log => address) private _owners;

    mapping(bytes32 log => address) private _pendingOwners;

    /// @inheritdoc IEvidenceAnchor
    function register(bytes32 originHash, address publisher) external returns (bytes32 log) {
        if (publisher == address(0)) revert ZeroPublisher();
        log = keccak256(abi.encode(msg.sender, originHash));
        if (_owners[log] != address(0)) revert LogAlreadyRegistered(log);
        _owners[log] = msg.sender;
        emit LogRegistered(log, msg.sender, originHash);
        _publishers[log][publisher] = true;
        emit PublisherSet(log, publisher, true);
    }

    /// @inheritdoc IEvidenceAnchor
    function setPublisher(bytes32 log, address publisher, bool allowed) external {
        _requireOwner(log);
        if (publisher == address(0)) revert ZeroPublisher();
        _publishers[log][publisher] = allowed;
        emit PublisherSet(log, publisher, allowed);
    }

    /// @inheritdoc IEvidenceAnchor
    function transferOwnership(bytes32 log, address owner) external {
        _requireOwner(log);
        _pendingOwners[log] = owner;
        emit OwnershipTransferStarted(log, msg.sender, owner);
    }

    /// @inheritdoc IEvidenceAnchor
    function acceptOwnership(bytes32 log) external {
        address from = _owners[log];
        if (from == address(0)) revert UnknownLog(log);
        if (_pendingOwners[log] != msg.sender) revert NotPendingOwner(log, msg.sender);
        delete _pendingOwners[log];
        _owners[log] = msg.sender;
        emit OwnershipTransferred(log, from, msg.sender);
    }

    /// @inheritdoc IEvidenceAnchor
    function anchor(bytes32 log, uint64 size, bytes32 root, bytes32[] calldata proof) external returns (bool) {
        if (!_publishers[log][msg.sender]) {
            if (_owners[log] == address(0)) revert UnknownLog(log);
            revert NotPublisher(log, msg.sender);
        }
        if (size == 0) revert EmptyTree(log);

        Head storage stored = _heads[log];
        uint64 headSize = stored.size;
        if (size < headSize) revert SizeBelowHead(log, headSize, size);
        if (headSize == 0) {
            if (proof.length != 0) revert UnexpectedProof(log);
        } else {
            bytes32 headRoot = stored.root;
            if (size == headSize) {
                if (root != headRoot) revert RootConflict(log, size, headRoot, root);
                return false;
            }
            if (!Rfc9162.isConsistent(headSize, headRoot, size, root, proof)) {
                revert InconsistentTree(log, headSize, size);
            }
        }

        _heads[log] = Head({size: size, blockNumber: uint64(block.number), time: uint64(block.timestamp), root: root});
        emit Anchored(log, size, root);
        return true;
    }

    /// @inheritdoc IEvidenceAnchor
    function head(bytes32 log) external view returns (uint64 size, bytes32 root, uint64 blockNumber, uint64 time) {
        Head storage stored = _heads[log];
        return (stored.size, stored.root, stored.blockNumber, stored.time);
    }

    /// @inheritdoc IEvidenceAnchor
    function verifyInclusion(bytes32 log, uint64 index, bytes32 leafHash, bytes32[] calldata proof)
        external
        view
        returns (bool)
    {
        Head storage stored = _heads[log];
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
        address owner = _owners[log];
        if (owner == address(0)) revert UnknownLog(log);
        if (owner != msg.sender) revert NotOwner(log, msg.sender);
    }
}

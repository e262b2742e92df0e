// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Evidence anchor: a witness for append-only logs
/// @notice Keeps the newest size and root of each registered Merkle log (RFC 9162, SHA-256) and accepts a
/// larger tree only with a proof, checked on chain, that it extends the one anchored before.
/// @dev A consistency proof does not prove that a *size* belongs to a root: several sizes can share the shape of a
/// proof. Believe an anchor only through consistency with a checkpoint that the log itself signed.
/// The contract holds no ether, cannot be upgraded or destroyed, and gives nobody power over what was anchored.
interface IEvidenceAnchor {
    /// @notice A log exists from now on.
    /// @param log Identifier of the log.
    /// @param owner Account that registered it and owns it.
    /// @param originHash SHA-256 of the log's origin.
    event LogRegistered(bytes32 indexed log, address indexed owner, bytes32 originHash);

    /// @notice An account may, or may no longer, anchor for a log.
    /// @param log Identifier of the log.
    /// @param publisher Account concerned.
    /// @param allowed Whether it may anchor from now on.
    event PublisherSet(bytes32 indexed log, address indexed publisher, bool allowed);

    /// @notice The owner named a successor, or withdrew the nomination by naming the zero address.
    /// @param log Identifier of the log.
    /// @param from Owner, who remains owner until the successor accepts.
    /// @param to Nominated successor.
    event OwnershipTransferStarted(bytes32 indexed log, address indexed from, address indexed to);

    /// @notice A nominated successor accepted and is the owner from now on.
    /// @param log Identifier of the log.
    /// @param from Owner before.
    /// @param to Owner from now on.
    event OwnershipTransferred(bytes32 indexed log, address indexed from, address indexed to);

    /// @notice A log's tree of this size had this root no later than this block.
    /// @param log Identifier of the log.
    /// @param size Number of leaves.
    /// @param root Root hash of the tree over these leaves.
    event Anchored(bytes32 indexed log, uint64 size, bytes32 root);

    /// @notice Nobody registered this log.
    /// @param log Identifier given.
    error UnknownLog(bytes32 log);

    /// @notice The caller registered this log before.
    /// @param log Identifier of the log.
    error LogAlreadyRegistered(bytes32 log);

    /// @notice Only the owner of the log may do this.
    /// @param log Identifier of the log.
    /// @param caller Account that called.
    error NotOwner(bytes32 log, address caller);

    /// @notice Only the nominated successor may accept a log.
    /// @param log Identifier of the log.
    /// @param caller Account that called.
    error NotPendingOwner(bytes32 log, address caller);

    /// @notice Only a publisher of the log may anchor.
    /// @param log Identifier of the log.
    /// @param caller Account that called.
    error NotPublisher(bytes32 log, address caller);

    /// @notice The zero address cannot be a publisher.
    error ZeroPublisher();

    /// @notice An empty tree proves nothing and is not anchored.
    /// @param log Identifier of the log.
    error EmptyTree(bytes32 log);

    /// @notice The tree is smaller than the one anchored before.
    /// @param log Identifier of the log.
    /// @param headSize Size anchored before.
    /// @param size Size given.
    error SizeBelowHead(bytes32 log, uint64 headSize, uint64 size);

    /// @notice Another root was anchored for this size: two views of one log.
    /// @param log Identifier of the log.
    /// @param size Size of both trees.
    /// @param headRoot Root anchored before.
    /// @param root Root given.
    error RootConflict(bytes32 log, uint64 size, bytes32 headRoot, bytes32 root);

    /// @notice A first anchor extends nothing and takes no proof.
    /// @param log Identifier of the log.
    error UnexpectedProof(bytes32 log);

    /// @notice The proof does not show that the tree extends the one anchored before.
    /// @param log Identifier of the log.
    /// @param headSize Size anchored before.
    /// @param size Size given.
    error InconsistentTree(bytes32 log, uint64 headSize, uint64 size);

    /// @notice The chain has no working SHA-256 precompile at address 2, or the call ran out of gas.
    error Sha256Unavailable();

    /// @notice Registers a log under the caller's name.
    /// @dev The identifier contains the caller, so nobody can take another's log. It stays the same when the
    /// ownership changes, and a log is registered once.
    /// @param originHash SHA-256 of the log's origin.
    /// @param publisher First account that may anchor.
    /// @return log `keccak256(abi.encode(msg.sender, originHash))`.
    function register(bytes32 originHash, address publisher) external returns (bytes32 log);

    /// @notice Allows or forbids an account to anchor for a log. Only its owner may call this.
    /// @param log Identifier of the log.
    /// @param publisher Account concerned, not the zero address.
    /// @param allowed Whether it may anchor from now on.
    function setPublisher(bytes32 log, address publisher, bool allowed) external;

    /// @notice Nominates a new owner. Only the owner may call this.
    /// @dev Takes effect with `acceptOwnership`. A later call replaces the nomination; the zero address withdraws it.
    /// Publishers stay as they are.
    /// @param log Identifier of the log.
    /// @param owner Nominated successor.
    function transferOwnership(bytes32 log, address owner) external;

    /// @notice Takes over a log. Only the nominated successor may call this.
    /// @param log Identifier of the log.
    function acceptOwnership(bytes32 log) external;

    /// @notice Anchors a tree. Only a publisher of the log may call this.
    /// @dev The size and root of the head change nothing and give false, whatever the proof: a retry is safe. A first
    /// anchor takes an empty proof. Everything else that does not extend the head reverts.
    /// @param log Identifier of the log.
    /// @param size Number of leaves, at least 1.
    /// @param root Root hash of the tree.
    /// @param proof RFC 9162 consistency proof from the head to this tree.
    /// @return Whether the head changed.
    function anchor(bytes32 log, uint64 size, bytes32 root, bytes32[] calldata proof) external returns (bool);

    /// @notice Tells what was anchored last. All zero for a log without an anchor.
    /// @param log Identifier of the log.
    /// @return size Number of leaves.
    /// @return root Root hash of the tree.
    /// @return blockNumber Block that anchored it.
    /// @return time Time of that block, in seconds since 1970.
    function head(bytes32 log) external view returns (uint64 size, bytes32 root, uint64 blockNumber, uint64 time);

    /// @notice Tells whether a leaf is part of the tree anchored last (RFC 9162, section 2.1.3.2).
    /// @param log Identifier of the log.
    /// @param index Position of the leaf, from 0.
    /// @param leafHash Leaf hash, `SHA-256(0x00 || entry)`.
    /// @param proof RFC 9162 inclusion proof to the head.
    /// @return Whether the proof holds; false for a log without an anchor.
    function verifyInclusion(bytes32 log, uint64 index, bytes32 leafHash, bytes32[] calldata proof)
        external
        view
        returns (bool);

    /// @notice Tells whether one tree extends another (RFC 9162, section 2.1.4.2).
    /// @param size1 Number of leaves of the older tree; 0 gives false.
    /// @param root1 Root hash of the older tree.
    /// @param size2 Number of leaves of the newer tree.
    /// @param root2 Root hash of the newer tree.
    /// @param proof RFC 9162 consistency proof between them.
    /// @return Whether the proof holds.
    function verifyConsistency(uint64 size1, bytes32 root1, uint64 size2, bytes32 root2, bytes32[] calldata proof)
        external
        view
        returns (bool);
}

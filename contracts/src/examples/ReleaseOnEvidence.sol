// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEvidenceAnchor} from "../IEvidenceAnchor.sol";

/// @title Release on evidence
/// @notice A worked example: holds ether for a payee until a named entry stands in an anchored log. Whoever shows that it
/// does releases the ether; if nobody can by the deadline, the payer takes it back.
/// @dev Both contracts are on one chain, so a release is final exactly when the anchor below it is: if a reorganisation
/// takes the anchor away, it takes the release along.
///
/// It trusts the log's publisher for one thing: that what was anchored is what the log signed (see `IEvidenceAnchor`). And
/// it knows one entry only: whether the document was superseded or revoked by a later entry is not asked here.
contract ReleaseOnEvidence {
    /// @notice What a deal has come to.
    enum State {
        Unknown,
        Held,
        Released,
        Refunded
    }

    /// @notice Ether that waits for an entry.
    /// @dev The leaf hash is computed here, from the parts of an entry. A hash taken from a caller could be that of an
    /// inner node, which is in the tree as well and stands for no document.
    struct Deal {
        bytes32 log;
        bytes32 leafHash;
        uint256 amount;
        address payer;
        address payee;
        uint64 deadline;
        State state;
    }

    /// @notice Ether is held from now on.
    /// @param deal Number of the deal.
    /// @param payer Account that paid, and is paid back after the deadline.
    /// @param payee Account that the ether is for.
    /// @param log Log in which the entry must stand.
    /// @param leafHash Leaf hash of the entry.
    /// @param amount Wei held.
    /// @param deadline Time from which the payer may take it back, in seconds since 1970.
    event Held(
        uint256 indexed deal,
        address indexed payer,
        address indexed payee,
        bytes32 log,
        bytes32 leafHash,
        uint256 amount,
        uint64 deadline
    );

    /// @notice The entry stands in the log: the ether is the payee's.
    /// @param deal Number of the deal.
    /// @param index Leaf index of the entry.
    /// @param size Size of the anchored tree that it was shown in.
    event Released(uint256 indexed deal, uint64 index, uint64 size);

    /// @notice The deadline passed: the ether is the payer's again.
    /// @param deal Number of the deal.
    event Refunded(uint256 indexed deal);

    /// @notice An account took out what was its own.
    /// @param account Account paid.
    /// @param amount Wei paid.
    event Withdrawn(address indexed account, uint256 amount);

    /// @notice Other code than that of an evidence anchor is at this address.
    /// @param found Hash of the code there.
    error OtherContract(bytes32 found);

    /// @notice A deal needs some ether.
    error NothingToHold();

    /// @notice A deal needs somebody to pay.
    error ZeroPayee();

    /// @notice A deadline lies in the future.
    /// @param deadline Time given.
    error DeadlinePassed(uint64 deadline);

    /// @notice There is no such deal, or it is over.
    /// @param deal Number given.
    error NotHeld(uint256 deal);

    /// @notice The proof does not show the entry in the tree that is anchored now: not yet, in another log or at another
    /// index; or the log has grown since the proof was made, and a newer proof is needed.
    /// @param deal Number of the deal.
    /// @param size Size of the tree that is anchored now, which a proof must lead to.
    error NotInAnchoredLog(uint256 deal, uint64 size);

    /// @notice Only the payer takes a deal back.
    /// @param deal Number of the deal.
    /// @param caller Account that called.
    error NotPayer(uint256 deal, address caller);

    /// @notice The payee still has time.
    /// @param deal Number of the deal.
    /// @param deadline Time from which the payer may take it back.
    error TooEarly(uint256 deal, uint64 deadline);

    /// @notice Nothing here belongs to the caller.
    /// @param caller Account that called.
    error NothingToWithdraw(address caller);

    /// @notice The account did not take its ether; it stays its own.
    /// @param account Account that was to be paid.
    error PaymentRefused(address account);

    /// @notice Contract that is asked about logs.
    IEvidenceAnchor public immutable EVIDENCE_ANCHOR;

    /// @notice Number of deals so far; the next one gets this number.
    uint256 public dealCount;

    /// @notice Wei that an account may take out.
    mapping(address account => uint256) public balanceOf;

    mapping(uint256 deal => Deal) private _deals;

    /// @notice Binds this contract to one evidence anchor, for good.
    /// @param evidenceAnchor Address of the anchor contract.
    /// @param codeHash Hash of its runtime code, as trust policies have it. Any contract can answer "included".
    constructor(IEvidenceAnchor evidenceAnchor, bytes32 codeHash) {
        if (address(evidenceAnchor).codehash != codeHash) revert OtherContract(address(evidenceAnchor).codehash);
        EVIDENCE_ANCHOR = evidenceAnchor;
    }

    /// @notice Holds the ether sent along until an entry stands in a log.
    /// @dev The entry is the 65 bytes `0x01 || commitment || tag`, of which an evidence bundle tells the parts. They say
    /// nothing about the document to anybody who does not have that bundle.
    /// @param log Identifier of the log in the anchor contract.
    /// @param commitment Commitment of the entry.
    /// @param tag Tag of the entry.
    /// @param payee Account that the ether is for.
    /// @param deadline Time from which the caller may take it back, in seconds since 1970.
    /// @return deal Number of the deal.
    function hold(bytes32 log, bytes32 commitment, bytes32 tag, address payee, uint64 deadline)
        external
        payable
        returns (uint256 deal)
    {
        if (msg.value == 0) revert NothingToHold();
        if (payee == address(0)) revert ZeroPayee();
        // A deadline lies days ahead: the seconds by which a proposer can bend the time do not matter.
        // forge-lint: disable-next-line(block-timestamp)
        if (deadline <= block.timestamp) revert DeadlinePassed(deadline);
        // RFC 9162, section 2.1.1: a leaf is hashed behind 0x00. The 0x01 is the version of the entry.
        bytes32 leafHash = sha256(abi.encodePacked(hex"0001", commitment, tag));
        deal = dealCount++;
        _deals[deal] = Deal(log, leafHash, msg.value, msg.sender, payee, deadline, State.Held);
        emit Held(deal, msg.sender, payee, log, leafHash, msg.value, deadline);
    }

    /// @notice Releases a deal by showing that its entry stands in the tree anchored last. Anybody may call this, also
    /// after the deadline as long as the payer has not taken the ether back.
    /// @param deal Number of the deal.
    /// @param index Leaf index of the entry.
    /// @param proof RFC 9162 inclusion proof from the entry to the head of the log.
    function release(uint256 deal, uint64 index, bytes32[] calldata proof) external {
        Deal storage held = _held(deal);
        (uint64 size,,,) = EVIDENCE_ANCHOR.head(held.log);
        if (!EVIDENCE_ANCHOR.verifyInclusion(held.log, index, held.leafHash, proof)) {
            revert NotInAnchoredLog(deal, size);
        }
        held.state = State.Released;
        balanceOf[held.payee] += held.amount;
        emit Released(deal, index, size);
    }

    /// @notice Gives a deal back to its payer, who alone may call this, once the deadline has come.
    /// @param deal Number of the deal.
    function refund(uint256 deal) external {
        Deal storage held = _held(deal);
        if (held.payer != msg.sender) revert NotPayer(deal, msg.sender);
        // forge-lint: disable-next-line(block-timestamp)
        if (block.timestamp < held.deadline) revert TooEarly(deal, held.deadline);
        held.state = State.Refunded;
        balanceOf[msg.sender] += held.amount;
        emit Refunded(deal);
    }

    /// @notice Pays out everything that belongs to the caller.
    /// @dev The books are closed before the ether leaves: whoever calls back from there owns nothing any more. And each
    /// account fetches its own, so that one which cannot be paid holds up nobody else.
    function withdraw() external {
        uint256 amount = balanceOf[msg.sender];
        if (amount == 0) revert NothingToWithdraw(msg.sender);
        balanceOf[msg.sender] = 0;
        emit Withdrawn(msg.sender, amount);
        (bool paid,) = msg.sender.call{value: amount}("");
        if (!paid) revert PaymentRefused(msg.sender);
    }

    /// @notice Tells what is known of a deal; all zero if there is none.
    /// @param deal Number of the deal.
    /// @return The deal.
    function dealOf(uint256 deal) external view returns (Deal memory) {
        return _deals[deal];
    }

    /// @dev Refuses deals that do not exist or are over, so that none is paid twice.
    function _held(uint256 deal) private view returns (Deal storage held) {
        held = _deals[deal];
        if (held.state != State.Held) revert NotHeld(deal);
    }
}

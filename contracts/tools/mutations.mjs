// The changes that `mutants.mjs` makes, one at a time: a file below src/, an exact text in it, and what to put there.
// `places` tells how often the text stands there, `nth` which of them is meant, from 0.
const ANCHOR = "EvidenceAnchor.sol";
const PROOFS = "Rfc9162.sol";
const EXAMPLE = "examples/ReleaseOnEvidence.sol";

const of = (file) => (why, from, to, more = {}) => ({ file, why, from, to, ...more });
const anchor = of(ANCHOR);
const proofs = of(PROOFS);
const example = of(EXAMPLE);

const ZERO_PUBLISHER = "        if (publisher == address(0)) revert ZeroPublisher();\n";
const OLDER_HASH = "                let answered := returndatasize()\n";
const BOTH_ANSWERED = "cursor := add(cursor, and(answered, returndatasize()))";
const PAYMENT = '        (bool paid,) = msg.sender.call{value: amount}("");\n';

export const mutations = [
  // register
  anchor("the zero address is registered", `${ZERO_PUBLISHER}        log =`, "        log ="),
  anchor("the owner is not in the name", "abi.encode(msg.sender, originHash)", "abi.encode(originHash)"),
  anchor("registered twice", "        if (_logs[log].owner != address(0)) revert LogAlreadyRegistered(log);\n", ""),
  anchor("nobody becomes owner", "_logs[log].owner = msg.sender;\n        emit LogRegistered", "emit LogRegistered"),
  anchor("registration unannounced", "        emit LogRegistered(log, msg.sender, originHash);\n", ""),
  anchor("the first publisher is none", "        _logs[log].publishers[publisher] = true;\n", ""),
  anchor("the first publisher unannounced", "        emit PublisherSet(log, publisher, true);\n", ""),
  // setPublisher
  anchor("anybody sets publishers", "        _requireOwner(log);\n        if (", "        if ("),
  anchor("the zero address publishes", `${ZERO_PUBLISHER}        _logs`, "        _logs"),
  anchor("nobody is forbidden", "publishers[publisher] = allowed;", "publishers[publisher] = true;"),
  anchor("nobody is allowed", "publishers[publisher] = allowed;", "publishers[publisher] = false;"),
  anchor("a publisher unannounced", "        emit PublisherSet(log, publisher, allowed);\n", ""),
  // transferOwnership, acceptOwnership
  anchor("anybody nominates", "        _requireOwner(log);\n        _logs[log].pending", "        _logs[log].pending"),
  anchor("one step instead of two", "_logs[log].pendingOwner = owner;", "_logs[log].owner = owner;"),
  anchor("a nomination unannounced", "        emit OwnershipTransferStarted(log, msg.sender, owner);\n", ""),
  anchor("an unknown log is taken", "        if (from == address(0)) revert UnknownLog(log);\n", ""),
  anchor(
    "anybody accepts",
    "        if (_logs[log].pendingOwner != msg.sender) revert NotPendingOwner(log, msg.sender);\n",
    "",
  ),
  anchor("a nomination is used twice", "        delete _logs[log].pendingOwner;\n", ""),
  anchor("acceptance without effect", "        _logs[log].owner = msg.sender;\n        emit OwnershipT", "        emit OwnershipT"),
  anchor("a change of owner unannounced", "        emit OwnershipTransferred(log, from, msg.sender);\n", ""),
  // anchor
  anchor("anybody anchors", "if (!entry.publishers[msg.sender]) {", "if (entry.owner == address(0)) {"),
  anchor("the owner anchors", "if (!entry.publishers[msg.sender]) {", "if (!entry.publishers[msg.sender] && entry.owner != msg.sender) {"),
  anchor("an unknown log is not told", "            if (entry.owner == address(0)) revert UnknownLog(log);\n", ""),
  anchor("an empty tree", "            if (size == 0) revert EmptyTree(log);\n", ""),
  anchor("a first anchor with a proof", "            if (proof.length != 0) revert UnexpectedProof(log);\n", ""),
  anchor("a smaller tree goes on to the proof", "            if (size < headSize) revert SizeBelowHead(log, headSize, size);\n", ""),
  anchor("the same size is a smaller one", "if (size < headSize)", "if (size <= headSize)"),
  anchor("another root of the same size", "                if (root != headRoot) revert RootConflict(log, size, headRoot, root);\n", ""),
  anchor("a duplicate says that it changed", "                return false;\n", "                return true;\n"),
  anchor("a duplicate is written again", "                return false;\n", ""),
  anchor("no proof is asked for", "if (!Rfc9162.isExtension(headSize, headRoot, size, root, proof)) {", "if (proof.length == 0) {"),
  anchor("a proof from the new root", "isExtension(headSize, headRoot, size", "isExtension(headSize, root, size"),
  anchor("the old size is kept", "uint256(size) | uint256", "uint256(headSize) | uint256"),
  anchor("the block number one bit off", "uint64(block.number)) << 64", "uint64(block.number)) << 65"),
  anchor("the block number overflows", "uint256(uint64(block.number))", "uint256(block.number)"),
  anchor("the time overflows", "uint256(uint64(block.timestamp))", "uint256(block.timestamp)"),
  anchor("the numbers are not kept", "            sstore(stored.slot, packed)\n", ""),
  anchor("the root is not kept", "            sstore(add(stored.slot, 1), root)\n", ""),
  anchor("an anchor unannounced", "        emit Anchored(log, size, root);\n", ""),
  // what is told
  anchor("number and time exchanged", "stored.blockNumber, stored.time)", "stored.time, stored.blockNumber)"),
  anchor("inclusion in a tree of any size", "leafHash, stored.size, stored.root", "leafHash, type(uint64).max, stored.root"),
  anchor("consistency backwards", "isConsistent(size1, root1, size2, root2", "isConsistent(size2, root2, size1, root1"),
  anchor("everybody is owner", "        if (owner != msg.sender) revert NotOwner(log, msg.sender);\n", ""),
  anchor("an unknown log has another owner", "        if (owner == address(0)) revert UnknownLog(log);\n", ""),

  // Inclusion.
  proofs("the index after the last", "if (index >= size) return false;", "if (index > size) return false;"),
  proofs("a path beyond the root", "            if (sn == 0) return false;\n", ""),
  proofs("the last node has a right sibling", "if (fn & 1 == 1 || fn == sn) {", "if (fn & 1 == 1) {"),
  proofs("a right node has a right sibling", "if (fn & 1 == 1 || fn == sn) {", "if (fn == sn) {"),
  proofs("the last node does not rise", "while (fn & 1 == 0 && fn != 0) {", "while (false) {"),
  proofs("left and right exchanged", "_children(path[i], node)", "_children(node, path[i])"),
  proofs("right and left exchanged", "node = _children(node, path[i]);\n            }", "node = _children(path[i], node);\n            }"),
  proofs("a path that ends early", "return sn == 0 && node == root;", "return node == root;"),
  proofs("any root", "return sn == 0 && node == root;", "return sn == 0;"),
  // Consistency: the cases at the edge.
  proofs("from nothing", "if (size1 == 0 || size1 > size2) return false;", "if (size1 > size2) return false;"),
  proofs("a shrinking tree", "if (size1 == 0 || size1 > size2) return false;", "if (size1 == 0) return false;"),
  proofs("equal sizes with a proof", "return path.length == 0 && root1 == root2;", "return root1 == root2;"),
  proofs("equal sizes, other roots", "return path.length == 0 && root1 == root2;", "return path.length == 0;"),
  // Consistency: the walk.
  proofs("memory of the caller is overwritten", "            if sub(mload(0x40), 0x80) { revert(0x00, 0x00) }\n", ""),
  proofs("the older tree one too large", "let fn := sub(size1, 1)", "let fn := size1"),
  proofs("the newer tree one too large", "let sn := sub(size2, 1)", "let sn := size2"),
  proofs("a complete older tree in the path", "if and(size1, fn) {", "if 1 {"),
  proofs("an older tree that is never in the path", "if and(size1, fn) {", "if 0 {"),
  proofs("the way begins at the leaf", "for {} and(fn, 1) {} {", "for {} 0 {} {"),
  proofs("the mask lacks its first step", "            rights := or(rights, shr(1, rights))\n", ""),
  proofs("the mask lacks its step of 16", "            rights := or(rights, shr(16, rights))\n", ""),
  proofs("the mask lacks its widest step", "            rights := or(rights, shr(32, rights))\n", ""),
  proofs("every sibling on the right", "            rights := and(rights, not(fn))\n", ""),
  proofs("no prefix before the newer node", "            mstore(0x80, 1)\n", ""),
  proofs("no prefix before the older node", "            mstore(0x100, 1)\n", ""),
  proofs("the newer walk begins at the root", "mstore(0xc0, start)", "mstore(0xc0, root2)"),
  proofs("the older walk begins at the root", "mstore(0x140, start)", "mstore(0x140, root1)"),
  proofs("no prefix before a right sibling", "                mstore(0xa0, 1)\n", ""),
  proofs("a right hash unanswered", "cursor := add(cursor, returndatasize())", "cursor := add(cursor, 0x20)"),
  proofs("a left sibling for the newer alone", "                mstore(0x120, sibling)\n", "", { places: 2, nth: 0 }),
  proofs("a later left sibling for the newer alone", "                mstore(0x120, sibling)\n", "", { places: 2, nth: 1 }),
  proofs("a left sibling for the older alone", "                mstore(0xa0, sibling)\n", "", { places: 2, nth: 0 }),
  proofs("a later left sibling for the older alone", "                mstore(0xa0, sibling)\n", "", { places: 2, nth: 1 }),
  proofs("an older hash unanswered", OLDER_HASH, "                let answered := 0x20\n", { places: 2, nth: 0 }),
  proofs("a later older hash unanswered", OLDER_HASH, "                let answered := 0x20\n", { places: 2, nth: 1 }),
  proofs("a newer hash unanswered", BOTH_ANSWERED, "cursor := add(cursor, answered)", { places: 2, nth: 0 }),
  proofs("a later newer hash unanswered", BOTH_ANSWERED, "cursor := add(cursor, answered)", { places: 2, nth: 1 }),
  proofs("levels are walked twice", "fn := shr(shr(5, sub(cursor, first)), fn)", "fn := fn"),
  proofs("a hash for every level at the edge", "fn := and(fn, sub(fn, 1))", "fn := shr(1, fn)"),
  proofs("no answer is a verdict", "if sub(returndatasize(), 0x20) {", "if 0 {"),
  proofs("a path of any length", "eq(cursor, add(path.offset, shl(5, path.length)))", "1"),
  proofs("any older root", "eq(mload(0x140), root1)", "1"),
  proofs("any newer root", "eq(mload(0xc0), root2)", "1"),
  // The hash of an inner node.
  proofs("an inner node is hashed as a leaf", "mstore(buffer, 1)", "mstore(buffer, 0)"),
  proofs("an address without code has hashed", "            hashed := and(hashed, eq(returndatasize(), 0x20))\n", ""),
  proofs("a failed hash is used", "        if (!hashed) revert IEvidenceAnchor.Sha256Unavailable();\n", ""),

  // The example.
  example(
    "any contract is the anchor",
    "        if (address(evidenceAnchor).codehash != codeHash) revert OtherContract(address(evidenceAnchor).codehash);\n",
    "",
  ),
  example("a deal about nothing", "        if (msg.value == 0) revert NothingToHold();\n", ""),
  example("a deal for nobody", "        if (payee == address(0)) revert ZeroPayee();\n", ""),
  example("a deadline that is now", "if (deadline <= block.timestamp)", "if (deadline < block.timestamp)"),
  example("an inner node for an entry", 'hex"0001"', 'hex"01"'),
  example("the tag is not in the entry", "commitment, tag));", "commitment, commitment));"),
  example("every deal has one number", "deal = dealCount++;", "deal = dealCount;"),
  example("anything releases", "if (!EVIDENCE_ANCHOR.verifyInclusion(held.log, index, held.leafHash, proof)) {", "if (size == 0) {"),
  example("released again and again", "        held.state = State.Released;\n", ""),
  example("whoever releases is paid", "balanceOf[held.payee] += held.amount;", "balanceOf[msg.sender] += held.amount;"),
  example("a second deal replaces the first", "balanceOf[held.payee] += held.amount;", "balanceOf[held.payee] = held.amount;"),
  example("anybody takes back", "        if (held.payer != msg.sender) revert NotPayer(deal, msg.sender);\n", ""),
  example("taken back too early", "        if (block.timestamp < held.deadline) revert TooEarly(deal, held.deadline);\n", ""),
  example("taken back a second late", "if (block.timestamp < held.deadline)", "if (block.timestamp <= held.deadline)"),
  example("taken back again and again", "        held.state = State.Refunded;\n", ""),
  example("the books stay open", "        balanceOf[msg.sender] = 0;\n", ""),
  example("the books are closed too late", `        balanceOf[msg.sender] = 0;\n        emit Withdrawn(msg.sender, amount);\n${PAYMENT}`, `        emit Withdrawn(msg.sender, amount);\n${PAYMENT}        balanceOf[msg.sender] = 0;\n`),
  example("nothing is paid out", "        if (amount == 0) revert NothingToWithdraw(msg.sender);\n", ""),
  example("a refused payment is gone", "        if (!paid) revert PaymentRefused(msg.sender);\n", ""),
  example("a deal is never over", "if (held.state != State.Held) revert NotHeld(deal);", "if (held.state == State.Unknown) revert NotHeld(deal);"),
];

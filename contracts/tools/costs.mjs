#!/usr/bin/env node
// What an anchor costs as a log grows, beside what others take, and what that is for each document. Prints the section
// "Anchoring" of docs/performance.md (`python bench/run.py anchoring`): whole transactions on Anvil, Osaka rules.
import { anchorCall, artifact, calldata, client, forgeTrees, sha256, startAnvil } from "./chain.mjs";

const SIZES = [1_000n, 1_000_000n, 4_000_000_000n];
const BATCHES = [1_000n, 1_000_000n];
const SHAPES = 50; // drawn steps for each size and batch: a proof's cost depends on the bits of both sizes
const GWEI = 1; // of the example in ether

// Measured by us on 2026-11-21 from the sources of these commits, compiled with the settings that they declare, one
// transaction each on py-evm with Prague rules, fresh storage slots: theirs is what they say, ours how it was weighed.
const PEERS = [
  ["32 bytes of calldata, as Blockcerts' cert-issuer 2d39f25 sends them", "", 22_280, "", "no contract can ask"],
  ["Ceramic `anchorDagCbor`, CAS 7996a8a", "", 25_463, "", "an event, no state"],
  ["EAS `timestamp`, eas-contracts aa47c22", "", 45_864, "reverts", "a time for each value, no order"],
  ["OpenAttestation `issue`, document-store b57a8be", "", 48_157, "reverts", "a block for each value, no order"],
  ["WeIdentity `createEvidence`, 339f4cb", "", 64_162, "", "no sender check"],
  ["TrustDB `publish`, e96a7bb", 208_235, 154_592, 37_240, "sizes rise; consistency is not checked"],
  ["EAS `attest`", "", 179_772, "", "32 bytes"],
  ["RecordPlatform `storeAttestationBatch`, 0b52fcb", "", 189_022, "reverts", "strings on the chain"],
  ["FISCO BCOS evidenceSample, 31f8283", "", 1_393_939, "", "a contract for each document"],
];

/** A number in [0, range) that is the same in every run. */
const draw = (seed, range) => BigInt(`0x${sha256(seed).toString("hex")}`) % range;
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const shown = (value) => (typeof value === "bigint" || typeof value === "number" ? value.toLocaleString("en") : value);

/** Runs first, next and duplicate anchors of one log on a node; returns their gas. */
async function anchors(node, label, size1, size2) {
  const registered = await node.send({ ...node.call, data: calldata("register", sha256(label), node.call.from) });
  const log = Buffer.from(registered.logs[0].topics[1].slice(2), "hex");
  const { root1, root2, proof } = forgeTrees(size1, size2, label);
  const gas = async (...words) => Number((await node.send({ ...node.call, data: anchorCall(log, ...words) })).gasUsed);
  return {
    hashes: proof.length,
    first: await gas(size1, root1),
    next: await gas(size2, root2, proof),
    duplicate: await gas(size2, root2),
  };
}

async function measure(url) {
  const { rpc, send } = client(url);
  const [from] = await rpc("eth_accounts");
  const { contractAddress: to } = await send({ from, data: artifact.bytecode });
  const node = { send, call: { from, to } };
  const rows = [];
  for (const size of SIZES) {
    for (const batch of BATCHES) {
      const drawn = [];
      for (let i = 0; i < SHAPES; i += 1) {
        const label = `${size} ${batch} ${i}`;
        // About that size, and about that many documents since the anchor before.
        const size1 = size + draw(`${label} at`, size / 10n);
        drawn.push(await anchors(node, label, size1, size1 + batch - batch / 20n + draw(`${label} by`, batch / 10n)));
      }
      const exact = await anchors(node, `${size} ${batch}`, size, size + batch);
      rows.push({ size, batch, drawn, exact });
    }
  }
  return rows;
}

function sizes(rows) {
  const lines = rows.map(({ size, batch, drawn, exact }) => {
    const column = (name) => drawn.map((each) => each[name]);
    const next = column("next");
    const hashes = column("hashes");
    return [
      shown(size),
      shown(batch),
      shown(exact.first),
      shown(exact.next),
      `${shown(median(next))} (${shown(Math.min(...next))} to ${shown(Math.max(...next))})`,
      `${Math.min(...hashes)} to ${Math.max(...hashes)}`,
      shown(Math.max(...column("duplicate"), exact.duplicate)),
    ];
  });
  const heads = ["leaves", "documents since", "first", "next, exactly", `next, ${SHAPES} drawn: median (range)`, "hashes", "duplicate"];
  return table(heads, "--:|--:|--:|--:|--:|--:|--:", lines);
}

function peers(rows) {
  const all = rows.flatMap(({ drawn }) => drawn);
  const range = (name) => `${shown(Math.min(...all.map((each) => each[name])))} to ${shown(Math.max(...all.map((each) => each[name])))}`;
  const ours = ["**EvidenceAnchor**, above", range("first"), range("next"), range("duplicate"), "extends the tree before, proven on the chain"];
  return table(["anchor", "first", "next", "again", "what the chain knows"], "---|--:|--:|--:|---", [ours, ...PEERS.map((row) => row.map(shown))]);
}

function documents(rows) {
  const lines = rows.map(({ size, batch, drawn }) => {
    const gas = median(drawn.map(({ next }) => next));
    const each = gas / Number(batch);
    const ether = (gas * GWEI) / 1e9;
    const digits = each < 1 ? 3 : 1;
    return [shown(batch), shown(size), shown(gas), each.toFixed(digits), ether.toFixed(6), (ether / Number(batch)).toExponential(1)];
  });
  const heads = ["documents an anchor", "leaves", "gas an anchor", "gas a document", `ether an anchor at ${GWEI} gwei`, "ether a document"];
  return table(heads, "--:|--:|--:|--:|--:|--:", lines);
}

function table(heads, rule, lines) {
  return [`| ${heads.join(" | ")} |`, `|${rule}|`, ...lines.map((line) => `| ${line.join(" | ")} |`)].join("\n");
}

const { child, url } = await startAnvil("osaka");
try {
  const rows = await measure(url);
  console.log([sizes(rows), peers(rows), documents(rows)].join("\n\n"));
} finally {
  child.removeAllListeners("exit");
  child.kill("SIGTERM");
}

#!/usr/bin/env node
// Measures what a whole transaction costs on Anvil (Osaka rules: 21,000 base, calldata and its EIP-7623 floor, execution)
// and fails if a target of the project is missed. `--json` prints JSON instead of the Markdown table, `--hardfork NAME`
// measures under the rules of another fork.
//
// Trees of billions of leaves need no leaves: the roots are computed from the hashes of a proof, by the recursion of
// RFC 9162, section 2.1.4.1, read backwards. So every proof is well formed, of the right length and of random bytes.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { binary, environment, project } from "./binaries.mjs";

const artifact = JSON.parse(readFileSync(join(project, "artifacts", "EvidenceAnchor.json"), "utf8"));
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();
const node = (left, right) => sha256(Buffer.from([1]), left, right);

/** The proof from `size1` to `size2` made of hashes derived from `seed`, and the two roots it leads to. */
function forgeTrees(size1, size2, seed) {
  const proof = [];
  const fresh = () => {
    proof.push(sha256(seed, String(proof.length)));
    return proof.at(-1);
  };
  // Climbs from the boundary of the older tree: SUBPROOF with its recursion unwound, deepest hash first.
  const climb = (older, newer, complete) => {
    if (older === newer) {
      const root = complete ? sha256(seed, "root") : fresh();
      return [root, root];
    }
    let half = 1n;
    while (half * 2n < newer) half *= 2n;
    if (older <= half) {
      const [first, second] = climb(older, half, complete);
      return [first, node(second, fresh())];
    }
    const [first, second] = climb(older - half, newer - half, false);
    const left = fresh();
    return [node(left, first), node(left, second)];
  };
  const [root1, root2] = climb(size1, size2, true);
  return { root1, root2, proof };
}

async function startAnvil(hardfork) {
  // Without --prune-history Anvil writes the state of every block to disk and leaves it there.
  const flags = ["--port", "0", "--hardfork", hardfork, "--prune-history", "256", "--timestamp", "1767225600"];
  const child = spawn(binary("anvil"), flags, { env: environment(), stdio: ["ignore", "pipe", "inherit"] });
  const url = await new Promise((resolve, reject) => {
    let seen = "";
    child.stdout.on("data", (chunk) => {
      seen += chunk;
      const found = /Listening on (\S+)/.exec(seen);
      if (found) resolve(`http://${found[1]}`);
    });
    child.once("exit", (code) => reject(new Error(`anvil ended with ${code}`)));
  });
  return { child, url };
}

function client(url) {
  const rpc = async (method, ...params) => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    const answer = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });
    const { result, error } = await answer.json();
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  };
  const send = async (transaction) => {
    const receipt = await rpc("eth_sendTransactionSync", { gas: "0x989680", ...transaction });
    if (receipt.status !== "0x1") throw new Error(`transaction ${receipt.transactionHash} was reverted`);
    return receipt;
  };
  return { rpc, send };
}

const word = (value) => (Buffer.isBuffer(value) ? value.toString("hex") : BigInt(value).toString(16)).padStart(64, "0");
const selector = (name) =>
  Object.entries(artifact.methodIdentifiers).find(([signature]) => signature.startsWith(`${name}(`))[1];
const calldata = (name, ...words) => `0x${selector(name)}${words.map(word).join("")}`;
const anchorCall = (log, size, root, proof = []) => calldata("anchor", log, size, root, 128, proof.length, ...proof);

async function measure(url) {
  const { rpc, send } = client(url);
  const [from, other] = await rpc("eth_accounts");
  const rows = [];
  const record = (what, receipt, limit) => rows.push({ what, gas: Number(receipt.gasUsed), limit: limit ?? null });

  const deployment = await send({ from, data: artifact.bytecode });
  const to = deployment.contractAddress;
  const code = await rpc("eth_getCode", to, "latest");
  if (code !== artifact.deployedBytecode) throw new Error("the deployed code is not the artifact's");
  record("deploy", deployment);

  const newLog = async (label, note) => {
    const receipt = await send({ from, to, data: calldata("register", sha256(label), from) });
    if (note) record(note, receipt);
    return Buffer.from(receipt.logs[0].topics[1].slice(2), "hex");
  };
  const call = (data) => send({ from, to, data });

  const spare = await newLog("spare", "register");
  record("setPublisher, allow", await call(calldata("setPublisher", spare, other, 1)));
  record("setPublisher, forbid", await call(calldata("setPublisher", spare, other, 0)));
  record("transferOwnership", await call(calldata("transferOwnership", spare, other)));
  record("acceptOwnership", await send({ from: other, to, data: calldata("acceptOwnership", spare) }));

  const cases = [
    [1_000n, 1_500n, undefined],
    [1_234_567n, 1_300_001n, 56_000],
    [4_000_000_007n, 4_000_090_001n, 66_000],
    // The dearest shape of its size: nearly every hash belongs to both trees.
    [2_097_151n, 2_097_153n, undefined],
  ];
  for (const [size1, size2, limit] of cases) {
    const log = await newLog(`${size1}`);
    const { root1, root2, proof } = forgeTrees(size1, size2, `${size1}-${size2}`);
    const first = await call(anchorCall(log, size1, root1));
    if (size1 === cases[0][0]) record("first anchor", first);
    const step = `${size1.toLocaleString("en")} to ${size2.toLocaleString("en")}, ${proof.length} hashes`;
    record(`next anchor, ${step}`, await call(anchorCall(log, size2, root2, proof)), limit);
    const duplicate = await call(anchorCall(log, size2, root2));
    if (duplicate.logs.length) throw new Error("a duplicate emitted an event");
    record(`duplicate of ${size2.toLocaleString("en")}, no proof`, duplicate, 30_000);
    record(`duplicate of ${size2.toLocaleString("en")}, same proof`, await call(anchorCall(log, size2, root2, proof)));
  }
  return rows;
}

function table(rows) {
  const lines = rows.map(({ what, gas, limit }) => [what, gas.toLocaleString("en"), limit?.toLocaleString("en") ?? ""]);
  return ["| transaction | gas, all in | target |", "|---|---:|---:|", ...lines.map((l) => `| ${l.join(" | ")} |`)].join("\n");
}

const { values: options } = parseArgs({
  options: { json: { type: "boolean", default: false }, hardfork: { type: "string", default: "osaka" } },
});
const { child, url } = await startAnvil(options.hardfork);
try {
  const rows = await measure(url);
  console.log(options.json ? JSON.stringify(rows, null, 2) : table(rows));
  const missed = rows.filter(({ gas, limit }) => limit !== null && gas > limit);
  for (const { what, gas, limit } of missed) console.error(`${what}: ${gas} gas, target ${limit}`);
  process.exitCode = missed.length ? 1 : 0;
} finally {
  child.removeAllListeners("exit");
  child.kill("SIGTERM");
}

// A fresh Anvil node, calls of the contract, and trees of any size, for the tools that measure whole transactions.
//
// Trees of billions of leaves need no leaves: the roots are computed from the hashes of a proof, by the recursion of
// RFC 9162, section 2.1.4.1, read backwards. So every proof is well formed, of the right length and of random bytes.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { binary, environment, project } from "./binaries.mjs";

export const artifact = JSON.parse(readFileSync(join(project, "artifacts", "EvidenceAnchor.json"), "utf8"));
export const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();
const node = (left, right) => sha256(Buffer.from([1]), left, right);

/** The proof from `size1` to `size2` made of hashes derived from `seed`, and the two roots it leads to. */
export function forgeTrees(size1, size2, seed) {
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

export async function startAnvil(hardfork) {
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

export function client(url) {
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
export const calldata = (name, ...words) => `0x${selector(name)}${words.map(word).join("")}`;
export const anchorCall = (log, size, root, proof = []) => calldata("anchor", log, size, root, 128, proof.length, ...proof);

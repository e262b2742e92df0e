#!/usr/bin/env node
// Measures what a whole transaction costs on Anvil (Osaka rules: 21,000 base, calldata and its EIP-7623 floor, execution)
// and fails if a target of the project is missed. `--json` prints JSON instead of the Markdown table, `--hardfork NAME`
// measures under the rules of another fork.
import { parseArgs } from "node:util";

import { anchorCall, artifact, calldata, client, forgeTrees, sha256, startAnvil } from "./chain.mjs";

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

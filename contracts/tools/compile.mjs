#!/usr/bin/env node
// Compiles EvidenceAnchor and writes its artifact; with --check, recompiles and fails on any byte of difference.
//
// The settings repeat those of foundry.toml; a forge test compares forge's own code with the artifact, so the two
// cannot drift apart.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const solc = require("solc");
const { keccak256 } = require("js-sha3");

const project = join(dirname(fileURLToPath(import.meta.url)), "..");
const contractName = "EvidenceAnchor";
const sourceName = `src/${contractName}.sol`;
const targets = [
  join(project, "artifacts", `${contractName}.json`),
  // Shipped inside the Python package, which never needs a compiler.
  join(project, "..", "anchor", "vermilion_anchor", "abi", `${contractName}.json`),
];

function standardInput() {
  const files = readdirSync(join(project, "src")).filter((name) => name.endsWith(".sol")).sort();
  const sources = Object.fromEntries(
    files.map((name) => [`src/${name}`, { content: readFileSync(join(project, "src", name), "utf8") }]),
  );
  return {
    language: "Solidity",
    sources,
    settings: {
      evmVersion: "shanghai",
      optimizer: { enabled: true, runs: 1_000_000 },
      viaIR: true,
      metadata: { bytecodeHash: "none", appendCBOR: false },
      outputSelection: {
        [sourceName]: {
          [contractName]: ["abi", "evm.bytecode", "evm.deployedBytecode", "evm.methodIdentifiers", "storageLayout"],
        },
      },
    },
  };
}

function build() {
  const input = standardInput();
  const inputJson = JSON.stringify(input);
  const output = JSON.parse(solc.compile(inputJson));
  if (output.errors?.length) {
    throw new Error(output.errors.map((error) => error.formattedMessage).join("\n"));
  }
  const contract = output.contracts[sourceName][contractName];
  const { bytecode, deployedBytecode, methodIdentifiers } = contract.evm;
  if (Object.keys(deployedBytecode.immutableReferences ?? {}).length) {
    throw new Error("immutables would make the deployed code differ from the artifact");
  }
  if (Object.keys(bytecode.linkReferences).length) throw new Error("the contract must not need linking");
  const { outputSelection: _, ...settings } = input.settings;
  return {
    contractName,
    sourceName,
    compiler: { name: "solc", version: solc.version() },
    settings,
    inputSha256: createHash("sha256").update(inputJson).digest("hex"),
    codeHash: `0x${keccak256(Buffer.from(deployedBytecode.object, "hex"))}`,
    abi: contract.abi,
    methodIdentifiers,
    bytecode: `0x${bytecode.object}`,
    deployedBytecode: `0x${deployedBytecode.object}`,
    storageLayout: contract.storageLayout,
  };
}

const text = `${JSON.stringify(build(), null, 2)}\n`;
let failed = false;
for (const target of targets) {
  const shown = relative(join(project, ".."), target);
  if (process.argv.includes("--check")) {
    let present;
    try {
      present = readFileSync(target, "utf8");
    } catch {
      present = undefined;
    }
    if (present === text) {
      console.log(`${shown}: up to date`);
    } else {
      console.error(`${shown}: ${present === undefined ? "missing" : "differs from the sources"}; run npm run compile`);
      failed = true;
    }
  } else {
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
    console.log(`${shown}: written`);
  }
}
process.exitCode = failed ? 1 : 0;

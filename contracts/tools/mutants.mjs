#!/usr/bin/env node
// Changes the contracts in one place at a time, and fails if any change goes unnoticed by the tests (`make mutants`).
//
// Each mutant is compiled and tested in a copy of the project below cache/, with 200 fuzz runs and without the invariants.
// The tests that compare bytes with the committed artifact stay out of it: they would notice everything and tell nothing.
// A text that is not found exactly as often as `mutations.mjs` says, and a mutant that does not compile, are errors of
// that list and end the run.
//
// `node tools/mutants.mjs 12 40` tries two of them; `--list` only lists them.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { binary, environment, project } from "./binaries.mjs";
import { mutations } from "./mutations.mjs";

const copy = join(project, "cache", "mutants");
const TESTS = {
  "EvidenceAnchor.sol": "EvidenceAnchor",
  "Rfc9162.sol": "{Rfc9162,EvidenceAnchor}",
  "examples/ReleaseOnEvidence.sol": "ReleaseOnEvidence",
};

/**
 * A fresh copy. A warning that a mutant gives rise to is no reason not to compile it, and the tests deploy what they test
 * by name, so that they are compiled once and not for each mutant.
 */
function prepare() {
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy, { recursive: true });
  for (const name of ["src", "test", "tools"]) cpSync(join(project, name), join(copy, name), { recursive: true });
  symlinkSync(join(project, "node_modules"), join(copy, "node_modules"));
  const settings = readFileSync(join(project, "foundry.toml"), "utf8");
  const quick = settings
    .replace('deny = "warnings"\n', "dynamic_test_linking = true\n")
    .replace(/fs_permissions = \[.*?^\]\n/ms, "")
    .replace("runs = 1_000\n", "runs = 200\n");
  writeFileSync(join(copy, "foundry.toml"), quick);
}

/** Runs the tests that are about one file. */
function test(file) {
  return forge("test", "--fail-fast", "--match-path", `test/${TESTS[file]}.t.sol`);
}

function forge(...words) {
  const options = { cwd: copy, env: environment(), encoding: "utf8", maxBuffer: 2 ** 28 };
  const run = spawnSync(binary("forge"), words, options);
  if (run.error) throw run.error;
  return { passed: run.status === 0, text: `${run.stdout}\n${run.stderr}` };
}

/** The source with the change; `nth` counts, from 0, the places where the text stands. */
function mutate(source, { file, from, to, nth, places = 1 }) {
  const parts = source.split(from);
  if (parts.length !== places + 1) throw new Error(`${file}: ${parts.length - 1} places, not ${places}: ${from}`);
  const at = nth ?? 0;
  return parts.slice(0, at + 1).join(from) + to + parts.slice(at + 1).join(from);
}

/** Tries one mutant; returns the test that noticed it, or nothing. */
function judge(mutation) {
  const path = join(copy, "src", mutation.file);
  const source = readFileSync(path, "utf8");
  writeFileSync(path, mutate(source, mutation));
  try {
    const { passed, text } = test(mutation.file);
    if (!passed && !/^Ran \d+ test/m.test(text)) throw new Error(`does not compile: ${mutation.why}\n${text}`);
    return passed ? undefined : (/^\[FAIL.*?\] (\w+)\(/m.exec(text)?.[1] ?? "a failure");
  } finally {
    writeFileSync(path, source);
  }
}

const words = process.argv.slice(2);
const chosen = words.filter((word) => /^\d+$/.test(word)).map(Number);
const entries = [...mutations.entries()].filter(([number]) => !chosen.length || chosen.includes(number));
if (words.includes("--list")) {
  for (const [number, { file, why }] of entries) console.log(`${number} ${file}: ${why}`);
} else {
  prepare();
  for (const file of new Set(entries.map(([, mutation]) => mutation.file))) {
    const sound = test(file);
    if (!sound.passed) throw new Error(`the tests fail without a change:\n${sound.text}`);
  }
  const survivors = [];
  console.log("| | contract | change | noticed first by |\n|---:|---|---|---|");
  for (const [number, mutation] of entries) {
    const noticed = judge(mutation);
    if (!noticed) survivors.push(number);
    console.log(`| ${number} | ${mutation.file} | ${mutation.why} | ${noticed ? `\`${noticed}\`` : "**nobody**"} |`);
  }
  console.log(`\n${entries.length} mutants, ${entries.length - survivors.length} noticed`);
  if (survivors.length) console.error(`unnoticed: ${survivors.join(", ")}`);
  process.exitCode = survivors.length ? 1 : 0;
}

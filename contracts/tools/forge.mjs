#!/usr/bin/env node
// Runs forge with the given arguments; `--long` in front of them takes the profile of that name.
import { spawnSync } from "node:child_process";

import { binary, environment, project } from "./binaries.mjs";

const [first, ...rest] = process.argv.slice(2);
const long = first === "--long";
const env = long ? { ...environment(), FOUNDRY_PROFILE: "long" } : environment();
const run = spawnSync(binary("forge"), long ? rest : process.argv.slice(2), { cwd: project, env, stdio: "inherit" });
if (run.error) throw run.error;
process.exitCode = run.status ?? 1;

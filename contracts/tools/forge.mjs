#!/usr/bin/env node
// Runs forge with the given arguments.
import { spawnSync } from "node:child_process";

import { binary, environment, project } from "./binaries.mjs";

const run = spawnSync(binary("forge"), process.argv.slice(2), { cwd: project, env: environment(), stdio: "inherit" });
if (run.error) throw run.error;
process.exitCode = run.status ?? 1;

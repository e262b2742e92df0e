// Where the Foundry binaries of package-lock.json are, and an environment in which they write inside this folder only.
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const project = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Path of a Foundry binary. The native one, not the npm launcher: killing the launcher would orphan the process. */
export function binary(name) {
  const arch = { x64: "amd64", arm64: "arm64" }[process.arch] ?? process.arch;
  const path = join(project, "node_modules", "@foundry-rs", `${name}-${process.platform}-${arch}`, "bin", name);
  if (!existsSync(path)) {
    throw new Error(`${name} is not installed for ${process.platform}-${arch}; run npm ci in contracts/`);
  }
  return path;
}

/** The environment for a Foundry binary: its home folder is below cache/, and no setting of the caller leaks in. */
export function environment() {
  const home = join(project, "cache", "home");
  mkdirSync(home, { recursive: true });
  const kept = Object.entries(process.env).filter(([name]) => !/^(FOUNDRY|DAPP|XDG)_/.test(name));
  return { ...Object.fromEntries(kept), HOME: home, FOUNDRY_DISABLE_NIGHTLY_WARNING: "1" };
}

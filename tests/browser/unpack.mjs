// Unpacks the Chromium of @sparticuz/chromium, once, beside the package: the program, and the
// libraries that a bare machine lacks. Called by `make`; needs nothing but Node.

import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { brotliDecompressSync } from "node:zlib";

const here = new URL(".", import.meta.url).pathname;
const packed = join(here, "node_modules/@sparticuz/chromium/bin");
const target = join(here, "node_modules/.chromium");
const BLOCK = 512; // bytes of a tar header, and of what files are padded to

const unpacked = (name) => brotliDecompressSync(readFileSync(join(packed, name)));

// Plain files of a ustar archive; links and others are not in these.
function extract(archive) {
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const field = (from, to) => archive.toString("utf8", at + from, at + to).replace(/\0.*$/s, "");
    const [name, type] = [normalize(field(0, 100)), field(156, 157)];
    if (name === ".") break;
    const size = parseInt(field(124, 136), 8) || 0;
    if ((type === "0" || type === "") && !name.startsWith("..")) {
      const path = join(target, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, archive.subarray(at + BLOCK, at + BLOCK + size));
    }
    at += BLOCK * (1 + Math.ceil(size / BLOCK));
  }
}

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
for (const name of ["al2023.tar.br", "swiftshader.tar.br"]) extract(unpacked(name));
writeFileSync(join(target, "chromium"), unpacked("chromium.br"));
chmodSync(join(target, "chromium"), 0o755);

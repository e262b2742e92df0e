#!/usr/bin/env node
// Fails if anything public in src/ lacks its NatSpec: a notice for each contract, function, event, error and public
// variable, a line for each named parameter and for what is returned. The compiler only refuses lines that fit nothing.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { project } from "./binaries.mjs";

const solc = createRequire(import.meta.url)("solc");
const files = readdirSync(join(project, "src"), { recursive: true }).filter((name) => name.endsWith(".sol")).sort();
const input = {
  language: "Solidity",
  sources: Object.fromEntries(
    files.map((name) => [`src/${name}`, { content: readFileSync(join(project, "src", name), "utf8") }]),
  ),
  settings: { evmVersion: "shanghai", viaIR: true, outputSelection: { "*": { "": ["ast"] } } },
};
const output = JSON.parse(solc.compile(JSON.stringify(input)));
const fatal = (output.errors ?? []).filter(({ severity }) => severity === "error");
if (fatal.length) throw new Error(fatal.map(({ formattedMessage }) => formattedMessage).join("\n"));

const documented = ["FunctionDefinition", "EventDefinition", "ErrorDefinition", "VariableDeclaration"];
let count = 0;
const missing = [];

for (const { ast } of Object.values(output.sources)) {
  for (const contract of ast.nodes.filter(({ nodeType }) => nodeType === "ContractDefinition")) {
    const text = contract.documentation?.text ?? "";
    check(contract.name, text, ["@title ", "@notice "]);
    const members = contract.nodes.filter(({ nodeType }) => documented.includes(nodeType));
    for (const member of members.filter((each) => isPublic(each, contract))) checkMember(contract, member);
  }
}
console.log(`${count} contracts and public members documented`);
for (const line of missing) console.error(line);
process.exitCode = missing.length ? 1 : 0;

/** What others can call or see, and what a library offers to the contracts beside it. */
function isPublic({ nodeType, visibility }, { contractKind }) {
  if (nodeType === "EventDefinition" || nodeType === "ErrorDefinition") return true;
  return visibility === "public" || visibility === "external" || (contractKind === "library" && visibility === "internal");
}

function checkMember(contract, member) {
  const name = `${contract.name}.${member.name || member.kind}`;
  const text = member.documentation?.text ?? "";
  if (text.includes("@inheritdoc ")) {
    count += 1;
    return;
  }
  const named = (member.parameters?.parameters ?? []).filter((each) => each.name);
  // An unnamed value is described by an @return of its own.
  const returned = member.returnParameters?.parameters ?? [];
  const wanted = named.map((each) => `@param ${each.name} `);
  check(name, text, ["@notice ", ...wanted, ...returned.map((each) => `@return ${each.name ? `${each.name} ` : ""}`)]);
}

function check(name, text, wanted) {
  count += 1;
  for (const tag of wanted) if (!text.includes(tag)) missing.push(`${name} lacks ${tag.trim()}`);
}

// The page on which a person makes a passkey and signs its registration with it. The
// roots sign the same statement elsewhere; nothing is recorded from here.

import { base64 } from "./bytes.js";
import * as ledger from "./ledger.js";
import * as passkey from "./passkey.js";
import { canonical, challengeOf, compare, keyidOf, read } from "./statement.js";
import { actorText, byId, notice, options, refuse, rows, say, showExact, startLanguages } from "./view.js";

let roots = []; // registered root keys, whose owners may answer for a registration
let registry = ""; // the key record
let pending = null; // {payload, statement, id, keyid}: made, not signed yet

function draw() {
  options(byId("root"), roots.map((key) => [key.keyid, actorText(key.owner)]));
  if (pending !== null) show();
}

async function make(submitted) {
  submitted.preventDefault();
  try {
    const owner = Object.fromEntries(
      ["id", "name", "post", "unit"].map((name) => [name, byId(`owner-${name}`).value.trim()]),
    );
    const may = [...document.querySelectorAll("[name=may]:checked")].map((box) => box.value).sort();
    const actor = roots.find((key) => key.keyid === byId("root").value).owner;
    const made = await passkey.create(owner);
    const detail = { scheme: passkey.SCHEME, key: made.key, owner, may, ...passkey.site() };
    const asked = { record: registry, event: "register", actor, detail };
    const payload = await ledger.prepare(registry, { event: "register", actor, detail });
    const statement = read(payload);
    compare(statement, "key", asked);
    pending = { payload, statement, id: made.id, keyid: await keyidOf(passkey.SCHEME, made.key) };
    await showExact(payload);
    show();
    notice("", say("read"));
    byId("shown").hidden = false;
    byId("shown").focus();
  } catch (error) {
    refuse(error);
  }
}

function show() {
  const { predicate } = pending.statement;
  const { detail } = predicate;
  rows(byId("fields"), [
    ["event", say(predicate.event)],
    ["owner", actorText(detail.owner)],
    ["may", detail.may.map(say).join(", ")],
    ["site", detail.origin],
    ["key", detail.key, true],
    ["root", actorText(predicate.actor)],
    ["ledger", predicate.ledger],
    ["time", predicate.time],
  ]);
}

async function sign() {
  const { payload, statement, id, keyid } = pending;
  notice("busy", say("signing"));
  try {
    const { key } = statement.predicate.detail;
    const signature = await passkey.sign(await challengeOf(payload), key, id);
    const part = canonical(ledger.envelopeOf(base64(payload), keyid, signature));
    byId("part").value = part;
    byId("command").textContent =
      `vermilion keys register --statement FILE --keyid ${keyid} --root ROOT.json`;
    const link = byId("download");
    link.href = URL.createObjectURL(new Blob([part], { type: "application/json" }));
    link.download = `${statement.predicate.detail.owner.id.replace(/[^\w.-]/g, "_")}.part.json`;
    byId("made").hidden = false;
    notice("good", say("enrolled"), keyid);
    byId("notice").focus();
  } catch (error) {
    refuse(error);
  }
}

async function start() {
  byId("ask").addEventListener("submit", make);
  byId("sign").addEventListener("click", sign);
  startLanguages(draw);
  if (!passkey.isPossible()) {
    notice("bad", say("impossible"));
    return;
  }
  try {
    const told = (await ledger.log()).registry;
    registry = told.keys;
    roots = (await ledger.keys()).filter((key) => told.roots.includes(key.keyid));
    draw();
    byId("prepare").disabled = roots.length === 0;
  } catch (error) {
    refuse(error);
  }
  document.body.dataset.ready = "true";
}

start();

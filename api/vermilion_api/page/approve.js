// The page on which a person reads a decision and signs it with a passkey.
// Owns one statement at a time: what is shown is read from the bytes that get signed.

import { hex, sha256, base64 } from "./bytes.js";
import * as ledger from "./ledger.js";
import * as passkey from "./passkey.js";
import { challengeOf, compare, read, RefusedError } from "./statement.js";
import { actorText, byId, notice, options, refuse, rows, say, showExact, startLanguages } from "./view.js";

let known = []; // passkeys of this site
let pending = null; // {payload, statement, key}: read by the person, not signed yet
let dropped = ""; // SHA-256 of the file that the person holds

const fields = ["record", "step", "decision", "event", "who"];

function draw() {
  options(byId("decision"), ["approved", "rejected"].map((word) => [word, say(word)]));
  options(byId("event"), ["approve", "countersign"].map((word) => [word, say(word)]));
  options(byId("who"), known.map((key) => [key.keyid, actorText(key.owner)]));
  if (pending !== null) show();
}

function forget() {
  pending = null;
  byId("shown").hidden = true;
  notice("", "");
}

async function prepare(submitted) {
  submitted.preventDefault();
  forget();
  notice("busy", say("reading"));
  try {
    const key = known.find((each) => each.keyid === byId("who").value);
    if (key === undefined) throw new RefusedError("noPasskeys");
    const asked = {
      record: byId("record").value.trim(),
      event: byId("event").value,
      actor: key.owner,
      detail: { step: byId("step").value, decision: byId("decision").value },
    };
    const { record, event, detail } = asked;
    const payload = await ledger.prepare(record, { event, detail, keyids: [key.keyid] });
    const statement = read(payload);
    compare(statement, "record", asked);
    pending = { payload, statement, key };
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
  const { predicate, subject } = pending.statement;
  const [{ name, digest }] = subject;
  const { seen, prior } = predicate;
  rows(byId("fields"), [
    ["document", name],
    ["digest", digest.sha256, true],
    ...(digest.sm3 === undefined ? [] : [["sm3", digest.sm3, true]]),
    ["event", say(predicate.event)],
    ["step", predicate.detail.step],
    ["decision", say(predicate.detail.decision)],
    ["policy", predicate.detail.policy ?? say("noPolicy"), "policy" in predicate.detail],
    ["actor", actorText(predicate.actor)],
    ["record", predicate.record, true],
    ["ledger", predicate.ledger],
    ["block", `${seen.number} · ${seen.hash} · chain ${seen.chainId}`, true],
    ["prior", `${prior.sequence} · ${prior.envelope}`, true],
    ["time", predicate.time],
  ]);
  match();
}

function match() {
  const place = byId("match");
  if (pending === null || dropped === "") {
    place.textContent = "";
    place.className = "";
  } else {
    const same = pending.statement.subject[0].digest.sha256 === dropped;
    place.textContent = say(same ? "sameFile" : "otherFile");
    place.className = same ? "good" : "bad";
  }
  byId("sign").disabled = place.className === "bad";
}

async function take(file) {
  dropped = hex(await sha256(await file.arrayBuffer()));
  match();
}

async function sign() {
  if (pending === null) return;
  const { payload, key, statement } = pending;
  byId("sign").disabled = true;
  notice("busy", say("signing"));
  try {
    const signature = await passkey.sign(await challengeOf(payload), key.key);
    const envelope = ledger.envelopeOf(base64(payload), key.keyid, signature);
    const answer = await ledger.submit(statement.predicate.record, envelope);
    forget();
    notice("good", say("done"), `${answer.record} · ${answer.sequence} · ${answer.index}`);
    byId("notice").focus();
  } catch (error) {
    refuse(error);
  } finally {
    match();
  }
}

async function start() {
  const record = decodeURIComponent(location.pathname.split("/")[2] ?? "");
  if (record !== "") byId("record").value = record;
  byId("ask").addEventListener("submit", prepare);
  byId("sign").addEventListener("click", sign);
  for (const id of fields) byId(id).addEventListener("input", forget);
  byId("file").addEventListener("click", (event) => {
    event.target.value = ""; // the same name may have other bytes by now
  });
  byId("file").addEventListener("change", (event) => take(event.target.files[0]));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length === 1) take(event.dataTransfer.files[0]);
  });
  startLanguages(draw);
  if (!passkey.isPossible()) {
    notice("bad", say("impossible"));
    return;
  }
  try {
    known = (await ledger.keys()).filter(ledger.isOfThisSite);
    draw();
    if (known.length === 0) notice("bad", say("noPasskeys"));
    byId("prepare").disabled = known.length === 0;
  } catch (error) {
    refuse(error);
  }
  document.body.dataset.ready = "true";
}

start();

// Statements (FORMATS sections 3 and 4): read from their exact bytes, compared with what
// was asked. Whatever the ledger says beside those bytes is never looked at.

import { concat, equal, fromHex, hex, sha256, text, utf8 } from "./bytes.js";

export const PAYLOAD_TYPE = "application/vnd.in-toto+json";

export class RefusedError extends Error {
  constructor(reason, what = "") {
    super(what === "" ? reason : `${reason}: ${what}`);
    this.reason = reason;
    this.what = what;
  }
}

// RFC 8785: members sorted by UTF-16 code units; ECMAScript writes texts and integers so.
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const members = Object.keys(value).sort();
    return `{${members.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

// A second reading of the same bytes must come out the same: no doubled member can hide.
export function read(payload) {
  let value;
  try {
    value = JSON.parse(text(payload));
  } catch {
    throw new RefusedError("malformed");
  }
  if (!equal(utf8(canonical(value)), payload)) throw new RefusedError("malformed");
  exactly(value, ["_type", "predicate", "predicateType", "subject"], []);
  exactly(
    value.predicate,
    ["actor", "detail", "event", "ledger", "nonce", "record", "time"],
    ["prior", "seen"],
  );
  exactly(value.predicate.actor, ["id", "name", "post", "unit"], []);
  if (value._type !== "https://in-toto.io/Statement/v1" || value.subject?.length !== 1) {
    throw new RefusedError("malformed");
  }
  exactly(value.subject[0], ["digest", "name"], []);
  exactly(value.subject[0].digest, ["sha256"], ["sm3"]);
  return value;
}

function exactly(value, required, optional) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new RefusedError("malformed");
  }
  const names = Object.keys(value);
  const known = [...required, ...optional];
  const odd = names.filter((name) => !known.includes(name));
  odd.push(...required.filter((name) => !names.includes(name)));
  if (odd.length > 0) throw new RefusedError("malformed", odd.join(", "));
}

const FAMILIES = { record: "urn:vermilion:record-event:v1", key: "urn:vermilion:key-event:v1" };

// `asked` has record, event, detail, actor; the ledger may add the policy of the record.
export function compare(statement, family, asked) {
  const { predicate } = statement;
  const detail = { ...predicate.detail };
  if (family === "record" && !("policy" in asked.detail)) delete detail.policy;
  const found = {
    kind: statement.predicateType,
    record: predicate.record,
    event: predicate.event,
    actor: predicate.actor,
    detail,
  };
  const wanted = {
    kind: FAMILIES[family],
    record: asked.record,
    event: asked.event,
    actor: asked.actor,
    detail: asked.detail,
  };
  for (const [name, value] of Object.entries(wanted)) {
    if (canonical(found[name]) !== canonical(value)) throw new RefusedError("otherThanAsked", name);
  }
  if (family === "record" && !(predicate.seen && predicate.prior)) {
    throw new RefusedError("malformed", "seen, prior");
  }
}

// DSSE's pre-authentication encoding, and its hash: the challenge of a passkey.
export function pae(payload) {
  const head = `DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `;
  return concat(utf8(head), payload);
}

export const challengeOf = (payload) => sha256(pae(payload));

export async function keyidOf(scheme, key) {
  return hex(await sha256(concat(utf8(`vermilion/key/v1\0${scheme}\0`), fromHex(key))));
}

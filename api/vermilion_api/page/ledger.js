// What the page asks the ledger. No cookie, no cache, no redirect; a refusal keeps its code.

import { fromBase64, text } from "./bytes.js";
import { SCHEME, site } from "./passkey.js";
import { keyidOf, PAYLOAD_TYPE, RefusedError } from "./statement.js";

async function ask(path, body) {
  const options = { cache: "no-store", credentials: "omit", redirect: "error" };
  options.headers = { "Accept-Language": document.documentElement.lang };
  if (body !== undefined) {
    options.method = "POST";
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new RefusedError("unreachable");
  }
  const value = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    throw new RefusedError("refusal", `${value.code ?? answer.status} · ${value.hint ?? ""}`);
  }
  return value;
}

export const log = () => ask("/v1/log");

// The exact bytes to be signed; nothing else of the answer is used.
export async function prepare(record, draft) {
  const answer = await ask(`/v1/records/${encodeURIComponent(record)}/statements`, draft);
  try {
    return fromBase64(answer.payload);
  } catch {
    throw new RefusedError("malformed");
  }
}

export const submit = (record, envelope) =>
  ask(`/v1/records/${encodeURIComponent(record)}/events`, envelope);

export const envelopeOf = (payload, keyid, signature) => ({
  payload,
  payloadType: PAYLOAD_TYPE,
  signatures: [{ keyid, scheme: SCHEME, ...signature }],
});

// Keys that are registered and not revoked, as the key record tells it.
export async function keys() {
  const registry = await ask("/v1/registry");
  const found = new Map();
  for (const event of registry.keys) {
    const { predicate } = JSON.parse(text(fromBase64(event.envelope.payload)));
    const { detail } = predicate;
    if (predicate.event === "revoke") {
      found.delete(detail.keyid);
    } else if (predicate.event === "register") {
      const keyid = await keyidOf(detail.scheme, detail.key);
      found.set(keyid, { keyid, ...detail });
    }
  }
  return [...found.values()];
}

export const isOfThisSite = (key) =>
  key.scheme === SCHEME && key.rpId === site().rpId && key.origin === site().origin;

// Passkeys: made, asked to sign, and checked here before anything is sent
// (W3C Web Authentication Level 3; FORMATS section 4, `webauthn-es256`).

import { base64, concat, equal, fromHex, hex, sha256, utf8 } from "./bytes.js";
import { RefusedError } from "./statement.js";

export const SCHEME = "webauthn-es256";
const ES256 = -7; // COSE algorithm identifier
const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;

// The only site whose passkeys this page can ask for: its own.
export const site = () => ({ rpId: location.hostname, origin: location.origin });

export const isPossible = () =>
  window.isSecureContext && window.PublicKeyCredential !== undefined && !!crypto.subtle;

// Returns the credential's id and its public key, 33 bytes compressed, as hex.
export async function create(owner) {
  const made = await navigator.credentials.create({
    publicKey: {
      challenge: crypto.getRandomValues(new Uint8Array(32)), // nothing is signed by it
      rp: { id: site().rpId, name: "Vermilion" },
      user: {
        id: crypto.getRandomValues(new Uint8Array(16)),
        name: owner.id,
        displayName: owner.name || owner.id,
      },
      pubKeyCredParams: [{ type: "public-key", alg: ES256 }],
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
      attestation: "none",
    },
  });
  const spki = made.response.getPublicKey();
  if (made.response.getPublicKeyAlgorithm() !== ES256 || spki === null) {
    throw new RefusedError("otherAlgorithm");
  }
  const point = new Uint8Array(spki).slice(-65);
  if (point[0] !== 4) throw new RefusedError("otherAlgorithm");
  return { id: new Uint8Array(made.rawId), key: hex(compress(point)) };
}

// Returns the members of an envelope's signature but keyid and scheme.
export async function sign(challenge, key, id = null) {
  const allowed = id === null ? {} : { allowCredentials: [{ type: "public-key", id }] };
  const answer = await navigator.credentials.get({
    publicKey: {
      challenge,
      rpId: site().rpId,
      userVerification: "required",
      timeout: 120000,
      ...allowed,
    },
  });
  const parts = {
    sig: new Uint8Array(answer.response.signature),
    authenticatorData: new Uint8Array(answer.response.authenticatorData),
    clientDataJSON: new Uint8Array(answer.response.clientDataJSON),
  };
  await check(parts, key);
  return Object.fromEntries(Object.entries(parts).map(([name, each]) => [name, base64(each)]));
}

async function check(parts, key) {
  const device = parts.authenticatorData;
  if (!equal(device.slice(0, 32), await sha256(utf8(site().rpId)))) {
    throw new RefusedError("otherPasskey");
  }
  if (!(device[32] & USER_PRESENT) || !(device[32] & USER_VERIFIED)) {
    throw new RefusedError("notVerified");
  }
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const known = await crypto.subtle.importKey("raw", expand(fromHex(key)), algorithm, false, [
    "verify",
  ]);
  const signed = concat(device, await sha256(parts.clientDataJSON));
  const holds = await crypto.subtle.verify(
    { name: "ECDSA", hash: "SHA-256" },
    known,
    numbers(parts.sig),
    signed,
  );
  if (!holds) throw new RefusedError("otherPasskey");
}

const compress = (point) => concat(Uint8Array.of(2 + (point[64] & 1)), point.slice(1, 33));

// SEC1, section 2.3.4; the prime is 3 modulo 4.
function expand(key) {
  const x = BigInt(`0x${hex(key.slice(1))}`);
  let y = power((((x * x - 3n) * x + B) % P) + P, (P + 1n) / 4n);
  if (y & 1n ? key[0] === 2 : key[0] === 3) y = P - y;
  return concat(Uint8Array.of(4), key.slice(1), fromHex(y.toString(16).padStart(64, "0")));
}

function power(base, exponent) {
  let result = 1n;
  let square = base % P;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}

// r ‖ s of a signature in DER, for WebCrypto.
function numbers(der) {
  const parts = [];
  let at = 2;
  for (let count = 0; count < 2; count += 1) {
    const size = der[at + 1];
    const number = der.slice(at + 2, at + 2 + size);
    at += 2 + size;
    parts.push(new Uint8Array(Math.max(0, 32 - number.length)), number.slice(-32));
  }
  return concat(...parts);
}

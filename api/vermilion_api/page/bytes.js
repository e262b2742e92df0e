// Bytes, text and digests. Owns the encodings of FORMATS section 1, nothing else.

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export const utf8 = (text) => encoder.encode(text);

export const text = (bytes) => decoder.decode(bytes);

export const hex = (bytes) =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export function fromHex(digits) {
  if (typeof digits !== "string" || !/^(?:[0-9a-f]{2})*$/.test(digits)) {
    throw new Error("not lower-case hex");
  }
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function base64(bytes) {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

// Strict: what is not written as we would write it is refused.
export function fromBase64(value) {
  const bytes = Uint8Array.from(atob(value), (each) => each.charCodeAt(0));
  if (base64(bytes) !== value) throw new Error("not canonical base64");
  return bytes;
}

export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export const equal = (left, right) =>
  left.length === right.length && left.every((byte, index) => byte === right[index]);

export const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

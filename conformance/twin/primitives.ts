/** The primitives of SPEC 5 over `node:crypto`, with HKDF written out from HMAC. @module */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  scryptSync,
} from "node:crypto";
import { Buffer } from "node:buffer";
import { ascii, bigEndian, concat, unhex } from "./bytes.ts";

export type Cipher = "chacha20-poly1305" | "aes-256-gcm";

export function sha256(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(createHash("sha256").update(concat(...parts)).digest());
}

export function hmac(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(createHmac("sha256", key).update(concat(...parts)).digest());
}

/** HKDF-Expand, RFC 5869 section 2.3. */
export function expand(prk: Uint8Array, info: Uint8Array | string, length: number): Uint8Array {
  const label = typeof info === "string" ? ascii(info) : info;
  let block: Uint8Array = new Uint8Array(0);
  let output: Uint8Array = new Uint8Array(0);
  for (let i = 1; output.length < length; i++) {
    block = hmac(prk, block, label, Uint8Array.of(i));
    output = concat(output, block);
  }
  return output.slice(0, length);
}

/** SPEC 5: HKDF(x, info, n) with SHA-256 and salt "STT/1". */
export function hkdf(input: Uint8Array, info: string, length: number): Uint8Array {
  return expand(hmac(ascii("STT/1"), input), info, length);
}

const PKCS8 = unhex("302e020100300506032b656e04220420");
const SPKI = unhex("302a300506032b656e032100");

function privateKey(bytes: Uint8Array): ReturnType<typeof createPrivateKey> {
  return createPrivateKey({ key: Buffer.from(concat(PKCS8, bytes)), format: "der", type: "pkcs8" });
}

export function publicKey(secret: Uint8Array): Uint8Array {
  const der = createPublicKey(privateKey(secret)).export({ format: "der", type: "spki" });
  return Uint8Array.from(der.subarray(der.length - 32));
}

/** X25519; undefined when the shared secret is all zero. */
export function agree(secret: Uint8Array, peer: Uint8Array): Uint8Array | undefined {
  const key = createPublicKey({
    key: Buffer.from(concat(SPKI, peer)),
    format: "der",
    type: "spki",
  });
  let shared: Uint8Array;
  try {
    shared = Uint8Array.from(diffieHellman({ privateKey: privateKey(secret), publicKey: key }));
  } catch {
    // OpenSSL refuses a shared secret of zero itself.
    return undefined;
  }
  return shared.every((byte) => byte === 0) ? undefined : shared;
}

export function seal(
  cipher: Cipher,
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  // The two ciphers share an interface that the typings spell out for one name at a time.
  const sealer = createCipheriv(cipher as "chacha20-poly1305", key, nonce, { authTagLength: 16 });
  sealer.setAAD(associated, { plaintextLength: plaintext.length });
  const body = concat(sealer.update(plaintext), sealer.final());
  return concat(body, sealer.getAuthTag());
}

export function open(
  cipher: Cipher,
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  if (sealed.length < 16) return undefined;
  const body = sealed.subarray(0, sealed.length - 16);
  const opener = createDecipheriv(cipher as "chacha20-poly1305", key, nonce, { authTagLength: 16 });
  opener.setAAD(associated, { plaintextLength: body.length });
  opener.setAuthTag(sealed.subarray(sealed.length - 16));
  const plaintext = concat(opener.update(body));
  try {
    opener.final();
  } catch {
    return undefined;
  }
  return plaintext;
}

/** SPEC 7: nonce = iv XOR sequence, left-padded to 12 bytes. */
export function frameNonce(iv: Uint8Array, sequence: bigint): Uint8Array {
  const padded = bigEndian(sequence, 12);
  return iv.map((byte, i) => byte ^ (padded[i] as number));
}

/** SPEC 5: a seed from a passphrase. */
export function passphraseSeed(passphrase: string, network: string): Uint8Array {
  const words = passphrase.normalize("NFC");
  const name = network.normalize("NFC");
  if (Array.from(words).length < 12 || Array.from(name).length < 8) throw new Error("too short");
  const salt = sha256(ascii("stt1 passphrase"), Uint8Array.of(0), ascii(name));
  const options = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 };
  return Uint8Array.from(scryptSync(ascii(words), salt, 32, options));
}

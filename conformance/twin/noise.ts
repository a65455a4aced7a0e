/** Noise, revision 34, over 25519 and SHA-256: every pattern with pre-shared keys, written from the rules. @module */
import { ascii, bigEndian, concat } from "./bytes.ts";
import { agree, type Cipher, hmac, open, publicKey, seal, sha256 } from "./primitives.ts";

type Token = "e" | "s" | "ee" | "es" | "se" | "ss" | "psk";

/** Pre-messages of initiator and responder, then the messages. */
const PATTERNS: Readonly<Record<string, readonly [string, string, readonly string[]]>> = {
  N: ["", "s", ["e es"]],
  K: ["s", "s", ["e es ss"]],
  X: ["", "s", ["e es s ss"]],
  NN: ["", "", ["e", "e ee"]],
  NK: ["", "s", ["e es", "e ee"]],
  NX: ["", "", ["e", "e ee s es"]],
  XN: ["", "", ["e", "e ee", "s se"]],
  XK: ["", "s", ["e es", "e ee", "s se"]],
  XX: ["", "", ["e", "e ee s es", "s se"]],
  KN: ["s", "", ["e", "e ee se"]],
  KK: ["s", "s", ["e es ss", "e ee se"]],
  KX: ["s", "", ["e", "e ee se s es"]],
  IN: ["", "", ["e s", "e ee se"]],
  IK: ["", "s", ["e es s ss", "e ee se"]],
  IX: ["", "", ["e s", "e ee se s es"]],
};

export interface NoiseSetup {
  readonly protocolName: string;
  readonly initiator: boolean;
  readonly prologue: Uint8Array;
  readonly staticSecret?: Uint8Array | undefined;
  readonly ephemeralSecret?: Uint8Array | undefined;
  /** Sent in place of the ephemeral key's public half: for messages that must be refused. */
  readonly ephemeralPublic?: Uint8Array | undefined;
  /** Sent in place of the static key's public half: for messages that must be refused. */
  readonly staticPublic?: Uint8Array | undefined;
  /** The own key that is of low order: every agreement with it is all zero, as whoever sends it knows. */
  readonly lowOrder?: "e" | "s" | undefined;
  /** Goes on with an all-zero secret, as whoever does not check would: for the attacker's own computation. */
  readonly takesZero?: boolean | undefined;
  readonly remoteStatic?: Uint8Array | undefined;
  readonly psks?: readonly Uint8Array[] | undefined;
}

export function patternOf(name: string): { messages: Token[][]; oneWay: boolean; cipher: Cipher } {
  const parsed = parseName(name);
  return { messages: parsed.messages, oneWay: parsed.messages.length === 1, cipher: parsed.cipher };
}

function parseName(
  name: string,
): { pre: [string, string]; messages: Token[][]; cipher: Cipher; pskCount: number } {
  const match = /^Noise_([A-Z]+)(psk\d(?:\+psk\d)*)?_25519_(ChaChaPoly|AESGCM)_SHA256$/.exec(name);
  const pattern = PATTERNS[match?.[1] ?? ""];
  if (match === null || pattern === undefined) throw new Error(`unknown Noise protocol ${name}`);
  const messages = pattern[2].map((line) => line.split(" ") as Token[]);
  const psks = match[2]?.match(/\d/g) ?? [];
  for (const digit of psks) {
    const place = Number(digit);
    if (place === 0) messages[0]?.unshift("psk");
    else messages[place - 1]?.push("psk");
  }
  return {
    pre: [pattern[0], pattern[1]],
    messages,
    cipher: match[3] === "AESGCM" ? "aes-256-gcm" : "chacha20-poly1305",
    pskCount: psks.length,
  };
}

function nonceOf(cipher: Cipher, n: bigint): Uint8Array {
  const eight = bigEndian(n, 8);
  return concat(new Uint8Array(4), cipher === "aes-256-gcm" ? eight : eight.reverse());
}

/** HKDF of Noise, section 4.3. */
export function noiseHkdf(chaining: Uint8Array, input: Uint8Array, outputs: number): Uint8Array[] {
  const temporary = hmac(chaining, input);
  const made: Uint8Array[] = [];
  let previous: Uint8Array = new Uint8Array(0);
  for (let i = 1; i <= outputs; i++) {
    previous = hmac(temporary, previous, Uint8Array.of(i));
    made.push(previous);
  }
  return made;
}

export class TwinNoise {
  readonly #setup: NoiseSetup;
  readonly #messages: Token[][];
  readonly #cipher: Cipher;
  #chaining: Uint8Array;
  #hash: Uint8Array;
  #key: Uint8Array | undefined;
  #n = 0n;
  #next = 0;
  #psk = 0;
  #remoteEphemeral: Uint8Array | undefined;
  #remoteStatic: Uint8Array | undefined;
  readonly #usesPsk: boolean;
  /** Called with the peer's static key as soon as it is known; may name the keys to go on with. */
  lookup: ((remoteStatic: Uint8Array) => readonly Uint8Array[] | undefined) | undefined;
  #psks: readonly Uint8Array[];

  constructor(setup: NoiseSetup) {
    this.#setup = setup;
    const parsed = parseName(setup.protocolName);
    this.#messages = parsed.messages;
    this.#cipher = parsed.cipher;
    this.#usesPsk = parsed.pskCount > 0;
    this.#psks = setup.psks ?? [];
    const name = ascii(setup.protocolName);
    this.#hash = name.length <= 32 ? concat(name, new Uint8Array(32 - name.length)) : sha256(name);
    this.#chaining = this.#hash;
    this.#remoteStatic = setup.remoteStatic;
    this.mixHash(setup.prologue);
    const own = setup.staticSecret === undefined ? undefined : publicKey(setup.staticSecret);
    const [pre, prePeer] = parsed.pre;
    if (pre === "s") this.mixHash((setup.initiator ? own : setup.remoteStatic) as Uint8Array);
    if (prePeer === "s") this.mixHash((setup.initiator ? setup.remoteStatic : own) as Uint8Array);
  }

  /** Replaces a psk whose token has not come yet. */
  setPsk(index: number, psk: Uint8Array): void {
    this.#psks = this.#psks.map((kept, i) => i === index ? psk : kept);
  }

  /** A copy that goes its own way: readers try on a copy and keep it on success. */
  clone(): TwinNoise {
    const copy = new TwinNoise(this.#setup);
    copy.#chaining = this.#chaining;
    copy.#hash = this.#hash;
    copy.#key = this.#key;
    copy.#n = this.#n;
    copy.#next = this.#next;
    copy.#psk = this.#psk;
    copy.#psks = this.#psks;
    copy.#remoteEphemeral = this.#remoteEphemeral;
    copy.#remoteStatic = this.#remoteStatic;
    copy.lookup = this.lookup;
    return copy;
  }

  get hash(): Uint8Array {
    return this.#hash;
  }

  get finished(): boolean {
    return this.#next === this.#messages.length;
  }

  get remoteStatic(): Uint8Array | undefined {
    return this.#remoteStatic;
  }

  mixHash(data: Uint8Array): void {
    this.#hash = sha256(this.#hash, data);
  }

  #mixKey(input: Uint8Array): void {
    const [chaining, key] = noiseHkdf(this.#chaining, input, 2);
    this.#chaining = chaining as Uint8Array;
    this.#key = key;
    this.#n = 0n;
  }

  #mixPsk(): void {
    const psk = this.#psks[this.#psk++];
    if (psk === undefined) throw new Error("a pre-shared key is missing");
    const [chaining, hash, key] = noiseHkdf(this.#chaining, psk, 3);
    this.#chaining = chaining as Uint8Array;
    this.mixHash(hash as Uint8Array);
    this.#key = key;
    this.#n = 0n;
  }

  #encrypt(plaintext: Uint8Array): Uint8Array {
    let output = plaintext;
    if (this.#key !== undefined) {
      output = seal(
        this.#cipher,
        this.#key,
        nonceOf(this.#cipher, this.#n++),
        this.#hash,
        plaintext,
      );
    }
    this.mixHash(output);
    return output;
  }

  #decrypt(input: Uint8Array): Uint8Array | undefined {
    let output: Uint8Array | undefined = input;
    if (this.#key !== undefined) {
      output = open(this.#cipher, this.#key, nonceOf(this.#cipher, this.#n++), this.#hash, input);
    }
    this.mixHash(input);
    return output;
  }

  /** False when the shared secret is all zero. */
  #dh(token: Token): boolean {
    const ours = token === "ee" || (token === "es") === this.#setup.initiator && token !== "ss"
      ? "e"
      : "s";
    const theirs = token === "ee" || (token === "se") === this.#setup.initiator && token !== "ss"
      ? "e"
      : "s";
    const secret = ours === "e" ? this.#setup.ephemeralSecret : this.#setup.staticSecret;
    const peer = theirs === "e" ? this.#remoteEphemeral : this.#remoteStatic;
    if (ours === this.#setup.lowOrder) {
      this.#mixKey(new Uint8Array(32));
      return true;
    }
    const agreed = agree(secret as Uint8Array, peer as Uint8Array);
    const shared = agreed ?? (this.#setup.takesZero === true ? new Uint8Array(32) : undefined);
    if (shared === undefined) return false;
    this.#mixKey(shared);
    return true;
  }

  write(payload: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = [];
    for (const token of this.#messages[this.#next++] as Token[]) {
      if (token === "e") {
        const key = this.#setup.ephemeralPublic ??
          publicKey(this.#setup.ephemeralSecret as Uint8Array);
        parts.push(key);
        this.mixHash(key);
        if (this.#usesPsk) this.#mixKey(key);
      } else if (token === "s") {
        const key = this.#setup.staticPublic ?? publicKey(this.#setup.staticSecret as Uint8Array);
        parts.push(this.#encrypt(key));
      } else if (token === "psk") {
        this.#mixPsk();
      } else if (!this.#dh(token)) {
        throw new Error("a shared secret is all zero");
      }
    }
    parts.push(this.#encrypt(payload));
    return concat(...parts);
  }

  /** The payload, or undefined when the message does not verify; the state is then spoilt, so work on a clone. */
  read(message: Uint8Array): Uint8Array | undefined {
    let offset = 0;
    for (const token of this.#messages[this.#next++] as Token[]) {
      if (token === "e") {
        const key = message.slice(offset, offset += 32);
        if (key.length < 32) return undefined;
        this.#remoteEphemeral = key;
        this.mixHash(key);
        if (this.#usesPsk) this.#mixKey(key);
      } else if (token === "s") {
        const key = this.#decrypt(
          message.slice(offset, offset += this.#key === undefined ? 32 : 48),
        );
        if (key === undefined || key.length < 32) return undefined;
        this.#remoteStatic = key;
        this.#psks = this.lookup?.(key) ?? this.#psks;
      } else if (token === "psk") {
        this.#mixPsk();
      } else if (!this.#dh(token)) {
        return undefined;
      }
    }
    return offset > message.length ? undefined : this.#decrypt(message.slice(offset));
  }

  /** The first keys of Split and further outputs of the same HKDF. */
  split(outputs: number = 2): Uint8Array[] {
    return noiseHkdf(this.#chaining, new Uint8Array(0), outputs);
  }
}

/** A transport cipher of Noise, section 5.1, after Split. */
export class TwinTransport {
  readonly #cipher: Cipher;
  readonly #key: Uint8Array;
  #n = 0n;

  constructor(protocolName: string, key: Uint8Array) {
    this.#cipher = patternOf(protocolName).cipher;
    this.#key = key;
  }

  seal(plaintext: Uint8Array): Uint8Array {
    const nonce = nonceOf(this.#cipher, this.#n++);
    return seal(this.#cipher, this.#key, nonce, new Uint8Array(0), plaintext);
  }

  open(sealed: Uint8Array): Uint8Array | undefined {
    const nonce = nonceOf(this.#cipher, this.#n++);
    return open(this.#cipher, this.#key, nonce, new Uint8Array(0), sealed);
  }
}

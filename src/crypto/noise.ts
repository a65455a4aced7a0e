/**
 * HandshakeState of the Noise protocol framework (revision 34, section 5.3), generic over patterns.
 *
 * @module
 */

import { KEY_BYTES, TAG_BYTES } from "../constants.ts";
import { SttError } from "../errors.ts";
import { HandshakeState, SharedEphemeral } from "./handshake_state.ts";
import { type NoiseProtocol, type NoiseToken, parseNoiseProtocol } from "./patterns.ts";
import type { CryptoProvider, X25519PrivateKey } from "./provider.ts";
import { wipe } from "./secret.ts";
import { SymmetricState } from "./symmetric_state.ts";

/** Longest Noise message (Noise 3). */
const MESSAGE_MAX_BYTES = 65_535;

const UTF8: TextEncoder = new TextEncoder();

/** Which side of a handshake this is. */
export type NoiseRole = "initiator" | "responder";

/** What a {@link NoiseHandshake} starts from. */
export interface NoiseOptions {
  /** Primitives to use; both sides may use different ones. */
  readonly provider: CryptoProvider;
  /** Full name, for example `Noise_XXpsk0+psk3_25519_ChaChaPoly_SHA256`; see {@link parseNoiseProtocol}. */
  readonly protocolName: string;
  /** The initiator writes the first message. */
  readonly role: NoiseRole;
  /** Bytes that both sides must agree on. */
  readonly prologue: Uint8Array;
  /** Our static key, when the pattern sends or knows one. Stays the caller's. */
  readonly s?: X25519PrivateKey;
  /** Our ephemeral key, when it must be known before the message that sends it; taken over. Fresh by default. */
  readonly e?: X25519PrivateKey;
  /** The peer's static public key, 32 bytes, when the pattern knows it beforehand. */
  readonly rs?: Uint8Array;
  /** Pre-shared keys of 32 bytes in the order of their tokens; copied. One left out must be set before its token. */
  readonly psks?: readonly (Uint8Array | undefined)[];
  /**
   * Called inside `readMessage` when the peer's static key was decrypted, before the tokens after it: the moment to look
   * up a key by identity and `setPsk` it. The peer has not yet proven that it holds the key.
   */
  readonly onRemoteStatic?: (publicKey: Uint8Array) => void;
}

/** Taken apart once: the names that are right are few. */
const PROTOCOLS: Map<string, NoiseProtocol> = new Map();

function protocolOf(name: string): NoiseProtocol {
  const known = PROTOCOLS.get(name);
  if (known !== undefined) return known;
  const protocol = parseNoiseProtocol(name);
  PROTOCOLS.set(name, protocol);
  return protocol;
}

/** What lasts beyond the start; keys that are taken over or copied live in the state. */
type Settings = Omit<NoiseOptions, "e" | "psks">;

/**
 * One handshake, message by message.
 *
 * Reading and writing work on a copy that replaces the state on success: a message that does not verify changes nothing,
 * and the genuine one can still follow. The caller takes turns, then calls {@link NoiseHandshake.split} and
 * {@link NoiseHandshake.destroy}.
 *
 * @example
 * ```ts
 * import { NoiseHandshake, nodeProvider } from "@seigr/stt/crypto";
 * const provider = nodeProvider();
 * const common = { provider, protocolName: "Noise_NN_25519_ChaChaPoly_SHA256", prologue: new Uint8Array(0) };
 * const alice = new NoiseHandshake({ ...common, role: "initiator" });
 * const bob = new NoiseHandshake({ ...common, role: "responder" });
 * bob.readMessage(alice.writeMessage(new Uint8Array(0)));
 * alice.readMessage(bob.writeMessage(new Uint8Array(0)));
 * console.log(alice.finished, provider.equal(alice.split()[0]!, bob.split()[0]!)); // true true
 * ```
 */
export class NoiseHandshake {
  readonly #options: Settings;
  readonly #protocol: NoiseProtocol;
  readonly #initiator: boolean;
  #state: HandshakeState;
  // The copy that a message is being tried on.
  #working: HandshakeState | undefined;
  #destroyed = false;

  /**
   * A handshake before its first message.
   *
   * @throws {SttError} CONFIG when the name is not supported or a key that the pattern needs is missing or not 32 bytes.
   */
  constructor(options: NoiseOptions) {
    const { e, psks = [], ...settings } = options;
    this.#options = settings;
    this.#protocol = protocolOf(options.protocolName);
    this.#initiator = options.role === "initiator";
    this.#state = start(settings, psks, this.#protocol);
    if (e !== undefined) this.#state.ephemeral = new SharedEphemeral(e);
  }

  /** The peer's static public key once a verified message carried it, or the one given. */
  get remoteStatic(): Uint8Array | undefined {
    return this.#state.remoteStatic;
  }

  /** The handshake hash so far: 32 bytes, public, unique to the handshake once it is finished. */
  get handshakeHash(): Uint8Array {
    return this.#state.symmetric.hash.slice();
  }

  /** True after the last message. */
  get finished(): boolean {
    return this.#state.message === this.#protocol.messages.length;
  }

  /** Sets the pre-shared key of the psk token number `index`, counted from 0. `psk` is 32 bytes and copied. */
  setPsk(index: number, psk: Uint8Array): void {
    this.#assertAlive();
    const { psks } = this.#working ?? this.#state;
    if (!Number.isInteger(index) || index < 0 || index >= this.#protocol.psks) {
      throw new SttError("INTERNAL", `cannot set psk ${index}: ${this.#protocol.name} has no such`);
    }
    checkLength("psk", psk);
    wipe(psks[index]);
    // A copy also of a Buffer, whose slice() is a view: this one is erased.
    psks[index] = new Uint8Array(psk);
  }

  /**
   * Our ephemeral key, when it is chosen after the handshake began; taken over.
   *
   * @throws {SttError} INTERNAL when there is one.
   */
  setEphemeral(e: X25519PrivateKey): void {
    this.#assertAlive();
    if (this.#state.ephemeral !== undefined) {
      throw new SttError("INTERNAL", "cannot set ephemeral key: there is one");
    }
    this.#state.ephemeral = new SharedEphemeral(e);
  }

  /** Binds `data` to the handshake; both sides must do so at the same point. */
  mixHash(data: Uint8Array): void {
    this.#assertAlive();
    this.#state.symmetric.mixHash(data);
  }

  /**
   * The next message of ours, carrying `payload`.
   *
   * @param bind Data to {@link NoiseHandshake.mixHash} first, as part of the step.
   * @throws {SttError} CRYPTO when a Diffie-Hellman result is all zero; INTERNAL out of turn, without a needed psk, or
   * above 65535 bytes.
   */
  writeMessage(payload: Uint8Array, bind?: Uint8Array): Uint8Array {
    const tokens = this.#turn(true);
    const message = this.#attempt((state) => {
      if (bind !== undefined) state.symmetric.mixHash(bind);
      const parts: Uint8Array[] = [];
      for (const token of tokens) {
        const part = this.#writeToken(state, token);
        if (part === undefined) return undefined;
        parts.push(part);
      }
      parts.push(state.symmetric.encryptAndHash(payload));
      return join(parts);
    });
    if (message === undefined) {
      throw new SttError("CRYPTO", "cannot write handshake message: all-zero shared secret");
    }
    return message;
  }

  /**
   * The payload of the peer's next message, or undefined when the message does not verify, is too short or too long, or
   * leads to an all-zero Diffie-Hellman result. The state is then as before.
   *
   * @param bind Data to {@link NoiseHandshake.mixHash} first, undone with the rest when the message does not verify.
   * @throws {SttError} INTERNAL out of turn or without a needed psk.
   */
  readMessage(message: Uint8Array, bind?: Uint8Array): Uint8Array | undefined {
    const tokens = this.#turn(false);
    if (message.length > MESSAGE_MAX_BYTES) return undefined;
    return this.#attempt((state) => {
      if (bind !== undefined) state.symmetric.mixHash(bind);
      let offset = 0;
      for (const token of tokens) {
        const size = this.#readToken(state, token, message, offset);
        if (size === undefined) return undefined;
        offset += size;
      }
      return state.symmetric.decryptAndHash(message.subarray(offset));
    });
  }

  /** An independent copy at the same point. */
  clone(): NoiseHandshake {
    this.#assertAlive();
    const copy = new NoiseHandshake(this.#options);
    copy.#state.destroy();
    copy.#state = this.#state.clone();
    return copy;
  }

  /**
   * Keys of 32 bytes from a finished handshake: the first for the initiator's direction, the second for the responder's,
   * more (Noise 4.3 with further outputs) on request. The caller owns them.
   *
   * @throws {SttError} INTERNAL before the handshake is finished.
   */
  split(outputs: number = 2): Uint8Array[] {
    this.#assertAlive();
    if (!this.finished) throw new SttError("INTERNAL", "cannot split: the handshake is under way");
    return this.#state.symmetric.split(outputs);
  }

  /** Erases every secret; only `remoteStatic`, `handshakeHash` and `finished` work afterwards. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#state.destroy();
  }

  #assertAlive(): void {
    if (this.#destroyed) throw new SttError("INTERNAL", "cannot use handshake: it was destroyed");
  }

  #turn(writing: boolean): readonly NoiseToken[] {
    this.#assertAlive();
    const tokens = this.#protocol.messages[this.#state.message];
    if (tokens === undefined || writing !== (this.#state.message % 2 === 0) === this.#initiator) {
      const verb = writing ? "write" : "read";
      throw new SttError("INTERNAL", `cannot ${verb} handshake message: not the turn to`);
    }
    return tokens;
  }

  #attempt(step: (state: HandshakeState) => Uint8Array | undefined): Uint8Array | undefined {
    const working = this.#state.clone();
    let result: Uint8Array | undefined;
    this.#working = working;
    try {
      result = step(working);
    } finally {
      this.#working = undefined;
      if (result === undefined) working.destroy();
    }
    if (result === undefined) return undefined;
    working.message++;
    this.#state.destroy();
    this.#state = working;
    return result;
  }

  #writeToken(state: HandshakeState, token: NoiseToken): Uint8Array | undefined {
    switch (token) {
      case "e": {
        state.ephemeral ??= new SharedEphemeral(this.#options.provider.x25519());
        const { publicKey } = state.ephemeral.key;
        this.#mixEphemeral(state, publicKey);
        return publicKey;
      }
      case "s":
        return state.symmetric.encryptAndHash(this.#options.s!.publicKey);
      default:
        return this.#mixToken(state, token) ? new Uint8Array(0) : undefined;
    }
  }

  /** Number of bytes that the token took, or undefined when it does not verify. */
  #readToken(
    state: HandshakeState,
    token: NoiseToken,
    message: Uint8Array,
    offset: number,
  ): number | undefined {
    switch (token) {
      case "e":
        if (message.length - offset < KEY_BYTES) return undefined;
        state.remoteEphemeral = message.slice(offset, offset + KEY_BYTES);
        this.#mixEphemeral(state, state.remoteEphemeral);
        return KEY_BYTES;
      case "s": {
        const size = KEY_BYTES + (state.symmetric.hasKey ? TAG_BYTES : 0);
        if (message.length - offset < size) return undefined;
        state.remoteStatic = state.symmetric.decryptAndHash(
          message.subarray(offset, offset + size),
        );
        if (state.remoteStatic === undefined) return undefined;
        this.#options.onRemoteStatic?.(state.remoteStatic.slice());
        return size;
      }
      default:
        return this.#mixToken(state, token) ? 0 : undefined;
    }
  }

  // Noise 9.2: with a psk anywhere in the pattern, ephemeral keys also enter the chaining key.
  #mixEphemeral(state: HandshakeState, publicKey: Uint8Array): void {
    state.symmetric.mixHash(publicKey);
    if (this.#protocol.psks > 0) state.symmetric.mixKey(publicKey);
  }

  /** False when a Diffie-Hellman result is all zero. */
  #mixToken(state: HandshakeState, token: Exclude<NoiseToken, "e" | "s">): boolean {
    if (token === "psk") {
      const psk = state.psks[state.pskTokens];
      if (psk === undefined) {
        throw new SttError("INTERNAL", `cannot go on with handshake: psk ${state.pskTokens} unset`);
      }
      state.symmetric.mixKeyAndHash(psk);
      state.pskTokens++;
      return true;
    }
    // The first letter names the initiator's key, the second the responder's.
    const ours = token[this.#initiator ? 0 : 1] === "e" ? state.ephemeral!.key : this.#options.s!;
    const theirs = token[this.#initiator ? 1 : 0] === "e"
      ? state.remoteEphemeral!
      : state.remoteStatic!;
    const shared = ours.agree(theirs);
    if (shared === undefined) return false;
    state.symmetric.mixKey(shared);
    wipe(shared);
    return true;
  }
}

function start(
  options: Settings,
  psks: readonly (Uint8Array | undefined)[],
  protocol: NoiseProtocol,
): HandshakeState {
  const { provider, role, s, rs } = options;
  const { initiator, responder } = protocol.preMessages;
  const weInitiate = role === "initiator";
  checkKeys(options, protocol);
  checkPsks(psks, protocol);
  const symmetric = SymmetricState.initialize(provider, protocol.aead, UTF8.encode(protocol.name));
  symmetric.mixHash(options.prologue);
  if (initiator) symmetric.mixHash(weInitiate ? s!.publicKey : rs!);
  if (responder) symmetric.mixHash(weInitiate ? rs! : s!.publicKey);
  const state = new HandshakeState(symmetric, psks.map((psk) => psk && new Uint8Array(psk)));
  state.remoteStatic = rs && new Uint8Array(rs);
  return state;
}

function checkKeys(options: Settings, protocol: NoiseProtocol): void {
  const { initiator, responder } = protocol.preMessages;
  const weInitiate = options.role === "initiator";
  const sendsStatic = protocol.messages.some((tokens, index) =>
    tokens.includes("s") && (index % 2 === 0) === weInitiate
  );
  if ((sendsStatic || (weInitiate ? initiator : responder)) && options.s === undefined) {
    throw new SttError("CONFIG", `cannot start ${protocol.name}: our static key is missing`);
  }
  if ((weInitiate ? responder : initiator) !== (options.rs !== undefined)) {
    const fault = options.rs === undefined ? "missing" : "not part of the pattern";
    throw new SttError(
      "CONFIG",
      `cannot start ${protocol.name}: the peer's static key is ${fault}`,
    );
  }
  checkLength("the peer's static key", options.rs);
}

function checkPsks(psks: readonly (Uint8Array | undefined)[], protocol: NoiseProtocol): void {
  if (psks.length > protocol.psks) {
    throw new SttError("CONFIG", `cannot start ${protocol.name}: more psks than psk tokens`);
  }
  for (const psk of psks) checkLength("psk", psk);
}

function checkLength(what: string, key: Uint8Array | undefined): void {
  if (key !== undefined && key.length !== KEY_BYTES) {
    throw new SttError("CONFIG", `cannot use ${what}: ${key.length} bytes is not ${KEY_BYTES}`);
  }
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length > MESSAGE_MAX_BYTES) {
    throw new SttError(
      "INTERNAL",
      `cannot write handshake message: ${length} bytes exceeds ${MESSAGE_MAX_BYTES}`,
      { limit: MESSAGE_MAX_BYTES },
    );
  }
  const message = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    message.set(part, offset);
    offset += part.length;
  }
  return message;
}

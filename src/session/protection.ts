/**
 * Both directions of an established session: seals outgoing frames, opens incoming ones, keeps sequences, the replay
 * window and the key epochs (SPEC 7). Pure: the clock value and the crypto provider are arguments.
 *
 * @module
 */
import type { FrameHeader } from "../codec/frame.ts";
import { readU32 } from "../codec/u64.ts";
import { readVarintNumber, varintSize } from "../codec/varint.ts";
import { AEAD_FAILURE_LIMIT, FRAME_CONTROL, FRAME_HANDSHAKE, TAG_BYTES } from "../constants.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { type ErrorCode, SttError } from "../errors.ts";
import type { RotationCause } from "../observe/trace_event.ts";
import { aeadOfSuite, type EpochKeyLog, EpochKeys } from "./epoch_keys.ts";
import { DEFAULT_ROTATION_LIMITS, KeyRotation, type RotationLimits } from "./key_rotation.ts";
import { RecvDirection } from "./recv_direction.ts";
import { ReplayWindow } from "./replay_window.ts";
import { SendDirection } from "./send_direction.ts";

export { DEFAULT_ROTATION_LIMITS, REFERENCE_ROTATION_LIMITS } from "./key_rotation.ts";
export type { RotationLimits } from "./key_rotation.ts";

/** What a {@link Protection} is made of. */
export interface ProtectionConfig {
  readonly provider: CryptoProvider;
  /** 1 or 2 (SPEC 6.1). */
  readonly suite: number;
  /** 8 bytes, which must not change. */
  readonly sessionId: Uint8Array;
  /** 32 bytes, taken over: wiped once keys are derived. */
  readonly sendSecret: Uint8Array;
  /** 32 bytes, taken over: wiped once keys are derived. */
  readonly recvSecret: Uint8Array;
  /** Bytes arrive in order and once: sequences must be consecutive, and every failure ends the session. */
  readonly reliable: boolean;
  /** Write the timestamps given to `seal`; without it they are 0. */
  readonly timestamps?: boolean;
  readonly limits?: RotationLimits;
  /** UDP: frames that may fail to verify before the session closes, 1 to 2^28 (the default). */
  readonly failureLimit?: number;
  /** Monotonic milliseconds: the age of epoch 0 counts from here. */
  readonly nowMs: number;
  /** Hear of the keys of each direction. Default: nobody does. */
  readonly sendKeyLog?: EpochKeyLog | undefined;
  readonly recvKeyLog?: EpochKeyLog | undefined;
}

/**
 * Why a frame was not opened. `unprotected`: not a protected frame of this session; `epoch`: no keys for its epoch;
 * `stale`/`seen`: behind or inside the replay window; `gap`: reliable transports, not the next sequence; `crypto`: its
 * tag does not verify; `old_epoch`: verified, but breaks the order of epochs; `wiped`: the keys are gone.
 */
export type OpenFailure =
  | "unprotected"
  | "epoch"
  | "stale"
  | "seen"
  | "gap"
  | "crypto"
  | "old_epoch"
  | "wiped";

/**
 * Both directions of a session. The owner's rules:
 *
 * 1. Before each frame it builds: `beforeSend(nowMs)`; an error closes the session with it (SESSION_CLOSE still seals).
 * 2. While `rotationPending`, the next frame is CONTROL and its first record KEY_ROTATION(`sendEpoch`), even when
 *    there is nothing else to send; sealing it clears the flag.
 * 3. `open` returned undefined: count `lastFailure`; when `lastError` is set, close the session with it.
 * 4. A KEY_ROTATION record that was opened goes to `onPeerRotation`; an error closes the session with it.
 * 5. `nextTimeout`/`onTimeout` as everywhere; `wipe` at the end.
 */
export class Protection {
  /** Where the frame sealed last begins and ends in its buffer. */
  frameStart = 0;
  frameEnd = 0;
  /** Sequence of the frame sealed last; -1 before the first. */
  lastSequence = -1;
  /** Why the last `open` returned undefined; undefined after one that succeeded. */
  lastFailure: OpenFailure | undefined;
  /** The error to close the session with because of the last `open`. On UDP only where a rule demands it. */
  lastError: SttError | undefined;
  /** Epoch of the frame opened last; -1 before the first. */
  lastEpoch = -1;
  /** Probe timeout of the path in ms (UDP): old epochs live max(3 PTO, 1 s). The owner keeps it current. */
  ptoMs = 333;
  readonly #idHigh: number;
  readonly #idLow: number;
  readonly #reliable: boolean;
  readonly #timestamps: boolean;
  readonly #failureLimit: number;
  readonly #send: SendDirection;
  readonly #recv: RecvDirection;
  readonly #window: ReplayWindow = new ReplayWindow();
  readonly #rotation: KeyRotation;
  #expected = 0;
  #failures = 0;
  #wiped = false;

  /** @throws {SttError} UNSUPPORTED for a suite that has no AEAD. */
  constructor(config: ProtectionConfig) {
    const name = aeadOfSuite(config.suite);
    const { sessionId } = config;
    this.#idHigh = readU32(sessionId, 0);
    this.#idLow = readU32(sessionId, 4);
    this.#reliable = config.reliable;
    this.#timestamps = config.timestamps ?? false;
    this.#failureLimit = config.failureLimit ?? AEAD_FAILURE_LIMIT;
    this.#rotation = new KeyRotation(config.limits ?? DEFAULT_ROTATION_LIMITS, config.nowMs);
    this.#send = new SendDirection(
      sessionId,
      new EpochKeys(config.provider, name, config.sendSecret, 0, config.sendKeyLog),
    );
    this.#recv = new RecvDirection(
      new EpochKeys(config.provider, name, config.recvSecret, 0, config.recvKeyLog),
      config.reliable,
    );
  }

  /** Sequence the next sealed frame takes. */
  get nextSequence(): number {
    return this.#send.nextSequence;
  }

  /** Highest sequence opened; -1 before the first. */
  get highestReceived(): number {
    return this.#reliable ? this.#expected - 1 : this.#window.highest;
  }

  /** Epoch that frames are sealed in. */
  get sendEpoch(): number {
    return this.#rotation.sendEpoch;
  }

  /** Highest epoch a frame was opened in; -1 before the first frame. */
  get recvEpoch(): number {
    return this.#rotation.recvEpoch;
  }

  /** Highest epoch that a peer which keeps the rules of SPEC 7 can be in now. `open` itself goes one further at most. */
  get peerEpochLimit(): number {
    return this.#rotation.peerLimit;
  }

  /** The next frame must be CONTROL beginning with KEY_ROTATION(`sendEpoch`); send it even if nothing else waits. */
  get rotationPending(): boolean {
    return this.#rotation.pending;
  }

  /** Why `sendEpoch` is what it is. */
  get rotationCause(): RotationCause {
    return this.#rotation.cause;
  }

  /** As `rotationPending`, because the peer rotated. */
  get answerDue(): boolean {
    return this.#rotation.answering;
  }

  /** Frames that failed to verify so far. */
  get failures(): number {
    return this.#failures;
  }

  /**
   * Encrypts `buffer[payloadStart, payloadEnd)` in place, writes the header before it and the tag behind it, and sets
   * `frameStart`, `frameEnd` and `lastSequence`. The buffer has FRAME_HEADROOM bytes before the payload and 16 behind.
   *
   * @throws {SttError} AEAD_LIMIT when no sequence is left; INTERNAL while `rotationPending` for another type than
   *   CONTROL, after `wipe`, for HANDSHAKE frames and for a buffer without room.
   */
  seal(
    buffer: Uint8Array,
    payloadStart: number,
    payloadEnd: number,
    type: number,
    flags: number,
    streamId: number,
    timestamp: number,
  ): void {
    if (this.#wiped) throw new SttError("INTERNAL", "cannot seal frame: the keys are wiped");
    if (this.#rotation.pending && type !== FRAME_CONTROL) {
      throw new SttError(
        "INTERNAL",
        `cannot seal frame of type ${type}: the first frame of epoch ${this.sendEpoch} is CONTROL with KEY_ROTATION`,
      );
    }
    const send = this.#send;
    const sequence = send.nextSequence;
    send.seal(
      buffer,
      payloadStart,
      payloadEnd,
      type,
      flags,
      streamId,
      this.#timestamps ? timestamp : 0,
    );
    this.lastSequence = sequence;
    this.frameStart = send.frameStart;
    this.frameEnd = send.frameEnd;
    this.#rotation.sealed(send.frameEnd - send.frameStart);
  }

  /**
   * Checks and decrypts one whole frame; `header` was parsed from `bytes`. Nothing of the header may be acted upon
   * before this succeeded, and then only AEAD, sequence and epoch have been checked: type and flags are the owner's.
   *
   * @returns the payload (new memory that the caller owns), or undefined with `lastFailure` and perhaps `lastError`.
   */
  open(bytes: Uint8Array, header: FrameHeader, nowMs: number): Uint8Array | undefined {
    if (this.#wiped) return this.#fail("wiped");
    const epoch = this.#epochOf(bytes, header);
    if (epoch < 0) return this.#fail("unprotected");
    this.#recv.onTimeout(nowMs);

    // SPEC 7: a peer starts e+1 only after a frame of ours of e or e+1, so it is never further ahead than this.
    const keys = this.#recv.find(epoch, this.#rotation.sendEpoch + 1);
    if (keys === undefined) return this.#fail("epoch");

    const sequence = header.sequence;
    if (this.#reliable) {
      if (sequence !== this.#expected) return this.#fail("gap");
    } else {
      const verdict = this.#window.check(sequence);
      if (verdict !== "new") return this.#fail(verdict);
    }

    const payload = keys.open(sequence, header.associatedData, header.payload);
    if (payload === undefined) return this.#fail("crypto");

    if (!this.#recv.verified(keys, sequence, nowMs, this.ptoMs)) return this.#fail("old_epoch");
    if (this.#reliable) this.#expected = sequence + 1;
    else this.#window.mark(sequence);
    this.lastFailure = undefined;
    this.lastError = undefined;
    this.lastEpoch = epoch;
    if (this.#rotation.opened(epoch, nowMs)) this.#followRotation();
    return payload;
  }

  /** Starts a rotation that is due and allowed. Returns AEAD_LIMIT when a limit was passed fourfold without one. */
  beforeSend(nowMs: number): SttError | undefined {
    if (this.#rotation.due(nowMs)) this.startRotation(nowMs);
    return this.#rotation.exhausted(nowMs);
  }

  /** Asks for a rotation as soon as the peer has answered in the present epoch. */
  requestRotation(): void {
    this.#rotation.request();
  }

  /** A limit is reached, or a rotation was asked for. */
  rotationDue(nowMs: number): boolean {
    return this.#rotation.due(nowMs);
  }

  /** A rotation is due but the peer has sent nothing in the present epoch: a PING makes it answer. */
  rotationBlocked(nowMs: number): boolean {
    return this.#rotation.due(nowMs) && !this.#rotation.allowed;
  }

  /**
   * When `rotationBlocked` becomes true by time alone, or undefined. Without a look at that time a session that sends
   * one way and rests would find itself past the hard limit with its next frame.
   */
  get rotationBlockedFrom(): number | undefined {
    return this.#rotation.blockedFrom;
  }

  /**
   * The rotation is so long overdue that data should wait for the peer: send nothing but what makes it answer. It keeps
   * a fast sender on a long path away from AEAD_LIMIT; a peer that never answers meets the idle timeout.
   */
  holdsData(nowMs: number): boolean {
    return this.#rotation.holding(nowMs);
  }

  /** Moves to the next epoch. False when the peer has sent no valid frame of the present one yet (SPEC 7). */
  startRotation(nowMs: number): boolean {
    if (this.#wiped || !this.#rotation.start(nowMs)) return false;
    this.#followRotation();
    return true;
  }

  /** A KEY_ROTATION record of the frame opened last. Returns KEY_ROTATION_ERROR when it names another epoch. */
  onPeerRotation(epoch: number): SttError | undefined {
    if (epoch === this.lastEpoch) return undefined;
    return new SttError(
      "KEY_ROTATION_ERROR",
      `cannot rotate keys: KEY_ROTATION names epoch ${epoch} in a frame of epoch ${this.lastEpoch}`,
    );
  }

  /** When the next old epoch is to be wiped (UDP), or undefined. */
  nextTimeout(): number | undefined {
    return this.#recv.nextTimeout();
  }

  /** Wipes the old epochs whose time is over. */
  onTimeout(nowMs: number): void {
    this.#recv.onTimeout(nowMs);
  }

  /** Drops all keys. Sealing throws and opening fails afterwards. */
  wipe(): void {
    if (this.#wiped) return;
    this.#wiped = true;
    this.#send.wipe();
    this.#recv.wipe();
  }

  #followRotation(): void {
    while (this.#send.epoch < this.#rotation.sendEpoch) this.#send.advance();
  }

  // The epoch of a frame that can be a protected one of this session, else -1.
  #epochOf(bytes: Uint8Array, header: FrameHeader): number {
    if (header.type === FRAME_HANDSHAKE || header.end - header.payloadStart < TAG_BYTES) return -1;
    if (header.sessionIdHigh !== this.#idHigh || header.sessionIdLow !== this.#idLow) return -1;
    return readEpoch(bytes, header.metadataStart, header.metadataEnd);
  }

  #fail(failure: OpenFailure): undefined {
    this.lastFailure = failure;
    this.lastError = undefined;
    if (failure === "crypto") this.#failures++;
    const code = this.#reliable ? RELIABLE_ERRORS[failure] : UDP_ERRORS[failure];
    if (code !== undefined) {
      this.lastError = new SttError(code, `cannot open frame: ${FAILURE_TEXTS[failure]}`);
    } else if (this.#failures >= this.#failureLimit) {
      this.lastError = new SttError(
        "AEAD_LIMIT",
        `cannot open frame: ${this.#failures} frames did not verify`,
        { limit: this.#failureLimit },
      );
    }
    return undefined;
  }
}

/** SPEC 7: the metadata is the minimal varint of the epoch and nothing else. -1 for anything other than that. */
function readEpoch(bytes: Uint8Array, start: number, end: number): number {
  const first = bytes[start] as number;
  if (end - start === 1) return first < 0x80 ? first : -1;
  try {
    const epoch = readVarintNumber(bytes, start, end);
    return varintSize(epoch) === end - start ? epoch : -1;
  } catch {
    return -1;
  }
}

// SPEC 7: on a reliable transport nobody but the peer, or an attacker who owns the path, writes a bad frame.
const RELIABLE_ERRORS: Partial<Record<OpenFailure, ErrorCode>> = {
  unprotected: "PROTOCOL",
  epoch: "KEY_ROTATION_ERROR",
  gap: "PROTOCOL",
  crypto: "CRYPTO",
  old_epoch: "KEY_ROTATION_ERROR",
};

// Only a frame that verified can speak for the peer; the others may come from anybody.
const UDP_ERRORS: Partial<Record<OpenFailure, ErrorCode>> = { old_epoch: "KEY_ROTATION_ERROR" };

const FAILURE_TEXTS: Record<OpenFailure, string> = {
  unprotected: "it is not a protected frame of this session",
  epoch: "no keys for its epoch",
  stale: "its sequence is behind the replay window",
  seen: "its sequence was seen before",
  gap: "its sequence is not the next one",
  crypto: "its tag does not verify",
  old_epoch: "its sequence contradicts its epoch",
  wiped: "the keys are wiped",
};

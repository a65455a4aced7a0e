/**
 * Both directions of an established session: seals outgoing frames, opens incoming ones, keeps sequences, the replay
 * window and the key epochs (SPEC 7). Pure: the clock value and the crypto provider are arguments.
 *
 * @module
 */
import type { FrameHeader } from "../codec/frame.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { SttError } from "../errors.ts";

/** When a key is due for replacement: the first limit that is reached counts (SPEC 7). */
export interface RotationLimits {
  /** Bytes of whole frames sealed in an epoch. */
  readonly bytes: number;
  /** Milliseconds since the epoch began. */
  readonly ms: number;
  /** Frames sealed in an epoch. */
  readonly packets: number;
}

/** What a {@link Protection} is made of. */
export interface ProtectionConfig {
  readonly provider: CryptoProvider;
  /** 1 or 2 (SPEC 6.1). */
  readonly suite: number;
  /** 8 bytes. */
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
  /** Monotonic milliseconds: the age of epoch 0 counts from here. */
  readonly nowMs: number;
}

/**
 * Why a frame was not opened. `unprotected`: not a protected frame of this session; `epoch`: no keys for its epoch;
 * `stale`/`seen`: behind or inside the replay window; `gap`: reliable transports, not the next sequence; `crypto`: its
 * tag does not verify; `old_epoch`: verified, but breaks the order of epochs.
 */
export type OpenFailure =
  | "unprotected"
  | "epoch"
  | "stale"
  | "seen"
  | "gap"
  | "crypto"
  | "old_epoch";

/**
 * Both directions of a session. The owner's rules:
 *
 * 1. Before each frame it builds: `beforeSend(nowMs)`; an error closes the session with it (SESSION_CLOSE still seals).
 * 2. While `rotationPending`, the next frame is CONTROL and its first record KEY_ROTATION(`sendEpoch`), even when
 *    there is nothing else to send; `seal` of it clears the flag.
 * 3. `open` that returns undefined: count `lastFailure`; when `lastError` is set, close the session with it.
 * 4. A KEY_ROTATION record that was opened goes to `onPeerRotation`; an error closes the session with it.
 * 5. `nextTimeout`/`onTimeout` as everywhere; `wipe` at the end.
 */
export class Protection {
  /** Where the frame sealed last begins and ends in its buffer. */
  frameStart = 0;
  frameEnd = 0;
  /** Sequence of the frame sealed last; -1 before the first. */
  lastSequence = -1;
  /** Why the last `open` returned undefined. */
  lastFailure: OpenFailure | undefined;
  /** The error the session must close with because of the last `open`, if any. Set on UDP only where a rule demands it. */
  lastError: SttError | undefined;
  /** Epoch of the frame opened last; -1 before the first. */
  lastEpoch = -1;
  /** Probe timeout of the path in ms (UDP): old epochs live max(3 PTO, 1 s). The owner keeps it current. */
  ptoMs = 333;

  constructor(config: ProtectionConfig) {
    throw new SttError("INTERNAL", `suite ${config.suite} has no protection yet`);
  }

  /** Sequence the next sealed frame takes. */
  get nextSequence(): number {
    return 0;
  }

  /** Epoch that frames are sealed in. */
  get sendEpoch(): number {
    return 0;
  }

  /** Highest epoch a frame was opened in; -1 before the first frame. */
  get recvEpoch(): number {
    return 0;
  }

  /** The next frame must be CONTROL beginning with KEY_ROTATION(`sendEpoch`); send it even if nothing else waits. */
  get rotationPending(): boolean {
    return false;
  }

  /** As `rotationPending`, because the peer rotated. */
  get answerDue(): boolean {
    return false;
  }

  /** Frames that failed to verify so far. */
  get failures(): number {
    return 0;
  }

  /**
   * Encrypts `buffer[payloadStart, payloadEnd)` in place, writes the header before it and the tag behind it, and sets
   * `frameStart`, `frameEnd` and `lastSequence`. The buffer has FRAME_HEADROOM bytes before the payload and 16 behind.
   *
   * @throws {SttError} AEAD_LIMIT when no sequence is left; INTERNAL while `rotationPending` for another type than
   *   CONTROL, after `wipe`, and for a buffer without room.
   */
  seal(
    _buffer: Uint8Array,
    _payloadStart: number,
    _payloadEnd: number,
    _type: number,
    _flags: number,
    _streamId: number,
    _timestamp: number,
  ): void {
  }

  /**
   * Checks and decrypts one whole frame. `header` was parsed from `frame` at offset 0.
   *
   * @returns the payload (new memory that the caller owns), or undefined with `lastFailure` and perhaps `lastError`.
   */
  open(_frame: Uint8Array, _header: FrameHeader, _nowMs: number): Uint8Array | undefined {
    return undefined;
  }

  /** Starts a rotation that is due and allowed. Returns AEAD_LIMIT when a limit was passed fourfold without one. */
  beforeSend(_nowMs: number): SttError | undefined {
    return undefined;
  }

  /** Asks for a rotation as soon as the peer has answered in the present epoch. */
  requestRotation(): void {
  }

  /** A limit is reached, or a rotation was asked for. */
  rotationDue(_nowMs: number): boolean {
    return false;
  }

  /** A rotation is due but the peer has sent nothing in the present epoch: a PING makes it answer. */
  rotationBlocked(_nowMs: number): boolean {
    return false;
  }

  /** Moves to the next epoch. False when the peer has sent no valid frame of the present one yet (SPEC 7). */
  startRotation(_nowMs: number): boolean {
    return false;
  }

  /** A KEY_ROTATION record of the frame opened last. Returns KEY_ROTATION_ERROR when it names another epoch. */
  onPeerRotation(_epoch: number): SttError | undefined {
    return undefined;
  }

  /** When the next old epoch is to be wiped (UDP), or undefined. */
  nextTimeout(): number | undefined {
    return undefined;
  }

  /** Wipes the old epochs whose time is over. */
  onTimeout(_nowMs: number): void {
  }

  /** Drops all keys. Sealing throws and opening fails afterwards. */
  wipe(): void {
  }
}

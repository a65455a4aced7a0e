/**
 * The answer to packets of sessions that this node does not know (SPEC 7.7): a node that restarted tells its peers so.
 *
 * @module
 */
import { encodeFrame } from "../codec/frame.ts";
import { FRAME_CONTROL, RESET_TRIGGER_BYTES } from "../constants.ts";
import { SttError } from "../errors.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import type { ResetTokens } from "../crypto/reset_tokens.ts";
import { networkKey } from "../handshake/network_address.ts";
import { RateLimiter } from "../handshake/rate_limiter.ts";

/** Per second, for all together; one network (/32 or /64) gets a tenth. */
export const DEFAULT_RESET_RATE = 100;
const SHARE_OF_ONE = 0.1;
/** One byte below what is answered, so that two nodes never answer each other's. */
const RESET_BYTES = RESET_TRIGGER_BYTES - 1;
const EPOCH_0 = Uint8Array.of(0);
/** Bytes of such a frame that are not payload: magic, length, fixed header, metadata. */
const HEADER_BYTES = 35;

/** Makes stateless resets, no faster than strangers may ask for them. */
export class StatelessReset {
  readonly #provider: CryptoProvider;
  readonly #tokens: ResetTokens;
  readonly #perAddress: RateLimiter;
  readonly #inAll: RateLimiter;

  /** @throws {SttError} CONFIG for a rate below 1. */
  constructor(provider: CryptoProvider, tokens: ResetTokens, rate: number = DEFAULT_RESET_RATE) {
    if (!(rate >= 1)) {
      throw new SttError("CONFIG", `cannot use resetRate: ${rate} is below 1`, { limit: 1 });
    }
    this.#provider = provider;
    this.#tokens = tokens;
    const one = Math.max(1, rate * SHARE_OF_ONE);
    this.#perAddress = new RateLimiter({ rate: one, burst: one });
    this.#inAll = new RateLimiter({ rate, burst: rate });
  }

  /**
   * The datagram that answers a protected frame of `bytes`, always smaller; undefined when it is too small to be answered
   * or too many came.
   */
  answer(
    sessionId: Uint8Array,
    bytes: number,
    host: string,
    nowMs: number,
  ): Uint8Array | undefined {
    if (bytes < RESET_TRIGGER_BYTES) return undefined;
    if (!this.#perAddress.admit(networkKey(host), nowMs)) return undefined;
    if (!this.#inAll.admit("", nowMs)) return undefined;
    const payload = this.#provider.randomBytes(RESET_BYTES - HEADER_BYTES);
    const token = this.#tokens.of(sessionId);
    payload.set(token, payload.length - token.length);
    const [a = 0, b = 0, c = 0] = this.#provider.randomBytes(3);
    return encodeFrame({
      type: FRAME_CONTROL,
      flags: 0,
      sessionId,
      sequence: a << 16 | b << 8 | c,
      timestamp: 0,
      streamId: 0,
      metadata: EPOCH_0,
      payload,
    });
  }
}

/**
 * The listening side of handshakes.
 *
 * @module
 */
import {
  DEFAULT_HALF_OPEN,
  DEFAULT_HALF_OPEN_PER_ADDRESS,
  DEFAULT_HANDSHAKE_RATE,
  DEFAULT_HANDSHAKE_TIMEOUT_MS,
  RETRY_BUSY,
  RETRY_COOKIE,
  RETRY_SUITE,
  RETRY_VERSION,
  VERSION,
} from "../constants.ts";
import type { SeedKeys } from "../crypto/key_schedule.ts";
import { SttError } from "../errors.ts";
import { checkAcceptorConfig } from "./acceptor_config.ts";
import { sameBytes } from "./bytes.ts";
import { CookieJar } from "./cookie.ts";
import { FinalStore } from "./final_store.ts";
import { type HalfOpen, HalfOpenTable } from "./half_open.ts";
import { type AuthProof, decodeMessage, type Hello, messageValue } from "./messages.ts";
import { addressKey, networkKey } from "./network_address.ts";
import { NonceCache } from "./nonce_cache.ts";
import { RateLimiter } from "./rate_limiter.ts";
import {
  encodeFinal,
  ResponderHandshake,
  type VerifiedHello,
  verifyHello,
} from "./responder_handshake.ts";
import { encodeRetry, type RetryContent } from "./retry.ts";
import { isSource, refusalOfSeen } from "./seen_hello.ts";
import { firstCommon, VERSIONS } from "./suites.ts";
import type {
  AcceptorConfig,
  AcceptorDrop,
  AcceptorResult,
  HandshakeMessageName,
  HandshakeSource,
  PendingSession,
} from "./types.ts";

/** SPEC 6.4: how far HELLO's timestamp may be off without a cookie. */
const FRESHNESS_MS = 120_000;
const AMPLIFICATION = 3;

/** What an acceptor did so far. */
export interface AcceptorCounters {
  /** RESPONSEs to new handshakes. */
  responses: number;
  /** RETRYs, by code. */
  readonly retries: Map<number, number>;
  /** Stored RESPONSEs and FINALs that were sent again. */
  repeats: number;
  /** AUTH_PROOFs that verified. */
  sessions: number;
}

/**
 * Answers the handshakes of one listener, on all of its transports: HELLO with RESPONSE or RETRY, AUTH_PROOF with a
 * session to decide about, and after {@link Acceptor.accept} with FINAL.
 *
 * A dropped frame of a reliable transport ends its connection, silently.
 */
export class Acceptor {
  readonly #config: AcceptorConfig;
  readonly #halfOpen: HalfOpenTable = new HalfOpenTable();
  readonly #finals: FinalStore;
  readonly #nonces: NonceCache;
  readonly #rate: RateLimiter;
  readonly #cookies: CookieJar;
  readonly #drops: Map<AcceptorDrop, number> = new Map();
  readonly #limit: number;
  readonly #limitPerAddress: number;
  readonly #timeoutMs: number;
  /** What was answered so far. */
  readonly counters: AcceptorCounters = {
    responses: 0,
    retries: new Map(),
    repeats: 0,
    sessions: 0,
  };

  /**
   * Starts with empty tables.
   *
   * @throws {SttError} `CONFIG` for options that cannot be used.
   */
  constructor(config: AcceptorConfig, _nowMs: number) {
    checkAcceptorConfig(config);
    this.#config = config;
    this.#limit = config.halfOpen ?? DEFAULT_HALF_OPEN;
    this.#limitPerAddress = config.halfOpenPerAddress ?? DEFAULT_HALF_OPEN_PER_ADDRESS;
    this.#timeoutMs = config.timeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS;
    const rate = config.handshakeRate ?? DEFAULT_HANDSHAKE_RATE;
    // SPEC 6.4: 20 per second with a burst of 5; other rates keep the proportion.
    this.#rate = new RateLimiter({
      rate,
      burst: Math.max(1, rate / 4),
      ...(config.maxNetworks === undefined ? {} : { capacity: config.maxNetworks }),
    });
    this.#nonces = new NonceCache(config.maxNonces);
    this.#cookies = new CookieJar(config.provider, config.injection?.cookieSecret);
    this.#finals = new FinalStore(Math.max(1, this.#limit));
  }

  /** Handshakes between HELLO and the decision. */
  get halfOpenCount(): number {
    return this.#halfOpen.size;
  }

  /** Frames dropped, by reason. */
  get drops(): ReadonlyMap<AcceptorDrop, number> {
    return this.#drops;
  }

  /** Takes a complete HANDSHAKE frame. Never throws on what the peer wrote. */
  receive(frame: Uint8Array, from: HandshakeSource, nowMs: number): AcceptorResult {
    this.onTimeout(nowMs);
    const result = this.#judge(frame, from, nowMs);
    if (result.kind === "drop") {
      this.#drops.set(result.reason, (this.#drops.get(result.reason) ?? 0) + 1);
      // The connection closes now, so that nothing can follow on it.
      if (from.reliable) this.forget(from.connection);
    }
    return result;
  }

  /** Lets the peer in: the complete FINAL frame, to be sent to it. */
  accept(pending: PendingSession, nowMs: number): Uint8Array {
    const { session } = pending;
    const final = encodeFinal(this.#config, session, this.#timestamp("FINAL", nowMs));
    const entry = this.#entryOf(pending);
    if (entry?.proved !== undefined) {
      // SPEC 6.3: reliable transports carry every message once.
      if (!entry.source.reliable) {
        this.#finals.add(session.sessionId, entry.proved.frame, final.slice(), nowMs);
      }
      this.#halfOpen.remove(entry);
    }
    return final;
  }

  /** Does not let the peer in; the caller sends SESSION_CLOSE under the session keys and wipes them. */
  refuse(pending: PendingSession, _nowMs: number): void {
    this.release(pending);
  }

  /** Forgets all about a session, for example because it ended. */
  release(pending: PendingSession): void {
    const entry = this.#entryOf(pending);
    if (entry !== undefined) this.#halfOpen.remove(entry);
    this.#finals.delete(pending.session.sessionId);
  }

  /** Forgets the half-open handshake of a reliable transport's connection that ended. */
  forget(connection: unknown): void {
    const entry = this.#halfOpen.byConnection(connection);
    if (entry !== undefined) this.#halfOpen.remove(entry);
  }

  /** When to call {@link Acceptor.onTimeout} next. */
  nextTimeout(): number | undefined {
    const times = [this.#halfOpen.nextExpiryMs, this.#finals.nextExpiryMs];
    const due = times.filter((time) => time !== undefined);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  /** Forgets handshakes and FINALs whose time is over. */
  onTimeout(nowMs: number): void {
    this.#halfOpen.expire(nowMs);
    this.#finals.expire(nowMs);
  }

  /** Forgets everything and erases keys and cookie secrets; sessions live on. */
  destroy(): void {
    this.#halfOpen.clear();
    this.#cookies.destroy();
  }

  #judge(frame: Uint8Array, from: HandshakeSource, nowMs: number): AcceptorResult {
    const seen = refusalOfSeen(frame, from, nowMs, this.#halfOpen, this.#nonces);
    if (seen !== undefined) {
      return drop(this.#rate.admit(networkKey(from.host), nowMs) ? seen : "rate");
    }
    const message = decodeMessage(frame);
    switch (message.type) {
      case "refused":
        return drop(message.reason);
      case "HELLO":
        return this.#onHello(message, frame.length, from, nowMs);
      case "AUTH_PROOF":
        return this.#onProof(message, frame, from, nowMs);
      default:
        return drop("type");
    }
  }

  // The order of SPEC 6.4: what costs least and reveals least comes first.
  #onHello(
    hello: Hello,
    size: number,
    from: HandshakeSource,
    nowMs: number,
  ): AcceptorResult {
    const { seeds, suites } = this.#config;
    if (!this.#rate.admit(networkKey(from.host), nowMs)) return drop("rate");
    const seedIndex = this.#findSeed(hello);
    if (seedIndex === undefined) return drop("seed_id");
    if (this.#config.ownNonces?.(hello.nonce) === true) return drop("reflection");
    const seed = seeds[seedIndex] as SeedKeys;
    if (hello.version !== VERSION) {
      return this.#retry(seed, hello, size, { code: RETRY_VERSION, versions: VERSIONS });
    }
    const suite = firstCommon(hello.suites, suites);
    if (suite === undefined) return drop("suite");
    if (suite !== hello.suites[0]) {
      return this.#retry(seed, hello, size, { code: RETRY_SUITE, suites });
    }
    if (this.#needsCookie(hello, nowMs) && !this.#hasCookie(hello, from, nowMs)) {
      const unixMs = nowMs + this.#config.unixOffsetMs;
      const cookie = this.#cookies.issue(from, hello.nonce, nowMs, unixMs);
      return this.#retry(seed, hello, size, { code: RETRY_COOKIE, cookie });
    }
    const choice = { hello, suite: Number(suite), seedIndex };
    const identity = messageValue(hello.fields, "cookie");
    // SPEC 6.3: the stored commitment verified, so an identical one needs no second look.
    const known = this.#halfOpen.byNonce(hello.nonce);
    if (known !== undefined && sameBytes(known.hello, identity)) {
      return this.#repeatResponse(known, size, from);
    }
    const verified = verifyHello(this.#config, choice);
    if (verified === undefined) return drop("commitment");
    const refusal = this.#refusalOf(hello, seed, size, from, nowMs);
    if (refusal !== undefined) {
      verified.noise.destroy();
      return refusal;
    }
    // Only now: a HELLO that found no room may come again.
    this.#nonces.add(hello.nonce, nowMs);
    return this.#respond(verified, identity, size, from, nowMs);
  }

  /** What stands against a HELLO of somebody who holds the seed. */
  #refusalOf(
    hello: Hello,
    seed: SeedKeys,
    size: number,
    from: HandshakeSource,
    nowMs: number,
  ): AcceptorResult | undefined {
    if (this.#nonces.has(hello.nonce, nowMs)) return drop("replay");
    if (this.#config.busy?.() === true) {
      return this.#retry(seed, hello, size, { code: RETRY_BUSY });
    }
    if (this.#halfOpen.byConnection(from.connection) !== undefined) return drop("duplicate");
    const full = this.#halfOpen.size >= this.#limit ||
      this.#halfOpen.countOf(addressKey(from.host)) >= this.#limitPerAddress;
    return full ? drop("half_open") : undefined;
  }

  #respond(
    verified: VerifiedHello,
    identity: Uint8Array,
    size: number,
    from: HandshakeSource,
    nowMs: number,
  ): AcceptorResult {
    const handshake = ResponderHandshake.start(
      this.#config,
      verified,
      (id) => this.#taken(id),
      nowMs + this.#config.unixOffsetMs,
    );
    if (handshake === undefined) return drop("session_id");
    let response: Uint8Array;
    try {
      response = handshake.respond(this.#timestamp("RESPONSE", nowMs));
    } catch (error) {
      handshake.destroy();
      // An ephemeral key of low order makes an all-zero secret.
      if (error instanceof SttError && error.code === "CRYPTO") return drop("crypto");
      throw error;
    }
    if (!from.reliable && response.length > AMPLIFICATION * size) {
      handshake.destroy();
      return drop("amplification");
    }
    this.#halfOpen.add({
      handshake,
      nonce: verified.choice.hello.nonce,
      sessionId: handshake.sessionId,
      address: addressKey(from.host),
      source: { ...from },
      hello: identity,
      response,
      repeatsElsewhere: 0,
      expiresMs: nowMs + this.#timeoutMs,
    });
    this.counters.responses++;
    return { kind: "send", frame: response.slice(), halfOpen: handshake.sessionId };
  }

  #repeatResponse(known: HalfOpen, size: number, from: HandshakeSource): AcceptorResult {
    // SPEC 6.3: reliable transports carry every message once.
    if (from.reliable || known.source.reliable) return drop("replay");
    if (known.proved !== undefined) return drop("duplicate");
    // Each RESPONSE is paid for by the HELLO that asked for it, whatever address that came from.
    if (known.response.length > AMPLIFICATION * size) return drop("amplification");
    if (!isSource(known, from)) known.repeatsElsewhere++;
    this.counters.repeats++;
    return { kind: "send", frame: known.response.slice(), halfOpen: known.sessionId };
  }

  #onProof(
    message: AuthProof,
    frame: Uint8Array,
    from: HandshakeSource,
    nowMs: number,
  ): AcceptorResult {
    const entry = this.#halfOpen.bySessionId(message.sessionId);
    if (entry === undefined) {
      const final = this.#finals.repeat(message.sessionId, frame, nowMs);
      if (final === undefined) {
        return drop(this.#finals.has(message.sessionId) ? "duplicate" : "attempt");
      }
      this.counters.repeats++;
      return { kind: "send", frame: final };
    }
    // A session of a reliable transport lives on its one connection; on UDP the address takes no part (SPEC 6.3).
    const { source } = entry;
    const sameTransport = source.reliable
      ? from.reliable && from.connection === source.connection
      : !from.reliable;
    if (!sameTransport) return drop("attempt");
    if (entry.proved !== undefined) return drop("duplicate");
    const pending = entry.handshake.readProof(message, nowMs + this.#config.unixOffsetMs);
    if (pending === undefined) return drop("crypto");
    entry.proved = { frame: frame.slice(), pending };
    entry.handshake.destroy();
    this.counters.sessions++;
    return { kind: "session", pending };
  }

  #findSeed(hello: Hello): number | undefined {
    const { provider, seeds } = this.#config;
    const index = seeds.findIndex((seed) => provider.equal(seed.seedId(hello.nonce), hello.seedId));
    return index < 0 ? undefined : index;
  }

  #needsCookie(hello: Hello, nowMs: number): boolean {
    const loaded = this.#config.underLoad?.() === true || this.#halfOpen.size * 2 >= this.#limit;
    const off = Math.abs(Number(hello.timestamp) - (nowMs + this.#config.unixOffsetMs));
    return loaded || off > FRESHNESS_MS;
  }

  #hasCookie(hello: Hello, from: HandshakeSource, nowMs: number): boolean {
    if (hello.cookie === undefined) return false;
    const unixMs = nowMs + this.#config.unixOffsetMs;
    return this.#cookies.verify(hello.cookie, from, hello.nonce, nowMs, unixMs);
  }

  #retry(seed: SeedKeys, hello: Hello, size: number, content: RetryContent): AcceptorResult {
    const frame = encodeRetry(this.#config.provider, seed.retryKey, hello.nonce, content);
    // SPEC 6.4: stateless answers must never be worth a forged address.
    if (frame.length > size) return drop("retry_size");
    this.counters.retries.set(content.code, (this.counters.retries.get(content.code) ?? 0) + 1);
    return { kind: "send", frame };
  }

  #taken(sessionId: Uint8Array): boolean {
    return this.#halfOpen.bySessionId(sessionId) !== undefined || this.#finals.has(sessionId) ||
      this.#config.sessionIdTaken?.(sessionId) === true;
  }

  #entryOf(pending: PendingSession): HalfOpen | undefined {
    const entry = this.#halfOpen.bySessionId(pending.session.sessionId);
    return entry?.proved?.pending === pending ? entry : undefined;
  }

  #timestamp(message: HandshakeMessageName, nowMs: number): number {
    return this.#config.injection?.timestamp?.(message) ??
      Math.floor(nowMs + this.#config.unixOffsetMs);
  }
}

function drop(reason: AcceptorDrop): AcceptorResult {
  return { kind: "drop", reason };
}

/**
 * Options of `listen` and `connect`, and what becomes of them: keys, limits, identity.
 *
 * @module
 */
import { fromHex } from "../codec/hex.ts";
import {
  type ConnectionLimits,
  connectionLimits,
  type ConnectionOptions,
} from "../connection/config.ts";
import {
  type CongestionControlName,
  DEFAULT_CONGESTION,
} from "../connection/congestion/controller.ts";
import { isLoopback } from "../connection/recovery/path.ts";
import type { ConnectionBase } from "../connection/roles.ts";
import type { PathOptions } from "../connection/session_core.ts";
import {
  DEFAULT_ACCEPT_TIMEOUT_MS,
  DEFAULT_HANDSHAKE_TIMEOUT_MS,
  DEFAULT_MAX_FRAME,
  DEFAULT_MAX_UDP,
  MIN_UDP_BYTES,
  SUITE_AES_256_GCM,
  SUITE_CHACHA20_POLY1305,
} from "../constants.ts";
import { type SeedKeys, seedKeys, staticKey } from "../crypto/key_schedule.ts";
import type { CryptoProvider, X25519PrivateKey } from "../crypto/provider.ts";
import { ResetTokens } from "../crypto/reset_tokens.ts";
import { parseSeed } from "../crypto/seeds.ts";
import { wipe } from "../crypto/secret.ts";
import { SttError } from "../errors.ts";
import type { KeyLog } from "../session/key_log.ts";
import type { TracerFactory } from "../observe/tracer.ts";
import type {
  AnyTransport,
  DialOptions,
  ListenTransportOptions,
  TransportConnection,
} from "../transport/transport.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { Peer } from "./peer.ts";
import type { PeerInfo } from "./peer_info.ts";
import type { ListenerResumption } from "./continuity/listener_resumption.ts";

/** Magic and the longest body length of a frame. */
const FRAME_PREFIX_BYTES = 6;

/** A seed: at least 32 bytes, or the hex or base64url text of them. */
export type SeedInput = Uint8Array | string;

/** What `listen` and `connect` have in common. */
export interface EndpointOptions extends ConnectionOptions {
  /**
   * Secret of this node alone, at least 32 bytes: gives it a lasting `nodeId`, and lets a UDP listener that was started
   * again tell the peers of before that their sessions are gone. Default: a new one per call.
   */
  readonly nodeSeed?: SeedInput;
  /** Cipher suites by preference: 1 ChaCha20-Poly1305, 2 AES-256-GCM. Default [1, 2]. */
  readonly suites?: readonly number[];
  /** Milliseconds for the whole handshake. Default 10000. */
  readonly handshakeTimeout?: number;
  /** Take a session with this node itself. Default false. */
  readonly allowSelf?: boolean;
  /** Cryptography to use. Default `node:crypto`. */
  readonly provider?: CryptoProvider;
  /** A transport of your own for its schemes, before the built-in ones. */
  readonly transports?: readonly AnyTransport[];
  /**
   * UDP: how the speed follows what the network carries. `bbr` keeps queues short and bears loss that it does not cause,
   * `cubic` is what most of the internet uses, `newreno` is the plainest. Other transports have their own and ignore it.
   * Default "bbr".
   */
  readonly congestion?: CongestionControlName;
  /**
   * UDP: bytes of a UDP payload, 1200 to 65507, that you know the whole path to carry (jumbo frames, a tunnel). Packets
   * grow up to it by probing. Default: up to 1452, on loopback up to 65507 (half
   * of what the peer lets the session have in flight, at least 16384).
   */
  readonly pathMtu?: number;
  /** Time source; tests replace it. */
  readonly clock?: Clock;
  /**
   * Called for each session that starts; the tracer that it returns hears what the session does: frames, handshake, keys,
   * streams, losses, congestion, its end (docs/observability.md). No event holds keys or content. Default: nobody listens.
   */
  readonly tracer?: TracerFactory;
  /**
   * DANGER: gets the keys of every session as lines of text. Whoever reads them reads everything that these sessions send,
   * and can write into them. For debugging with data that need not be secret (docs/observability.md). Default: nobody
   * gets them.
   */
  readonly keyLog?: KeyLog;
  /**
   * Measures round trips, waits before sending, sealing and opening, as distributions in `stats().profile`: 4 KiB and four
   * looks at the clock for each frame. Default false.
   */
  readonly profile?: boolean;
  /**
   * UDP: turn the event loop for up to 0.3 ms instead of sleeping while a peer whose last answers came as quickly is about
   * to answer: less waiting for more processor. Default true; never on a machine of one processor.
   */
  readonly answerPoll?: boolean;
}

/** Options of `connect`. */
export interface ConnectOptions extends EndpointOptions {
  /** The seed shared with the listener. */
  readonly seed: SeedInput;
  /** 32-byte key shared with this one node, in addition to the seed. */
  readonly pairKey?: SeedInput;
  /** Pin: the peer's `nodeId` as bytes or hex, or a check of it. Without it the peer is any holder of the seed. */
  readonly expect?: Uint8Array | string | ((nodeId: Uint8Array) => boolean);
  /** Aborts dialling and handshake; the session that stands is not touched. */
  readonly signal?: AbortSignal;
  /**
   * Called once the peer is authenticated and before it has accepted: what is sent here saves a round trip. An
   * exception, or a promise that rejects before the session is open, ends the dial with it.
   */
  readonly early?: (peer: Peer) => void | Promise<void>;
  /** Options of the transport: `ca`, `headers`, `timeoutMs`. */
  readonly transport?: Omit<DialOptions, "signal">;
}

/** Options of `listen`. */
export interface ListenOptions extends EndpointOptions {
  /** The shared seed. */
  readonly seed?: SeedInput;
  /** Further seeds that peers may dial with (rotation, tenants): at most 64 with `seed`, which comes first. */
  readonly seeds?: readonly SeedInput[];
  /** 32-byte key of everybody, or a look-up by the peer's `nodeId`. */
  readonly pairKey?: SeedInput | ((nodeId: Uint8Array) => Uint8Array | undefined);
  /** Decides over an authenticated peer; false, an exception or 5 s of silence refuse it. */
  readonly accept?: (peer: PeerInfo) => boolean | Promise<boolean>;
  /** Milliseconds that `accept` may take. Default 5000. */
  readonly acceptTimeout?: number;
  /** Sessions at once; further dials get BUSY. Default 1024. */
  readonly maxSessions?: number;
  /**
   * Handshakes at once between HELLO and accept; also the TCP and WebSocket connections without a session, of which the
   * oldest is closed when there are more. Default 1024.
   */
  readonly halfOpen?: number;
  /** The same per address. Default 16. */
  readonly halfOpenPerAddress?: number;
  /** HELLOs per second and address (/32 or /64); Infinity for no limit. Default 20. */
  readonly handshakeRate?: number;
  /** Networks (/32 or /64) whose rate is remembered; beyond, the one idle for longest is forgotten. Default 8192. */
  readonly maxNetworks?: number;
  /**
   * HELLOs remembered for 245 s, so that none is taken twice; beyond, the oldest is forgotten. Some 200 bytes each.
   * Default 65536.
   */
  readonly maxNonces?: number;
  /** UDP: stateless resets per second in all, and a tenth of it for one network. Default 100. */
  readonly resetRate?: number;
  /**
   * A `ResumptionHost`: sessions with diallers that use `resumable` go on over other transports and after crashes. They
   * come out of the host, not out of the listener. Several listeners may share one.
   */
  readonly resumption?: ListenerResumption;
  /** Closes the listener and its sessions when aborted. */
  readonly signal?: AbortSignal;
  /** Options of the transport: `cert`, `key`, `origins`, `native`, `maxConnections`, … */
  readonly transport?: Omit<ListenTransportOptions, "signal">;
}

/** What both sides derive from their options. */
export interface EndpointSetup {
  /** What UDP paths have in common. */
  readonly path: Pick<PathOptions, "congestion" | "pathMtu">;
  readonly provider: CryptoProvider;
  readonly clock: Clock;
  readonly limits: ConnectionLimits;
  readonly staticKey: X25519PrivateKey;
  /** Only a node whose seed lasts can tell its peers that it lost their sessions. */
  readonly resetTokens: ResetTokens | undefined;
  readonly suites: readonly number[];
  readonly handshakeTimeout: number;
  readonly acceptTimeout: number;
  readonly tracer: TracerFactory | undefined;
  readonly keyLog: KeyLog | undefined;
  readonly profile: boolean;
  readonly answerPoll: boolean;
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}

/**
 * SPEC 4: a message holds one frame of any size, or several up to 64 KiB together. A transport collects a message before
 * anybody can look at it, a stranger's too, so it takes no more than that.
 */
export function maxMessageBytes(limits: ConnectionLimits): number {
  return Math.max(limits.maxFrame, DEFAULT_MAX_FRAME) + FRAME_PREFIX_BYTES;
}

/** Bytes of a seed; always a copy, which the caller wipes. */
export function seedBytes(input: SeedInput | undefined, option: string): Uint8Array {
  if (isBytes(input)) {
    if (input.length < 32) {
      throw new SttError(
        "SEED",
        `cannot use option ${option}: ${input.length} bytes are fewer than 32`,
        { limit: 32 },
      );
    }
    // Not slice(), which is a view of a Buffer: the copy is wiped, the application's own bytes are not.
    return new Uint8Array(input);
  }
  if (typeof input === "string") return parseSeed(input);
  throw new SttError("SEED", `cannot use option ${option}: no bytes or text of at least 32 bytes`);
}

/** Bytes of a pair key: exactly 32. */
export function pairKeyBytes(input: SeedInput): Uint8Array {
  const key = seedBytes(input, "pairKey");
  if (key.length === 32) return key;
  wipe(key);
  throw new SttError("CONFIG", `cannot use option pairKey: ${key.length} bytes are not 32`, {
    limit: 32,
  });
}

/** A listener's pair key or look-up. What the look-up throws or returns wrongly refuses the peer and is reported. */
export function pairKeyOf(
  input: ListenOptions["pairKey"],
  onError: (error: SttError) => void,
): Uint8Array | ((nodeId: Uint8Array) => Uint8Array | undefined) | undefined {
  if (input === undefined) return undefined;
  if (typeof input !== "function") return pairKeyBytes(input);
  return (nodeId) => {
    try {
      const key = input(nodeId);
      return key === undefined ? undefined : pairKeyBytes(key);
    } catch (cause) {
      const error = new SttError("CONFIG", "cannot look up pair key: option pairKey failed", {
        cause,
      });
      onError(error);
      throw error;
    }
  };
}

/** Keys of 1 to 64 seeds. The caller wipes them. */
export function seedKeyList(
  provider: CryptoProvider,
  inputs: readonly SeedInput[],
): readonly SeedKeys[] {
  if (inputs.length === 0) {
    throw new SttError("SEED", "cannot use options seed and seeds: there is no seed in them");
  }
  if (inputs.length > 64) {
    throw new SttError("SEED", `cannot use option seeds: ${inputs.length} is outside 1 to 64`, {
      limit: 64,
    });
  }
  return inputs.map((input) => {
    const bytes = seedBytes(input, "seed");
    try {
      return seedKeys(provider, bytes);
    } finally {
      wipe(bytes);
    }
  });
}

/** A pin as the handshake takes it. */
export function pinOf(
  expect: ConnectOptions["expect"],
): Uint8Array | ((nodeId: Uint8Array) => boolean) | undefined {
  if (expect === undefined || typeof expect === "function") return expect;
  if (typeof expect === "string" && !/^[0-9a-f]{64}$/i.test(expect)) {
    throw new SttError("CONFIG", "cannot use option expect: a nodeId has 64 hexadecimal digits");
  }
  const bytes = typeof expect === "string" ? fromHex(expect) : expect;
  if (!isBytes(bytes) || bytes.length !== 32) {
    throw new SttError("CONFIG", "cannot use option expect: a nodeId has 32 bytes", { limit: 32 });
  }
  return bytes;
}

function suiteList(suites: readonly number[] | undefined): readonly number[] {
  if (suites === undefined) return [SUITE_CHACHA20_POLY1305, SUITE_AES_256_GCM];
  const known = (suite: number): boolean =>
    suite === SUITE_CHACHA20_POLY1305 || suite === SUITE_AES_256_GCM;
  if (suites.length === 0 || !suites.every(known) || new Set(suites).size !== suites.length) {
    throw new SttError(
      "CONFIG",
      `cannot use option suites: [${suites.join(", ")}] is not a list of 1 and 2 without repeats`,
    );
  }
  return [...suites];
}

const CONGESTION: readonly string[] = ["cubic", "bbr", "newreno"];

function pathSetup(options: EndpointOptions): EndpointSetup["path"] {
  const { congestion = DEFAULT_CONGESTION, pathMtu } = options;
  if (!CONGESTION.includes(congestion)) {
    throw new SttError(
      "CONFIG",
      `cannot use option congestion: ${String(congestion)} is none of ${CONGESTION.join(", ")}`,
    );
  }
  if (pathMtu === undefined) return { congestion };
  if (Number.isInteger(pathMtu) && pathMtu >= MIN_UDP_BYTES && pathMtu <= DEFAULT_MAX_UDP) {
    return { congestion, pathMtu };
  }
  throw new SttError(
    "CONFIG",
    `cannot use option pathMtu: ${pathMtu} is outside ${MIN_UDP_BYTES} to ${DEFAULT_MAX_UDP}`,
    { limit: pathMtu > DEFAULT_MAX_UDP ? DEFAULT_MAX_UDP : MIN_UDP_BYTES },
  );
}

/** What is known of the path to a peer over datagrams. */
export function pathOptions(
  setup: EndpointSetup,
  channel: Required<Pick<PathOptions, "remote" | "receiveBuffer" | "validated" | "received">>,
): PathOptions {
  const { remote, receiveBuffer, validated, received } = channel;
  const { congestion, pathMtu } = setup.path;
  const loopback = isLoopback(remote.host);
  // Spelled out: engines give each object that is spread from others a shape of its own, 200 bytes a session.
  const path = { congestion, loopback, receiveBuffer, remote, validated, received };
  return pathMtu === undefined ? path : { ...path, pathMtu };
}

/** What the connection of a session that starts is made of, whatever its role. A tracer factory that throws means: none. */
export function sessionBase(
  setup: EndpointSetup,
  role: "initiator" | "responder",
  { localAddress, remoteAddress }: TransportConnection,
): ConnectionBase {
  const { provider, limits, clock, keyLog } = setup;
  const profile = setup.profile ? () => clock.now() : undefined;
  if (setup.tracer === undefined) return { provider, limits, keyLog, profile };
  const start = { role, localAddress, remoteAddress, nowMs: clock.now(), unixMs: clock.unix() };
  try {
    return { provider, limits, keyLog, profile, tracer: setup.tracer(start) };
  } catch {
    return { provider, limits, keyLog, profile };
  }
}

/** A positive whole number option. */
export function positive(name: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new SttError("CONFIG", `cannot use option ${name}: ${value} is not a whole number above 0`);
}

/**
 * Validates what both sides share and derives the node's key.
 *
 * @param seeds To refuse a node seed that is a shared one.
 * @param provider The runtime's own cryptography, unless `options` name another.
 */
export function endpointSetup(
  options: EndpointOptions & { readonly acceptTimeout?: number },
  seeds: readonly SeedInput[],
  provider: CryptoProvider,
): EndpointSetup {
  const limits = connectionLimits(options);
  const path = pathSetup(options);
  const nodeSeed = options.nodeSeed === undefined
    ? undefined
    : seedBytes(options.nodeSeed, "nodeSeed");
  const { tracer, keyLog, profile = false, answerPoll = true } = options;
  try {
    for (const seed of seeds) {
      const shared = seedBytes(seed, "seed");
      const same = nodeSeed !== undefined && provider.equal(shared, nodeSeed);
      wipe(shared);
      if (same) {
        throw new SttError("SEED", "cannot use option nodeSeed: it is the shared seed (SPEC 5)");
      }
    }
    return {
      provider,
      clock: options.clock ?? systemClock,
      limits,
      path,
      // A key that no seed stands behind is made, not derived: importing one takes Node over a millisecond.
      staticKey: nodeSeed === undefined ? provider.x25519() : staticKey(provider, nodeSeed),
      resetTokens: nodeSeed === undefined ? undefined : new ResetTokens(provider, nodeSeed),
      suites: suiteList(options.suites),
      tracer,
      keyLog,
      profile,
      answerPoll,
      handshakeTimeout: positive(
        "handshakeTimeout",
        options.handshakeTimeout,
        DEFAULT_HANDSHAKE_TIMEOUT_MS,
      ),
      acceptTimeout: positive("acceptTimeout", options.acceptTimeout, DEFAULT_ACCEPT_TIMEOUT_MS),
    };
  } finally {
    if (nodeSeed !== undefined) wipe(nodeSeed);
  }
}

/**
 * Options of one connection: the defaults stand here once, and every value is validated once.
 *
 * @module
 */
import {
  CAPABILITY_FLOW_CONTROL,
  CAPABILITY_RESUMPTION,
  CAPABILITY_ROTATION,
  CAPABILITY_STREAMS,
  CLOSE_FLUSH_MS,
  DEFAULT_ACK_DELAY_MS,
  DEFAULT_ACK_EVERY,
  DEFAULT_MAX_DATA,
  DEFAULT_MAX_DATAGRAM,
  DEFAULT_MAX_FRAME,
  DEFAULT_MAX_IDLE_MS,
  DEFAULT_MAX_MESSAGE_SIZE,
  DEFAULT_MAX_STREAM_DATA,
  DEFAULT_MAX_STREAMS,
  DEFAULT_MAX_UDP,
  DEFAULT_ROTATE_BYTES,
  DEFAULT_ROTATE_MS,
  DEFAULT_ROTATE_PACKETS,
  FRAME_MAX_BODY,
  MAX_SESSION_WINDOW,
  MAX_STREAM_WINDOW,
} from "../constants.ts";
import { SttError } from "../errors.ts";
import type { TransportParameters } from "../handshake/types.ts";

/** Limits and habits of one connection. All times are milliseconds, all sizes bytes. */
export interface ConnectionOptions {
  /** Close with IDLE_TIMEOUT when nothing arrived for this long; 0 never. The smaller wish of both sides counts. Default 300000. */
  readonly maxIdle?: number;
  /** Send a PING when nothing arrived for this long; 0 never (default). */
  readonly keepAlive?: number;
  /** Bytes the peer may send ahead over all streams, to begin with. Default 1 MiB, at most 16 MiB. */
  readonly maxData?: number;
  /** Bytes the peer may send ahead on one stream, to begin with. Default 256 KiB, at most 8 MiB. */
  readonly maxStreamData?: number;
  /**
   * Where the window of the session stops growing with the path: the most that its streams hold unread. It is never below
   * `maxData`. Default and at most 16 MiB.
   */
  readonly maxSessionWindow?: number;
  /** The same for one stream, never below `maxStreamData`. Default and at most 8 MiB. */
  readonly maxStreamWindow?: number;
  /** Streams the peer may have open at once. Default 256, at most 2^31. */
  readonly maxStreams?: number;
  /** Largest DATA, DATAGRAM and custom payload taken; 0 none. Default 65535. */
  readonly maxDatagram?: number;
  /** Largest frame body taken, 1200 to 2097152. Default 65536. */
  readonly maxFrame?: number;
  /** Largest message taken on message streams; unfinished ones may hold four times this in all. Default 16 MiB. */
  readonly maxMessageSize?: number;
  /** Unsent bytes a stream holds before `write` asks the application to wait. Default 1 MiB. */
  readonly sendBuffer?: number;
  /** Rotate keys after this many frame bytes of an epoch. Default 2^30. */
  readonly rotateBytes?: number;
  /** Rotate keys after this time. Default one hour. */
  readonly rotateTime?: number;
  /** Rotate keys after this many frames of an epoch. Default 2^24. */
  readonly rotatePackets?: number;
  /** How long `close()` may go on sending what was written before. Default 5000. */
  readonly closeFlush?: number;
  /** Put everything into padded CONTROL frames, which hides stream ids and priorities (SPEC 9). Default false. */
  readonly packed?: boolean;
  /** UDP: follow a peer whose address changes (NAT, another network). False: frames from elsewhere are dropped. Default true. */
  readonly migrate?: boolean;
  /** Name of the application's protocol, at most 64 bytes; both sides' names must match when both are set. Default "". */
  readonly app?: string;
}

/** {@link ConnectionOptions} with every default filled in. */
export type ConnectionLimits = Required<ConnectionOptions>;

interface Range {
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
}

const NEVER_MS = 9_007_199_254_740_991;

const RANGES: Record<Exclude<keyof ConnectionOptions, "packed" | "migrate" | "app">, Range> = {
  maxIdle: { fallback: DEFAULT_MAX_IDLE_MS, min: 0, max: NEVER_MS },
  keepAlive: { fallback: 0, min: 0, max: NEVER_MS },
  maxData: { fallback: DEFAULT_MAX_DATA, min: 0, max: 16_777_216 },
  maxStreamData: { fallback: DEFAULT_MAX_STREAM_DATA, min: 0, max: 8_388_608 },
  maxSessionWindow: { fallback: MAX_SESSION_WINDOW, min: 1, max: MAX_SESSION_WINDOW },
  maxStreamWindow: { fallback: MAX_STREAM_WINDOW, min: 1, max: MAX_STREAM_WINDOW },
  maxStreams: { fallback: DEFAULT_MAX_STREAMS, min: 0, max: 2_147_483_648 },
  maxDatagram: { fallback: DEFAULT_MAX_DATAGRAM, min: 0, max: FRAME_MAX_BODY },
  maxFrame: { fallback: DEFAULT_MAX_FRAME, min: 1200, max: FRAME_MAX_BODY },
  maxMessageSize: { fallback: DEFAULT_MAX_MESSAGE_SIZE, min: 1, max: 1_073_741_824 },
  sendBuffer: { fallback: 1_048_576, min: 1, max: 1_073_741_824 },
  rotateBytes: { fallback: DEFAULT_ROTATE_BYTES, min: 65_536, max: 1_099_511_627_776 },
  rotateTime: { fallback: DEFAULT_ROTATE_MS, min: 1000, max: NEVER_MS },
  rotatePackets: { fallback: DEFAULT_ROTATE_PACKETS, min: 16, max: 4_294_967_296 },
  closeFlush: { fallback: CLOSE_FLUSH_MS, min: 0, max: 3_600_000 },
};

function integerOption(name: string, value: unknown, range: Range): number {
  if (value === undefined) return range.fallback;
  if (typeof value !== "number" || !Number.isSafeInteger(value)) {
    throw new SttError(
      "CONFIG",
      `cannot use option ${name}: ${String(value)} is not an integer`,
    );
  }
  if (value < range.min || value > range.max) {
    throw new SttError(
      "CONFIG",
      `cannot use option ${name}: ${value} is outside ${range.min} to ${range.max}`,
      { limit: value < range.min ? range.min : range.max },
    );
  }
  return value;
}

/**
 * Fills in defaults and validates.
 *
 * @throws {SttError} `CONFIG`, naming the option, the value and the limit.
 */
export function connectionLimits(options: ConnectionOptions): ConnectionLimits {
  const numbers = {} as Record<keyof typeof RANGES, number>;
  for (const name of Object.keys(RANGES) as (keyof typeof RANGES)[]) {
    numbers[name] = integerOption(name, options[name], RANGES[name]);
  }
  const app = options.app ?? "";
  if (typeof app !== "string" || new TextEncoder().encode(app).length > 64) {
    throw new SttError("CONFIG", "cannot use option app: not a string of at most 64 bytes", {
      limit: 64,
    });
  }
  const { packed = false, migrate = true } = options;
  for (const [name, value] of Object.entries({ packed, migrate })) {
    if (typeof value === "boolean") continue;
    throw new SttError("CONFIG", `cannot use option ${name}: not a boolean`);
  }
  return { ...numbers, packed, migrate, app };
}

/** A session moves with this little, if slowly: two packets of the largest size. */
const MIN_BURST_BYTES = 32_768;

/**
 * Bytes of streams that may be on their way to a UDP socket with this receive buffer. Linux counts 2304 bytes for a
 * datagram of 1200: half of the buffer would fill all of it, and acknowledgements need room as well.
 */
export function receiveBurst(receiveBuffer: number): number {
  return Math.max(MIN_BURST_BYTES, Math.floor(receiveBuffer * 7 / 16));
}

/**
 * What this side announces in the handshake (SPEC 6.2) for these limits. `receiveBuffer`: bytes of the UDP socket's, as
 * in {@link PathOptions}. `resumption`: tickets are taken and kept (SPEC 15.1).
 */
export function transportParameters(
  limits: ConnectionLimits,
  receiveBuffer: number = Infinity,
  resumption: boolean = false,
): TransportParameters {
  const capabilities = CAPABILITY_STREAMS | CAPABILITY_ROTATION | CAPABILITY_FLOW_CONTROL;
  return {
    capabilities: resumption ? capabilities | CAPABILITY_RESUMPTION : capabilities,
    maxIdle: limits.maxIdle,
    maxData: Math.min(limits.maxData, receiveBurst(receiveBuffer)),
    maxStreamData: limits.maxStreamData,
    maxStreams: limits.maxStreams,
    maxDatagram: limits.maxDatagram,
    maxFrame: limits.maxFrame,
    maxUdp: DEFAULT_MAX_UDP,
    ackDelay: DEFAULT_ACK_DELAY_MS,
    ackEvery: DEFAULT_ACK_EVERY,
    migrate: limits.migrate,
    app: limits.app,
  };
}

/**
 * The floods at full size, and what each may cost at most.
 *
 * @module
 */
import type { ListenOptions } from "../../src/endpoint/options.ts";
import type { Peer } from "../../src/endpoint/peer.ts";

/** One flood against a listener of its own. */
export interface Flood {
  readonly name: string;
  /** Key of the attack. */
  readonly attack: string;
  readonly listen: string;
  /** What is counted, at full size. */
  readonly count: number;
  readonly unit: string;
  /** Options of the listener other than the defaults. */
  readonly options?: Partial<ListenOptions>;
  /** The listener's application. Default: sessions are left alone. */
  readonly serve?: (peer: Peer) => Promise<void>;
  readonly bounds?: Partial<Bounds>;
}

/** What is judged. */
export interface Bounds {
  /** Handshakes under way. */
  readonly handshaking: number;
  /** Sessions. */
  readonly sessions: number;
  /** MiB that the heap (array buffers included) holds more than before, at any sample in the flood. */
  readonly peakMiB: number;
  /** MiB that it holds more after the flood and a collection. */
  readonly keptMiB: number;
  /** Descriptors more than before, after the flood. */
  readonly handles: number;
  /** Milliseconds for a real client to connect. */
  readonly connectMs: number;
  /** Milliseconds of its own processor time for which the event loop was kept from its timers. */
  readonly loopMs: number;
}

export const BOUNDS: Bounds = {
  handshaking: 1024,
  sessions: 16,
  peakMiB: 128,
  keptMiB: 16,
  handles: 4,
  connectMs: 2000,
  loopMs: 50,
};

const UDP = "udp://127.0.0.1:0";
const TCP = "tcp://127.0.0.1:0";
const WS = "ws://127.0.0.1:0/";
const HELLOS = "HELLOs";
const OPEN = { handshakeRate: Infinity, halfOpenPerAddress: 1024 };

async function discard(peer: Peer): Promise<void> {
  for await (const stream of peer.streams()) stream.stop();
}

/** Writes as much as the peer lets it. */
async function pour(peer: Peer): Promise<void> {
  const stream = await peer.openStream();
  const block = new Uint8Array(65_536);
  for (;;) await stream.write(block);
}

function hellos(scheme: string, listen: string, attack: string, count: number): Flood[] {
  return [
    {
      name: `${scheme}: random bytes`,
      attack: `${attack}-random`,
      listen,
      count,
      unit: "messages",
    },
    { name: `${scheme}: recorded`, attack: `${attack}-recorded`, listen, count, unit: HELLOS },
    { name: `${scheme}: valid`, attack: `${attack}-valid`, listen, count, unit: HELLOS },
  ];
}

function churn(scheme: string, listen: string): Flood {
  return {
    name: `${scheme}: open and close`,
    attack: "churn",
    listen,
    count: 10_000,
    unit: "sessions",
    options: OPEN,
    bounds: { keptMiB: 4 },
  };
}

const FRAMES = { unit: "frames", count: 1_000_000 };
const HELD = { unit: "connections", count: 2000 };

export const FLOODS: readonly Flood[] = [
  ...hellos("udp", UDP, "udp", 100_000),
  {
    name: "udp: recorded, changed",
    attack: "udp-changed",
    listen: UDP,
    count: 100_000,
    unit: HELLOS,
  },
  ...hellos("tcp", TCP, "stream", 100_000),
  ...hellos("ws", WS, "stream", 100_000),
  churn("udp", UDP),
  churn("tcp", TCP),
  churn("ws", WS),
  { name: "ws: slow upgrades", attack: "slow-upgrade", listen: WS, ...HELD },
  { name: "ws: slow upgrades, one address", attack: "slow-upgrade-one", listen: WS, ...HELD },
  { name: "tcp: slow HELLOs", attack: "slow-hello", listen: TCP, ...HELD },
  { name: "tcp: slow HELLOs, one address", attack: "slow-hello-one", listen: TCP, ...HELD },
  { name: "ws: header bombs", attack: "header-bombs", listen: WS, count: 2000, unit: "requests" },
  { name: "ws: WebSocket pings", attack: "websocket-pings", listen: WS, ...FRAMES },
  { name: "ws: fragments", attack: "websocket-fragments", listen: WS, ...FRAMES },
  {
    name: "ws: fragments, one a packet",
    attack: "websocket-fragments-alone",
    listen: WS,
    count: 400_000,
    unit: "frames",
  },
  { name: "ws: empty fragments", attack: "websocket-empty-fragments", listen: WS, ...FRAMES },
  {
    name: "tcp: peers that never read",
    attack: "unread",
    listen: TCP,
    count: 50,
    unit: "sessions",
    options: OPEN,
    serve: pour,
    bounds: { sessions: 66, peakMiB: 128 },
  },
  {
    name: "udp: peers that never read",
    attack: "unread",
    listen: UDP,
    count: 50,
    unit: "sessions",
    options: OPEN,
    serve: pour,
    // Nobody tells of their end: until the idle timeout each holds the bytes that it never acknowledged.
    bounds: { sessions: 66, peakMiB: 128, keptMiB: 66 },
  },
  { name: "tcp: tiny frames", attack: "tiny-frames", listen: TCP, ...FRAMES },
  { name: "tcp: PINGs", attack: "pings", listen: TCP, count: 1_000_000, unit: "records" },
  {
    name: "tcp: streams opened and reset",
    attack: "reset-streams",
    listen: TCP,
    count: 10_000,
    unit: "streams",
    serve: discard,
  },
  {
    name: "udp: streams opened and reset",
    attack: "reset-streams",
    listen: UDP,
    count: 10_000,
    unit: "streams",
    serve: discard,
  },
];

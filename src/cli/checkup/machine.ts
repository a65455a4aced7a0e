/**
 * Checks of this machine and runtime.
 *
 * @module
 */
import { connect, createServer } from "node:net";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { listen } from "../../endpoint/listener.ts";
import { generateSeed } from "../../endpoint/seeds.ts";
import { SttError } from "../../errors.ts";
import { bind } from "../../transport/listening.ts";
import { transportError } from "../../transport/transport_error.ts";
import { availableSockets, openDatagramSocket } from "../../transport/udp/open_datagram_socket.ts";
import { loadWs } from "../../transport/ws_module.ts";
import { formatBytes, formatDuration } from "../text.ts";
import { MemorySession } from "../warm_up.ts";
import { hintOf } from "../hints.ts";
import { type Check, fail, type Finding, lacksPermission, ok, warn } from "./check.ts";

/** Major and minor version, at least. */
const FLOORS = { deno: [2, 9], node: [20, 19] } as const;
const LOOPBACK_MS = 2000;
/** Half of what a UDP socket asks for: below, a fast sender is slowed down. */
const GOOD_BUFFER = 655_360;
const CLOCK_MS = 200;
const CLOCK_TOLERANCE_MS = 50;
/** Nothing of this project was written before. */
const EARLIEST = Date.UTC(2026, 0, 1);
const MEMORY_BYTES = 262_144;

/** Everything that needs no address. */
export const MACHINE_CHECKS: readonly Check[] = [
  { name: "runtime", run: () => Promise.resolve(runtime()) },
  { name: "cryptography", run: cryptography },
  { name: "permissions", run: permissions },
  { name: "tcp", run: () => tcpLoopback("127.0.0.1") },
  { name: "udp", run: () => udpLoopback("127.0.0.1") },
  { name: "udp buffer", run: udpBuffer },
  { name: "ipv6", run: ipv6 },
  { name: "websocket", run: websocket },
  { name: "clock", run: clock },
];

function runtime(): Finding {
  const { deno, node } = process.versions as Readonly<Record<string, string | undefined>>;
  const [name, version] = deno === undefined ? ["Node", node ?? ""] : ["Deno", deno];
  const [major, minor] = deno === undefined ? FLOORS.node : FLOORS.deno;
  const [hasMajor = 0, hasMinor = 0] = version.split(".").map(Number);
  const text = `${name} ${version} on ${process.platform} ${process.arch}`;
  const enough = hasMajor > major || hasMajor === major && hasMinor >= minor;
  if (enough) return ok(text);
  return fail(text, `${name} ${major}.${minor} or later is needed`);
}

/** A session in memory has a handshake, both directions and loss in it. */
async function cryptography(signal: AbortSignal): Promise<Finding> {
  const started = performance.now();
  const session = new MemorySession(MEMORY_BYTES);
  while (!session.step(() => performance.now() - started > 5)) {
    await delay(0, undefined, { signal });
  }
  const ms = performance.now() - started;
  return ok(`a session in memory moved ${formatBytes(MEMORY_BYTES)} in ${formatDuration(ms)}`);
}

interface Permissions {
  query(what: { readonly name: string }): Promise<{ readonly state: string }>;
}

async function permissions(): Promise<Finding> {
  const { Deno: deno } = globalThis as unknown as {
    readonly Deno?: { readonly permissions: Permissions };
  };
  if (deno === undefined) return ok("nothing is asked for on this runtime");
  const names = ["net", "read", "write", "env"];
  const states = await Promise.all(names.map((name) => deno.permissions.query({ name })));
  const missing = names.filter((_, index) => states[index]?.state !== "granted");
  if (missing.length === 0) return ok("all that is used is granted");
  return warn(
    `not granted in full: ${missing.join(", ")}`,
    "docs/permissions.md lists the flags that each command needs",
  );
}

async function tcpLoopback(host: string): Promise<Finding> {
  const server = createServer((socket) => socket.end());
  const { port } = await bind(server, { host, port: 0, text: `tcp://${host}:0` }, undefined);
  try {
    await new Promise<void>((resolve, reject) => {
      const socket = connect({ host, port });
      socket.on("connect", () => {
        socket.destroy();
        resolve();
      });
      socket.on("error", (cause) => reject(transportError(`cannot reach tcp://${host}`, cause)));
    });
  } finally {
    server.close();
  }
  return ok(`listens and connects on ${host}`);
}

/** Sends a datagram to itself. */
async function udpLoopback(host: string): Promise<Finding> {
  const socket = await openDatagramSocket({ host, port: 0 });
  const { localPort } = socket;
  let arrived: (value: boolean) => void = () => undefined;
  const arrival = new Promise<boolean>((resolve) => (arrived = resolve));
  const timer = setTimeout(() => arrived(false), LOOPBACK_MS);
  socket.start({
    datagram: () => arrived(true),
    batchEnd: () => undefined,
    drain: () => undefined,
    error: () => arrived(false),
    closed: () => undefined,
  });
  socket.send(Uint8Array.of(1, 2, 3), host, localPort);
  const came = await arrival;
  clearTimeout(timer);
  await socket.close();
  if (came) return ok(`sends and receives on ${host} (${availableSockets()})`);
  return fail(
    `a datagram to ${host} did not come back within ${LOOPBACK_MS / 1000} s`,
    "a firewall on this machine drops UDP, or a sandbox without it",
  );
}

async function udpBuffer(): Promise<Finding> {
  if (availableSockets() !== "node:dgram") {
    return ok("this runtime does not tell; sessions use what every system gives (208 KiB)");
  }
  const socket = await openDatagramSocket({ host: "127.0.0.1", port: 0 });
  const { receiveBuffer } = socket;
  await socket.close();
  const text = `the system gives ${formatBytes(receiveBuffer)} to receive into`;
  if (receiveBuffer >= GOOD_BUFFER) return ok(text);
  const advice = process.platform === "linux"
    ? "sysctl -w net.core.rmem_max=4194304 lets fast senders send more at once"
    : "a larger limit lets fast senders send more at once";
  return warn(text, advice);
}

async function ipv6(): Promise<Finding> {
  try {
    await tcpLoopback("::1");
    return await udpLoopback("::1");
  } catch (error) {
    if (lacksPermission(error)) throw error;
    return warn("this machine has none", "only peers that are reached over IPv4 can be dialled");
  }
}

async function websocket(): Promise<Finding> {
  await loadWs();
  return ok("the package ws loads; ws: and wss: work");
}

/** Whether it runs evenly. Whether it is right, nobody here can say. */
async function clock(signal: AbortSignal): Promise<Finding> {
  const [wall, steady] = [Date.now(), performance.now()];
  await delay(CLOCK_MS, undefined, { signal });
  const drift = Date.now() - wall - (performance.now() - steady);
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  const why = "a dial from a clock that is off by over two minutes takes a round trip more";
  if (Math.abs(drift) > CLOCK_TOLERANCE_MS) {
    return warn(`${now}, and it was set while this ran`, `${why}; is something setting it?`);
  }
  if (Date.now() < EARLIEST) return warn(`${now}, which is in the past`, `${why}: set it (NTP)`);
  return ok(`${now}, runs evenly; not compared with any other clock`);
}

/** Whether an address can be listened on. */
export function listenCheck(address: string): Check {
  return {
    name: `listen ${address}`,
    async run(signal) {
      try {
        const listener = await listen(address, { seed: generateSeed(), signal });
        const bound = listener.address;
        await listener.close();
        return ok(`${bound} is free`);
      } catch (error) {
        if (lacksPermission(error) || !(error instanceof SttError) || signal.aborted) throw error;
        return fail(error.message, hintOf(error) ?? "take another port or address");
      }
    },
  };
}

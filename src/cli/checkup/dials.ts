/**
 * Checks of a listener elsewhere: a session, its round trips, and what its path carries.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Peer } from "../../endpoint/peer.ts";
import { quantile } from "../benching/measure.ts";
import { type Dialled, suiteName } from "../dial.ts";
import { pingWithin } from "../pinging.ts";
import { formatDuration } from "../text.ts";
import { type Check, type Finding, ok, warn } from "./check.ts";

const PINGS = 10;
/** Until a path has been asked for larger packets. */
const MTU_MS = 1500;
const PROBE_PAUSE_MS = 100;
/** Below it a path carries less than a plain Ethernet, as tunnels do; sessions work from 1200 on. */
const COMMON_PACKET = 1452;

/** Checks of one address; the later ones find the session that the first one opened. */
export function dialChecks(address: string, dial: () => Promise<Dialled>): Check[] {
  let peer: Peer | undefined;
  let patienceMs = 0;
  return [
    {
      name: `dial ${address}`,
      async run() {
        const started = performance.now();
        ({ peer, timeoutMs: patienceMs } = await dial());
        const ms = performance.now() - started;
        const { id, suite, pinned } = peer.info;
        const who = pinned ? "as expected" : "whoever has the seed";
        return ok(
          `a session in ${formatDuration(ms)}, ${suiteName(suite)}, with node ${id} (${who})`,
        );
      },
      // An interrupted doctor never comes to the last check, and an open session keeps the process.
      async close() {
        await peer?.close();
      },
    },
    {
      name: "round trip",
      async run(signal) {
        if (peer === undefined) return undefined;
        const times: number[] = [];
        for (let count = 0; count < PINGS; count++) {
          times.push(await pingWithin(peer, patienceMs, signal));
        }
        const [min, median, max] = [0, 0.5, 1].map((part) => quantile(times, part));
        const text = [min, median, max].map((ms) => formatDuration(ms ?? NaN)).join(" / ");
        return ok(`min / median / max ${text} of ${PINGS}`);
      },
    },
    {
      name: "path",
      async run(signal) {
        try {
          return peer === undefined ? undefined : await path(peer, signal);
        } finally {
          await peer?.close();
        }
      },
    },
  ];
}

async function path(peer: Peer, signal: AbortSignal): Promise<Finding> {
  if (peer.stats().path === undefined) {
    return ok("a byte stream: the system finds the size of packets by itself");
  }
  let changedAt = performance.now();
  peer.on("datagram-size", () => (changedAt = performance.now()));
  const until = changedAt + MTU_MS;
  // Something nearly as large as a packet has the path asked for more (SPEC 10.5).
  while (performance.now() < until && performance.now() - changedAt < MTU_MS / 2) {
    if (peer.maxDatagramSize > 0) peer.sendDatagram(new Uint8Array(peer.maxDatagramSize));
    await delay(PROBE_PAUSE_MS, undefined, { signal });
  }
  const { packetSize = 0, packetsLost = 0 } = peer.stats().path ?? {};
  const lost = packetsLost === 0 ? "nothing was lost" : `${packetsLost} packets were lost`;
  const text = `packets of ${packetSize} bytes go through, ${lost}`;
  if (packetsLost > 0) {
    return warn(text, "look at it more closely with `stt bench`, against `stt listen --bench`");
  }
  return packetSize >= COMMON_PACKET ? ok(text) : ok(`${text}; a tunnel may be on the way`);
}

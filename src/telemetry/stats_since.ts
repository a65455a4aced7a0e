/**
 * What happened between two snapshots of a session's counters.
 *
 * @module
 */
import type { ProfileStats } from "../connection/profile.ts";
import type { ConnectionStats } from "../connection/stats.ts";
import { histogramSince } from "../observe/histogram.ts";

type Numbers<T> = { readonly [Name in keyof T]: T[Name] };

/** `after`, with the named counters less what they were before. */
function less<T extends object>(
  before: Numbers<T>,
  after: Numbers<T>,
  names: readonly (keyof T)[],
): T {
  const change: T = { ...after };
  for (const name of names) {
    change[name] = (Number(after[name]) - Number(before[name])) as T[keyof T];
  }
  return change;
}

/**
 * Counters of `after` less those of `before`; what is no counter (round trips, windows, states, epochs) is that of `after`.
 * Both are snapshots of one session, in this order.
 *
 * @example
 * ```ts
 * import { connect, generateSeed, listen } from "@seigr/stt";
 * import { statsSince } from "@seigr/stt/observe";
 * const seed = generateSeed();
 * const listener = await listen("mem:since-example", { seed });
 * const peer = await connect("mem:since-example", { seed, profile: true });
 * const before = peer.stats();
 * await peer.ping();
 * const change = statsSince(before, peer.stats());
 * console.log(change.framesSent, change.profile?.rtt.count); // 1 1
 * await peer.close();
 * await listener.close();
 * ```
 */
export function statsSince(before: ConnectionStats, after: ConnectionStats): ConnectionStats {
  const change = less<ConnectionStats>(before, after, [
    "bytesSent",
    "bytesReceived",
    "framesSent",
    "framesReceived",
    "migrations",
    "datagramsSent",
    "datagramsReceived",
    "datagramsDropped",
  ]);
  const rejected = Object.entries(after.rejected)
    .map(([reason, count]) => [reason, count - (before.rejected[reason] ?? 0)] as const)
    .filter(([, count]) => count > 0);
  return {
    ...change,
    rtt: less(before.rtt, after.rtt, ["samples"]),
    path: before.path && after.path
      ? less(before.path, after.path, ["packetsLost", "spuriousLosses", "probeTimeouts"])
      : after.path,
    streams: less(before.streams, after.streams, [
      "opened",
      "accepted",
      "closed",
      "bytesSent",
      "bytesResent",
      "bytesReceived",
      "bytesRead",
    ]),
    rejected: Object.fromEntries(rejected),
    profile: before.profile && after.profile
      ? profileSince(before.profile, after.profile)
      : after.profile,
  };
}

function profileSince(before: ProfileStats, after: ProfileStats): ProfileStats {
  return {
    rtt: histogramSince(before.rtt, after.rtt),
    sendLatency: histogramSince(before.sendLatency, after.sendLatency),
    seal: histogramSince(before.seal, after.seal),
    open: histogramSince(before.open, after.open),
  };
}

/**
 * Datagrams of strangers to a live UDP listener. The first byte of an input chooses the run; parts follow: which recorded
 * datagram (or, with 255, the bytes behind), from which address, how it is changed, and how much time passes before.
 *
 * @module
 */
import { Prng } from "../../../src/testing/prng.ts";
import { LiveListener } from "../live_listener.ts";
import { mutateBytes, mutateWith, spliced } from "../mutate_bytes.ts";
import { mutateFrame } from "../mutate_values.ts";
import { joinParts, mutateParts, splitParts } from "../parts.ts";
import { oracle, type Target } from "../target.ts";

const MAX_PARTS = 40;
const RAW = 255;
const AMPLIFICATION = 3;
/** SPEC 6.4.1. */
const HALF_OPEN_PER_ADDRESS = 16;
const STRANGERS = 8;

const LIVE = { host: "198.51.100.1", port: 5001 };
const GONE = { host: "198.51.100.2", port: 5002 };
const NEW = { host: "198.51.100.3", port: 5003 };

/** A session that stands, one that is over, and a HELLO that never arrived; and all that was sent for them. */
function scene(
  seed: number,
): { world: LiveListener; recorded: Uint8Array[]; live: ReturnType<LiveListener["dial"]> } {
  const world = new LiveListener(seed);
  const live = world.dial(LIVE);
  const gone = world.dial(GONE);
  const both = (): boolean =>
    live.connection.state === "established" && gone.connection.state === "established";
  oracle(world.run(both, 5000), "no session before anybody attacks");
  for (const { connection } of [live, gone]) {
    const id = connection.streams.open(0);
    if (id !== undefined) connection.streams.write(id, new Uint8Array(3000));
  }
  gone.connection.ping();
  world.wait(500);
  gone.connection.close(world.clock.nowMs);
  world.wait(3000);
  const never = world.dial({ host: "198.51.100.4", port: 5004 }, false);
  const recorded = [...never.sent, ...live.sent.slice(0, 8), ...gone.sent.slice(0, 8)];
  return { world, recorded, live };
}

function datagram(part: Uint8Array, recorded: readonly Uint8Array[]): Uint8Array {
  const [which = 0, , change = 0] = part;
  if (which === RAW) return part.slice(4);
  const base = recorded[which % recorded.length]!;
  if (change === 0) return base;
  const prng = new Prng(change << 8 | (part[4] ?? 0));
  const other = recorded[prng.integer(0, recorded.length - 1)]!;
  return change < 128 ? mutateFrame(base, prng) : mutateWith(base, other, prng);
}

function run(input: Uint8Array): string {
  const { world, recorded, live } = scene(1 + (input[0] ?? 0) % 4);
  for (const part of splitParts(input.subarray(1)).slice(0, MAX_PARTS)) {
    const [, where = 0, , pause = 0] = part;
    if (pause > 0) world.wait(pause * 20);
    const stranger = { host: `203.0.113.${where % STRANGERS}`, port: 6000 + (where >> 4) };
    world.send(datagram(part, recorded), where === 0 ? LIVE : stranger);
    oracle(
      world.acceptor.halfOpenCount <= HALF_OPEN_PER_ADDRESS * (STRANGERS + 1),
      () => `${world.acceptor.halfOpenCount} half-open handshakes`,
    );
  }
  const drops = [...world.listener.drops.keys(), ...world.acceptor.drops.keys()].sort();
  // The session that stood still does, and who comes now gets one.
  const before = live.pongs;
  live.connection.ping();
  oracle(
    world.run(() => live.pongs > before, 60_000),
    () => `the session is ${live.connection.state}`,
  );
  const late = world.dial(NEW);
  const open = (): boolean => late.connection.state === "established";
  oracle(world.run(open, 10_000), () => `who comes now finds ${late.connection.state}`);
  for (const [address, { in: got, out }] of world.counts) {
    if (!address.startsWith("203.")) continue;
    oracle(out <= AMPLIFICATION * got, () => `${address} sent ${got} bytes and got ${out}`);
  }
  return `${world.sessions} sessions, ${world.listener.resets > 0} ${drops.join(" ")}`;
}

function seeds(): Uint8Array[] {
  const one = Array.from({ length: 17 }, (_, which) => [which, 1, 0, 0]);
  return [
    ...one.map((part) => [part]),
    ...one.map((part) => [[...part], [part[0]!, 2, 7, 0, 9], [part[0]!, 3, 200, 9, 9]]),
    one,
    [[RAW, 1, 0, 0, 0x53, 0x54, 0x1f]],
    [[0, 1, 0, 0], [0, 1, 0, 50], [0, 2, 0, 255], [1, 2, 0, 255], [2, 3, 0, 0]],
  ].map((parts, index) =>
    spliced(joinParts(parts.map((part) => Uint8Array.from(part))), 0, 0, Uint8Array.of(index))
  );
}

export const endpoint: Target = {
  name: "endpoint",
  exact: false,
  maxBytes: 4000,
  seeds,
  mutate(input, other, prng) {
    const head = prng.chance(0.05) ? prng.bytes(1) : input.slice(0, 1);
    const changed = mutateParts(input.slice(1), other.slice(1), prng, (part) => {
      if (part[0] === RAW) {
        return spliced(mutateBytes(part.slice(4), prng), 0, 0, part.slice(0, 4));
      }
      if (prng.chance(0.1)) {
        return Uint8Array.of(RAW, prng.integer(0, 255), 0, 0, ...prng.bytes(50));
      }
      const pause = prng.chance(0.8) ? 0 : prng.integer(0, 255);
      const change = prng.chance(0.3) ? 0 : prng.integer(1, 255);
      const which = prng.chance(0.5) ? part[0] ?? 0 : prng.integer(0, 16);
      return Uint8Array.of(which, prng.integer(0, 255), change, pause, prng.integer(0, 255));
    });
    return spliced(changed, 0, 0, head);
  },
  run,
};

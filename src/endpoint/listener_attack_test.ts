import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { generateSeed } from "./seeds.ts";
import { connect } from "./connect.ts";
import { listen } from "./listener.ts";
import { MemoryNetwork } from "../transport/memory.ts";
import type {
  DialOptions,
  ListenTransportOptions,
  Transport,
  TransportConnection,
} from "../transport/transport.ts";

test("sessions that end unread before anybody takes them do not pile up", async () => {
  const seed = generateSeed();
  const listener = await listen("mem:waiting-attack", { seed, handshakeRate: Infinity });
  const SESSIONS = 80;
  for (let round = 0; round < SESSIONS; round++) {
    const client = await connect(listener.address, { seed });
    const stream = await client.openStream();
    await stream.write(new Uint8Array(10));
    await stream.end();
    await client.close();
  }
  while (listener.stats().sessions > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const closed = listener.close();
  let kept = 0;
  while (await listener.nextPeer() !== null) kept++;
  await closed;
  assert.ok(kept > 0, "what an application is slow to take is not lost at once");
  assert.ok(kept <= 64, `${kept} ended sessions are kept`);
});

test("handshakes at the same time do not pass maxSessions", async () => {
  const seed = generateSeed();
  const listener = await listen("mem:busy-attack", { seed, maxSessions: 2 });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 6 }, () => connect(listener.address, { seed })),
  );
  const opened = outcomes.filter(({ status }) => status === "fulfilled").length;
  const codes = outcomes.map((outcome) =>
    outcome.status === "rejected" ? outcome.reason.code : "open"
  );
  assert.equal(opened, 2);
  assert.deepEqual(codes.filter((code) => code !== "open"), Array(4).fill("BUSY"));
  assert.equal(listener.stats().sessions, 2);
  await listener.close();
});

test("a closed listener leaves nothing on the signal it was given", async () => {
  const { signal } = new AbortController();
  for (let round = 0; round < 3; round++) {
    const listener = await listen(`mem:signal-attack-${round}`, { seed: generateSeed(), signal });
    await listener.close();
  }
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

/** Notes what the endpoint asks of a transport. */
class Noted implements Transport {
  readonly schemes: readonly string[] = ["mem"];
  readonly asked: (number | undefined)[] = [];
  readonly #network: MemoryNetwork = new MemoryNetwork();

  dial(address: string, options: DialOptions = {}): Promise<TransportConnection> {
    this.asked.push(options.maxMessageBytes);
    return this.#network.dial(address, options);
  }

  listen(
    address: string,
    onConnection: (connection: TransportConnection) => void,
    options: ListenTransportOptions = {},
  ): ReturnType<Transport["listen"]> {
    this.asked.push(options.maxMessageBytes);
    return this.#network.listen(address, onConnection, options);
  }
}

test("transports hold no message larger than a frame that the session takes", async () => {
  const seed = generateSeed();
  const noted = new Noted();
  const transports = [noted];
  for (const maxFrame of [undefined, 1200, 2_097_152]) {
    const limits = maxFrame === undefined ? {} : { maxFrame };
    const listener = await listen("mem:size-attack", { seed, transports, ...limits });
    const client = await connect("mem:size-attack", { seed, transports, ...limits });
    await client.close();
    await listener.close();
  }
  const listener = await listen("mem:size-attack", {
    seed,
    transports,
    transport: { maxMessageBytes: 70_000 },
  });
  await listener.close();
  const small = 65_536 + 6;
  const large = 2_097_152 + 6;
  assert.deepEqual(noted.asked, [small, small, small, small, large, large, 70_000]);
});

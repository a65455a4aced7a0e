import assert from "node:assert/strict";
import { test } from "node:test";
import { TRANSPORT_HIGH_WATER_BYTES } from "../constants.ts";
import type { Connection } from "../connection/connection.ts";
import { memoryPair } from "../transport/memory.ts";
import type { TransportSink } from "../transport/transport.ts";
import { systemClock } from "./clock.ts";
import { Driver } from "./driver.ts";

/** A connection that has so many frames to send and nothing else to do. */
function frames(sizes: number[]): Connection {
  const connection = {
    finished: false,
    readPaused: false,
    transmit: () => {
      const size = sizes.shift();
      return size === undefined ? undefined : new Uint8Array(size);
    },
    nextEvent: () => undefined,
    nextTimeout: () => undefined,
    transportEnded: () => undefined,
    receive: () => undefined,
  };
  return connection as unknown as Connection;
}

test("a queue filled exactly to its mark does not stop the session for ever", async () => {
  const [near, far] = memoryPair("attack-mark");
  const half = TRANSPORT_HIGH_WATER_BYTES / 2;
  const sizes = [half, half, 7];
  let bytes = 0;
  const done = new Promise<void>((resolve) => {
    const driver = new Driver(frames(sizes), near, systemClock, () => undefined);
    driver.start();
    far.start({
      data: (chunk) => {
        bytes += chunk.length;
        if (bytes === TRANSPORT_HIGH_WATER_BYTES) setTimeout(resolve, 0);
        if (bytes > TRANSPORT_HIGH_WATER_BYTES) resolve();
      },
      drain: () => undefined,
      end: () => undefined,
    });
  });
  await done;
  near.abort();
  assert.equal(bytes, TRANSPORT_HIGH_WATER_BYTES + 7);
  assert.deepEqual(sizes, []);
});

test("only of a stranger that dialled is nothing wanted any more once it has left", () => {
  for (
    const [role, state, abandoned] of [
      ["responder", "handshaking", true],
      ["responder", "open", false],
      // What a listener said last may tell why it refuses.
      ["initiator", "handshaking", false],
    ] as const
  ) {
    const [near] = memoryPair(`attack-left-${role}-${state}`);
    const sinks: TransportSink[] = [];
    near.start = (sink) => void sinks.push(sink);
    const connection = Object.assign(frames([]), { role, state });
    new Driver(connection, near, systemClock, () => undefined).start();
    assert.equal(sinks[0]?.abandoned?.(), abandoned, `${role}, ${state}`);
    near.abort();
  }
});

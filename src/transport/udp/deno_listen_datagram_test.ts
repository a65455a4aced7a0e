import { test } from "node:test";
import assert from "node:assert/strict";
import type { DenoDatagramConn, DenoNetAddress } from "../deno_types.ts";
import { RecordingSink } from "./datagram_sink_for_test.ts";
import { openDenoSocket } from "./deno_listen_datagram.ts";

type Received = [Uint8Array, DenoNetAddress];

/** A conn whose receives and sends settle when the test says. */
class ScriptedConn implements DenoDatagramConn {
  readonly addr: DenoNetAddress = { transport: "udp", hostname: "127.0.0.1", port: 4433 };
  readonly sent: { bytes: Uint8Array; to: DenoNetAddress; done: (sent: number) => void }[] = [];
  failures: Error[] = [];
  #stop: ((cause: Error) => void) | undefined;

  receive(): Promise<Received> {
    const failure = this.failures.shift();
    if (failure !== undefined) return Promise.reject(failure);
    return new Promise((_resolve, reject) => this.#stop = reject);
  }

  send(bytes: Uint8Array, to: DenoNetAddress): Promise<number> {
    return new Promise((done) => this.sent.push({ bytes, to, done }));
  }

  close(): void {
    this.#stop?.(new Error("closed"));
    for (const { done } of this.sent) done(0);
  }
}

function coded(code: string): Error {
  return Object.assign(new Error(code), { code });
}

test("one send is under way at a time, in order, each with its own copy", async () => {
  const conn = new ScriptedConn();
  const socket = openDenoSocket(() => conn, { host: "127.0.0.1", family: 4, port: 0 });
  const sink = new RecordingSink();
  socket.start(sink);
  const bytes = new Uint8Array(1);
  let taken = 0;
  do bytes[0] = ++taken & 0xff; while (socket.send(bytes, "127.0.0.1", 9));
  assert.equal(taken, 256);
  assert.equal(socket.send(bytes, "127.0.0.1", 9), false);
  const seen: number[] = [];
  while (sink.drains === 0) {
    assert.equal(conn.sent.length, seen.length + 1);
    const { bytes, done } = conn.sent.at(-1)!;
    seen.push(bytes[0]!);
    done(1);
    await Promise.resolve();
  }
  assert.deepEqual(seen, Array.from({ length: 192 }, (_, i) => i + 1));
  assert.equal(socket.full, false);
  assert.equal(socket.send(bytes, "::1", 10), true);
  const closing = socket.close();
  for (let i = conn.sent.length; i <= 257; i++) {
    conn.sent.at(-1)?.done(1);
    await Promise.resolve();
  }
  conn.sent.at(-1)?.done(1);
  await closing;
  assert.deepEqual(conn.sent.at(-1)?.to, { transport: "udp", hostname: "::1", port: 10 });
  assert.equal(sink.drains, 1);
});

test("closing drops what the runtime does not take in time", async () => {
  const conn = new ScriptedConn();
  const socket = openDenoSocket(() => conn, { host: "127.0.0.1", family: 4, port: 0 });
  for (let i = 0; i < 10; i++) socket.send(new Uint8Array(1), "127.0.0.1", 9);
  await socket.close();
  assert.equal(conn.sent.length, 1);
});

test("receive errors of one peer pass; others close the socket", async () => {
  const conn = new ScriptedConn();
  conn.failures = [coded("ECONNREFUSED"), coded("ECONNRESET"), coded("EBADF")];
  const socket = openDenoSocket(() => conn, { host: "127.0.0.1", family: 4, port: 0 });
  const sink = new RecordingSink();
  socket.start(sink);
  await sink.until(() => sink.closes === 1);
  assert.deepEqual(sink.errors.map(({ message }) => message), [
    "socket udp://127.0.0.1:4433 failed: EBADF",
  ]);
});

test("a socket that only fails is broken, whatever its errors are", async () => {
  const conn = new ScriptedConn();
  conn.failures = Array.from({ length: 1_000 }, () => coded("ECONNREFUSED"));
  const socket = openDenoSocket(() => conn, { host: "127.0.0.1", family: 4, port: 0 });
  const sink = new RecordingSink();
  socket.start(sink);
  await sink.until(() => sink.closes === 1);
  assert.equal(sink.errors.length, 1);
});

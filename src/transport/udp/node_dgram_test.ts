import { test } from "node:test";
import assert from "node:assert/strict";
import type { Socket } from "node:dgram";
import { EventEmitter } from "node:events";
import { RecordingSink } from "./datagram_sink_for_test.ts";
import { NodeDatagramSocket } from "./node_dgram.ts";

/** A socket whose system buffer is as full as the test says: loopback drops instead of filling. */
class FullSocket extends EventEmitter {
  queued = 0;
  readonly sent: number[] = [];

  address(): unknown {
    return { address: "127.0.0.1", port: 4433, family: "IPv4" };
  }

  getRecvBufferSize(): number {
    return 65_536;
  }

  getSendQueueCount(): number {
    return this.queued;
  }

  send(bytes: Uint8Array): void {
    this.sent.push(bytes[0]!);
  }

  close(): void {
    queueMicrotask(() => this.emit("close"));
  }
}

function opened(): { fake: FullSocket; socket: NodeDatagramSocket; sink: RecordingSink } {
  const fake = new FullSocket();
  const socket = new NodeDatagramSocket(fake as unknown as Socket, 4);
  const sink = new RecordingSink();
  socket.start(sink);
  return { fake, socket, sink };
}

test("a queue in the runtime makes the socket full until it is empty", async () => {
  const { fake, socket, sink } = opened();
  assert.equal(socket.send(Uint8Array.of(1), "127.0.0.1", 9), true);
  fake.queued = 1;
  assert.equal(socket.send(Uint8Array.of(2), "127.0.0.1", 9), false);
  assert.equal(socket.full, true);
  assert.equal(socket.send(Uint8Array.of(3), "127.0.0.1", 9), false);
  fake.queued = 0;
  await sink.until(() => sink.drains === 1);
  assert.equal(socket.send(Uint8Array.of(4), "127.0.0.1", 9), true);
  assert.deepEqual(fake.sent, [1, 2, 4]);
  await socket.close();
});

test("closing waits for the queue, but not for ever", async () => {
  const { fake, socket, sink } = opened();
  fake.queued = 1;
  socket.send(Uint8Array.of(1), "127.0.0.1", 9);
  await socket.close();
  assert.deepEqual([sink.drains, sink.closes], [0, 1]);
});

test("errors of one datagram pass; others close the socket", async () => {
  const { fake, socket, sink } = opened();
  for (const code of ["ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "EMSGSIZE"]) {
    fake.emit("error", Object.assign(new Error(code), { code }));
  }
  assert.equal(socket.full, false);
  fake.emit("error", Object.assign(new Error("bad descriptor"), { code: "EBADF" }));
  await sink.until(() => sink.closes === 1);
  assert.deepEqual(sink.errors.map(({ message }) => message), [
    "socket udp://127.0.0.1:4433 failed: bad descriptor (EBADF)",
  ]);
  assert.equal(socket.full, true);
});

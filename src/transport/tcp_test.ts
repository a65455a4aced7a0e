import assert from "node:assert/strict";
import { connect, createServer, Socket } from "node:net";
import { test } from "node:test";
import { SttError } from "../errors.ts";
import { LoopShare } from "./loop_share.ts";
import { CollectingSink, pattern } from "./sink_for_test.ts";
import { tcpTransport } from "./tcp.ts";
import { TcpConnection } from "./tcp_connection.ts";
import type { TransportConnection, TransportListener } from "./transport.ts";

async function listening(): Promise<{
  listener: TransportListener;
  port: number;
  accepted: Promise<TransportConnection>;
}> {
  let accept: (connection: TransportConnection) => void = () => {};
  const accepted = new Promise<TransportConnection>((resolve) => {
    accept = resolve;
  });
  const listener = await tcpTransport.listen("tcp://127.0.0.1:0", accept);
  return { listener, port: Number(listener.address.split(":").at(-1)), accepted };
}

function rejectsWith(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  return assert.rejects(promise, (error) => {
    assert.ok(error instanceof SttError);
    assert.equal(error.code, "TRANSPORT");
    assert.match(error.message, pattern);
    return true;
  });
}

test("what the system refuses is said with the address and the reason", async () => {
  const { listener } = await listening();
  await listener.close();
  await rejectsWith(
    tcpTransport.dial(listener.address),
    /^cannot connect to tcp:\/\/127\.0\.0\.1:\d+: connection refused: nobody listens there \(ECONNREFUSED\)$/,
  );
  await rejectsWith(
    tcpTransport.dial("tcp://no-such-host.invalid:9"),
    /^cannot connect to tcp:\/\/no-such-host\.invalid:9: the host name (is unknown|could not be)/,
  );
  await rejectsWith(
    tcpTransport.listen("tcp://192.0.2.1:0", () => {}),
    /^cannot listen on tcp:\/\/192\.0\.2\.1:0: ./,
  );
  await assert.rejects(
    tcpTransport.dial("tcp://127.0.0.1:0"),
    (error) => error instanceof SttError && /port 0 is for listeners/.test(error.message),
  );
});

test("bytes that wait for their turn do not follow the end of a connection that was reset", async () => {
  const turns: (() => void)[] = [];
  const share = new LoopShare(() => 0, (turn) => void turns.push(turn));
  share.later(() => {});
  const socket = new Socket();
  const connection = new TcpConnection(socket, share);
  const sink = new CollectingSink();
  connection.start(sink);
  socket.emit("data", Uint8Array.of(1));
  assert.equal(sink.bytes, 0);
  socket.destroy(new Error("reset"));
  await sink.ended;
  for (const turn of turns.splice(0)) turn();
  assert.equal(turns.length, 1, "the work was done");
  assert.equal(sink.bytes, 0);
});

test("a peer that sends and leaves waits for its turn too, its bytes before its end", async () => {
  const turns: (() => void)[] = [];
  const share = new LoopShare(() => 0, (turn) => void turns.push(turn));
  share.later(() => {});
  const socket = new Socket();
  const connection = new TcpConnection(socket, share);
  const sink = new CollectingSink();
  connection.start(sink);
  socket.emit("data", Uint8Array.of(1));
  socket.emit("end");
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.destroy();
  await closed;
  assert.deepEqual([sink.bytes, sink.ends], [0, 0]);
  for (const turn of turns.splice(0)) turn();
  assert.equal(sink.bytes, 1);
  await connection.closed;
  assert.deepEqual([sink.ends, sink.error], [1, undefined]);
});

test("bytes of a peer that has left are dropped when nobody wants them", async () => {
  const share = new LoopShare(() => 0, () => undefined);
  share.later(() => {});
  const socket = new Socket();
  const connection = new TcpConnection(socket, share);
  const sink = Object.assign(new CollectingSink(), { abandoned: () => true });
  connection.start(sink);
  socket.emit("data", Uint8Array.of(1));
  socket.emit("end");
  await sink.ended;
  assert.deepEqual([sink.bytes, sink.ends, sink.error], [0, 1, undefined]);
  socket.destroy();
  await connection.closed;
});

test("what was aborted does not wait for the turn of its bytes", async () => {
  const share = new LoopShare(() => 0, () => undefined);
  share.later(() => {});
  for (const end of ["abort", "close"] as const) {
    const socket = new Socket();
    const connection = new TcpConnection(socket, share);
    const sink = new CollectingSink();
    connection.start(sink);
    socket.emit("data", Uint8Array.of(1));
    socket.emit("end");
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.destroy();
    await closed;
    void connection[end]();
    await connection.closed;
    assert.deepEqual([sink.bytes, sink.ends, sink.error], [0, 1, undefined]);
  }
});

test("a peer that resets the connection is an error, one that closes is not", async () => {
  for (const reset of [true, false]) {
    const { listener, port, accepted } = await listening();
    const client = connect(port, "127.0.0.1");
    const server = await accepted;
    const sink = new CollectingSink();
    server.start(sink);
    client.on("error", () => client.destroy());
    client.write(Uint8Array.of(1));
    await sink.received(1);
    if (reset) client.resetAndDestroy();
    else client.end();
    await sink.ended;
    if (reset) assert.match(sink.error?.message ?? "", /the peer reset the connection/);
    else assert.equal(sink.error, undefined);
    await Promise.all([server.close(), listener.close()]);
    client.destroy();
  }
});

test("close reads on until the peer closes, so that the last bytes are not lost", async () => {
  const { listener, port, accepted } = await listening();
  const client = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const server = await accepted;
  server.start(new CollectingSink());
  const chunks: Uint8Array[] = [];
  client.on("data", (chunk) => chunks.push(chunk));
  // Unread input on this side would turn the close into a reset.
  client.write(pattern(500_000, 1));
  server.send(pattern(100_000, 2));
  const closed = server.close();
  await new Promise((resolve) => client.once("end", resolve));
  assert.equal(chunks.reduce((sum, chunk) => sum + chunk.length, 0), 100_000);
  client.end();
  await closed;
  await listener.close();
});

test("close does not wait for ever for a peer that keeps its side open", async () => {
  const { listener, port, accepted } = await listening();
  const client = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  client.on("error", () => client.destroy());
  client.resume();
  const server = await accepted;
  const sink = new CollectingSink();
  server.start(sink);
  await server.close();
  assert.deepEqual([sink.ends, sink.error], [1, undefined]);
  client.destroy();
  await listener.close();
});

test("chunks that were delivered are not written to again", async () => {
  const { listener, port, accepted } = await listening();
  const client: Socket = connect(port, "127.0.0.1");
  const server = await accepted;
  const sink = new CollectingSink();
  server.start(sink);
  for (let n = 0; n < 50; n++) client.write(pattern(20_000, n));
  await sink.received(1_000_000);
  const contents = sink.contents();
  for (let n = 0; n < 50; n++) {
    assert.deepEqual(contents.subarray(n * 20_000, (n + 1) * 20_000), pattern(20_000, n));
  }
  client.destroy();
  await sink.ended;
  await Promise.all([server.close(), listener.close()]);
});

test("a dial that is aborted while it connects leaves nothing behind", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const controller = new AbortController();
  const reason = new Error("stop");
  const dial = tcpTransport.dial(`tcp://127.0.0.1:${port}`, { signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(dial, reason);
  await new Promise((resolve) => server.close(resolve));
});

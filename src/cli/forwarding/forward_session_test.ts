import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect as connectTcp, createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { encodeValue } from "../../codec/values.ts";
import { connect } from "../../endpoint/connect.ts";
import { listen } from "../../endpoint/listener.ts";
import type { Peer } from "../../endpoint/peer.ts";
import { generateSeed } from "../../endpoint/seeds.ts";
import { SttError } from "../../errors.ts";
import {
  askingOnly,
  type ForwardFailure,
  ForwardPolicy,
  ForwardSession,
} from "./forward_session.ts";
import { forwardLimits } from "./options.ts";
import { AllowList, type Place } from "./rules.ts";
import { openPort } from "./tcp_port.ts";
import { FORWARD_REFUSALS } from "./wire.ts";

const HOST = "127.0.0.1";
const never = new AbortController().signal;

interface Scene {
  readonly here: ForwardSession;
  readonly client: Peer;
  readonly server: Peer;
  readonly failures: ForwardFailure[];
  /** A server of the test; its address. */
  target(onSocket: (socket: Socket) => void): Promise<Place>;
  /** A port of this side that leads to the place; a connection to it. */
  through(place: Place): Promise<Socket>;
  dial(place: Place): Promise<Socket>;
}

interface Wishes {
  readonly scheme?: "mem" | "udp";
  readonly connections?: number;
  readonly allow?: string;
  readonly bind?: string;
}

async function withForward(wishes: Wishes, act: (scene: Scene) => Promise<void>): Promise<void> {
  const { scheme = "mem", connections = 8, allow = "*:*", bind = "*:*" } = wishes;
  const seed = generateSeed();
  const limits = forwardLimits(connections);
  const address = scheme === "mem" ? `mem:forward-${Math.random()}` : `udp://${HOST}:0`;
  const listener = await listen(address, { seed, ...limits });
  const client = await connect(listener.address, { seed, ...limits });
  const server = await listener.nextPeer();
  assert(server !== null);
  const failures: ForwardFailure[] = [];
  const policy = new ForwardPolicy(new AllowList([allow]), new AllowList([bind]), connections);
  const there = new ForwardSession(server, policy, () => undefined);
  const here = new ForwardSession(client, askingOnly(connections), (item) => failures.push(item));
  const served = Promise.allSettled([there.serve(never), here.serve(never)]);
  const closers: (() => Promise<unknown> | void)[] = [];
  const dial: Scene["dial"] = (place) =>
    new Promise((resolve, reject) => {
      const socket = connectTcp({ ...place, allowHalfOpen: true }, () => resolve(socket));
      socket.once("error", reject);
      closers.push(() => void socket.destroy());
    });
  const target: Scene["target"] = (onSocket) =>
    new Promise((resolve) => {
      const tcp: Server = createServer({ allowHalfOpen: true }, (socket) => {
        socket.on("error", () => undefined);
        closers.push(() => void socket.destroy());
        onSocket(socket);
      });
      closers.push(() => void tcp.close());
      tcp.listen(0, HOST, () => resolve({ host: HOST, port: portOf(tcp) }));
    });
  const through: Scene["through"] = async (place) => {
    const port = await openPort(
      { host: HOST, port: 0 },
      100,
      (socket) => void here.carry(socket, place),
      () => undefined,
    );
    closers.push(() => port.close());
    return await dial(port.place);
  };
  try {
    await act({ here, client, server, failures, target, through, dial });
  } finally {
    for (const close of closers) await close();
    await client.close();
    await listener.close();
    await served;
  }
}

function portOf(server: Server): number {
  const address = server.address();
  assert(address !== null && typeof address === "object");
  return address.port;
}

function sample(length: number): Uint8Array {
  return new Uint8Array(length).map((_, index) => (index * 131 + (index >> 9)) & 0xff);
}

/** Everything until the other side's end. */
async function readAll(socket: Socket): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  await new Promise<void>((resolve, reject) => {
    socket.on("data", (chunk: Uint8Array) => chunks.push(chunk));
    socket.on("end", resolve);
    socket.on("error", reject);
  });
  return new Uint8Array(Buffer.concat(chunks));
}

function errorOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.on("error", (error: Error & { readonly code?: string }) => resolve(String(error.code)));
    socket.on("end", () => resolve("end"));
    socket.resume();
  });
}

for (const scheme of ["mem", "udp"] as const) {
  test(`${scheme}: bytes go both ways, and the end of either way leaves the other open`, async () => {
    await withForward({ scheme }, async ({ target, through }) => {
      const request = sample(2_000_000);
      const answer = sample(3_000_001).reverse();
      // The answer begins once the request has ended.
      const place = await target((socket) => {
        void readAll(socket).then((bytes) => {
          assert.deepEqual(bytes, request);
          socket.end(answer);
        });
      });
      const socket = await through(place);
      socket.end(request);
      assert.deepEqual(await readAll(socket), answer);
    });
  });
}

test("a target that ends first still hears the rest", async () => {
  await withForward({}, async ({ target, through }) => {
    let resolve: (bytes: Uint8Array) => void = () => undefined;
    const rest = new Promise<Uint8Array>((done) => (resolve = done));
    const place = await target((socket) => {
      socket.end("bye");
      void readAll(socket).then(resolve);
    });
    const socket = await through(place);
    assert.equal(new TextDecoder().decode(await readAll(socket)), "bye");
    socket.end("and thanks");
    assert.equal(new TextDecoder().decode(await rest), "and thanks");
  });
});

test("a reset is carried as a reset, in both directions", async () => {
  await withForward({}, async ({ target, through, failures }) => {
    const resetting = await target((socket) => {
      socket.once("data", () => socket.resetAndDestroy());
    });
    const socket = await through(resetting);
    socket.write("hello");
    assert.equal(await errorOf(socket), "ECONNRESET");

    let resolve: (code: string) => void = () => undefined;
    const seen = new Promise<string>((done) => (resolve = done));
    const place = await target((far) => {
      far.write("x");
      void errorOf(far).then(resolve);
    });
    const near = await through(place);
    near.once("data", () => near.resetAndDestroy());
    assert.equal(await seen, "ECONNRESET");
    assert.deepEqual(failures, []);
  });
});

test("what is not allowed, not reachable or too many is reset, and said", async () => {
  await withForward({ allow: "127.0.0.1:1-65535", connections: 2 }, async (scene) => {
    const { target, through, failures } = scene;
    // The reset may come before the system has told of the connection.
    const refused = (place: Place): Promise<string> =>
      through(place).then(errorOf, (error: { readonly code?: string }) => String(error.code));
    assert.equal(await refused({ host: "localhost", port: 80 }), "ECONNRESET");
    const silent = await target(() => undefined);
    assert.equal(await refused({ host: HOST, port: 1 }), "ECONNRESET");
    for (let index = 0; index < 2; index++) (await through(silent)).write("x");
    assert.equal(await refused(silent), "ECONNRESET");
    assert.deepEqual(failures.map(({ place, error }) => [place, error.code, error.message]), [
      ["localhost:80", "REFUSED", FORWARD_REFUSALS.denied.text],
      ["127.0.0.1:1", "TRANSPORT", FORWARD_REFUSALS.unreachable.text],
      [`127.0.0.1:${silent.port}`, "BUSY", "too many connections at once"],
    ]);
  });
});

test("readers that stop hold up nobody else, and cost bounded memory", async () => {
  const connections = 8;
  await withForward({ connections }, async ({ target, through, client, server }) => {
    // Nobody reads here: neither the test's own sockets nor the targets.
    const stalled = await target((socket) => {
      socket.pause();
      pour(socket);
    });
    const moved: (() => number)[] = [];
    for (let index = 0; index < connections - 1; index++) {
      const socket = await through(stalled);
      socket.pause();
      moved.push(pour(socket));
    }
    // Seven connections that want to move without end in both directions, and one that does move.
    const echo = await target((socket) => void socket.pipe(socket));
    const socket = await through(echo);
    const bytes = sample(6_000_000);
    const back = readAll(socket);
    socket.end(bytes);
    assert.deepEqual(await back, bytes);
    const window = forwardLimits(connections).maxStreamData ?? 0;
    for (const peer of [client, server]) {
      const unread = unreadOf(peer);
      assert(unread <= (connections - 1) * window, `${unread} bytes of ${window} a stream`);
    }
    // What a writer got rid of: windows, send buffers and the kernel's buffers of two TCP connections.
    for (const bytesOf of moved) assert(bytesOf() < 40_000_000, `${bytesOf()} bytes`);
  });
});

/** Writes as long as it can; the bytes so far. */
function pour(socket: Socket): () => number {
  const chunk = new Uint8Array(65_536);
  let bytes = 0;
  const more = (): void => {
    if (socket.destroyed || bytes > 100_000_000) return;
    do bytes += chunk.length; while (socket.write(chunk) && bytes < 100_000_000);
  };
  socket.on("drain", more);
  more();
  return () => bytes;
}

/** Bytes that arrived and that no program has taken. */
function unreadOf(peer: Peer): number {
  let unread = 0;
  for (let id = 1; id < 64; id++) unread += peer.stream(id)?.info()?.recvBuffered ?? 0;
  return unread;
}

test("the peer listens, and its connections come here", async () => {
  await withForward({ bind: "127.0.0.1:*" }, async ({ here, target, dial }) => {
    const place = await target((socket) => void socket.pipe(socket));
    const listen = { host: HOST, port: 0 };
    const port = await here.listenThere({ listen, target: place });
    assert(port.port > 0);
    const socket = await dial(port);
    const back = readAll(socket);
    socket.end("hello");
    assert.equal(new TextDecoder().decode(await back), "hello");
    await assert.rejects(
      here.listenThere({ listen: { host: "0.0.0.0", port: 0 }, target: place }),
      (error) => error instanceof SttError && error.code === "REFUSED",
    );
    // Of another program.
    await assert.rejects(
      here.listenThere({ listen: place, target: place }),
      (error) => error instanceof SttError && error.wire === FORWARD_REFUSALS.bind.wire,
    );
    // One that this node had listened on before is still its own.
    const free = await openPort(listen, 1, () => undefined, () => undefined);
    await free.close();
    for (let time = 0; time < 2; time++) {
      assert.deepEqual(await here.listenThere({ listen: free.place, target: place }), free.place);
      const again = await dial(free.place);
      const echoed = readAll(again);
      again.end("again");
      assert.equal(new TextDecoder().decode(await echoed), "again");
    }
  });
});

test("a node that comes back takes its port over, another one does not", async () => {
  const policy = new ForwardPolicy(new AllowList([]), new AllowList(["*:*"]), 1);
  const place = { host: HOST, port: 7 };
  let released = 0;
  const release = (): Promise<void> => Promise.resolve(void released++);
  await policy.claim(place, "a", release);
  const second = await policy.claim(place, "a", release);
  assert.equal(released, 1);
  second();
  await policy.claim(place, "b", release);
  const refused = await policy.claim(place, "c", release);
  assert.equal(released, 1);
  // As after a port that could not be opened, because it is b's.
  refused();
  await policy.claim(place, "b", release);
  assert.equal(released, 2);
});

test("requests that are none are reset, and a peer that only asks serves nothing", async () => {
  await withForward({}, async ({ client, server }) => {
    const requests = [
      new Map([["stt", "other"]]),
      new Map([["stt", "forward"]]),
      new Map<string, string | number>([["stt", "forward"], ["host", "a b"], ["port", 1]]),
      new Map<string, string | number>([["stt", "forward"], ["host", "a"], ["port", 0]]),
      new Map<string, string | number>([["stt", "forward"], ["host", "a"], ["port", 70_000]]),
    ];
    for (const request of requests) {
      const stream = await client.openStream();
      const value = encodeValue(request);
      await stream.write(Uint8Array.of(value.length, ...value));
      await assert.rejects(
        stream.read(),
        (error) => error instanceof SttError && error.wire === FORWARD_REFUSALS.malformed.wire,
      );
    }
    for (const [wish, service] of [["a", "forward"], ["b", "forward-listen"]] as const) {
      const stream = await server.openStream();
      const fields = new Map<string, string | number>([["host", wish], ["port", 1]]);
      const value = encodeValue(new Map([["stt", service], ...fields]));
      await stream.write(Uint8Array.of(value.length, ...value));
      const answer = new TextDecoder().decode((await stream.read()) ?? undefined);
      assert(answer.includes(FORWARD_REFUSALS.denied.text), answer);
    }
  });
});

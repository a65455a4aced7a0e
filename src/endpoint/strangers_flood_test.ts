/**
 * Floods by strangers, small: `deno task floods` has them at full size.
 *
 * @module
 */
import assert from "node:assert/strict";
import { connect as connectTcp, type Socket } from "node:net";
import { networkInterfaces, platform } from "node:os";
import { test } from "node:test";
import { Prng } from "../testing/prng.ts";
import { connect } from "./connect.ts";
import {
  floodConnections,
  floodDatagrams,
  HelloMaker,
  loopbackAddress,
  noise,
  stranger,
  upgradeAnd,
  webSocketFrame,
} from "./flood_for_test.ts";
import { until } from "./joined_for_test.ts";
import { listen, type Listener } from "./listener.ts";
import type { ListenOptions } from "./options.ts";
import { generateSeed } from "./seeds.ts";

const LIMIT = { timeout: 60_000 };
/** Elsewhere only 127.0.0.1 is a loopback address. */
const MANY = {
  ...LIMIT,
  skip: platform() === "linux" && networkInterfaces().lo !== undefined
    ? false
    : "only Linux has all of 127.0.0.0/8 on its loopback interface",
};

interface Flooded {
  readonly seed: Uint8Array;
  readonly listener: Listener;
  readonly port: number;
}

async function flooded(
  address: string,
  options: Partial<ListenOptions>,
  run: (flooded: Flooded) => Promise<void>,
): Promise<void> {
  const seed = generateSeed();
  const listener = await listen(address, { seed, ...options });
  try {
    const port = Number(/:(\d+)(?:\/|$)/.exec(listener.address)?.[1]);
    await run({ seed, listener, port });
  } finally {
    await listener.close();
  }
}

/** A real client gets in, and is served. */
async function clientConnects({ seed, listener }: Flooded): Promise<void> {
  const client = await connect(listener.address, { seed });
  assert.ok(await client.ping() >= 0);
  await client.close();
}

test(
  "udp: noise and HELLOs from new addresses leave no more state than the limits",
  MANY,
  async () => {
    await flooded("udp://127.0.0.1:0", { halfOpen: 32 }, async (flood) => {
      const prng = new Prng(1);
      const maker = new HelloMaker(flood.seed, false);
      const recorded = Array.from({ length: 8 }, () => maker.hello());
      const sources = [
        (index: number) => noise(prng, index),
        (index: number) => recorded[index % recorded.length]!,
        () => maker.hello(),
      ];
      for (const bytes of sources) {
        const { port } = flood;
        const counts = await floodDatagrams({ port, count: 150, parallel: 16, bytes });
        assert.equal(counts.sent, 150);
        await clientConnects(flood);
        const { handshaking, sessions } = flood.listener.stats();
        assert.ok(handshaking <= 32, `${handshaking} handshakes`);
        assert.ok(sessions <= 1, `${sessions} sessions`);
      }
      const { drops } = flood.listener.stats();
      assert.ok((drops.malformed ?? 0) > 0);
    });
  },
);

for (const scheme of ["tcp", "ws"]) {
  const address = scheme === "tcp" ? "tcp://127.0.0.1:0" : "ws://127.0.0.1:0/";
  const wrapped = (bytes: Uint8Array): Uint8Array => scheme === "ws" ? upgradeAnd(bytes) : bytes;

  test(`${scheme}: HELLOs over connections leave no more state than the limits`, MANY, async () => {
    await flooded(address, { halfOpen: 32 }, async (flood) => {
      const maker = new HelloMaker(flood.seed, true);
      const flooding = floodConnections({
        port: flood.port,
        count: 150,
        // Fewer than the limit, more than the half from which on cookies are asked for.
        parallel: 24,
        bytes: () => wrapped(maker.hello()),
      }, 300);
      await clientConnects(flood);
      assert.ok(flood.listener.stats().handshaking <= 33);
      await flooding;
      await clientConnects(flood);
      await until(() => flood.listener.stats().sessions === 0);
      assert.ok(flood.listener.stats().handshaking <= 33);
    });
  });

  test(
    `${scheme}: silent connections give way, the oldest first, and no client waits for them`,
    LIMIT,
    async () => {
      const options = {
        halfOpen: 20,
        handshakeTimeout: 60_000,
        transport: { maxHalfOpenUpgrades: 20 },
      };
      await flooded(address, options, async (flood) => {
        let closed = 0;
        const silent = Array.from({ length: 60 }, () => {
          const socket = stranger(flood.port, "127.0.0.1");
          socket.once("close", () => closed++);
          // What begins well may be silent as well.
          socket.once("connect", () => socket.write(wrapped(Uint8Array.of(0x53)).subarray(0, 60)));
          return socket;
        });
        await until(() => closed >= 40);
        await clientConnects(flood);
        assert.ok(flood.listener.stats().handshaking <= 20);
        for (const socket of silent) socket.destroy();
      });
    },
  );
}

/** A connection of somebody who holds the seed, and stops behind RESPONSE. */
async function answeredStranger({ port, seed }: Flooded): Promise<Socket> {
  const socket = stranger(port, "127.0.0.1");
  socket.once("connect", () => socket.write(new HelloMaker(seed, true).hello()));
  await new Promise((resolve) => socket.once("data", resolve));
  return socket.resume();
}

test(
  "tcp: whoever was answered stays while strangers who showed nothing come and go",
  LIMIT,
  async () => {
    const options = { halfOpen: 4, handshakeTimeout: 60_000 };
    await flooded("tcp://127.0.0.1:0", options, async (flood) => {
      const answered = await answeredStranger(flood);
      let closed = 0;
      const silent = Array.from({ length: 12 }, () => {
        const socket = stranger(flood.port, "127.0.0.1");
        socket.once("close", () => closed++);
        return socket.resume();
      });
      await until(() => closed === 9);
      assert.equal(answered.destroyed, false);
      for (const socket of [answered, ...silent]) socket.destroy();
    });
  },
);

test(
  "tcp: strangers who were refused and do not leave give way before one who is silent",
  LIMIT,
  async () => {
    const options = { halfOpen: 2, handshakeTimeout: 60_000 };
    await flooded("tcp://127.0.0.1:0", options, async (flood) => {
      const refused = [];
      for (let count = 0; count < 2; count++) {
        const socket = connectTcp({ port: flood.port, host: "127.0.0.1", allowHalfOpen: true });
        socket.on("error", () => undefined);
        socket.once("connect", () => socket.write(new Uint8Array(40)));
        await new Promise((resolve) => socket.resume().once("end", resolve));
        refused.push(socket);
      }
      const silent = stranger(flood.port, "127.0.0.1").resume();
      let left = false;
      silent.once("end", () => left = true).once("close", () => left = true);
      await new Promise((resolve) => silent.once("connect", resolve));
      await clientConnects(flood);
      assert.equal(left, false);
      for (const socket of [silent, ...refused]) socket.destroy();
    });
  },
);

test("tcp: where all were answered the oldest gives way", LIMIT, async () => {
  const options = { halfOpen: 1, handshakeTimeout: 60_000 };
  await flooded("tcp://127.0.0.1:0", options, async (flood) => {
    const answered = await answeredStranger(flood);
    const gone = new Promise((resolve) => answered.once("close", resolve));
    await clientConnects(flood);
    await gone;
  });
});

test(
  "ws: pings, fragments and headers without an end are bounded, and others connect",
  LIMIT,
  async () => {
    await flooded("ws://127.0.0.1:0/", {}, async (flood) => {
      const upgrade = upgradeAnd(new Uint8Array(0));
      const request = upgrade.subarray(0, upgrade.length - 6);
      const ping = webSocketFrame(0x89, new Uint8Array(125));
      const fragment = webSocketFrame(0x00, Uint8Array.of(1));
      const flat = (frames: readonly Uint8Array[]): Uint8Array =>
        Uint8Array.from(frames.flatMap((frame) => [...frame]));
      const header = new TextEncoder().encode(`GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}`);
      const floods = [
        flat([request, ...Array.from({ length: 2000 }, () => ping)]),
        flat([request, webSocketFrame(0x02, Uint8Array.of(1)), ...Array(300).fill(fragment)]),
        header,
      ];
      const sockets = floods.map((bytes) => {
        const socket = stranger(flood.port, "127.0.0.1");
        socket.once("connect", () => socket.write(bytes));
        return socket;
      });
      // Too many fragments and too long a header end their connections; the one that pings is only silent.
      const ended = sockets.slice(1).map((socket) =>
        new Promise<void>((resolve) => {
          socket.resume();
          socket.once("close", () => resolve());
        })
      );
      await clientConnects(flood);
      await Promise.all(ended);
      await clientConnects(flood);
      for (const socket of sockets) socket.destroy();
    });
  },
);

test("loopback addresses are all different, and never that of a real client", () => {
  const addresses = new Set(Array.from({ length: 100_000 }, (_, index) => loopbackAddress(index)));
  assert.equal(addresses.size, 100_000);
  assert.ok(!addresses.has("127.0.0.1"));
});

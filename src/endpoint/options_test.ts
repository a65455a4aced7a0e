import { test } from "node:test";
import assert from "node:assert/strict";
import type { ErrorCode } from "../errors.ts";
import { connect } from "./connect.ts";
import { freshAddress } from "./joined_for_test.ts";
import { listen } from "./listener.ts";
import type { ConnectOptions, ListenOptions } from "./options.ts";
import { generateSeed } from "./seeds.ts";
import { SttNode } from "./stt_node.ts";

const seed = new Uint8Array(32).fill(1);
const SHORT = new Uint8Array(31);

/** Options that both refuse before anything is sent or bound. */
const COMMON: [Record<string, unknown>, ErrorCode, RegExp][] = [
  [{ seed: undefined }, "SEED", /./],
  [{ seed: SHORT }, "SEED", /31 bytes/],
  [{ seed: "" }, "SEED", /./],
  [{ seed: "00".repeat(31) }, "SEED", /./],
  [{ seed: "not a seed!" }, "SEED", /./],
  [{ seed: 5 }, "SEED", /seed/],
  [{ seed: [1, 2, 3] }, "SEED", /seed/],
  [{ nodeSeed: SHORT }, "SEED", /nodeSeed/],
  [{ nodeSeed: seed }, "SEED", /nodeSeed.*shared seed/],
  [{ pairKey: SHORT }, "SEED", /pairKey/],
  [{ pairKey: new Uint8Array(33) }, "CONFIG", /pairKey/],
  [{ suites: [] }, "CONFIG", /suites/],
  [{ suites: [1, 1] }, "CONFIG", /suites/],
  [{ suites: [127] }, "CONFIG", /suites/],
  [{ handshakeTimeout: 0 }, "CONFIG", /handshakeTimeout/],
  [{ handshakeTimeout: 0.5 }, "CONFIG", /handshakeTimeout/],
  [{ handshakeTimeout: Infinity }, "CONFIG", /handshakeTimeout/],
  [{ maxIdle: -1 }, "CONFIG", /maxIdle/],
  [{ maxFrame: 1199 }, "CONFIG", /maxFrame/],
  [{ maxStreams: 2 ** 31 + 1 }, "CONFIG", /maxStreams/],
  [{ rotateBytes: 1 }, "CONFIG", /rotateBytes/],
  [{ packed: "yes" }, "CONFIG", /packed/],
  [{ app: "x".repeat(65) }, "CONFIG", /app/],
];

const LISTEN: [Record<string, unknown>, ErrorCode, RegExp][] = [
  ...COMMON,
  [{ seed: undefined }, "SEED", /no seed/],
  [{ seed: undefined, seeds: [] }, "SEED", /seeds/],
  [{ seeds: Array.from({ length: 64 }, generateSeed) }, "SEED", /65/],
  [{ seeds: [SHORT] }, "SEED", /31/],
  [{ nodeSeed: SHORT.fill(1), seeds: [seed] }, "SEED", /nodeSeed/],
  [{ maxSessions: 0 }, "CONFIG", /maxSessions/],
  [{ acceptTimeout: -5 }, "CONFIG", /acceptTimeout/],
  [{ halfOpen: 0 }, "CONFIG", /halfOpen/],
  [{ halfOpenPerAddress: -1 }, "CONFIG", /halfOpenPerAddress/],
  [{ handshakeRate: 0 }, "CONFIG", /handshakeRate/],
  [{ handshakeRate: NaN }, "CONFIG", /handshakeRate/],
  [{ maxNetworks: 0 }, "CONFIG", /maxNetworks/],
  [{ maxNonces: -1 }, "CONFIG", /maxNonces/],
];

const CONNECT: [Record<string, unknown>, ErrorCode, RegExp][] = [
  ...COMMON,
  [{ expect: "xyz" }, "CONFIG", /expect/],
  [{ expect: new Uint8Array(31) }, "CONFIG", /expect/],
  [{ expect: "00".repeat(33) }, "CONFIG", /expect/],
];

test("listen names the option that it cannot use, and binds nothing", async () => {
  const address = freshAddress();
  for (const [wrong, code, message] of LISTEN) {
    const options = { seed, ...wrong } as ListenOptions;
    await assert.rejects(listen(address, options), { code, message }, JSON.stringify(wrong));
  }
  const listener = await listen(address, { seed });
  await listener.close();
});

test("an address that is no string is an error of its own", async () => {
  for (const address of [9000, new URL("ws://127.0.0.1:9000/"), undefined]) {
    const wrong = { code: "ADDRESS", message: /it is not a string/ };
    await assert.rejects(connect(address as unknown as string, { seed }), wrong);
    await assert.rejects(listen(address as unknown as string, { seed }), wrong);
  }
});

test("connect names the option that it cannot use, and dials nothing", async () => {
  const listener = await listen(freshAddress(), { seed });
  for (const [wrong, code, message] of CONNECT) {
    const options = { seed, ...wrong } as ConnectOptions;
    await assert.rejects(
      connect(listener.address, options),
      { code, message },
      JSON.stringify(wrong),
    );
  }
  const { accepted, rejected, handshaking } = listener.stats();
  assert.deepEqual([accepted, rejected, handshaking], [0, 0, 0]);
  await listener.close();
});

test("no error of an option repeats a secret", async () => {
  const secret = "5ec2e7".repeat(10);
  for (const options of [{ seed: secret }, { seed, nodeSeed: secret }, { seed, pairKey: secret }]) {
    for (
      const attempt of [() => listen(freshAddress(), options), () => connect("mem:x", options)]
    ) {
      await assert.rejects(attempt(), (error) => {
        assert.ok(error instanceof Error);
        assert.ok(!`${error.message} ${error.stack} ${JSON.stringify(error)}`.includes("5ec2e7"));
        return true;
      });
    }
  }
});

test("a node checks its own seed at once and the others when it starts", async () => {
  assert.throws(() => new SttNode({ seed, nodeSeed: SHORT }), { code: "SEED" });
  const node = new SttNode({ seed: SHORT });
  await assert.rejects(node.start(), { code: "SEED" });
  assert.equal(node.stats().running, false);
});

test("the whole range of seeds is taken", async () => {
  const seeds = Array.from({ length: 64 }, generateSeed);
  const listener = await listen(freshAddress(), { seeds });
  const client = await connect(listener.address, { seed: seeds[63] as Uint8Array });
  assert.equal((await listener.nextPeer())?.info.seedIndex, 63);
  await client.close();
  await listener.close();
});

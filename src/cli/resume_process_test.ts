import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdir, readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { toHex } from "../codec/hex.ts";
import { withFolder } from "../endpoint/files/folder_for_test.ts";
import { generateSeed } from "../endpoint/seeds.ts";
import {
  type Child,
  type ChildOptions,
  eventually,
  type JsonEvent,
  withChildren,
} from "./child_for_test.ts";
import { Line, PART } from "./line_for_test.ts";

const NO_SIGNALS = process.platform === "win32" ? "Windows has no such signals" : false;
const SIZE = 9_000_000;
function content(salt = 0): Uint8Array {
  const bytes = new Uint8Array(SIZE);
  for (let index = 0; index < SIZE; index++) bytes[index] = index * 31 + (index >> 8) + salt;
  return bytes;
}

interface Listening {
  readonly listener: Child;
  readonly address: string;
}

interface Scene {
  readonly path: string;
  readonly inbox: string;
  readonly seed: string;
  readonly start: (args: readonly string[], options?: ChildOptions) => Child;
  listen(address?: string): Promise<Listening>;
  send(address: string, extra?: readonly string[]): Child;
}

async function withScene(act: (scene: Scene) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const path = join(folder, "big.bin");
    await writeFile(path, content());
    const inbox = join(folder, "inbox");
    await mkdir(inbox);
    await withChildren(async (start) => {
      const seed = toHex(generateSeed());
      await act({
        path,
        inbox,
        seed,
        start,
        async listen(address = "tcp://127.0.0.1:0") {
          const listener = start(["listen", address, "--out", inbox, "--json"], { seed });
          return { listener, address: String((await listener.event("listening"))["address"]) };
        },
        send: (address, extra = []) => start(["send", path, address, "--json", ...extra], { seed }),
      });
    });
  });
}

/** Waits until a good part of the file is on the receiver's disk. */
async function midTransfer({ inbox }: Scene): Promise<string> {
  return await eventually(async () => {
    const [name] = await readdir(inbox);
    if (name === undefined) return undefined;
    return (await stat(join(inbox, name))).size >= PART / 2 ? name : undefined;
  }, "part of the file");
}

/** Kills a sender in mid-transfer; what the receiver says of it. */
async function killSender(scene: Scene, { listener, address }: Listening): Promise<JsonEvent> {
  return await Line.within(address, async (line) => {
    const first = scene.send(line.address);
    await midTransfer(scene);
    first.kill("SIGKILL");
    return await listener.event("not-received");
  });
}

/** Holes, which take no disk: long enough to be killed in the middle of. */
async function makeLong({ path }: Scene): Promise<void> {
  await truncate(path, 0);
  await truncate(path, 100_000_000);
}

/** The sender ends well, and a good part had not to travel again; what it says of the file. */
async function assertResumed(sender: Child): Promise<JsonEvent> {
  const sent = await sender.event("sent");
  assert(Number(sent["resumed"]) >= PART / 2, `${sent["resumed"]}`);
  assert.equal(await sender.exit(), 0);
  return sent;
}

async function assertArrived({ inbox }: Scene, bytes: Uint8Array): Promise<void> {
  assert.deepEqual(await readdir(inbox), ["big.bin"]);
  assert(Buffer.from(bytes).equals(await readFile(join(inbox, "big.bin"))), "other bytes");
}

test("kill -9 of the sender: the next run goes on where it stopped, verified", {
  skip: NO_SIGNALS,
}, async () => {
  await withScene(async (scene) => {
    const listening = await scene.listen();
    assert.equal((await killSender(scene, listening))["code"], "TRUNCATED");
    assert.match((await readdir(scene.inbox)).join(), /^\.big\.bin\.\w+\.kept\.part$/);
    const { resumed } = await assertResumed(scene.send(listening.address));
    assert(Number(resumed) < SIZE, `${resumed}`);
    assert.equal((await listening.listener.event("received"))["resumed"], resumed);
    await assertArrived(scene, content());
  });
});

test("kill -9 of the receiver: the sender says so at once, and the next run goes on", {
  skip: NO_SIGNALS,
}, async () => {
  await withScene(async (scene) => {
    const { listener, address } = await scene.listen();
    await Line.within(address, async (line) => {
      const first = scene.send(line.address);
      const part = await midTransfer(scene);
      listener.kill("SIGKILL");
      assert.equal(await first.exit(), 3);
      assert.match(String((await first.event("error"))["code"]), /^(TRUNCATED|TRANSPORT)$/);
      // Nobody gave it another name, and nobody can take it for the file.
      assert.match(part, /^\.big\.bin\.[0-9a-f]{12}\.[0-9a-f]{12}\.part$/);
      assert.deepEqual(await readdir(scene.inbox), [part]);
    });
    const again = await scene.listen();
    await assertResumed(scene.send(again.address));
    await assertArrived(scene, content());
  });
});

test("a file that changed meanwhile is sent from its beginning", {
  skip: NO_SIGNALS,
}, async () => {
  await withScene(async (scene) => {
    const listening = await scene.listen();
    await killSender(scene, listening);
    const changed = content(1);
    await writeFile(scene.path, changed);
    const second = scene.send(listening.address);
    assert.equal((await second.event("sent"))["resumed"], 0);
    assert.equal(await second.exit(), 0);
    await assertArrived(scene, changed);
  });
});

test("--retry: a connection that is reset in the middle costs a warning, and only the rest travels", async () => {
  await withScene(async (scene) => {
    const { address } = await scene.listen();
    await Line.within(address, async (line) => {
      const sender = scene.send(line.address, ["--retry", "5"]);
      await midTransfer(scene);
      line.reset();
      const retry = await sender.event("retry");
      assert.match(String(retry["code"]), /^(TRUNCATED|TRANSPORT)$/);
      await assertResumed(sender);
      await assertArrived(scene, content());
    });
  });
});

test("--retry waits for a listener that is started again, and Ctrl-C ends the wait", {
  skip: NO_SIGNALS,
}, async () => {
  await withScene(async (scene) => {
    const { listener, address } = await scene.listen();
    await Line.within(address, async (line) => {
      const sender = scene.send(line.address, ["--retry", "20"]);
      await midTransfer(scene);
      // In order: the receiver cancels the file and closes the session.
      listener.kill("SIGTERM");
      assert.equal(await listener.exit(), 143);
      line.release();
      await sender.event("retry", 2);
      await scene.listen(address);
      await assertResumed(sender);
      await assertArrived(scene, content());
    });
    const waiting = scene.send("tcp://127.0.0.1:1", ["--retry", "20"]);
    await waiting.event("retry");
    waiting.kill("SIGINT");
    assert.equal(await waiting.exit(), 130);
  });
});

for (const scheme of ["tcp", "udp"]) {
  test(`${scheme}: a suspended peer that goes on in time costs nothing, whichever side it is on`, {
    skip: NO_SIGNALS,
  }, async () => {
    const suspend = (who: "sender" | "listener"): Promise<void> =>
      withScene(async (scene) => {
        const { listener, address } = await scene.listen(`${scheme}://127.0.0.1:0`);
        const line = scheme === "tcp" ? await Line.open(address) : undefined;
        const sender = scene.send(line?.address ?? address);
        const child = { sender, listener }[who];
        await eventually(async () => (await readdir(scene.inbox))[0], "part of the file");
        child.kill("SIGSTOP");
        line?.release();
        // Longer than the timers of loss recovery, shorter than the idle timeout of 30 s.
        await new Promise((resolve) => setTimeout(resolve, 1500));
        child.kill("SIGCONT");
        assert.equal(await sender.exit(), 0, who);
        await listener.event("received");
        await assertArrived(scene, content());
        await line?.close();
      });
    await Promise.all([suspend("sender"), suspend("listener")]);
  });
}

test("a sender killed over udp is missed after the timeout, and what it sent is kept", {
  skip: NO_SIGNALS,
}, async () => {
  await withScene(async (scene) => {
    await makeLong(scene);
    const listen = ["listen", "udp://127.0.0.1:0", "--out", scene.inbox, "--json", "--timeout"];
    const listener = scene.start([...listen, "1"], { seed: scene.seed });
    const address = String((await listener.event("listening"))["address"]);
    const first = scene.send(address);
    await midTransfer(scene);
    first.kill("SIGKILL");
    assert.equal((await listener.event("not-received"))["code"], "IDLE_TIMEOUT");
    const { sha256 } = await assertResumed(scene.send(address));
    assert.equal((await listener.event("received"))["sha256"], sha256);
    assert.deepEqual(await readdir(scene.inbox), ["big.bin"]);
  });
});

test(
  "udp: a listener killed and started again under its node seed is noticed at once, and gone on with",
  {
    skip: NO_SIGNALS,
  },
  async () => {
    await withScene(async (scene) => {
      await makeLong(scene);
      const nodeSeed = join(scene.inbox, "..", "node.seed");
      await writeFile(nodeSeed, toHex(generateSeed()), { mode: 0o600 });
      const listen = (address: string): Child =>
        scene.start(
          ["listen", address, "--out", scene.inbox, "--node-seed-file", nodeSeed, "--json"],
          { seed: scene.seed },
        );
      const first = listen("udp://127.0.0.1:0");
      const address = String((await first.event("listening"))["address"]);
      const sender = scene.send(address, ["--retry", "9"]);
      await midTransfer(scene);
      first.kill("SIGKILL");
      await first.exit();
      const second = listen(address);
      // Silence alone would take 30 s.
      assert.equal((await sender.event("retry"))["code"], "RESET_BY_PEER");
      const { sha256 } = await assertResumed(sender);
      assert.equal((await second.event("received"))["sha256"], sha256);
      assert.deepEqual(await readdir(scene.inbox), ["big.bin"]);
    });
  },
);

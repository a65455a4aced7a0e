import assert from "node:assert/strict";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { toHex } from "../codec/hex.ts";
import { withFolder } from "../endpoint/files/folder_for_test.ts";
import { generateSeed } from "../endpoint/seeds.ts";
import { type Child, type ChildOptions, eventually, withChildren } from "./child_for_test.ts";

const WINDOWS = process.platform === "win32";
const NO_SIGNALS = WINDOWS ? "Windows has no such signals" : false;
/** A signal must have its way within this time. */
const SIGNAL_MS = 2000;

interface Scene {
  readonly listener: Child;
  readonly sender: Child;
  readonly inbox: string;
  readonly address: string;
  readonly seed: string;
  readonly start: (args: readonly string[], options?: ChildOptions) => Child;
}

/** A transfer under way: the sender's standard input has given a part and stays open. */
async function midTransfer(
  act: (scene: Scene) => Promise<void>,
  extra: readonly string[] = [],
): Promise<void> {
  await withFolder(async (inbox) => {
    await withChildren(async (start) => {
      const seed = toHex(generateSeed());
      const listen = ["listen", "tcp://127.0.0.1:0", "--out", inbox, "--json", ...extra];
      const listener = start(listen, { seed });
      const address = String((await listener.event("listening"))["address"]);
      const send = ["send", "-", address, "--name", "big.bin", "--json", ...extra];
      const sender = start(send, { seed, stdin: true });
      sender.process.stdin?.on("error", () => undefined);
      sender.process.stdin?.write(new Uint8Array(3_000_000).fill(7));
      await listener.event("receiving");
      const part = await eventually(async () => (await readdir(inbox))[0], "file in the inbox");
      assert.match(part, /^\.big\.bin\.\w+\.part$/);
      await act({ listener, sender, inbox, address, seed, start });
    });
  });
}

async function killed(child: Child, signal: NodeJS.Signals): Promise<number | string> {
  const started = performance.now();
  child.kill(signal);
  const code = await child.exit();
  const ms = performance.now() - started;
  assert(ms < SIGNAL_MS, `${signal} took ${Math.round(ms)} ms`);
  return code;
}

async function serveAnother({ start, address, seed, inbox }: Scene): Promise<void> {
  await withFolder(async (folder) => {
    const path = join(folder, "next.txt");
    await writeFile(path, "next");
    assert.equal(await start(["send", path, address], { seed }).exit(), 0);
    assert.deepEqual(await readdir(inbox), ["next.txt"]);
  });
}

test("Ctrl-C at the sender leaves nothing at the receiver, which goes on", {
  skip: NO_SIGNALS,
}, async () => {
  for (const [signal, exit] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    await midTransfer(async (scene) => {
      assert.equal(await killed(scene.sender, signal), exit);
      assert.match(String((await scene.listener.event("not-received"))["message"]), /cancelled/);
      assert.deepEqual(await readdir(scene.inbox), []);
      await serveAnother(scene);
    });
  }
});

test("Ctrl-C at the receiver leaves nothing there, and the sender says why it failed", {
  skip: NO_SIGNALS,
}, async () => {
  await midTransfer(async ({ listener, sender, inbox }) => {
    assert.equal(await killed(listener, "SIGINT"), 130);
    assert.deepEqual(await readdir(inbox), []);
    const exit = await sender.exit();
    assert(exit === 5 || exit === 3, `exit ${exit}`);
    assert.match(String((await sender.event("error"))["message"]), /cancelled|closed/);
  });
});

test("a sender that vanishes costs the listener one line", { skip: NO_SIGNALS }, async () => {
  await midTransfer(async (scene) => {
    scene.sender.kill("SIGKILL");
    await scene.listener.event("peer-left");
    assert.deepEqual(await readdir(scene.inbox), []);
    const told = scene.listener.events.filter(({ code }) => code !== undefined);
    assert.deepEqual(told.map(({ event }) => event), ["not-received"]);
    await serveAnother(scene);
  });
});

test("a peer that goes silent is given up, whichever side it is on", {
  skip: NO_SIGNALS,
}, async () => {
  const silence = ["--timeout", "1"];
  await midTransfer(async ({ listener, sender }) => {
    listener.kill("SIGSTOP");
    assert.equal(await sender.exit(), 3);
    assert.equal((await sender.event("error"))["code"], "IDLE_TIMEOUT");
  }, silence);
  await midTransfer(async (scene) => {
    scene.sender.kill("SIGSTOP");
    await scene.listener.event("peer-left");
    assert.deepEqual(await readdir(scene.inbox), []);
    await serveAnother(scene);
  }, silence);
});

test("a listener that accepts and says nothing is given up with a reason", async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket.on("error", () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  try {
    await withChildren(async (start) => {
      // Over TCP the handshake goes without an answer, which may be for several reasons: a second line says what to do.
      const outputs = {
        tcp: /^stt: cannot connect[^\n]*\n[^\n]+\n$/,
        ws: /^stt: cannot connect[^\n]*\n$/,
      };
      for (const [scheme, output] of Object.entries(outputs)) {
        const address = `${scheme}://127.0.0.1:${port}`;
        const seed = toHex(generateSeed());
        const child = start(["ping", address, "--timeout", "1"], { seed });
        assert.equal(await child.exit(), 3);
        assert.match(child.stderr, output);
      }
    });
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});

test("a full disk at the receiver is a clear error on both sides, and leaves nothing", {
  skip: WINDOWS ? "Windows has no ulimit" : false,
}, async () => {
  await withFolder(async (folder) => {
    const inbox = join(folder, "inbox");
    await mkdir(inbox);
    const [big, small] = [join(folder, "big"), join(folder, "small")];
    await writeFile(big, new Uint8Array(12_000_000));
    await writeFile(small, "small");
    await withChildren(async (start) => {
      const seed = toHex(generateSeed());
      // The system refuses to let any file of this process grow above 8 MiB.
      const shell = `trap "" XFSZ; ulimit -f 8192; exec "$@"`;
      const listen = ["listen", "tcp://127.0.0.1:0", "--out", inbox, "--json"];
      const listener = start(listen, { seed, shell });
      const address = String((await listener.event("listening"))["address"]);
      const sender = start(["send", big, address], { seed });
      assert.equal(await sender.exit(), 5);
      assert.match(sender.stderr, /cannot send "big": the receiver has no space left/);
      assert.equal((await listener.event("not-received"))["code"], "FILE_IO");
      assert.deepEqual(await readdir(inbox), []);
      assert.equal(await start(["send", small, address], { seed }).exit(), 0);
      assert.deepEqual(await readdir(inbox), ["small"]);
    });
  });
});

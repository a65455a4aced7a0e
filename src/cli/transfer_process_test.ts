import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { toHex } from "../codec/hex.ts";
import { withFolder } from "../endpoint/files/folder_for_test.ts";
import { connect } from "../endpoint/connect.ts";
import { generateSeed } from "../endpoint/seeds.ts";
import { certificateForTest } from "../transport/certificate_for_test.ts";
import { type Child, withChildren } from "./child_for_test.ts";

/** How long a process may live on once its last session is closed. */
const EXIT_MS = 2000;

function newSeed(): string {
  return toHex(generateSeed());
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function sample(length: number): Uint8Array {
  return new Uint8Array(length).map((_, index) => (index * 131 + (index >> 9)) & 0xff);
}

async function exitSoon(child: Child): Promise<number | string> {
  const started = performance.now();
  const code = await child.exit();
  const ms = performance.now() - started;
  assert(ms < EXIT_MS, `the process lived on for ${Math.round(ms)} ms`);
  return code;
}

/** Sends bytes over plain TCP and waits until the other side has closed. */
function sendRaw(address: unknown, bytes: Uint8Array): Promise<void> {
  const { hostname, port } = new URL(String(address).replace(/^tcp/, "http"));
  return new Promise((resolve, reject) => {
    const socket = connectTcp(Number(port), hostname, () => socket.write(bytes));
    socket.on("error", reject).on("close", () => resolve()).resume();
  });
}

for (const scheme of ["ws", "tcp", "udp"]) {
  test(`a file crosses ${scheme} between two processes, and both end by themselves`, async () => {
    await withFolder(async (folder) => {
      const path = join(folder, "photo.raw");
      const content = sample(3_000_000);
      await writeFile(path, content);
      const inbox = join(folder, "inbox");
      await mkdir(inbox);
      await withChildren(async (start) => {
        const seed = newSeed();
        const listen = ["listen", `${scheme}://127.0.0.1:0`, "--out", inbox, "--once", "--json"];
        const listener = start(listen, { seed });
        const { address, nodeId } = await listener.event("listening");
        const send = ["send", path, String(address), "--expect", String(nodeId), "--json"];
        const sender = start(send, { seed });
        const sent = await sender.event("sent");
        const received = await listener.event("received");
        assert.equal(sent["sha256"], sha256(content));
        assert.equal(received["sha256"], sha256(content));
        assert.equal((await sender.event("connected"))["pinned"], true);
        await listener.event("peer-left");
        assert.equal(await exitSoon(listener), 0);
        assert.equal(await exitSoon(sender), 0);
        assert.deepEqual(await readdir(inbox), ["photo.raw"]);
        assert.deepEqual(new Uint8Array(await readFile(join(inbox, "photo.raw"))), content);
        assert.equal(listener.stderr + sender.stderr, "");
      });
    });
  });
}

test("ping and receive over udp", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "a.txt");
    await writeFile(path, "over udp");
    const inbox = join(folder, "inbox");
    await mkdir(inbox);
    await withChildren(async (start) => {
      const seed = newSeed();
      const listen = ["listen", "udp://127.0.0.1:0", "--offer", path, "--once", "--json"];
      const listener = start(listen, { seed });
      const address = String((await listener.event("listening"))["address"]);
      assert.match(address, /^udp:\/\/127\.0\.0\.1:\d+$/);
      const ping = start(["ping", address, "--count", "3", "--interval", "10", "--json"], { seed });
      assert.equal((await ping.event("summary"))["count"], 3);
      assert.equal(await ping.exit(), 0);
      const stranger = start(["ping", address, "--timeout", "0.5"], { seed: newSeed() });
      assert.equal(await stranger.exit(), 3);
      assert.match(stranger.stderr, /the shared seed may differ/);
      const receiver = start(["receive", address, "--out", inbox, "--json"], { seed });
      assert.equal(await receiver.exit(), 0);
      assert.equal(await exitSoon(listener), 0);
      assert.equal(await readFile(join(inbox, "a.txt"), "utf8"), "over udp");
    });
  });
});

test("a listener that offers files, and a receiver that dials", async () => {
  await withFolder(async (folder) => {
    const paths = ["a.txt", "b.txt"].map((name) => join(folder, name));
    for (const path of paths) await writeFile(path, `content of ${path}`);
    const inbox = join(folder, "inbox");
    await mkdir(inbox);
    await withChildren(async (start) => {
      const seed = newSeed();
      const offers = paths.flatMap((path) => ["--offer", path]);
      const listener = start(["listen", "ws://127.0.0.1:0", ...offers, "--once", "--json"], {
        seed,
      });
      const { address } = await listener.event("listening");
      const receiver = start(["receive", String(address), "--out", inbox, "--json"], { seed });
      assert.equal(await receiver.exit(), 0);
      assert.equal(await exitSoon(listener), 0);
      assert.deepEqual((await readdir(inbox)).sort(), ["a.txt", "b.txt"]);
    });
  });
});

test("a pipe: standard input here, standard output there", async () => {
  await withChildren(async (start) => {
    const seed = newSeed();
    const listener = start(["listen", "ws://127.0.0.1:0", "--out", "-", "--once"], { seed });
    await listener.errorLine(/listening on (\S+)\n/);
    const address = /listening on (\S+)\n/.exec(listener.stderr)?.[1] ?? "";
    const sender = start(["send", "-", address], { seed, stdin: true });
    sender.process.stdin?.write("one line\n");
    sender.process.stdin?.end("and another\n");
    assert.equal(await sender.exit(), 0);
    assert.equal(await listener.exit(), 0);
    assert.equal(listener.stdout, "one line\nand another\n");
  });
});

test("a wrong seed ends the dialler with a reason; the listener logs a line and serves the next", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "x");
    await writeFile(path, "x");
    const inbox = join(folder, "inbox");
    await mkdir(inbox);
    await withChildren(async (start) => {
      const seed = newSeed();
      const listener = start(["listen", "tcp://127.0.0.1:0", "--out", inbox, "--json"], { seed });
      const { address } = await listener.event("listening");
      const stranger = start(["send", path, String(address)], { seed: newSeed() });
      assert.equal(await stranger.exit(), 3);
      assert.match(stranger.stderr, /wrong seed/);
      assert.match(String((await listener.event("rejected"))["message"]), /does not have the seed/);
      // Noise, and a frame that says it is 3 MB long.
      await sendRaw(address, new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
      await listener.event("rejected", 2);
      await sendRaw(address, Uint8Array.of(0x53, 0x54, 0xc0, 0x8d, 0xb7, 0x01, 5, 0, 0, 0));
      await listener.event("rejected", 3);
      const friend = start(["send", path, String(address)], { seed });
      assert.equal(await friend.exit(), 0);
      assert.deepEqual(await readdir(inbox), ["x"]);
      assert.equal(listener.events.filter(({ event }) => event === "rejected").length, 3);
      const another = start(["send", path, String(address)], { seed });
      assert.equal(await another.exit(), 5);
      assert.match(another.stderr, /the receiver has a file of this name/);
      assert(!another.stderr.includes(inbox));
      await listener.event("not-received");
      const other = start(["send", path, String(address), "--expect", "0".repeat(64)], { seed });
      assert.equal(await other.exit(), 4);
      listener.kill("SIGTERM");
      assert.equal(await exitSoon(listener), 143);
    });
  });
});

test("echo returns the bytes of every stream and every datagram", async () => {
  await withChildren(async (start) => {
    const seed = newSeed();
    const listener = start(["listen", "tcp://127.0.0.1:0", "--echo", "--once", "--json"], { seed });
    const { address } = await listener.event("listening");
    const peer = await connect(String(address), { seed, app: "anything" });
    for (const length of [0, 1, 500_000]) {
      const content = sample(length);
      const stream = await peer.openStream();
      const writing = stream.write(content).then(() => stream.end());
      const back: number[] = [];
      for await (const chunk of stream) for (const byte of chunk) back.push(byte);
      await writing;
      assert.deepEqual(Uint8Array.from(back), content);
    }
    peer.sendDatagram(Uint8Array.of(1, 2, 3), { channel: 9 });
    assert.deepEqual(await peer.nextDatagram(), { channel: 9, data: Uint8Array.of(1, 2, 3) });
    await peer.close();
    assert.equal(await exitSoon(listener), 0);
  });
});

const certificate = certificateForTest();

test("wss with a certificate of one's own: trusted with --ca, refused without", {
  skip: certificate.skip ?? false,
}, async () => {
  if (certificate.skip !== undefined) return;
  await withFolder(async (folder) => {
    const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
    await writeFile(cert, certificate.cert);
    await writeFile(key, certificate.key);
    await withChildren(async (start) => {
      const seed = newSeed();
      const tls = ["--cert", cert, "--key", key];
      const listener = start(["listen", "wss://127.0.0.1:0", ...tls, "--echo", "--json"], { seed });
      const address = String((await listener.event("listening"))["address"]);
      const ping = ["ping", address, "--count", "1"];
      assert.equal(await start([...ping, "--ca", cert], { seed }).exit(), 0);
      const wary = start(ping, { seed });
      assert.equal(await wary.exit(), 3);
      assert.match(wary.stderr, /certificate/);
    });
  });
});

test("ping reaches a listener whatever it is for, and echo returns bytes", async () => {
  await withChildren(async (start) => {
    const seed = newSeed();
    for (const what of [["--out", "-"], ["--echo"]]) {
      const listener = start(["listen", "tcp://127.0.0.1:0", ...what], { seed });
      await listener.errorLine(/listening on (\S+)\n/);
      const address = /listening on (\S+)\n/.exec(listener.stderr)?.[1] ?? "";
      const ping = start(["ping", address, "--count", "3", "--interval", "1"], { seed });
      assert.equal(await ping.exit(), 0);
      assert.equal(ping.stdout.match(/^pong from [0-9a-f]{16}: seq=\d/gm)?.length, 3);
      listener.kill("SIGINT");
      assert.equal(await exitSoon(listener), 130);
    }
  });
});

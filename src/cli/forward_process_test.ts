import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { toHex } from "../codec/hex.ts";
import { generateSeed } from "../endpoint/seeds.ts";
import { type Child, eventually, withChildren } from "./child_for_test.ts";

const HOST = "127.0.0.1";

/** An echo server of the test; its port. */
async function withEcho(act: (port: number) => Promise<void>): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const address = server.address();
  assert(address !== null && typeof address === "object");
  try {
    await act(address.port);
  } finally {
    server.close();
  }
}

/** What came back through a port, or the code of the error. */
function echoed(place: string, text: string): Promise<string> {
  const [host = "", port = ""] = place.split(":");
  return new Promise((resolve) => {
    let back = "";
    const socket: Socket = connectTcp({ host, port: Number(port) }, () => socket.end(text));
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => (back += chunk));
    socket.on("error", (error: Error & { readonly code?: string }) => resolve(String(error.code)));
    socket.on("end", () => resolve(back));
  });
}

async function addressOf(listener: Child): Promise<string> {
  return String((await listener.event("listening"))["address"]);
}

for (const scheme of ["udp", "tcp"]) {
  test(`${scheme}: two processes carry ports both ways, and only what is allowed`, async () => {
    await withEcho(async (port) => {
      await withChildren(async (start) => {
        const seed = toHex(generateSeed());
        const listener = start([
          ...["forward", "--listen", `${scheme}://${HOST}:0`, "--json"],
          ...["--allow", `${HOST}:${port}`, "--allow-bind", "*:*"],
        ], { seed });
        const address = await addressOf(listener);
        const dialler = start([
          ...["forward", address, "--json", "-L", `0:${HOST}:${port}`, "-L", "0:localhost:1"],
          ...["-R", `0:${HOST}:${port}`],
        ], { seed });
        const [local, denied, remote] = [1, 2, 3].map((count) =>
          dialler.event("forwarding", count)
        );
        assert.equal((await remote!)["direction"], "remote");
        assert.equal(await echoed(String((await local!)["listen"]), "there"), "there");
        assert.equal(await echoed(String((await remote!)["listen"]), "and back"), "and back");
        assert.equal(await echoed(String((await denied!)["listen"]), "no"), "ECONNRESET");
        const failure = await dialler.event("not-forwarded");
        assert.deepEqual([failure["address"], failure["code"]], ["localhost:1", "REFUSED"]);
        await listener.event("not-forwarded");
        dialler.kill("SIGINT");
        assert.equal(await dialler.exit(), 130);
        await listener.event("peer-left");
        assert.equal(await echoed(String((await remote!)["listen"]), "gone"), "ECONNREFUSED");
        listener.kill("SIGTERM");
        assert.equal(await listener.exit(), 143);
      });
    });
  });
}

test("ports outlive a lost session, and a listener of files carries them as well", async () => {
  await withEcho(async (port) => {
    await withChildren(async (start) => {
      const seed = toHex(generateSeed());
      const allow = ["--allow-forward", `${HOST}:${port}`, "--json"];
      const first = start(["listen", `tcp://${HOST}:0`, ...allow], { seed });
      const address = await addressOf(first);
      const dialler = start(["forward", address, "--json", "-L", `0:${HOST}:${port}`], { seed });
      const place = String((await dialler.event("forwarding"))["listen"]);
      assert.equal(await echoed(place, "one"), "one");
      first.kill("SIGKILL");
      await first.exit();
      await dialler.event("retry");
      assert.equal(await echoed(place, "nobody"), "ECONNRESET");
      const second = start(["listen", address, ...allow], { seed });
      await second.event("peer");
      await eventually(async () => await echoed(place, "two") === "two" || undefined, "the port");
      const visitor = start(["ping", address, "--count", "1", "--json"], { seed });
      assert.equal(await visitor.exit(), 0);
      const stranger = start(["ping", address, "--app", "other/1", "--json"], { seed });
      assert.equal(await stranger.exit(), 4);
      second.kill("SIGINT");
      assert.equal(await second.exit(), 130);
    });
  });
});

test("a port of the peer that is taken after a lost session is asked for again", async () => {
  await withEcho(async (port) => {
    await withChildren(async (start) => {
      const seed = toHex(generateSeed());
      const listen = (address: string): Child =>
        start(["forward", "--listen", address, "--allow-bind", "*:*", "--json"], { seed });
      const first = listen(`tcp://${HOST}:0`);
      const address = await addressOf(first);
      const dialler = start(["forward", address, "--json", "-R", `0:${HOST}:${port}`], { seed });
      // A port of its own from here on: the same run asks for it in every session.
      const place = String((await dialler.event("forwarding"))["listen"]);
      dialler.kill("SIGINT");
      await dialler.exit();
      const fixed = `${place.split(":")[1]}:${HOST}:${port}`;
      const again = start(["forward", address, "--json", "-R", fixed], { seed });
      await again.event("forwarding");
      first.kill("SIGKILL");
      await first.exit();
      const taken = createServer();
      await new Promise<void>((resolve) =>
        taken.listen(Number(place.split(":")[1]), HOST, resolve)
      );
      listen(address);
      await again.event("not-forwarded");
      await new Promise((resolve) => taken.close(resolve));
      await again.event("forwarding", 2);
      assert.equal(await echoed(place, "once more"), "once more");
    });
  });
});

test("what cannot be carried ends the run at once", async () => {
  await withEcho(async (port) => {
    await withChildren(async (start) => {
      const seed = toHex(generateSeed());
      const listener = start(
        ["forward", "--listen", `tcp://${HOST}:0`, "--allow", "a:1", "--json"],
        {
          seed,
        },
      );
      const address = await addressOf(listener);
      const refused = start(["forward", address, "-R", `0:${HOST}:${port}`], { seed });
      assert.equal(await refused.exit(), 4);
      assert.match(refused.stderr, /\nstt: cannot have .* the peer does not allow it\n/);
      const taken = start(["forward", address, "-L", `${port}:a:1`], { seed });
      assert.equal(await taken.exit(), 3);
      assert.match(taken.stderr, /\nstt: cannot listen on 127\.0\.0\.1:\d+: .*in use/);
    });
  });
});

/** Bytes of memory that a process may come to: a runtime of some 150 MB, windows, and buffers. */
const MEMORY_LIMIT = 300_000_000;

test("a program that does not read costs neither process memory, and holds up no other", {
  skip: existsSync("/proc/self/status") ? false : "only Linux tells a process's peak memory",
}, async () => {
  await withEcho(async (port) => {
    let poured = 0;
    const source = createServer((socket) => {
      const chunk = new Uint8Array(1_048_576);
      const more = (): void => {
        do poured += chunk.length; while (socket.write(chunk));
      };
      socket.on("drain", more).on("error", () => undefined);
      more();
    });
    await new Promise<void>((resolve) => source.listen(0, HOST, resolve));
    const { port: from } = source.address() as AddressInfo;
    try {
      await withChildren(async (start) => {
        const seed = toHex(generateSeed());
        const listener = start([
          ...["forward", "--listen", `udp://${HOST}:0`, "--json"],
          ...["--allow", `${HOST}:${port},${HOST}:${from}`],
        ], { seed });
        const dialler = start([
          ...["forward", await addressOf(listener), "--json"],
          ...["-L", `0:${HOST}:${from}`, "-L", `0:${HOST}:${port}`],
        ], { seed });
        const [stalled = "", open = ""] = await Promise.all(
          [1, 2].map(async (count) => String((await dialler.event("forwarding", count))["listen"])),
        );
        const [host = "", number = ""] = stalled.split(":");
        const silent = connectTcp({ host, port: Number(number) });
        silent.on("error", () => undefined).pause();
        const text = "x".repeat(2_000_000);
        // However long it takes: what the silent one may take is a bound, not a speed.
        for (let time = 0; time < 5; time++) {
          assert.equal((await echoed(open, text)).length, text.length);
        }
        assert(poured > 0 && poured < 60_000_000, `${poured} bytes went to who does not read`);
        for (const child of [listener, dialler]) {
          const peak = child.peakMemory() ?? 0;
          assert(peak > 0 && peak < MEMORY_LIMIT, `${Math.round(peak / 1e6)} MB`);
        }
        silent.destroy();
      });
    } finally {
      source.close();
    }
  });
});

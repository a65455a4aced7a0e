import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { toHex } from "../codec/hex.ts";
import { withFolder } from "../endpoint/files/folder_for_test.ts";
import { listen, type Listener } from "../endpoint/listener.ts";
import { parseKeyLogLine } from "../session/key_log.ts";
import { withChildren } from "./child_for_test.ts";
import { runCommand } from "./io_for_test.ts";

const SEED = new Uint8Array(32).fill(0x5e);
const ENV = { STT_SEED: toHex(SEED) };

async function withListener(
  run: (listener: Listener, folder: string) => Promise<void>,
): Promise<void> {
  const listener = await listen("tcp://127.0.0.1:0", { seed: SEED });
  try {
    await withFolder((folder) => run(listener, folder));
  } finally {
    await listener.close();
  }
}

test("--keylog and STT_KEYLOGFILE write keys and warn; without them nothing is written", async () => {
  await withListener(async (listener, folder) => {
    const ping = ["ping", listener.address, "--count", "1"];
    const [named, fromEnv] = [join(folder, "named"), join(folder, "env")];
    const quiet = await runCommand(ping, { env: ENV });
    assert.doesNotMatch(quiet.stderr, /keys/);
    const run = await runCommand([...ping, "--keylog", named, "--quiet"], { env: ENV });
    assert.match(run.stderr, /warning: the keys of these sessions go to .*named.*reads everything/);
    await runCommand(ping, { env: { ...ENV, STT_KEYLOGFILE: fromEnv } });
    // The option goes before the variable, and files are added to.
    const both = { ...ENV, STT_KEYLOGFILE: join(folder, "unused") };
    await runCommand([...ping, "--keylog", named], { env: both });
    const lines = async (path: string): Promise<string[]> =>
      (await readFile(path, "utf8")).trim().split("\n");
    assert.equal((await lines(named)).length, 4);
    assert.equal((await lines(fromEnv)).length, 2);
    for (const line of await lines(named)) assert.ok(parseKeyLogLine(line) !== undefined, line);
    await assert.rejects(stat(both.STT_KEYLOGFILE), { code: "ENOENT" });
    if (process.platform !== "win32") assert.equal((await stat(named)).mode & 0o777, 0o600);
    const failed = await runCommand([...ping, "--keylog", folder], { env: ENV });
    assert.notEqual(failed.exit, 0);
    assert.match(failed.stderr, /cannot write/);
  });
});

test("--qlog writes the session, and no keys", async () => {
  await withListener(async (listener, folder) => {
    const path = join(folder, "trace.sqlog");
    const keys = join(folder, "keys");
    const files = ["--qlog", path, "--keylog", keys];
    const run = await runCommand(["ping", listener.address, "--count", "2", ...files], {
      env: ENV,
    });
    assert.equal(run.exit, 0);
    // Written at the latest after 200 ms, or when the process ends.
    const deadline = Date.now() + 10_000;
    let text = "";
    while (!text.includes("connection_closed") && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      text = await readFile(path, "utf8");
    }
    const [header, ...events] = text.split("\x1e").slice(1).map((record) => JSON.parse(record));
    assert.equal(header.trace.vantage_point.type, "client");
    assert.equal(events[0].name, "connectivity:connection_started");
    assert.ok(events.some(({ name }) => name === "transport:packet_sent"));
    const logged = (await readFile(keys, "utf8")).trim().split("\n").map(parseKeyLogLine);
    for (const entry of logged) assert.ok(!text.includes(toHex(entry?.key ?? assert.fail())));
  });
});

test("a trace and a key log that cannot be written are told of, and the run goes on", {
  skip: process.platform === "win32" ? "needs a shell that can limit files" : false,
}, async () => {
  await withChildren(async (start) => {
    await withListener(async (listener, folder) => {
      for (const option of ["--qlog", "--keylog"]) {
        const path = join(folder, option);
        const ping = ["ping", listener.address, "--count", "1", option, path];
        const shell = 'trap "" XFSZ; ulimit -f 0; exec "$@"';
        const child = start(ping, { seed: ENV.STT_SEED, shell });
        assert.equal(await child.exit(), 0);
        assert.match(child.stderr, /stt: cannot write "[^"]*log": \S/);
      }
    });
  });
});

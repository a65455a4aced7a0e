import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { toHex } from "../codec/hex.ts";
import { withFolder } from "../endpoint/files/folder_for_test.ts";
import { listen } from "../endpoint/listener.ts";
import { generateSeed } from "../endpoint/seeds.ts";
import { SttError } from "../errors.ts";
import { type Check, examine, ok } from "./checkup/check.ts";
import { runCommand } from "./io_for_test.ts";
import { textWidth } from "./text.ts";

const SEED = toHex(generateSeed());

interface Row {
  readonly event: string;
  readonly name: string;
  readonly status: string;
  readonly message: string;
  readonly advice: string | null;
}

/** The findings of a run, and its exit code. */
async function findings(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = { STT_SEED: SEED },
): Promise<{ readonly exit: number; find(name: string): Row; readonly rows: readonly Row[] }> {
  const { exit, stdout } = await runCommand(["doctor", ...argv, "--json"], { env });
  const all = stdout.trim().split("\n").map((line) => JSON.parse(line) as Row);
  const rows = all.filter(({ event }) => event === "check");
  const counts = all.at(-1) as unknown as Record<string, number>;
  for (const status of ["ok", "warn", "fail"]) {
    assert.equal(counts[status], rows.filter((row) => row.status === status).length);
  }
  // Whatever does not work has something to do.
  for (const { status, advice, name } of rows) {
    assert.equal(advice !== null, status !== "ok", `${name}: ${advice}`);
  }
  return {
    exit,
    rows,
    find(name): Row {
      const row = rows.find((item) => item.name === name);
      assert(row !== undefined, name);
      return row;
    },
  };
}

test("a machine on which the tests run is well, and an address that is free is free", async () => {
  const { exit, rows, find } = await findings(["--listen", "udp://127.0.0.1:0"]);
  assert.equal(exit, 0);
  assert.deepEqual(rows.map(({ name }) => name), [
    "runtime",
    "cryptography",
    "permissions",
    "tcp",
    "udp",
    "udp buffer",
    "ipv6",
    "websocket",
    "clock",
    "config",
    "seed",
    "listen udp://127.0.0.1:0",
  ]);
  for (const name of ["runtime", "cryptography", "tcp", "udp", "websocket", "seed"]) {
    assert.equal(find(name).status, "ok", name);
  }
});

for (const scheme of ["udp", "ws"]) {
  test(`${scheme}: a listener is dialled and measured, a taken and a dead address fail`, async () => {
    const listener = await listen(`${scheme}://127.0.0.1:0`, { seed: SEED });
    try {
      const dead = "tcp://127.0.0.1:1";
      const argv = [listener.address, dead, "--listen", listener.address];
      const { exit, rows, find } = await findings(argv);
      assert.equal(exit, 1);
      assert.match(find(`dial ${listener.address}`).message, /^a session in .*, with node /);
      assert.equal(find("round trip").status, "ok");
      const path = scheme === "udp" ? /^packets of \d+ bytes go through/ : /^a byte stream/;
      assert.match(find("path").message, path);
      assert.equal(find(`listen ${listener.address}`).status, "fail");
      assert.equal(find(`dial ${dead}`).status, "fail");
      // Of what has no session nothing more is said.
      assert.equal(rows.at(-1)?.name, `dial ${dead}`);
    } finally {
      await listener.close();
    }
  });
}

test("Ctrl-C between the dial and the last look leaves no session, which would keep the process", async () => {
  const listener = await listen("tcp://127.0.0.1:0", { seed: SEED });
  try {
    const taken = listener.nextPeer();
    const argv = ["doctor", listener.address, "--json"];
    const interruptAt = /a session in [^\n]* with node/;
    const { exit, stdout } = await runCommand(argv, { env: { STT_SEED: SEED }, interruptAt });
    assert.equal(exit, 130);
    assert(!stdout.includes("round trip"));
    const facts = await (await taken)?.closed;
    assert.deepEqual([facts?.remote, facts?.error], [true, undefined]);
  } finally {
    await listener.close();
  }
});

test("seeds are looked at and never shown", async () => {
  await withFolder(async (folder) => {
    const [good, loose] = [join(folder, "good"), join(folder, "loose")];
    await writeFile(good, SEED, { mode: 0o600 });
    await writeFile(loose, SEED);
    await chmod(loose, 0o644);
    const some = await findings(["--seed-file", good, "--seed-file", loose]);
    const windows = process.platform === "win32";
    assert.deepEqual(
      some.rows.filter(({ name }) => name === "seed").map(({ status }) => status),
      ["ok", windows ? "ok" : "warn"],
    );
    const gone = await findings(["--node-seed-file", join(folder, "gone")]);
    assert.deepEqual([gone.exit, gone.find("node seed").status], [1, "fail"]);
    const wrong = await findings([], { STT_SEED: `${SEED}x` });
    assert.deepEqual([wrong.exit, wrong.find("seed").status], [1, "fail"]);
    const none = await findings(["tcp://127.0.0.1:1"], {});
    assert.deepEqual([none.exit, none.find("seed").status], [1, "warn"]);
    assert.match(none.find("dial tcp://127.0.0.1:1").message, /no seed/);
    for (const { rows } of [some, gone, wrong, none]) {
      assert(!JSON.stringify(rows).includes(SEED.slice(0, 16)));
    }
  });
});

test("the configuration is named, and its peers and seed are used", async () => {
  await withFolder(async (folder) => {
    const listener = await listen("tcp://127.0.0.1:0", { seed: SEED });
    try {
      const path = join(folder, "config.json");
      const peers = { here: { address: listener.address, seed: SEED } };
      await writeFile(path, JSON.stringify({ peers }), { mode: 0o600 });
      const { exit, find } = await findings(["--config", path, "here"], {});
      assert.equal(exit, 0);
      assert.equal(find("config").message, `${path} names 1 peer`);
      assert.equal(find("seed").message, "the configuration holds 32 bytes");
      assert.equal(find(`dial ${listener.address}`).status, "ok");
    } finally {
      await listener.close();
    }
  });
});

test("people read it on a terminal of 60 columns, and unbroken without one", async () => {
  const env = { STT_SEED: SEED };
  const argv = ["doctor", "--listen", "tcp://192.0.2.1:1"];
  const narrow = await runCommand(argv, { env, typed: "", columns: 60 });
  assert.equal(narrow.exit, 1);
  const plain = narrow.stdout.replaceAll(/\p{Cc}\[\d+m/gu, "");
  for (const line of plain.split("\n")) assert(textWidth(line) < 60, line);
  const piped = await runCommand(argv, { env });
  assert(!piped.stdout.includes("\x1b"));
  assert.match(
    piped.stdout,
    /\nfail listen tcp:\/\/192\.0\.2\.1:1\n {5}cannot listen on [^\n]+\n {5}listen on an address/,
  );
  assert.match(piped.stdout, /\n\d+ ok, \d+ warnings?, 1 failure\n$/);
});

test("what a check throws is a finding with advice, unless the run was interrupted", async () => {
  const never = new AbortController().signal;
  const throwing = (error: unknown): Check => ({ name: "x", run: () => Promise.reject(error) });
  const timeout = await examine(throwing(new SttError("HANDSHAKE_TIMEOUT", "no answer")), never);
  assert.equal(timeout?.status, "fail");
  assert.match(timeout?.advice ?? "", /nobody listens there, the seed is another one/);
  const denied = new Error("Requires net access, run again with the --allow-net flag");
  assert.match((await examine(throwing(denied), never))?.advice ?? "", /permissions\.md/);
  assert.deepEqual(await examine(throwing("text"), never), { status: "fail", message: "text" });
  const stopped = new AbortController();
  stopped.abort(new Error("interrupted"));
  await assert.rejects(examine(throwing(new Error("x")), stopped.signal), /interrupted/);
  const fine: Check = { name: "x", run: () => Promise.resolve(ok("fine")) };
  assert.deepEqual(await examine(fine, never), { status: "ok", message: "fine" });
});

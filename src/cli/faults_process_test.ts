import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { toHex } from "../codec/hex.ts";
import { withFolder } from "../endpoint/files/folder_for_test.ts";
import { generateSeed } from "../endpoint/seeds.ts";
import { type Child, type ChildOptions, commandLine, withChildren } from "./child_for_test.ts";

const WINDOWS = process.platform === "win32";
const SCHEMES = ["tcp", "ws", "udp"];

async function fails(child: Child, exit: number, code: string, message: RegExp): Promise<void> {
  assert.equal(await child.exit(), exit, child.stderr);
  const error = await child.event("error");
  assert.equal(error["code"], code);
  assert.match(String(error["message"]), message);
}

test("a host name that nobody knows: exit code 3, with the name and the reason", async () => {
  await withChildren(async (start) => {
    const seed = toHex(generateSeed());
    await Promise.all(SCHEMES.map(async (scheme) => {
      const address = `${scheme}://no-such-host.invalid:9`;
      const child = start(["ping", address, "--json"], { seed });
      // Whether or not a name server can be asked: ENOTFOUND, EAI_AGAIN.
      await fails(child, 3, "TRANSPORT", /no-such-host\.invalid.*\((ENOTFOUND|EAI_\w+)\)/);
    }));
  });
});

test("a port that is taken: exit code 3, with the address and the reason; the first one goes on", async () => {
  await withChildren(async (start) => {
    const seed = toHex(generateSeed());
    await Promise.all(SCHEMES.map(async (scheme) => {
      const first = start(["listen", `${scheme}://127.0.0.1:0`, "--echo", "--json"], { seed });
      const address = String((await first.event("listening"))["address"]);
      const second = start(["listen", address, "--echo", "--json"], { seed });
      await fails(second, 3, "TRANSPORT", /cannot (listen on|bind).*in use.*EADDRINUSE/);
      const ping = start(["ping", address, "--count", "1", "--json"], { seed });
      assert.equal(await ping.exit(), 0);
    }));
  });
});

test("nobody listens: tcp and ws say so at once, udp after the time for the dial", async () => {
  await withChildren(async (start) => {
    const seed = toHex(generateSeed());
    for (const scheme of ["tcp", "ws"]) {
      const child = start(["ping", `${scheme}://127.0.0.1:1`, "--json"], { seed });
      await fails(child, 3, "TRANSPORT", /connection refused|nobody listens/);
    }
    const udp = start(["ping", "udp://127.0.0.1:1", "--timeout", "0.5", "--json"], { seed });
    await fails(udp, 3, "HANDSHAKE_TIMEOUT", /nobody may listen at the address/);
  });
});

test("a full device behind standard output: both sides say so, and the listener fails", {
  skip: process.platform === "linux" ? false : "there is no /dev/full",
}, async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "file");
    await writeFile(path, new Uint8Array(100_000));
    await withChildren(async (start) => {
      const seed = toHex(generateSeed());
      const shell = `exec "$@" > /dev/full`;
      const listen = ["listen", "tcp://127.0.0.1:0", "--out", "-", "--once"];
      const listener = start(listen, { seed, shell });
      await listener.errorLine(/listening on (\S+)\n/);
      const address = /listening on (\S+)\n/.exec(listener.stderr)?.[1] ?? "";
      const sender = start(["send", path, address, "--json"], { seed });
      await fails(sender, 5, "FILE_IO", /the receiver has no space left/);
      assert.equal(await listener.exit(), 5);
      assert.match(listener.stderr, /no space left on (the )?device/);
    });
  });
});

const AS_NOBODY = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];

/** How to run a child that may not do everything, or why that cannot be. */
function unprivileged(): { readonly shell: string | undefined; readonly skip: string | false } {
  if (WINDOWS) return { shell: undefined, skip: "Windows has other permissions" };
  if (process.getuid?.() !== 0) return { shell: undefined, skip: false };
  const [program, args] = commandLine([]);
  const probe = spawnSync("setpriv", [
    ...AS_NOBODY,
    "test",
    "-r",
    args.at(-1) ?? "",
    "-a",
    "-x",
    program,
  ]);
  if (probe.status !== 0) {
    return { shell: undefined, skip: "root cannot run a child without rights here" };
  }
  return { shell: `exec setpriv ${AS_NOBODY.join(" ")} "$@"`, skip: false };
}

const { shell, skip } = unprivileged();

async function withNobody(
  act: (folder: string, start: (args: readonly string[], seed: string) => Child) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    await chmod(folder, 0o755);
    const home = join(folder, "home");
    await mkdir(home);
    await chmod(home, 0o777);
    const options: ChildOptions = shell === undefined
      ? {}
      : { shell, env: { HOME: home, DENO_DIR: join(home, "deno") } };
    await withChildren((start) => act(folder, (args, seed) => start(args, { ...options, seed })));
  });
}

test("permission denied: the file, the folder and the seed file are named, with exit codes", {
  skip,
}, async () => {
  await withNobody(async (folder, start) => {
    const seed = toHex(generateSeed());
    const [secret, open, inbox] = ["secret", "open", "inbox"].map((name) => join(folder, name));
    assert(secret !== undefined && open !== undefined && inbox !== undefined);
    await writeFile(secret, seed, { mode: 0o000 });
    await writeFile(open, "content", { mode: 0o644 });
    await mkdir(inbox);
    await chmod(inbox, 0o555);
    const listener = start(["listen", "tcp://127.0.0.1:0", "--out", inbox, "--json"], seed);
    const address = String((await listener.event("listening"))["address"]);
    await fails(
      start(["send", secret, address, "--json"], seed),
      5,
      "FILE_IO",
      /secret": permission denied \(EACCES\)/,
    );
    const refused = start(["send", open, address, "--json"], seed);
    await fails(refused, 5, "FILE_IO", /the receiver could not write the file/);
    assert(!refused.stdout.includes(inbox), "the receiver's path is its own");
    const why = await listener.event("not-received");
    assert.equal(why["code"], "FILE_IO");
    assert.match(String(why["message"]), /inbox\/open": permission denied \(EACCES\)/);
    await fails(
      start(["ping", address, "--seed-file", secret, "--json"], seed),
      2,
      "SEED",
      /secret.*permission denied/i,
    );
    await fails(
      start(["keygen", "--out", join(inbox, "new"), "--json"], seed),
      5,
      "FILE_IO",
      /permission denied/,
    );
    assert.deepEqual(await readdir(inbox), []);
  });
});

function lowPortsAreFree(): boolean {
  try {
    return Number(readFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start", "utf8")) <= 80;
  } catch {
    return true;
  }
}

test("permission denied: a port of the system's own", {
  skip: skip || (lowPortsAreFree() ? "everybody may listen on low ports here" : false),
}, async () => {
  await withNobody(async (_, start) => {
    const seed = toHex(generateSeed());
    for (const scheme of ["tcp", "udp"]) {
      const child = start(["listen", `${scheme}://127.0.0.1:80`, "--echo", "--json"], seed);
      await fails(child, 3, "TRANSPORT", /permission denied \(EACCES\)/);
    }
  });
});

test("what measures without end ends when nobody reads it any more", {
  skip: WINDOWS ? "Windows has no head" : false,
}, async () => {
  await withChildren(async (start) => {
    const seed = toHex(generateSeed());
    const listener = start(["listen", "tcp://127.0.0.1:0", "--echo", "--json"], { seed });
    const address = String((await listener.event("listening"))["address"]);
    for (const command of [["top"], ["ping", "--count", "1000000"]]) {
      const shell = '"$@" | head -n 1; exit ${PIPESTATUS[0]}';
      const child = start([...command, address, "--interval", "50"], { seed, shell });
      assert.equal(await child.exit(), 0);
      assert.match(child.stdout, /^[^\n]+\n$/);
    }
  });
});

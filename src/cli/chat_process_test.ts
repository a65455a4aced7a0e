import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { toHex } from "../codec/hex.ts";
import { connect } from "../endpoint/connect.ts";
import { listen } from "../endpoint/listener.ts";
import { generateSeed } from "../endpoint/seeds.ts";
import { CHAT_APP, decodeJoin, encodeJoin } from "./chat/wire.ts";
import { type Child, commandLine, withChildren } from "./child_for_test.ts";

function type(child: Child, text: string): void {
  child.process.stdin?.write(text);
}

function outLine(child: Child, text: string): Promise<void> {
  return child.until(() => `\n${child.stdout}`.includes(`\n${text}\n`), `the line ${text}`);
}

test("three processes hear each other, through pipes, and leave at the end of their input", async () => {
  await withChildren(async (start) => {
    const seed = toHex(generateSeed());
    const host = start(["chat", "--listen", "udp://127.0.0.1:0"], { seed });
    await host.errorLine(/listening on \S+\n/);
    const address = /listening on (\S+)\n/.exec(host.stderr)?.[1] ?? "";
    const alice = start(["chat", address, "--name", "alice"], { seed, stdin: true });
    await outLine(alice, "* you are alice; nobody else is here");
    const bob = start(["chat", address, "--name", "bob", "--json"], { seed, stdin: true });
    await outLine(alice, "* bob joined");
    type(alice, "hello \u00e9\u6f22\r\n\n");
    const heard = await bob.event("message");
    assert.deepEqual(heard, { event: "message", from: "alice", text: "hello \u00e9\u6f22" });
    type(bob, "no escape \x1b[2J\u009b\u202e");
    bob.process.stdin?.end();
    assert.equal(await bob.exit(), 0);
    await outLine(alice, "bob: no escape \\x1b[2J\\x9b\\u202e");
    await outLine(alice, "* bob left");
    alice.process.stdin?.end();
    assert.equal(await alice.exit(), 0);
    // Its input is /dev/null: the room goes on without it.
    await outLine(host, "* alice left");
    host.kill("SIGTERM");
    assert.equal(await host.exit(), 143);
  });
});

test("a dialler comes back to a listener that was started again, with what was typed meanwhile", async () => {
  await withChildren(async (start) => {
    const seed = toHex(generateSeed());
    const first = start(["chat", "--listen", "tcp://127.0.0.1:0", "--json"], { seed });
    const { address } = await first.event("listening");
    const alice = start(["chat", String(address), "--json"], { seed, stdin: true });
    await alice.event("notice");
    first.kill("SIGINT");
    assert.equal(await first.exit(), 130);
    await alice.event("retry");
    type(alice, "while away\n");
    const second = start(["chat", "--listen", String(address), "--json"], { seed });
    assert.equal((await second.event("message"))["text"], "while away");
    alice.kill("SIGINT");
    assert.equal(await alice.exit(), 130);
    assert.equal((await second.event("notice", 2))["text"], `${await nameOf(alice)} left`);
  });
});

async function nameOf(child: Child): Promise<string> {
  const { text } = await child.event("notice", 1);
  return /^you are (\S+);/.exec(String(text))?.[1] ?? "";
}

test("an address where nobody listens is told at once, and is no success", async () => {
  await withChildren(async (start) => {
    const child = start(["chat", "tcp://127.0.0.1:1"], {
      seed: toHex(generateSeed()),
      stdin: true,
    });
    assert.equal(await child.exit(), 3);
    assert.match(child.stderr, /^stt: cannot connect to tcp:\/\/127\.0\.0\.1:1/);
  });
});

test("a peer that is no chat, or breaks its rules, disturbs nobody", async () => {
  await withChildren(async (start) => {
    const seed = toHex(generateSeed());
    const host = start(["chat", "--listen", "tcp://127.0.0.1:0", "--json"], { seed });
    const address = String((await host.event("listening"))["address"]);
    const stranger = await connect(address, { seed });
    await stranger.send(new TextEncoder().encode("no label"));
    await stranger.closed;
    const rude = await connect(address, { seed });
    const stream = await rude.openStream({ mode: "messages" });
    await stream.write(encodeJoin("rude"));
    await stream.read();
    await stream.write(new Uint8Array(1_000_000));
    await rude.closed;
    const alice = start(["chat", address], { seed, stdin: true });
    await alice.until(() => alice.stdout.includes("nobody else is here"), "the greeting");
  });
});

const SCRIPT = spawnSync("script", ["--version"]).status === 0 && process.platform === "linux";

test("on a terminal the prompt stays below what arrives, and the terminal is given back", {
  skip: SCRIPT ? false : "there is no `script` of util-linux to make a terminal with",
}, async () => {
  await withChildren(async (start) => {
    const seed = toHex(generateSeed());
    const host = start(["chat", "--listen", "tcp://127.0.0.1:0"], { seed, stdin: true });
    await host.errorLine(/listening on \S+\n/);
    const address = /listening on (\S+)\n/.exec(host.stderr)?.[1] ?? "";
    const [program, args] = commandLine(["chat", address, "--name", "alice"]);
    const line = [program, ...args].map((word) => `'${word}'`).join(" ");
    const shell = `exec script -qfec "stty cols 40; ${line}; stty -a" /dev/null`;
    const alice = start([], { seed, stdin: true, shell });
    await alice.until(() => alice.stdout.includes("you are alice"), "the greeting");
    type(alice, "half");
    await alice.until(() => alice.stdout.endsWith("> half\x1b[7G"), "the prompt");
    type(host, "no voice\n");
    const bob = start(["chat", address, "--name", "bob"], { seed, stdin: true });
    type(bob, "hi\n");
    // Above the prompt, which is drawn again with what was typed and the cursor behind it.
    await alice.until(
      () => alice.stdout.includes("\r\x1b[Kbob: hi\r\n\r\x1b[K> half\x1b[7G"),
      "the line above the prompt",
    );
    type(alice, " done\r");
    await bob.until(() => bob.stdout.includes("alice: half done\n"), "what was typed");
    type(alice, "\x04");
    assert.equal(await alice.exit(), 0);
    assert.match(alice.stdout, / icanon[^]* echo /);
  });
});

test("Ctrl-C still ends a chat that was left by Ctrl-D and whose room does not let go", {
  skip: SCRIPT ? false : "there is no `script` of util-linux to make a terminal with",
}, async () => {
  await withChildren(async (start) => {
    const seed = toHex(generateSeed());
    const room = await listen("tcp://127.0.0.1:0", { seed, app: CHAT_APP });
    try {
      const taken = room.nextPeer();
      const [program, args] = commandLine(["chat", room.address]);
      const line = [program, ...args].map((word) => `'${word}'`).join(" ");
      const alice = start([], {
        seed,
        stdin: true,
        shell: `exec script -qfec "stty cols 40; exec ${line}" /dev/null`,
      });
      const peer = await taken;
      const first = await peer?.nextMessage();
      assert.equal(decodeJoin(first?.data ?? new Uint8Array()), "");
      const stream = peer?.stream(first?.streamId ?? 0);
      await alice.until(() => alice.stdout.includes("> "), "the prompt");
      type(alice, "\x04");
      assert.equal(await stream?.read(), null);
      type(alice, "\x03");
      assert.equal(await alice.exit(), 130);
    } finally {
      await room.close();
    }
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../../codec/hex.ts";
import { listen } from "../../endpoint/listener.ts";
import { DatagramPair } from "../../testing/datagram_pair.ts";
import { pair } from "../../testing/pair.ts";
import { runCommand } from "../io_for_test.ts";
import { textWidth } from "../text.ts";
import { sparkline, topLine, topLines, type TopView } from "./screen.ts";

const SEED = new Uint8Array(32).fill(8);

function view(stats: TopView["stats"]): TopView {
  return {
    address: "udp://example.org:9000",
    peerId: "ab".repeat(32),
    suite: "x25519-chacha20poly1305",
    elapsedMs: 3_725_000,
    stats,
    change: stats,
    intervalMs: 1000,
    rtts: [1, 2, 3],
  };
}

test("sparkline: the highest is full, the newest at the right, no wider than asked", () => {
  assert.equal(sparkline([1, 4, 8], 10), "▁▄█");
  assert.equal(sparkline([1, 4, 8], 2), "▄█");
  assert.equal(sparkline([0, 0], 5), "▁▁");
  assert.equal(sparkline([], 5), "");
});

test("the screen fits any width, with a path and without, measured and not", () => {
  let now = 0;
  const udp = new DatagramPair({ profile: () => now += 0.01 });
  udp.run(() => udp.a.state === "established");
  const views = [view(udp.a.stats()), view(pair().establish().a.stats())];
  for (const columns of [20, 40, 80, 200]) {
    for (const one of views) {
      const lines = topLines(one, columns, (_, text) => text);
      for (const line of lines) assert.ok(textWidth(line) <= columns, `${columns}: ${line}`);
    }
  }
  const [first, second] = views.map((one) => topLines(one, 80, (_, text) => text).join("\n"));
  assert.match(first ?? "", /udp:\/\/example\.org:9000 {2}established {2}01:02:05/);
  assert.match(first ?? "", /seal +10\.0 µs/);
  assert.match(second ?? "", /rtt +-\n/);
  assert.match(second ?? "", /a reliable transport/);
  assert.match(topLine(views[0] as TopView), /^rtt 3\.00 ms \(median /);
});

test("stt top: a screen on a terminal, lines in a pipe, objects with --json", async () => {
  const listener = await listen("tcp://127.0.0.1:0", { seed: SEED });
  const env = { STT_SEED: toHex(SEED) };
  const argv = ["top", listener.address, "--count", "3", "--interval", "50"];
  const piped = await runCommand(argv, { env });
  assert.equal(piped.exit, 0);
  assert.match(piped.stdout, /^(rtt [\d.]+ [mµ]s .*\n){3}$/);
  const json = await runCommand([...argv, "--json"], { env });
  const looks = json.stdout.trim().split("\n").map((line) => JSON.parse(line))
    .filter(({ event }) => event === "stats");
  assert.equal(looks.length, 3);
  assert.ok(looks[2].times.rtt.p50 > 0 && looks[2].change.framesSent > 0);
  const terminal = await runCommand(argv, { env, typed: null });
  const screens = terminal.stdout.split("\x1b[18A");
  assert.equal(screens.length, 3, "drawn once and twice again in its place");
  assert.ok(screens[0]?.startsWith("\x1b[?25l") && screens[2]?.endsWith("\x1b[?25h"));
  const low = await runCommand(argv, { env, typed: null, rows: 10 });
  assert.equal(low.stdout.split("\x1b[9A").length, 3, "no more lines than the terminal has");
  const endless = ["top", listener.address, "--interval", "50"];
  for (const [keys, exit] of [["q", 0], ["\x03", 130]] as const) {
    assert.equal((await runCommand(endless, { env, typed: null, keys })).exit, exit);
  }
  assert.equal((await runCommand(["top"], { env })).exit, 2);
  await listener.close();
});

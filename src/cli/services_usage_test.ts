import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../endpoint/connect.ts";
import { listen } from "../endpoint/listener.ts";
import { eventually } from "./child_for_test.ts";
import { encodeRequest, FORWARD_APP } from "./forwarding/wire.ts";
import { runCommand } from "./io_for_test.ts";

const SEED = "5".repeat(64);
const NOWHERE = "tcp://127.0.0.1:1";

test("wrong use of chat, forward and bench is exit code 2, and says what is wrong", async () => {
  const wrong: [string[], RegExp][] = [
    [["chat"], /chat needs one address\ntry: stt help chat/],
    [["chat", NOWHERE, NOWHERE], /chat needs one address/],
    [["chat", NOWHERE, "--name", " "], /--name takes 1 to 32 characters/],
    [["chat", NOWHERE, "--name", "x".repeat(33)], /--name takes 1 to 32 characters/],
    [["chat", NOWHERE, "--retry", "-1"], /./],
    [["forward"], /forward needs one address\ntry: stt help forward/],
    [["forward", NOWHERE], /forward needs -L or -R/],
    [["forward", NOWHERE, "-L", "80:x"], /cannot forward "80:x": not of the form/],
    [["forward", NOWHERE, "-L", "1:a:1", "--allow", "a:1"], /--allow is for --listen/],
    [["forward", NOWHERE, "-L", "1:a:1", "--allow-bind", "1"], /--allow-bind is for --listen/],
    [["forward", NOWHERE, "-L", "1:a:1", "--connections", "0"], /--connections takes/],
    [["forward", "--listen", NOWHERE], /allows nothing without --allow or --allow-bind/],
    [["forward", "--listen", NOWHERE, "-R", "1:a:1"], /--remote is for who dials/],
    [["forward", "--listen", NOWHERE, "--allow", "a"], /cannot allow "a": not of the form/],
    [["bench"], /bench needs one address\ntry: stt help bench/],
    [["bench", NOWHERE, "--streams", "17"], /--streams takes a number from 1 to 16/],
    [["bench", NOWHERE, "--duration", "61"], /--duration takes a number from 0 to 60/],
    [["listen", NOWHERE, "--bench", "--app", "x"], /--app shuts out those whom --bench/],
    [["listen", "ws://127.0.0.1:1/", "--web", "--app", "x"], /--app shuts out pages/],
    [["listen", NOWHERE, "--exclude", "*.o"], /--exclude is for --offer/],
    [["listen", NOWHERE, "--offer", "a", "--out", "."], /--out is for who receives, and --offer/],
    [["listen", NOWHERE, "--offer", "a", "--hidden"], /--hidden is for who receives/],
    [["listen", NOWHERE, "--echo", "--out", "."], /--out is for files/],
    [["listen", NOWHERE, "--echo", "--no-resume"], /--no-resume is for files/],
    [["chat", "--listen", NOWHERE, "--retry", "1"], /--retry is for who dials/],
    [["chat", NOWHERE, "--cert", "x"], /--cert is for --listen/],
    [["forward", "--listen", NOWHERE, "--ca", "x", "--allow", "a:1"], /--ca is for who dials/],
  ];
  for (const [argv, message] of wrong) {
    const { exit, stdout, stderr } = await runCommand(argv, { env: { STT_SEED: SEED } });
    assert.equal(exit, 2, argv.join(" "));
    assert.equal(stdout, "");
    assert.match(stderr, message, argv.join(" "));
  }
});

test("what a listener left unsaid of refused connections is said before it ends, not 5 s later", async () => {
  const argv = ["forward", "--listen", "mem:refused", "--allow", "a:1", "--json"];
  const run = runCommand(argv, { env: { STT_SEED: SEED }, interruptAt: /"peer-left"/ });
  const peer = await eventually(
    () => connect("mem:refused", { seed: SEED, app: FORWARD_APP }).catch(() => undefined),
    "a session",
  );
  for (let count = 0; count < 12; count++) {
    const stream = await peer.openStream();
    await stream.write(encodeRequest({ type: "connect", place: { host: "b", port: 1 } }));
    await stream.read();
  }
  await peer.close();
  const { exit, stdout } = await run;
  assert.equal(exit, 130);
  const events = stdout.trim().split("\n").map((line) => JSON.parse(line));
  assert.equal(events.filter(({ event }) => event === "not-forwarded").length, 10);
  assert.equal(events.find(({ event }) => event === "not-forwarded-more")?.count, 2);
});

test("ping sums up what it measured, also when it is interrupted", async () => {
  const listener = await listen("mem:pinged", { seed: SEED });
  try {
    const argv = ["ping", "mem:pinged", "--json", "--interval", "1"];
    for (
      const [more, interruptAt, exit] of [["4", undefined, 0], [
        "1000000",
        /"seq[^]*"seq/,
        130,
      ]] as const
    ) {
      const world = { env: { STT_SEED: SEED }, ...interruptAt && { interruptAt } };
      const run = await runCommand([...argv, "--count", more], world);
      assert.equal(run.exit, exit);
      const events = run.stdout.trim().split("\n").map((line) => JSON.parse(line));
      const times: number[] = events.flatMap(({ event, ms }) => event === "pong" ? [ms] : []);
      const { count, min, max, avg } = events.find(({ event }) => event === "summary");
      assert.deepEqual([count, min, max], [times.length, Math.min(...times), Math.max(...times)]);
      assert(avg >= min && avg <= max);
    }
  } finally {
    await listener.close();
  }
});

test("a bench of no time at all is one of a millisecond, the least that a listener takes", async () => {
  const world = { env: { STT_SEED: SEED } };
  const listening = runCommand(["listen", "mem:benched", "--bench", "--json"], {
    ...world,
    interruptAt: /"peer-left"/,
  });
  const bench = ["bench", "mem:benched", "-d", "0.0001", "--pings", "1", "--datagrams", "0"];
  const run = await eventually(async () => {
    const tried = await runCommand(bench, world);
    return tried.exit === 3 ? undefined : tried;
  }, "a listener");
  assert.equal(run.exit, 0, run.stderr);
  assert.match(run.stdout, /^upload .*\ndownload /m);
  assert.equal((await listening).exit, 130);
});

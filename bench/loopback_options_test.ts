import assert from "node:assert/strict";
import { test } from "node:test";
import { loopbackOptions } from "./loopback_options.ts";

test("without arguments every transport is measured in both runtimes", () => {
  assert.deepEqual(loopbackOptions([]), {
    transports: ["udp", "ws", "tcp", "mem"],
    runtimes: ["node", "deno"],
    write: 65_536,
    seconds: 2,
    rounds: 3,
    unstableNet: false,
    congestion: undefined,
    pathMtu: undefined,
    stats: false,
    cpuProfile: undefined,
  });
});

test("every option is read", () => {
  const line = "--transport udp,ws --runtime node --write 1200 --seconds 0.5 --rounds 1 " +
    "--unstable-net --congestion bbr --path-mtu 9000 --stats --cpu-prof --cpu-prof-dir profiles";
  assert.deepEqual(loopbackOptions(line.split(" ")), {
    transports: ["udp", "ws"],
    runtimes: ["node"],
    write: 1200,
    seconds: 0.5,
    rounds: 1,
    unstableNet: true,
    congestion: "bbr",
    pathMtu: 9000,
    stats: true,
    cpuProfile: "profiles",
  });
});

test("what is out of range is named", () => {
  const lines = [
    ["--transport", "quic"],
    ["--runtime", "bun"],
    ["--write", "0"],
    ["--write", "65537"],
    ["--write", "x"],
    ["--seconds", "0"],
    ["--seconds", "x"],
    ["--rounds", "1.5"],
    ["--congestion", "vegas"],
    ["--nonsense", ""],
  ];
  for (const args of lines) {
    const found = loopbackOptions(args);
    assert.equal(typeof found, "string", args.join(" "));
    assert.match(String(found), new RegExp(args[0] ?? ""));
  }
});

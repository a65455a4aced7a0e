/**
 * A slice of the soak, by its command.
 *
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { SoakReport } from "./run.ts";

const SOAK = fileURLToPath(new URL("../soak.ts", import.meta.url));

async function run(args: readonly string[]): Promise<{ code: number; out: string }> {
  const command = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--frozen", "--no-check", "--v8-flags=--expose-gc", SOAK],
      ...args,
    ],
    stderr: "piped",
  });
  const { code, stdout } = await command.output();
  return { code, out: new TextDecoder().decode(stdout) };
}

test("soak: three seconds of it, every transport, good verdict", { timeout: 60_000 }, async () => {
  const { code, out } = await run(["--minutes", "0.05", "--json", "--rate", "400000"]);
  const report = JSON.parse(out) as SoakReport;
  assert.deepEqual(report.reasons, []);
  assert.ok(report.ok);
  assert.equal(code, 0);
  assert.deepEqual(report.lanes.map(({ name }) => name), ["udp", "tcp", "ws"]);
  for (const lane of report.lanes) {
    assert.ok(lane.transfers > 0 && lane.verifiedBytes > 0, lane.name);
    assert.deepEqual(lane.unexplained, []);
  }
  assert.ok(report.samples.length > 0);
});

test("soak: a wrong argument ends with 2", { timeout: 60_000 }, async () => {
  assert.equal((await run(["--minutes", "never"])).code, 2);
});

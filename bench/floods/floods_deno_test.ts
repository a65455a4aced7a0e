/**
 * Two small floods by their command.
 *
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Row } from "./measure.ts";

const FLOODS = fileURLToPath(new URL("../floods.ts", import.meta.url));

test("floods: the command floods, counts and judges", { timeout: 60_000 }, async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--frozen", "--no-check", "--unstable-net", "--v8-flags=--expose-gc"],
      ...[FLOODS, "--only", "tcp: streams", "--scale", "0.01", "--json"],
    ],
    stderr: "null",
  }).output();
  const { rows } = JSON.parse(new TextDecoder().decode(stdout)) as { rows: Row[] };
  const [row] = rows;
  assert.ok(row !== undefined && rows.length === 1);
  assert.equal(row.sent, 100);
  assert.ok(row.clients > 0);
  // How long things take is the machine's affair: the command judges it, the test does not.
  assert.deepEqual(row.faults.filter((fault) => !fault.includes("ms ")), []);
});

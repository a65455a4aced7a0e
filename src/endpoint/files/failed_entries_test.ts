import assert from "node:assert/strict";
import { test } from "node:test";
import { SttError } from "../../errors.ts";
import { FailedEntries } from "./failed_entries.ts";

test("many failed entries share their errors, each with its path and code", () => {
  const failed = new FailedEntries();
  const errors = Array.from(
    { length: 1200 },
    (_, n) => new SttError(n % 2 === 0 ? "FILE_NAME" : "FILE_EXISTS", `entry ${n}`),
  );
  for (const [n, error] of errors.entries()) failed.add(String(n), error);
  assert.deepEqual(failed.list.map(({ path }) => path), errors.map((_, n) => String(n)));
  assert.deepEqual(failed.list.map(({ error }) => error.code), errors.map(({ code }) => code));
  assert.equal(failed.list[999]?.error, errors[999]);
  assert.equal(failed.list[1000]?.error, failed.list[1198]?.error);
  assert.equal(failed.list[1001]?.error, failed.list[1199]?.error);
});

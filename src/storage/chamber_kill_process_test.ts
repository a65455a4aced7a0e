import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { killAt, skip } from "./kill_for_test.ts";

/** The system calls that change what is on the disk, with all spellings that the runtimes use. */
const CALLS: readonly string[] = [
  "fsync,fdatasync",
  "rename,renameat,renameat2",
  "link,linkat",
  "unlink,unlinkat",
];

function nothingIsLeftOver(folder: string, values: number, where: string): void {
  // The draft of a lock stays for a minute, as it could be a waiter's.
  const names = readdirSync(folder).filter((name) => !name.startsWith("lock."));
  assert.equal(names.length, 3 + values, `${where}: ${names}`);
}

test("killed at any system call, a real writer leaves what it acknowledged", { skip }, async () => {
  await Promise.all(CALLS.map((calls) => killAt("files", calls, 1, nothingIsLeftOver)));
});

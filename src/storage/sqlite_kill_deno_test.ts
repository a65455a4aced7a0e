import { test } from "node:test";
import { killAt, skip } from "./kill_for_test.ts";

/** Calls and how many of them to pass by: SQLite makes many, and its own tests are at every one. */
const CALLS: readonly (readonly [string, number])[] = [
  ["fsync,fdatasync", 5],
  ["unlink,unlinkat", 1],
  ["pwrite64", 17],
];

test(
  "killed at system calls, a writer of a database leaves what it acknowledged",
  { skip },
  async () => {
    await Promise.all(CALLS.map(([calls, step]) => killAt("sqlite", calls, step)));
  },
);

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Peer } from "../endpoint/peer.ts";
import { SttError } from "../errors.ts";
import type { CliIo, CliOutput } from "./io.ts";
import { reportFolder } from "./receiving.ts";
import { Report } from "./report.ts";

test("a folder of which nothing could be kept is told in few lines", () => {
  let text = "";
  const output: CliOutput = {
    isTty: false,
    columns: 80,
    text: (more) => (text += more),
    bytes: () => Promise.resolve(),
  };
  const report = new Report({ stdout: output, stderr: output } as CliIo, {
    json: false,
    quiet: false,
  });
  const error = new SttError("FILE_NAME", "it has no name");
  const failed = Array.from({ length: 5000 }, (_, n) => ({ path: `../${n}\x1b[2J`, error }));
  const folder = { name: "box", path: "/in/box", mode: "folder", entries: 0, bytes: 0 } as const;
  const exit = reportFolder({ ...folder, resumed: 0, failed }, { id: "ab" } as Peer, 1, report);
  assert.notEqual(exit, undefined);
  const lines = text.trimEnd().split("\n");
  assert.equal(lines.length, 102);
  assert.equal(lines[99], 'stt: did not receive "box/../99\\u001b[2J": it has no name');
  assert.equal(lines[100], 'stt: did not receive 4900 more of "box"');
});

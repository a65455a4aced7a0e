import assert from "node:assert/strict";
import { test } from "node:test";
import { type ErrorCode, SttError } from "../errors.ts";
import { hintOf } from "./hints.ts";

const speaks = (theirs: string, ours: string) =>
  `cannot accept session: the peer speaks "${theirs}", we "${ours}"`;

test("errors that a person can do something about have a hint, the closest one", () => {
  const cases: [ErrorCode, string, RegExp][] = [
    ["REFUSED", speaks("stt-files/1", "stt-chat/1"), /`stt chat --listen ADDR`$/],
    ["REFUSED", speaks("stt-files/1", "stt-forward/1"), /--allow-forward$/],
    ["REFUSED", speaks("stt-files/1", "stt-bench/1"), /--bench\?$/],
    ["REFUSED", speaks("stt-chat/1", "stt-files/1"), /^a chat runs there/],
    ["REFUSED", speaks("a/1", "b/1"), /^--app /],
    ["FRAME_MAGIC", "cannot decode frame: byte 48 where 53 54 starts it (offset 0)", /scheme/],
    ["TRANSPORT", "cannot connect to ws://h:1/: the peer reset it (ECONNRESET)", /scheme/],
    ["TRANSPORT", "cannot connect to wss://h:1/: (ERR_SSL_WRONG_VERSION_NUMBER)", /TLS/],
    ["TRANSPORT", "cannot connect to tcp://h:1: refused (ECONNREFUSED)", /`stt listen`/],
  ];
  for (const [code, message, hint] of cases) {
    assert.match(hintOf(new SttError(code, message)) ?? "", hint, message);
  }
  assert.equal(hintOf(new SttError("REFUSED", "the peer said no")), undefined);
});

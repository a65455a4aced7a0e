import assert from "node:assert/strict";
import { test } from "node:test";
import { SttError } from "../errors.ts";
import { systemCode, transportError, webSocketCloseError } from "./transport_error.ts";

function systemError(code: string, message = code): Error {
  return Object.assign(new Error(message), { code });
}

test("known codes become sentences, unknown ones keep the system's text", () => {
  const attempt = "cannot listen on tcp://127.0.0.1:80";
  const cases: [unknown, string][] = [
    [systemError("EACCES"), `${attempt}: permission denied (EACCES)`],
    [
      systemError("EADDRINUSE"),
      `${attempt}: the address is in use by another listener (EADDRINUSE)`,
    ],
    [systemError("EODD", "odd thing"), `${attempt}: odd thing (EODD)`],
    [systemError("EODD", "EODD: odd thing"), `${attempt}: EODD: odd thing`],
    [new Error("plain"), `${attempt}: plain`],
    [new Error(""), `${attempt}: unknown cause`],
    ["text", `${attempt}: text`],
    [
      Object.assign(new Error("Requires net access"), { name: "NotCapable" }),
      `${attempt}: Requires net access (EACCES)`,
    ],
    [
      new AggregateError([systemError("ECONNREFUSED"), systemError("ENETUNREACH")]),
      `${attempt}: connection refused: nobody listens there (ECONNREFUSED)`,
    ],
  ];
  for (const [cause, message] of cases) {
    const error = transportError(attempt, cause);
    assert.equal(error.code, "TRANSPORT");
    assert.equal(error.message, message);
    assert.equal(error.cause, cause);
  }
  const own = new SttError("CLOSED", "closed");
  assert.equal(transportError(attempt, own), own);
  assert.equal(systemCode("nothing"), undefined);
});

test("WebSocket closes that are orderly are no error", () => {
  for (const code of [1000, 1001, 1005]) {
    assert.equal(webSocketCloseError("ws://h:1/", code), undefined);
  }
  assert.equal(
    webSocketCloseError("ws://h:1/", 1009)?.message,
    "connection ws://h:1/ closed with WebSocket code 1009 (message too big)",
  );
  assert.equal(
    webSocketCloseError("ws://h:1/", 4999)?.message,
    "connection ws://h:1/ closed with WebSocket code 4999",
  );
});

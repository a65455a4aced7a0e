import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../exit_codes.ts";
import { AllowList, parseForward, placeText } from "./rules.ts";

test("-L and -R are read as ssh reads them, with the loopback as the default", () => {
  const cases: [string, string, string][] = [
    ["80:example.org:8080", "127.0.0.1:80", "example.org:8080"],
    ["0:localhost:1", "127.0.0.1:0", "localhost:1"],
    ["*:80:Example.org:8080", "0.0.0.0:80", "example.org:8080"],
    [":80:h:1", "0.0.0.0:80", "h:1"],
    ["192.0.2.1:80:h:1", "192.0.2.1:80", "h:1"],
    ["[::1]:80:[2001:db8::1]:8080", "[::1]:80", "[2001:db8::1]:8080"],
    ["80:[::1]:8080", "127.0.0.1:80", "[::1]:8080"],
  ];
  for (const [text, listen, target] of cases) {
    const forward = parseForward(text);
    assert.deepEqual([placeText(forward.listen), placeText(forward.target)], [listen, target]);
  }
  const wrong = [
    "",
    "80",
    "80:h",
    "80:h:0",
    "80:h:65536",
    "65536:h:1",
    "a:b:c:d",
    "80::1",
    "x:h:1",
  ];
  for (const text of [...wrong, "::1:80:h:1", "80:h h:1", "80:h:1:2:3", "1.2.3:80:h:1"]) {
    assert.throws(() => parseForward(text), UsageError, text);
  }
});

test("only what a pattern names is allowed, as it is spelled", () => {
  const list = new AllowList([
    "localhost:5432, DB.internal:8000-8010",
    "*.example.org:443,[::1]:22",
    "192.0.2.1:*",
  ]);
  const allowed = [
    ["localhost", 5432],
    ["db.internal", 8000],
    ["db.INTERNAL", 8010],
    ["a.example.org", 443],
    ["a.b.example.org", 443],
    ["::1", 22],
    ["192.0.2.1", 1],
  ] as const;
  for (const [host, port] of allowed) assert(list.allows({ host, port }), `${host}:${port}`);
  const denied = [
    ["127.0.0.1", 5432],
    ["localhost", 5433],
    ["db.internal", 7999],
    ["db.internal", 8011],
    ["example.org", 443],
    ["evilexample.org", 443],
    ["a.example.org", 80],
    ["192.0.2.10", 1],
  ] as const;
  for (const [host, port] of denied) assert(!list.allows({ host, port }), `${host}:${port}`);
  assert(new AllowList(["*:*"]).allows({ host: "anything", port: 1 }));
  assert(new AllowList(["*:*"]).allows({ host: "::1", port: 65_535 }));
  const nothing = new AllowList([]);
  assert(nothing.isEmpty && !nothing.allows({ host: "localhost", port: 1 }));
});

test("a port alone is one of the default host, where there is one", () => {
  const list = new AllowList(["8080,9000-9001,0.0.0.0:1"], "127.0.0.1");
  assert(list.allows({ host: "127.0.0.1", port: 9001 }));
  assert(list.allows({ host: "0.0.0.0", port: 1 }));
  assert(!list.allows({ host: "0.0.0.0", port: 8080 }));
});

test("a pattern that is none is refused: nothing is allowed by mistake", () => {
  const wrong = [
    "",
    "localhost",
    ":80",
    "h:",
    "h:80-",
    "h:90-80",
    "h:65536",
    "*",
    "h:80:90",
    "a*:1",
  ];
  for (const text of [...wrong, "*.:1", "**:1", "h:1,,", "[x]:1", "h:-1"]) {
    assert.throws(() => new AllowList([text]), UsageError, text);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SttError } from "../errors.ts";
import { formatAddress, parseAddress, plainHost, printableAddress } from "./address.ts";

test("addresses parse into their parts and format back", () => {
  const cases: [string, string, string, number, string, string][] = [
    ["ws://127.0.0.1:9000/", "ws", "127.0.0.1", 9000, "/", "ws://127.0.0.1:9000/"],
    ["ws://127.0.0.1:9000", "ws", "127.0.0.1", 9000, "/", "ws://127.0.0.1:9000/"],
    ["ws://example.com", "ws", "example.com", 80, "/", "ws://example.com:80/"],
    ["WSS://Example.COM/a/b", "wss", "example.com", 443, "/a/b", "wss://example.com:443/a/b"],
    ["ws://h:1?q=1", "ws", "h", 1, "/?q=1", "ws://h:1/?q=1"],
    ["wss://[::1]:8443/x", "wss", "::1", 8443, "/x", "wss://[::1]:8443/x"],
    ["tcp://[fe80::1%eth0]:7", "tcp", "fe80::1%eth0", 7, "", "tcp://[fe80::1%eth0]:7"],
    ["tcp://localhost:0", "tcp", "localhost", 0, "", "tcp://localhost:0"],
    ["tcp://host.example.:65535", "tcp", "host.example.", 65535, "", "tcp://host.example.:65535"],
    ["udp://10.0.0.1:53", "udp", "10.0.0.1", 53, "", "udp://10.0.0.1:53"],
    ["mem:lobby-1", "mem", "lobby-1", 0, "", "mem:lobby-1"],
  ];
  for (const [text, scheme, host, port, path, normal] of cases) {
    const address = parseAddress(text);
    assert.deepEqual({ ...address }, { scheme, host, port, path, text: normal });
    assert.deepEqual(parseAddress(normal), address);
    assert.equal(formatAddress(address), normal);
  }
});

test("a wrong address is refused with the text and the rule", () => {
  const cases: [string, RegExp][] = [
    ["", /does not start with a scheme/],
    ["127.0.0.1", /does not start with a scheme/],
    ["localhost:9000", /unknown scheme "localhost"/],
    ["http://h:1", /unknown scheme "http"/],
    ["constructor://h:1", /unknown scheme/],
    ["tcp:h:1", /must be followed by "\/\/"/],
    ["tcp://h", /tcp needs a port/],
    ["udp://h", /udp needs a port/],
    ["tcp://:9000", /host is missing/],
    ["ws:///path", /host is missing/],
    ["tcp://::1:9000", /stands in brackets, as in tcp:\/\/\[::1\]:9000/],
    ["tcp://[::1:9000", /not closed/],
    ["tcp://[::1]9000", /":port" may follow/],
    ["tcp://[host]:1", /not an IPv6 address/],
    ["ws://[fe80::1%eth0]:1/", /zone/],
    ["tcp://h:", /port must be a number/],
    ["tcp://h:65536", /port must be a number/],
    ["tcp://h:-1", /port must be a number/],
    ["tcp://h:1e3", /port must be a number/],
    ["tcp://h:9000/", /tcp address has no path/],
    ["tcp://1.2.3.999:1", /not a valid IPv4/],
    ["tcp://-a:1", /neither an IP address nor a host name/],
    ["tcp://a..b:1", /neither an IP address nor a host name/],
    ["tcp://a b:1", /neither an IP address nor a host name/],
    ["ws://h:1/a b", /percent-encoded/],
    ["ws://h:1/a\r\nX: 1", /percent-encoded/],
    ["ws://h:1/#top", /no fragment/],
    ["mem:", /1 to 64/],
    ["mem://x", /1 to 64/],
    ["tcp://0x7f000001:1", /does not end in a number/],
    ["ws://127.0.0.0x1/", /does not end in a number/],
    ["udp://host.1.:1", /does not end in a number/],
    [`ws://${"a".repeat(3000)}`, /exceed the limit of 2048/],
    [`ws://${"a.".repeat(150)}b`, /limit is 253/],
  ];
  for (const [text, rule] of cases) {
    assert.throws(() => parseAddress(text), (error: unknown) => {
      assert.ok(error instanceof SttError, text);
      assert.equal(error.code, "ADDRESS");
      assert.match(error.message, /^cannot parse address "/);
      assert.match(error.message, rule);
      assert.ok(text === "" || error.message.includes(JSON.stringify(text).slice(1, 4)), text);
      return true;
    });
  }
});

test("a password or a token in an address never reaches a message", () => {
  const texts = [
    "ws://bob:hunter2@h:1/",
    "ws://bob:hunter2/x@h:1",
    "ws://h:x/?key=hunter2",
    "ws://h:1/?key=hunter2#a",
    // A login without its scheme.
    "//hunter2@h:1",
    "//hunter2:@h",
    "bob:hunter2@h:1",
    // The @ stands behind what a message shows.
    `ws://${"b".repeat(150)}:hunter2${"c".repeat(100)}@h:1/`,
  ];
  for (const text of texts) {
    assert.throws(() => parseAddress(text), (error: Error) => !error.message.includes("hunter2"));
  }
  assert.equal(printableAddress(parseAddress("ws://h:1/a?key=hunter2")), "ws://h:1/a");
});

test("a message shows control characters escaped", () => {
  for (const text of ["\u001b[2J:x", "ws://\u001b", "mem:\u0007"]) {
    assert.throws(
      () => parseAddress(text),
      ({ message }: Error) => !/\p{Cc}/u.test(message),
    );
  }
});

test("no text makes the parser fail in another way", () => {
  fc.assert(fc.property(
    fc.oneof(fc.string(), fc.webUrl(), fc.string().map((tail) => `tcp://${tail}`)),
    (text) => {
      try {
        const address = parseAddress(text);
        assert.equal(parseAddress(address.text).text, address.text);
      } catch (error) {
        assert.ok(error instanceof SttError && error.code === "ADDRESS");
      }
    },
  ));
});

test("a mapped IPv4 address counts as the IPv4 address", () => {
  assert.equal(plainHost("::ffff:10.1.2.3"), "10.1.2.3");
  assert.equal(plainHost("::1"), "::1");
  assert.equal(plainHost(undefined), "unknown");
});

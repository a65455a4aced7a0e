import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addressKey, hostBytes, networkKey } from "./network_address.ts";

const octet = fc.nat(255);
const v4 = fc.tuple(octet, octet, octet, octet);

test("an IPv4 address has one key, however it is written", () => {
  fc.assert(fc.property(v4, (bytes) => {
    const plain = bytes.join(".");
    const key = addressKey(plain);
    const padded = bytes.map((byte) => String(byte).padStart(3, "0")).join(".");
    for (const host of [plain, padded, `::ffff:${plain}`, `::FFFF:${plain}`]) {
      assert.deepEqual(hostBytes(host), Uint8Array.from(bytes), host);
      assert.equal(addressKey(host), key, host);
      assert.equal(networkKey(host), key, host);
    }
  }));
});

test("different IPv4 addresses, and names, have different keys", () => {
  fc.assert(fc.property(v4, v4, (a, b) => {
    assert.equal(addressKey(a.join(".")) === addressKey(b.join(".")), a.join() === b.join());
  }));
  const hosts = [
    "1.2.3.4",
    "12.3.4.1",
    "\u0001\u0002\u0003\u0004",
    "1.2.3.256",
    "1.2.3.4.",
    "1.2.3",
    "::1",
  ];
  assert.equal(new Set(hosts.map(addressKey)).size, hosts.length);
  assert.equal(new Set(hosts.map(networkKey)).size, hosts.length);
});

test("an IPv6 network is a /64", () => {
  assert.equal(networkKey("2001:db8:1:2::1"), networkKey("2001:db8:1:2:ffff::9"));
  assert.notEqual(networkKey("2001:db8:1:2::1"), networkKey("2001:db8:1:3::1"));
  assert.notEqual(addressKey("2001:db8:1:2::1"), addressKey("2001:db8:1:2::2"));
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../testing/prng.ts";
import { sameBytes } from "./bytes.ts";
import { CookieJar, makeCookie } from "./cookie.ts";
import { FinalStore } from "./final_store.ts";
import { provider } from "./fixture_test.ts";
import { identityError } from "./identity.ts";
import { addressKey, hostBytes, networkKey } from "./network_address.ts";
import { NonceCache } from "./nonce_cache.ts";
import { RateLimiter } from "./rate_limiter.ts";
import { RepeatTimer } from "./repeat_timer.ts";

const NONCE = new Uint8Array(32).fill(7);
const ADDRESS = { host: "192.0.2.1", port: 4000 };
const MINUTE = 60_000;

test("addresses as bytes", () => {
  const cases: [string, number[]][] = [
    ["192.0.2.1", [192, 0, 2, 1]],
    ["::ffff:192.0.2.1", [192, 0, 2, 1]],
    ["::ffff:c000:201", [192, 0, 2, 1]],
    ["::1", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
    ["::", new Array(16).fill(0)],
    ["2001:db8::1:2", [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2]],
    ["fe80::1%eth0", [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
    ["1:2:3:4:5:6:7:8", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]],
    ["1:2:3:4:5:6:7::", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 0]],
    ["1:2:3:4:5:6:1.2.3.4", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 1, 2, 3, 4]],
    ["255.0.0.255", [255, 0, 0, 255]],
  ];
  for (const [host, bytes] of cases) assert.deepEqual([...hostBytes(host)], bytes, host);
  const names = ["256.0.0.1", "1.2.3", "1:2:3", "1::2::3", "g::1", "mem:a", "localhost", ""];
  const more = [
    "1:2:3:4:5:6:7:8::",
    "1:2:3:4::5:6:7:8::9",
    "::1.2.3.4:5",
    "1:2:3:4:5:6:7:8:9",
    "1.2.3.4.5",
    "::1.2.3.400",
  ];
  for (const name of [...names, ...more]) {
    assert.deepEqual([...hostBytes(name)], [...new TextEncoder().encode(name)], name);
  }
});

test("networks: /32, /64, names", () => {
  assert.equal(networkKey("2001:db8::1"), networkKey("2001:db8:0:0:ffff::2"));
  assert.notEqual(networkKey("2001:db8::1"), networkKey("2001:db8:0:1::1"));
  assert.notEqual(networkKey("192.0.2.1"), networkKey("192.0.2.2"));
  assert.equal(networkKey("192.0.2.1"), networkKey("::ffff:192.0.2.1"));
  assert.notEqual(addressKey("2001:db8::1"), addressKey("2001:db8::2"));
  assert.notEqual(networkKey("mem:test-1"), networkKey("mem:test-2"));
  // A name of sixteen characters is no address, and no IPv6 network of its own.
  assert.notEqual(networkKey("a-name-of-16-x-1"), networkKey("a-name-of-16-x-2"));
});

test("a cookie is for one address, port and nonce", () => {
  const jar = new CookieJar(provider);
  const cookie = jar.issue(ADDRESS, NONCE, 0, MINUTE);
  assert.equal(cookie.length, 20);
  assert.equal(jar.verify(cookie, ADDRESS, NONCE, 0, MINUTE), true);
  assert.equal(jar.verify(cookie, { ...ADDRESS, host: "192.0.2.2" }, NONCE, 0, MINUTE), false);
  assert.equal(jar.verify(cookie, { ...ADDRESS, port: 4001 }, NONCE, 0, MINUTE), false);
  assert.equal(jar.verify(cookie, ADDRESS, new Uint8Array(32), 0, MINUTE), false);
  assert.equal(jar.verify(cookie.subarray(1), ADDRESS, NONCE, 0, MINUTE), false);
  assert.equal(jar.verify(new Uint8Array(3), ADDRESS, NONCE, 0, MINUTE), false);
  for (let index = 0; index < cookie.length; index++) {
    const wrong = cookie.slice();
    wrong[index]! ^= 1;
    assert.equal(jar.verify(wrong, ADDRESS, NONCE, 0, MINUTE), false);
  }
  jar.destroy();
  assert.equal(jar.verify(cookie, ADDRESS, NONCE, 0, MINUTE), false);
});

test("a cookie outlives one renewal of the secret, not two", () => {
  const jar = new CookieJar(provider);
  const cookie = jar.issue(ADDRESS, NONCE, 0, 0);
  assert.equal(jar.verify(cookie, ADDRESS, NONCE, 119_999, 119_999), true);
  assert.equal(jar.verify(cookie, ADDRESS, NONCE, 120_000, 120_000), true);
  assert.equal(jar.verify(cookie, ADDRESS, NONCE, 239_999, 239_999), true);
  assert.equal(jar.verify(cookie, ADDRESS, NONCE, 240_000, 240_000), false);
});

test("a secret that nobody used for long is not accepted as the previous one", () => {
  const jar = new CookieJar(provider);
  const cookie = jar.issue(ADDRESS, NONCE, 0, 0);
  assert.equal(jar.verify(cookie, ADDRESS, NONCE, 240_000, 0), false);
});

test("a cookie ages by its counter even under a fixed secret, and none comes from the future", () => {
  const secret = new Uint8Array(32).fill(3);
  const jar = new CookieJar(provider, () => secret);
  const cookie = makeCookie(provider, secret, ADDRESS, NONCE, 10);
  assert.equal(jar.verify(cookie, ADDRESS, NONCE, 0, 14 * MINUTE), true);
  assert.equal(jar.verify(cookie, ADDRESS, NONCE, 0, 15 * MINUTE), false);
  assert.equal(jar.verify(cookie, ADDRESS, NONCE, 0, 9 * MINUTE), false);
  jar.destroy();
  assert.equal(secret[0], 3, "the caller's secret stays the caller's");
});

test("secrets of cookies are 32 random bytes, erased when they are too old to count", () => {
  const secrets: Uint8Array[] = [];
  const lengths = new Set<number>();
  const watching = {
    ...provider,
    randomBytes: (length: number) => {
      lengths.add(length);
      return provider.randomBytes(length);
    },
    hmacSha256: (key: Uint8Array, ...parts: Uint8Array[]) => {
      if (!secrets.includes(key)) secrets.push(key);
      return provider.hmacSha256(key, ...parts);
    },
  };
  const jar = new CookieJar(watching);
  const erased = () => secrets.map((secret) => secret.every((byte) => byte === 0));
  jar.issue(ADDRESS, NONCE, 0, 0);
  jar.issue(ADDRESS, NONCE, 120_000, 120_000);
  assert.deepEqual(erased(), [false, false], "the previous one still counts");
  jar.issue(ADDRESS, NONCE, 240_000, 240_000);
  assert.deepEqual(erased(), [true, false, false]);
  jar.issue(ADDRESS, NONCE, 480_000, 480_000);
  assert.deepEqual(erased(), [true, true, true, false], "nobody used it for four minutes");
  jar.destroy();
  assert.deepEqual(erased(), [true, true, true, true]);
  assert.deepEqual([...lengths], [32]);
});

test("a repeat that is due at the very moment counts as one more", () => {
  const timer = new RepeatTimer(0, 1000, "start");
  timer.fire(2000);
  assert.equal(timer.dueMs, 4000);
});

function nonceOf(number: number): Uint8Array {
  const nonce = new Uint8Array(32);
  new DataView(nonce.buffer).setUint32(0, number);
  return nonce;
}

test("nonces are remembered for as long as their HELLO could be fresh, and no longer", () => {
  const cache = new NonceCache();
  cache.add(nonceOf(1), 0);
  assert.equal(cache.has(nonceOf(1), 240_000), true);
  assert.equal(cache.has(nonceOf(2), 0), false);
  assert.equal(cache.has(nonceOf(1), 245_000), false);
  cache.add(nonceOf(2), 245_000);
  assert.equal(cache.size, 1);
});

test("the nonce cache is bounded", () => {
  const cache = new NonceCache(100);
  for (let index = 0; index < 1000; index++) cache.add(nonceOf(index), index);
  assert.equal(cache.size, 100);
  assert.equal(cache.has(nonceOf(999), 1000), true);
  assert.equal(cache.has(nonceOf(899), 1000), false);
});

test("nonces: any times, as a table that looks at all of them has it", () => {
  const prng = new Prng(6);
  const cache = new NonceCache(50);
  const model = new Map<number, number>();
  let nowMs = 0;
  for (let step = 0; step < 3000; step++) {
    nowMs += prng.chance(0.01) ? 300_000 : prng.integer(0, 10_000);
    for (const [index, expiry] of model) {
      if (expiry <= nowMs || model.size >= 50) model.delete(index);
    }
    model.set(step, nowMs + 245_000);
    cache.add(nonceOf(step), nowMs);
    assert.equal(cache.size, model.size, `step ${step}`);
    const asked = prng.integer(Math.max(0, step - 60), step);
    assert.equal(cache.has(nonceOf(asked), nowMs), model.has(asked), `step ${step}`);
  }
});

test("the first half of a nonce counts", () => {
  const cache = new NonceCache();
  cache.add(nonceOf(0), 0);
  for (const [index, known] of [[0, false], [15, false], [16, true], [31, true]] as const) {
    const nonce = nonceOf(0);
    nonce[index] = 1;
    assert.equal(cache.has(nonce, 0), known, `byte ${index}`);
  }
});

test("by default 65 536 nonces are remembered", () => {
  const cache = new NonceCache();
  for (let index = 0; index < 65_536; index++) cache.add(nonceOf(index), 0);
  assert.equal(cache.has(nonceOf(0), 0), true);
  cache.add(nonceOf(65_536), 0);
  assert.equal(cache.size, 65_536);
  assert.equal(cache.has(nonceOf(0), 0), false);
  assert.equal(cache.has(nonceOf(1), 0), true);
});

test("rate: by default 8192 keys are remembered, each until its bucket is full", () => {
  const limiter = new RateLimiter({ rate: 20, burst: 5 });
  for (let index = 0; index < 9000; index++) limiter.admit(`k${index}`, 0);
  assert.equal(limiter.size, 8192);
  const few = new RateLimiter({ rate: 20, burst: 5 });
  few.admit("a", 0);
  few.admit("b", 249);
  assert.equal(few.size, 2);
  few.admit("c", 250);
  assert.equal(few.size, 2, "a is forgotten");
});

test("rate: burst first, then the rate, per key", () => {
  const limiter = new RateLimiter({ rate: 20, burst: 5 });
  const admitted = (key: string, atMs: number, tries: number) =>
    Array.from({ length: tries }, () => limiter.admit(key, atMs)).filter(Boolean).length;
  assert.equal(admitted("a", 0, 10), 5);
  assert.equal(admitted("b", 0, 10), 5);
  assert.equal(admitted("a", 49, 10), 0);
  assert.equal(admitted("a", 50, 10), 1);
  assert.equal(admitted("a", 10_000, 10), 5);
  let inOneSecond = 0;
  for (let ms = 10_001; ms <= 11_000; ms++) inOneSecond += admitted("a", ms, 3);
  assert.equal(inOneSecond, 20);
});

test("rate: the table is bounded, and a clock that stands still or goes back does no harm", () => {
  const limiter = new RateLimiter({ rate: 20, burst: 5, capacity: 100 });
  for (let index = 0; index < 5000; index++) limiter.admit(`k${index}`, 0);
  assert.equal(limiter.size, 100);
  assert.equal(limiter.admit("late", 1000), true);
  assert.equal(limiter.size, 1);
  for (let index = 0; index < 10; index++) limiter.admit("late", 0);
  assert.equal(limiter.admit("late", 0), false);
  const free = new RateLimiter({ rate: Infinity, burst: Infinity });
  for (let index = 0; index < 100; index++) assert.equal(free.admit("x", 0), true);
  assert.equal(free.size, 0);
});

test("rate: of a full table the key that was idle longest is forgotten, whatever came in between", () => {
  const prng = new Prng(5);
  const [rate, burst, capacity] = [20, 5, 16];
  const limiter = new RateLimiter({ rate, burst, capacity });
  const model = new Map<string, { tokens: number; atMs: number }>();
  let nowMs = 0;
  for (let step = 0; step < 20_000; step++) {
    nowMs += prng.integer(0, 8);
    const key = `k${prng.integer(0, 40)}`;
    const bucket = model.get(key) ?? { tokens: burst, atMs: nowMs };
    bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) * rate) / 1000);
    bucket.atMs = nowMs;
    model.delete(key);
    model.set(key, bucket);
    for (const [idle, { atMs }] of [...model]) {
      if (model.size > capacity || nowMs - atMs >= 250) model.delete(idle);
    }
    const expected = bucket.tokens >= 1;
    if (expected) bucket.tokens -= 1;
    assert.equal(limiter.admit(key, nowMs), expected, `step ${step}`);
    assert.equal(limiter.size, model.size, `step ${step}`);
  }
});

test("FINAL is repeated for the same AUTH_PROOF only, 5 times, for 10 s", () => {
  const id = new Uint8Array(8).fill(1);
  const [proof, final] = [Uint8Array.of(1, 2), Uint8Array.of(3)];
  const store = new FinalStore(2);
  store.add(id, proof, final, 0);
  assert.equal(store.repeat(id, Uint8Array.of(1, 3), 0), undefined);
  for (let times = 0; times < 5; times++) assert.deepEqual(store.repeat(id, proof, 0), final);
  assert.equal(store.repeat(id, proof, 0), undefined);
  store.add(id, proof, final, 100);
  assert.equal(store.repeat(id, proof, 10_100), undefined);
  assert.equal(store.nextExpiryMs, 10_100);
  store.expire(10_100);
  assert.equal(store.size, 0);
  for (let index = 0; index < 9; index++) store.add(Uint8Array.of(index), proof, final, 0);
  assert.equal(store.size, 2);
});

test("repeats: from the start and from the last", () => {
  const start = new RepeatTimer(100, 1000, "start");
  const dues = [start.dueMs];
  for (let index = 0; index < 3; index++) {
    start.fire(start.dueMs);
    dues.push(start.dueMs);
  }
  assert.deepEqual(dues, [1100, 2100, 4100, 8100]);
  const last = new RepeatTimer(0, 100, "last");
  last.fire(100);
  assert.equal(last.dueMs, 300);
  last.fire(350);
  assert.equal(last.dueMs, 750);
  const slept = new RepeatTimer(0, 1000, "start");
  slept.fire(5000);
  assert.equal(slept.dueMs, 8000);
});

test("identities: self, pins, predicates", () => {
  const self = new Uint8Array(32).fill(1);
  const other = new Uint8Array(32).fill(2);
  const rules = { provider, self, allowSelf: false };
  assert.equal(identityError(rules, other), undefined);
  assert.equal(identityError(rules, self)?.code, "SELF");
  assert.equal(identityError({ ...rules, allowSelf: true }, self), undefined);
  assert.equal(identityError({ ...rules, expect: other }, other), undefined);
  assert.equal(identityError({ ...rules, expect: self }, other)?.code, "PEER_IDENTITY");
  assert.equal(identityError({ ...rules, expect: () => true }, other), undefined);
  assert.equal(identityError({ ...rules, expect: () => false }, other)?.code, "PEER_IDENTITY");
  const truthy = (() => 1) as unknown as () => boolean;
  assert.equal(identityError({ ...rules, expect: truthy }, other)?.code, "PEER_IDENTITY");
  const cause = new Error("boom");
  const thrown = identityError({
    ...rules,
    expect: () => {
      throw cause;
    },
  }, other);
  assert.equal(thrown?.code, "PEER_IDENTITY");
  assert.equal(thrown?.cause, cause);
  identityError({ ...rules, expect: (nodeId) => nodeId.fill(9).length === 32 }, other);
  assert.equal(other[0], 2, "a predicate gets a copy");
});

test("bytes are the same at the same length only", () => {
  const bytes = Uint8Array.of(1, 2, 3);
  assert.equal(sameBytes(bytes, Uint8Array.of(1, 2, 3)), true);
  for (const other of [[1, 2], [1, 2, 3, 0], [1, 2, 4], [0, 2, 3], []]) {
    assert.equal(sameBytes(bytes, Uint8Array.from(other)), false, `${other}`);
  }
});

import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeValue, encodeValue, type SttValue } from "../codec/values.ts";
import {
  decodeParameters,
  DEFAULT_TRANSPORT_PARAMETERS,
  encodeParameters,
  negotiation,
  transportParameters,
} from "./parameters.ts";
import type { TransportParameters } from "./types.ts";

const IN_USE = { suite: 1, version: 1 };

function payload(changes: Record<string, SttValue | undefined>): Uint8Array {
  const dict = decodeValue(
    encodeParameters(DEFAULT_TRANSPORT_PARAMETERS, negotiation(1, [1, 2])),
  ) as Map<string, SttValue>;
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) dict.delete(key);
    else dict.set(key, value);
  }
  return encodeValue(dict);
}

function codeOf(changes: Record<string, SttValue | undefined>): string {
  try {
    decodeParameters(payload(changes), IN_USE);
    return "ok";
  } catch (error) {
    return (error as { code: string }).code;
  }
}

test("what is absent has its default", () => {
  const { parameters, suites, versions } = decodeParameters(
    payload({ versions: undefined }),
    IN_USE,
  );
  assert.deepEqual(parameters, DEFAULT_TRANSPORT_PARAMETERS);
  assert.deepEqual(suites, [1, 2]);
  assert.deepEqual(versions, [1]);
});

test("limits of every integer", () => {
  const limits: Record<string, [number, number]> = {
    capabilities: [0, Number.MAX_SAFE_INTEGER],
    max_idle: [0, Number.MAX_SAFE_INTEGER],
    max_data: [0, Number.MAX_SAFE_INTEGER],
    max_stream_data: [0, Number.MAX_SAFE_INTEGER],
    max_streams: [0, 2 ** 31],
    max_datagram: [0, Number.MAX_SAFE_INTEGER],
    max_frame: [1200, 2_097_152],
    max_udp: [1200, Number.MAX_SAFE_INTEGER],
    ack_delay: [0, 1000],
    ack_every: [1, 64],
  };
  for (const [key, [min, max]] of Object.entries(limits)) {
    assert.equal(codeOf({ [key]: min }), "ok", key);
    assert.equal(codeOf({ [key]: max }), "ok", key);
    const above = max === Number.MAX_SAFE_INTEGER ? 2n ** 53n : max + 1;
    for (const wrong of [min - 1, above, true, "1", null, [min], 1.5, -0, new Uint8Array(1)]) {
      assert.equal(codeOf({ [key]: wrong }), "TRANSPORT_PARAMETER", `${key} ${wrong}`);
    }
  }
});

test("types of the others", () => {
  assert.equal(codeOf({ reset: new Uint8Array(16) }), "ok");
  assert.equal(codeOf({ reset: new Uint8Array(15) }), "TRANSPORT_PARAMETER");
  assert.equal(codeOf({ reset: "x" }), "TRANSPORT_PARAMETER");
  assert.equal(codeOf({ migrate: false }), "ok");
  assert.equal(codeOf({ migrate: 0 }), "TRANSPORT_PARAMETER");
  assert.equal(codeOf({ resumed: true }), "ok");
  assert.equal(codeOf({ resumed: 1 }), "TRANSPORT_PARAMETER");
  assert.equal(codeOf({ app: "é".repeat(32) }), "ok");
  assert.equal(codeOf({ app: "é".repeat(33) }), "TRANSPORT_PARAMETER");
  assert.equal(codeOf({ app: null }), "TRANSPORT_PARAMETER");
  assert.equal(codeOf({ suites: undefined }), "TRANSPORT_PARAMETER");
  assert.equal(codeOf({ suites: 1 }), "TRANSPORT_PARAMETER");
  assert.equal(codeOf({ suites: [true] }), "TRANSPORT_PARAMETER");
  assert.equal(codeOf({ versions: [1, "2"] }), "TRANSPORT_PARAMETER");
  assert.equal(codeOf({ versions: [1, -0] }), "TRANSPORT_PARAMETER", "a float");
  assert.equal(codeOf({ suite: true }), "TRANSPORT_PARAMETER");
  assert.equal(codeOf({ suite: 2 }), "SUITE");
  assert.equal(codeOf({ suite: undefined }), "ok");
  assert.equal(codeOf({ version: "1" }), "TRANSPORT_PARAMETER");
  assert.equal(codeOf({ version: 2 }), "VERSION");
  assert.equal(codeOf({ version: undefined }), "ok");
  assert.equal(codeOf({ unknown: new Uint8Array(100) }), "ok");
  assert.equal(codeOf({ unknown: new Uint8Array(400) }), "TRANSPORT_PARAMETER");
});

test("a payload that is not canonical, no dict or no value is refused", () => {
  const wide = payload({ capabilities: 5 });
  const wrong = [
    new Uint8Array(0),
    Uint8Array.of(0),
    Uint8Array.of(...payload({}), 0),
    payload({}).subarray(1),
    // The same integer in two bytes.
    widened(wide),
  ];
  for (const bytes of wrong) {
    assert.throws(() => decodeParameters(bytes, IN_USE), { code: "TRANSPORT_PARAMETER" });
  }
});

function widened(bytes: Uint8Array): Uint8Array {
  const at = bytes.findIndex((byte, index) => byte === 0x10 && bytes[index + 1] === 5);
  return Uint8Array.of(...bytes.subarray(0, at), 0x11, 0, ...bytes.subarray(at + 1));
}

test("local parameters out of limits are CONFIG errors that name the field", () => {
  const wrong: Partial<TransportParameters>[] = [
    { maxFrame: 1199 },
    { maxStreams: 2 ** 31 + 1 },
    { ackEvery: 0 },
    { maxIdle: 1.5 },
    { maxData: -1 },
    { app: "x".repeat(65) },
    { reset: new Uint8Array(8) },
    { extra: new Map([["max_idle", 1]]) },
    { extra: new Map([["x", new Uint8Array(400)]]) },
  ];
  for (const overrides of wrong) {
    assert.throws(
      () => encodeParameters(transportParameters(overrides), negotiation(1, [1])),
      { code: "CONFIG" },
    );
  }
});

test("property: what encodes decodes to the same", () => {
  const int = (min: number, max: number) => fc.integer({ min, max });
  const parameters = fc.record({
    capabilities: int(0, 15),
    maxIdle: fc.maxSafeNat(),
    maxData: fc.maxSafeNat(),
    maxStreamData: fc.maxSafeNat(),
    maxStreams: int(0, 2 ** 31 - 1),
    maxDatagram: fc.maxSafeNat(),
    maxFrame: int(1200, 2_097_152),
    maxUdp: int(1200, 65_507),
    ackDelay: int(0, 1000),
    ackEvery: int(1, 64),
    migrate: fc.boolean(),
    app: fc.string({ maxLength: 16 }),
    reset: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  }, { requiredKeys: [] });
  fc.assert(fc.property(parameters, (overrides) => {
    const given = transportParameters(overrides);
    const bytes = encodeParameters(given, negotiation(1, [1, 2]));
    assert.ok(bytes.length <= 400);
    assert.deepEqual(decodeParameters(bytes, IN_USE).parameters, given);
  }));
});

test("the edges: 400 bytes, a name of 64, one unknown key, and the limit that was passed", () => {
  const empty = payload({ x: new Uint8Array(0) }).length;
  for (const [length, code] of [[400, "ok"], [401, "TRANSPORT_PARAMETER"]] as const) {
    assert.equal(codeOf({ x: new Uint8Array(length - empty) }), code);
  }
  const room = new Map([["x", new Uint8Array(400 - empty)]]);
  const full = encodeParameters(transportParameters({ extra: room }), negotiation(1, [1, 2]));
  assert.equal(full.length, 400);
  const over = new Map([["x", new Uint8Array(401 - empty)]]);
  assert.throws(
    () => encodeParameters(transportParameters({ extra: over }), negotiation(1, [1, 2])),
    { code: "CONFIG", limit: 400 },
  );
  const named = (count: number) =>
    codeOf(
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`${i}`.padStart(2, "x"), 1])),
    );
  assert.deepEqual([named(28), named(29)], ["ok", "TRANSPORT_PARAMETER"], "32 entries in all");
  const one = decodeParameters(payload({ x: 1 }), IN_USE).parameters;
  assert.deepEqual(one.extra, new Map([["x", 1]]));
  assert.equal("extra" in decodeParameters(payload({}), IN_USE).parameters, false);
  encodeParameters(transportParameters({ app: "a".repeat(64) }), negotiation(1, [1]));
  for (const [maxFrame, limit] of [[1199, 1200], [2_097_153, 2_097_152]] as const) {
    assert.throws(
      () => encodeParameters(transportParameters({ maxFrame }), negotiation(1, [1])),
      { code: "CONFIG", limit },
    );
  }
});

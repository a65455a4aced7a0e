import { test } from "node:test";
import assert from "node:assert/strict";
import { SttError } from "../errors.ts";
import { connectionLimits, type ConnectionOptions, transportParameters } from "./config.ts";

test("defaults are those of the specification", () => {
  assert.deepEqual(connectionLimits({}), {
    maxIdle: 300_000,
    keepAlive: 0,
    maxData: 1_048_576,
    maxStreamData: 262_144,
    maxSessionWindow: 16_777_216,
    maxStreamWindow: 8_388_608,
    maxStreams: 256,
    maxDatagram: 65_535,
    maxFrame: 65_536,
    maxMessageSize: 16_777_216,
    sendBuffer: 1_048_576,
    rotateBytes: 1_073_741_824,
    rotateTime: 3_600_000,
    rotatePackets: 16_777_216,
    closeFlush: 5_000,
    packed: false,
    migrate: true,
    app: "",
  });
});

test("every numeric option refuses what is no integer in its range, and names itself", () => {
  const ranges: [keyof ConnectionOptions, number, number][] = [
    ["maxIdle", 0, Number.MAX_SAFE_INTEGER],
    ["keepAlive", 0, Number.MAX_SAFE_INTEGER],
    ["maxData", 0, 16_777_216],
    ["maxStreamData", 0, 8_388_608],
    ["maxSessionWindow", 1, 16_777_216],
    ["maxStreamWindow", 1, 8_388_608],
    ["maxStreams", 0, 2 ** 31],
    ["maxDatagram", 0, 2_097_152],
    ["maxFrame", 1200, 2_097_152],
    ["maxMessageSize", 1, 2 ** 30],
    ["sendBuffer", 1, 2 ** 30],
    ["rotateBytes", 65_536, 2 ** 40],
    ["rotateTime", 1_000, Number.MAX_SAFE_INTEGER],
    ["rotatePackets", 16, 2 ** 32],
    ["closeFlush", 0, 3_600_000],
  ];
  for (const [name, min, max] of ranges) {
    for (const value of [min, max]) {
      assert.equal(connectionLimits({ [name]: value })[name], value);
    }
    for (const value of [min - 1, max + 1, min + 0.5, NaN, Infinity, "5", null, 5n]) {
      assert.throws(
        () => connectionLimits({ [name]: value } as ConnectionOptions),
        (error) =>
          error instanceof SttError && error.code === "CONFIG" &&
          error.message.includes(`option ${name}:`),
        `${name}: ${value}`,
      );
    }
  }
});

test("app and packed are checked, and what is announced follows the limits", () => {
  for (const app of ["x".repeat(65), "é".repeat(33), 5]) {
    assert.throws(() => connectionLimits({ app: app as string }), { code: "CONFIG" });
  }
  assert.throws(() => connectionLimits({ packed: 1 as never }), { code: "CONFIG" });
  const parameters = transportParameters(connectionLimits({ app: "a/1", maxStreams: 3 }));
  assert.equal(parameters.app, "a/1");
  assert.equal(parameters.maxStreams, 3);
  assert.equal(parameters.maxIdle, 300_000);
});

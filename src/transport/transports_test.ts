import assert from "node:assert/strict";
import { test } from "node:test";
import { SttError } from "../errors.ts";
import { defaultMemoryNetwork } from "./memory.ts";
import { tcpTransport } from "./tcp.ts";
import { transportFor, transportOf } from "./transports.ts";
import { udpTransport } from "./udp/udp_transport.ts";
import { webSocketTransport } from "./websocket.ts";

test("each scheme has its transport", () => {
  assert.equal(transportFor("ws"), webSocketTransport);
  assert.equal(transportFor("wss"), webSocketTransport);
  assert.equal(transportFor("tcp"), tcpTransport);
  assert.equal(transportFor("udp"), udpTransport);
  assert.equal(transportFor("mem"), defaultMemoryNetwork);
  assert.equal(transportOf("tcp://[::1]:9000"), tcpTransport);
});

test("unknown schemes are refused", () => {
  const codeOf = (scheme: string): string | undefined => {
    try {
      transportFor(scheme);
    } catch (error) {
      return error instanceof SttError ? error.code : undefined;
    }
    return undefined;
  };
  assert.equal(codeOf("http"), "ADDRESS");
});

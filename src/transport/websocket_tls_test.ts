import assert from "node:assert/strict";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { SttError } from "../errors.ts";
import { certificateForTest } from "./certificate_for_test.ts";
import { clientFrame, listening, RawClient, upgradeRequest } from "./raw_client_for_test.ts";
import { CollectingSink } from "./sink_for_test.ts";
import type { ListenTransportOptions, TransportConnection } from "./transport.ts";
import { webSocketTransport } from "./websocket.ts";

const certificate = certificateForTest();
const tls = certificate.skip === undefined ? {} : { skip: certificate.skip };
const keyPair = certificate.skip === undefined
  ? { cert: certificate.cert, key: certificate.key }
  : { cert: "", key: "" };

test("wss trusts only what it knows, and checks the host name", tls, async () => {
  const place = await listening(keyPair, "wss://127.0.0.1:0/stt");
  const dial = (address: string, ca?: string): Promise<TransportConnection> =>
    webSocketTransport.dial(address, ca === undefined ? {} : { ca });
  await assert.rejects(dial(place.listener.address), (error) => {
    assert.ok(error instanceof SttError && error.code === "TRANSPORT");
    assert.match(error.message, /certificate/);
    return true;
  });
  const byName = await dial(`wss://localhost:${place.port}/stt`, keyPair.cert);
  byName.start(new CollectingSink());
  await byName.close();
  await assert.rejects(dial(`wss://127.0.0.2:${place.port}/stt`, keyPair.cert), SttError);
  await assert.rejects(dial(`ws://127.0.0.1:${place.port}/stt`), SttError);
  await place.close();
});

test("a TLS handshake that dawdles or is none is cut at the upgrade limit", tls, async () => {
  const place = await listening(
    { ...keyPair, upgradeTimeoutMs: 150 },
    "wss://127.0.0.1:0/stt",
  );
  const silent = RawClient.to(place.port);
  const plain = RawClient.to(place.port);
  plain.socket.write(upgradeRequest());
  const secure = new RawClient(
    connectTls({ port: place.port, host: "127.0.0.1", ca: keyPair.cert }),
  );
  secure.socket.write("GET /stt HTTP/1.1\r\n");
  await Promise.all([silent.closed, plain.closed, secure.closed]);
  assert.equal(place.connections.length, 0);
  await place.close();
});

test("a peer that vanishes inside TLS ends the connection", tls, async () => {
  const place = await listening(keyPair, "wss://127.0.0.1:0/stt");
  const client = new RawClient(
    connectTls({ port: place.port, host: "127.0.0.1", ca: keyPair.cert }),
  );
  client.socket.write(upgradeRequest());
  await client.until("101");
  client.socket.write(clientFrame(0x82, Uint8Array.of(1)));
  const sink = await place.accepted();
  await sink.received(1);
  client.socket.destroy();
  await sink.ended;
  assert.equal(sink.error?.code, "TRANSPORT");
  await place.close();
});

test("options that contradict the address are refused before anything is opened", tls, async () => {
  const refuse = (address: string, options: ListenTransportOptions, text: RegExp): Promise<void> =>
    assert.rejects(webSocketTransport.listen(address, () => {}, options), (error) => {
      assert.ok(error instanceof SttError && error.code === "CONFIG");
      assert.match(error.message, text);
      return true;
    });
  await refuse("wss://127.0.0.1:0/", {}, /needs the options cert and key/);
  await refuse("ws://127.0.0.1:0/", keyPair, /need an address with wss:/);
  await refuse("wss://127.0.0.1:0/", { ...keyPair, key: "nonsense" }, /not a PEM certificate/);
  await refuse("wss://127.0.0.1:0/", { ...keyPair, cert: "nonsense" }, /not a PEM certificate/);
  const other = certificateForTest();
  assert.ok(other.skip === undefined);
  await refuse("wss://127.0.0.1:0/", { ...keyPair, key: other.key }, /not a PEM certificate/);
  await assert.rejects(
    webSocketTransport.listen("ws://127.0.0.1:0/?a=1", () => {}),
    (error) => error instanceof SttError && error.code === "ADDRESS",
  );
  await assert.rejects(
    webSocketTransport.dial("ws://127.0.0.1:0/"),
    (error) => error instanceof SttError && /port 0 is for listeners/.test(error.message),
  );
});

import { test } from "node:test";
import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { SttError } from "../../errors.ts";
import { RecordingSink } from "./datagram_sink_for_test.ts";
import type { DatagramSocket, OpenDatagramOptions } from "./datagram_socket.ts";
import { exchange } from "./exchange_for_test.ts";
import {
  availableSockets,
  type DatagramSockets,
  openDatagramSocket,
} from "./open_datagram_socket.ts";

const V4 = "127.0.0.1";
const LOOPBACK: OpenDatagramOptions = { host: V4, port: 0 };
const kinds: DatagramSockets[] = availableSockets() === "Deno.listenDatagram"
  ? ["Deno.listenDatagram", "deno node:dgram"]
  : [availableSockets()];
const hasIpv6 = Object.values(networkInterfaces()).flat().some((own) => own?.address === "::1");
const ipv6 = { skip: hasIpv6 ? false : "this machine has no IPv6 loopback" };

function isTransportError(code: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof SttError && error.code === "TRANSPORT" && code.test(error.message);
}

for (const kind of kinds) {
  const open = (options: OpenDatagramOptions = LOOPBACK): Promise<DatagramSocket> =>
    openDatagramSocket(options, kind);

  /** Runs `body` with two sockets and their sinks, and closes both. */
  const withPair = async (
    body: (a: DatagramSocket, b: DatagramSocket, atA: RecordingSink, atB: RecordingSink) => unknown,
    options: readonly [OpenDatagramOptions, OpenDatagramOptions] = [LOOPBACK, LOOPBACK],
  ): Promise<void> => {
    const a = await open(options[0]);
    const b = await open(options[1]).catch(async (error) => {
      await a.close();
      throw error;
    });
    const atA = new RecordingSink(), atB = new RecordingSink();
    a.start(atA);
    b.start(atB);
    try {
      await body(a, b, atA, atB);
    } finally {
      await Promise.all([a.close(), b.close()]);
    }
    assert.deepEqual([atA.errors, atB.errors], [[], []]);
    assert.deepEqual([atA.closes, atB.closes], [1, 1]);
  };

  test(`${kind}: datagrams arrive whole with the sender's address, then the batch ends`, async () => {
    await withPair(async (a, b, atA, atB) => {
      assert.equal(a.localHost, V4);
      assert.equal(a.family, 4);
      assert.ok(a.localPort > 0 && a.receiveBuffer >= 65_536);
      assert.equal(a.full, false);
      const bytes = Uint8Array.from({ length: 1200 }, (_, i) => i & 0xff);
      const expected = bytes.slice();
      assert.equal(a.send(bytes, V4, b.localPort), true);
      bytes.fill(0);
      await atB.until(() => atB.batches === 1);
      assert.deepEqual(atB.arrived, [{ bytes: expected, host: V4, port: a.localPort }]);
      assert.equal(Object.getPrototypeOf(atB.arrived[0]?.bytes), Uint8Array.prototype);
      b.send(expected, V4, a.localPort);
      await atA.until(() => atA.batches === 1);
      assert.deepEqual(atA.arrived[0]?.bytes, expected);
    });
  });

  test(`${kind}: a burst is fewer batches than datagrams, and each array is its own`, async () => {
    await withPair(async (a, b, _atA, atB) => {
      const bytes = new Uint8Array(100);
      for (let i = 0; i < 30; i++) {
        bytes.fill(i);
        a.send(bytes, V4, b.localPort);
      }
      await atB.until(() => atB.arrived.length === 30);
      const open = atB.batches;
      await atB.until(() => atB.batches > open);
      assert.ok(atB.batches < 30, `${atB.batches} batches`);
      atB.arrived.forEach(({ bytes }, i) => {
        assert.deepEqual(bytes, new Uint8Array(100).fill(i));
        assert.equal(bytes.buffer.byteLength, 100);
      });
    });
  });

  test(`${kind}: the longest and the empty datagram arrive`, async () => {
    await withPair(async (a, b, _atA, atB) => {
      a.send(new Uint8Array(65_507).fill(7), V4, b.localPort);
      await atB.until(() => atB.arrived.length === 1);
      a.send(new Uint8Array(0), V4, b.localPort);
      await atB.until(() => atB.arrived.length === 2);
      assert.deepEqual(atB.arrived[0]?.bytes, new Uint8Array(65_507).fill(7));
      assert.deepEqual(atB.arrived[1]?.bytes, new Uint8Array(0));
    });
  });

  test(`${kind}: what cannot be sent is lost, and the socket lives on`, async () => {
    await withPair(async (a, b, _atA, atB) => {
      const gone = await open();
      await gone.close();
      const bytes = new Uint8Array(8);
      for (let i = 0; i < 5; i++) {
        a.send(bytes, V4, gone.localPort);
        a.send(bytes, V4, 0);
        a.send(bytes, V4, 65_536);
        a.send(new Uint8Array(65_508), V4, b.localPort);
        a.send(bytes, "::1", b.localPort);
        a.send(bytes, "255.255.255.255", b.localPort);
        a.send(bytes, "not an address", b.localPort);
      }
      // Sends to a refused port may be reported at the next call: hence more than one.
      for (let i = 1; i <= 3; i++) {
        a.send(Uint8Array.of(i), V4, b.localPort);
        await atB.until(() => atB.arrived.at(-1)?.bytes[0] === i);
      }
      assert.deepEqual(atB.arrived.map(({ bytes }) => bytes.length), [1, 1, 1]);
    });
  });

  test(`${kind}: a sender that never looks up fills the socket, then hears of room`, async () => {
    await withPair(async (a, b, atA, atB) => {
      let bytes = new Uint8Array(60_000);
      let refused = 0;
      for (let i = 0; i < 600; i++) {
        const { full } = a;
        const taken = a.send(bytes, V4, b.localPort);
        if (full) assert.equal(taken, false);
        if (taken) continue;
        refused++;
        bytes = new Uint8Array(60_000);
        assert.equal(a.full, true);
      }
      // Node hands over within the call, and loopback drops rather than queues.
      if (kind !== "node:dgram") assert.ok(refused > 0);
      if (refused > 0) await atA.until(() => atA.drains === 1);
      assert.equal(a.full, false);
      assert.equal(a.send(Uint8Array.of(1), V4, b.localPort), true);
      await atB.until(() => atB.arrived.length > 0);
    });
  });

  test(`${kind}: 50,000 datagrams out of one array, none damaged or repeated`, async (t) => {
    const a = await open(), b = await open();
    try {
      const count = await exchange(a, b, 50_000, 1200);
      t.diagnostic(`${count.lost} of ${count.sent} lost`);
      assert.equal(count.sent, 50_000);
      assert.equal(count.received + count.lost, 50_000);
      assert.equal(count.damaged, 0);
      assert.equal(count.repeated, 0);
      assert.ok(count.lost < 500, `${count.lost} lost`);
    } finally {
      await Promise.all([a.close(), b.close()]);
    }
  });

  test(`${kind}: IPv6`, ipv6, async () => {
    const v6: OpenDatagramOptions = { host: "::1", port: 0 };
    await withPair(async (a, b, atA, atB) => {
      assert.deepEqual([a.family, a.localHost], [6, "::1"]);
      a.send(Uint8Array.of(1), "::1", b.localPort);
      await atB.until(() => atB.arrived.length === 1);
      assert.deepEqual(atB.arrived[0], { bytes: Uint8Array.of(1), host: "::1", port: a.localPort });
      b.send(Uint8Array.of(2), "::1", a.localPort);
      await atA.until(() => atA.arrived.length === 1);
    }, [v6, v6]);
  });

  test(`${kind}: one socket on :: talks to IPv4 peers by their plain addresses`, ipv6, async () => {
    await withPair(async (a, b, atA, atB) => {
      b.send(Uint8Array.of(1), V4, a.localPort);
      await atA.until(() => atA.arrived.length === 1);
      const from = atA.arrived[0]!;
      assert.deepEqual([from.host, from.port], [V4, b.localPort]);
      a.send(Uint8Array.of(2), from.host, from.port);
      await atB.until(() => atB.arrived.length === 1);
      assert.equal(atB.arrived[0]?.host, V4);
    }, [{ host: "::", port: 0 }, LOOPBACK]);
  });

  test(`${kind}: an address in use or of another machine is refused with its reason`, async () => {
    const taken = await open();
    try {
      await assert.rejects(
        open({ host: V4, port: taken.localPort }),
        isTransportError(/^cannot bind udp:\/\/127\.0\.0\.1:\d+: the address is in use/),
      );
      await assert.rejects(
        open({ host: "192.0.2.1", port: 0 }),
        isTransportError(/^cannot bind udp:\/\/192\.0\.2\.1:0: this machine does not have/),
      );
    } finally {
      await taken.close();
    }
  });

  test(`${kind}: closing from within a delivery ends everything, and closing twice is one`, async () => {
    const a = await open(), b = await open();
    const sink = new RecordingSink();
    a.start(sink);
    b.start(new RecordingSink());
    sink.onDatagram = () => void a.close();
    for (let i = 0; i < 5; i++) b.send(Uint8Array.of(i), V4, a.localPort);
    await sink.until(() => sink.closes === 1);
    await Promise.all([a.close(), a.close(), b.close()]);
    assert.deepEqual([sink.arrived.length, sink.batches, sink.closes], [1, 0, 1]);
    assert.equal(a.full, true);
    assert.equal(a.send(Uint8Array.of(1), V4, b.localPort), false);
  });

  test(`${kind}: what was sent right before the close goes out`, async () => {
    const a = await open(), b = await open();
    const sink = new RecordingSink();
    b.start(sink);
    a.start(new RecordingSink());
    a.send(Uint8Array.of(9), V4, b.localPort);
    await a.close();
    await sink.until(() => sink.arrived.length === 1);
    await b.close();
  });

  test(`${kind}: a socket that was never started closes`, async () => {
    await (await open()).close();
  });

  test(`${kind}: opening can be aborted`, async () => {
    const reason = new Error("enough");
    await assert.rejects(open({ ...LOOPBACK, signal: AbortSignal.abort(reason) }), reason);
    const controller = new AbortController();
    const opening = open({ ...LOOPBACK, signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(opening, reason);
  });
}

test("a port out of range is refused before anything is opened", async () => {
  for (const port of [-1, 65_536, 1.5, NaN]) {
    await assert.rejects(
      openDatagramSocket({ host: V4, port }),
      (error) => error instanceof SttError && error.code === "ADDRESS",
    );
  }
});

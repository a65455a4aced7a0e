import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { TRANSPORT_HIGH_WATER_BYTES } from "../constants.ts";
import { SttError } from "../errors.ts";
import { LOW_WATER_BYTES } from "./limits.ts";
import { CollectingSink, pattern, pump } from "./sink_for_test.ts";
import { join, leave, sha256, type Subject, turns } from "./subject_for_test.ts";
import type { TransportConnection } from "./transport.ts";

/** Registers the tests that every transport passes. */
export function testTransport(subject: Subject): void {
  const check = (what: string, body: () => Promise<void>): void => {
    test(
      `${subject.name}: ${what}`,
      subject.skip === undefined ? {} : { skip: subject.skip },
      body,
    );
  };
  /** What a transport promises only if it can pause and be cut; others state their limits elsewhere. */
  const checkControlled: typeof check = subject.controlled === false ? () => undefined : check;

  check("addresses and framing of both ends", async () => {
    const joined = await join(subject);
    const { client, server, listener } = joined;
    assert.equal(client.scheme, listener.address.split(":")[0]);
    assert.equal(server.scheme, client.scheme);
    assert.equal(client.framing, subject.framing);
    assert.equal(server.framing, subject.framing);
    assert.equal(client.remoteAddress, listener.address);
    assert.equal(server.localAddress, listener.address);
    if (!client.localAddress.includes("unknown")) {
      assert.equal(server.remoteAddress, client.localAddress);
    }
    assert.notEqual(server.remoteHost, "");
    assert.doesNotMatch(listener.address, /:0\/?$/);
    await leave(joined);
  });

  check("messages of many sizes keep their content and order, both ways at once", async () => {
    const joined = await join(subject);
    const sizes = [1, 2, 125, 126, 127, 65_535, 65_536, 65_537, 1, 300_000, 3];
    const ends = [joined.client, joined.server];
    const sinks = [new CollectingSink(), new CollectingSink()];
    ends.forEach((end, i) => end.start(sinks[i]!));
    const total = sizes.reduce((a, b) => a + b, 0);
    await Promise.all(ends.map((end, i) => {
      let n = 0;
      return pump(end, sinks[i]!, () => {
        const size = sizes[n];
        return size === undefined ? undefined : pattern(size, 100 * i + n++);
      });
    }));
    for (const [i, sink] of sinks.entries()) {
      await sink.received(total);
      const expected = sizes.map((size, n) => pattern(size, 100 * (1 - i) + n));
      assert.equal(sha256(...sink.chunks), sha256(...expected));
      if (subject.framing === "message") {
        assert.deepEqual(sink.chunks.map((chunk) => chunk.length), sizes);
      }
      assert.ok(sink.chunks.every((chunk) => chunk.constructor === Uint8Array));
    }
    await leave(joined);
    assert.deepEqual(sinks.map((sink) => [sink.ends, sink.error]), [[1, undefined], [
      1,
      undefined,
    ]]);
  });

  check("20 MB echoed under back-pressure; the queue stays near the high-water mark", async () => {
    const joined = await join(subject);
    const { client, server } = joined;
    const total = 20_000_000;
    const chunk = 32_768;
    const echo = new CollectingSink();
    const back: Uint8Array[] = [];
    let blocked = false;
    echo.onData = (bytes) => {
      echo.chunks.length = 0;
      back.push(bytes);
      flush();
    };
    echo.onDrain = () => {
      blocked = false;
      server.resume();
      flush();
    };
    const flush = (): void => {
      while (!blocked && back.length > 0) {
        if (!server.send(back.shift()!)) {
          blocked = true;
          server.pause();
        }
      }
    };
    const sink = new CollectingSink();
    const received = createHash("sha256");
    sink.onData = (bytes) => {
      received.update(bytes);
      sink.chunks.length = 0;
    };
    server.start(echo);
    client.start(sink);
    const sentHash = createHash("sha256");
    let sent = 0;
    const { mostQueued } = await pump(client, sink, () => {
      if (sent >= total) return undefined;
      const bytes = pattern(Math.min(chunk, total - sent), sent);
      sentHash.update(bytes);
      sent += bytes.length;
      return bytes;
    });
    await sink.received(total);
    assert.equal(received.digest("hex"), sentHash.digest("hex"));
    // One chunk may pass the mark, and a transport may add its own headers.
    assert.ok(mostQueued <= TRANSPORT_HIGH_WATER_BYTES + chunk + 64, `${mostQueued} queued`);
    await leave(joined);
  });

  checkControlled(
    "a peer that does not read stops the sender, and gets everything later",
    async () => {
      const joined = await join(subject);
      const { client, server } = joined;
      const sink = new CollectingSink();
      const ignored = new CollectingSink();
      assert.equal(server.pause(), true);
      server.start(sink);
      client.start(ignored);
      const chunk = 65_536;
      let sent = 0;
      // Until the buffers of the operating system are full, drains keep coming.
      for (let quiet = 0; quiet < 50;) {
        if (client.send(pattern(chunk, sent / chunk))) {
          sent += chunk;
          continue;
        }
        sent += chunk;
        const drains = ignored.drains;
        for (quiet = 0; quiet < 50 && ignored.drains === drains; quiet++) await turns(4);
      }
      assert.ok(client.queuedBytes > LOW_WATER_BYTES);
      assert.ok(client.queuedBytes <= TRANSPORT_HIGH_WATER_BYTES + chunk + 64);
      assert.equal(sink.bytes, 0);
      server.resume();
      await sink.received(sent);
      assert.equal(sink.bytes, sent);
      for (let n = 0; n * chunk < sent; n++) {
        assert.deepEqual(sink.contents().subarray(n * chunk, (n + 1) * chunk), pattern(chunk, n));
        if (n === 3) break;
      }
      await leave(joined);
    },
  );

  checkControlled("pause holds data back at once, resume delivers it", async () => {
    const joined = await join(subject);
    const { client, server } = joined;
    const sink = new CollectingSink();
    sink.onData = () => {
      if (sink.chunks.length === 1) server.pause();
    };
    server.start(sink);
    client.start(new CollectingSink());
    for (let n = 0; n < 200; n++) client.send(pattern(100, n));
    await sink.received(1);
    await turns(20);
    assert.equal(sink.chunks.length, 1);
    sink.onData = undefined;
    server.resume();
    await sink.received(20_000);
    assert.equal(
      sha256(sink.contents()),
      sha256(...Array.from({ length: 200 }, (_, n) => pattern(100, n))),
    );
    await leave(joined);
  });

  check("bytes that came before start are delivered by it, in order", async () => {
    const joined = await join(subject);
    const { client, server } = joined;
    client.start(new CollectingSink());
    for (let n = 0; n < 10; n++) client.send(pattern(1000, n));
    await turns(20);
    const sink = new CollectingSink();
    server.start(sink);
    assert.equal(sink.bytes, 0);
    await sink.received(10_000);
    assert.deepEqual(sink.contents().subarray(9_000), pattern(1000, 9));
    await leave(joined);
  });

  check("close sends what is queued first, and both ends hear of it once", async () => {
    const joined = await join(subject);
    const { client, server, listener } = joined;
    const sinks = [new CollectingSink(), new CollectingSink()];
    client.start(sinks[0]!);
    server.start(sinks[1]!);
    for (let n = 0; n < 64; n++) client.send(pattern(10_000, n));
    const closed = client.close();
    assert.equal(client.send(new Uint8Array(1)), false);
    await closed;
    await sinks[1]!.ended;
    assert.equal(sinks[1]!.bytes, 640_000);
    await Promise.all([client.close(), server.close(), listener.close()]);
    await turns(5);
    assert.deepEqual(sinks.map((sink) => [sink.ends, sink.error]), [[1, undefined], [
      1,
      undefined,
    ]]);
    assert.equal(server.send(new Uint8Array(1)), false);
  });

  checkControlled("abort ends both ends, with an error where it was not asked for", async () => {
    const joined = await join(subject);
    const { client, server, listener } = joined;
    const sinks = [new CollectingSink(), new CollectingSink()];
    client.start(sinks[0]!);
    server.start(sinks[1]!);
    server.pause();
    for (let n = 0; n < 20; n++) client.send(pattern(100_000, n));
    server.abort();
    server.abort();
    await sinks[0]!.ended;
    await sinks[1]!.ended;
    assert.equal(sinks[0]!.error?.code, "TRANSPORT");
    assert.match(sinks[0]!.error.message, /^connection (to )?[a-z]+:.*/);
    assert.equal(sinks[1]!.error, undefined);
    await Promise.all([client.close(), server.close(), listener.close()]);
    assert.deepEqual(sinks.map((sink) => sink.ends), [1, 1]);
  });

  check("an end that came before start is heard after it", async () => {
    const joined = await join(subject);
    const { client, server, listener } = joined;
    client.abort();
    await client.close();
    await turns(20);
    const sink = new CollectingSink();
    server.start(sink);
    await sink.ended;
    assert.equal(sink.ends, 1);
    await Promise.all([server.close(), listener.close()]);
  });

  check("a closed listener leaves its connections alone and frees its address", async () => {
    const joined = await join(subject);
    const { client, server, listener } = joined;
    await listener.close();
    await listener.close();
    const sink = new CollectingSink();
    server.start(sink);
    client.start(new CollectingSink());
    client.send(pattern(500, 1));
    await sink.received(500);
    await assert.rejects(
      subject.transport.dial(listener.address, subject.dial ?? {}),
      (error) =>
        error instanceof SttError && error.code === "TRANSPORT" &&
        error.message.startsWith(`cannot connect to ${listener.address}: `) &&
        /nobody listens there|connect error|503/.test(error.message),
    );
    if (subject.listen?.native) await Promise.all([client.close(), server.close()]);
    await listener.close();
    const second = await subject.transport.listen(
      listener.address,
      () => {},
      subject.listen ?? {},
    );
    assert.equal(second.address, listener.address);
    await second.close();
    await Promise.all([client.close(), server.close()]);
  });

  check("an address in use is named", async () => {
    const joined = await join(subject);
    await assert.rejects(
      subject.transport.listen(joined.listener.address, () => {}, subject.listen ?? {}),
      (error) =>
        error instanceof SttError && error.code === "TRANSPORT" &&
        error.message.startsWith(`cannot listen on ${joined.listener.address}: the `) &&
        error.message.includes("in use"),
    );
    await leave(joined);
  });

  check("an aborted signal stops a dial and a listener", async () => {
    const reason = new Error("enough");
    const aborted = AbortSignal.abort(reason);
    await assert.rejects(
      subject.transport.listen(subject.address, () => {}, { ...subject.listen, signal: aborted }),
      reason,
    );
    const controller = new AbortController();
    const listener = await subject.transport.listen(subject.address, () => {}, {
      ...subject.listen,
      signal: controller.signal,
    });
    await assert.rejects(
      subject.transport.dial(listener.address, { ...subject.dial, signal: aborted }),
      reason,
    );
    const dialling = new AbortController();
    const dial = subject.transport.dial(listener.address, {
      ...subject.dial,
      signal: dialling.signal,
    });
    dialling.abort(reason);
    await assert.rejects(dial, reason);
    controller.abort();
    await turns(2);
    await assert.rejects(subject.transport.dial(listener.address, subject.dial ?? {}), SttError);
    await listener.close();
  });

  check(
    "no more than maxConnections at once; a place that becomes free is given again",
    async () => {
      const servers: TransportConnection[] = [];
      const listener = await subject.transport.listen(
        subject.address,
        (connection) => {
          connection.start(new CollectingSink());
          servers.push(connection);
        },
        { ...subject.listen, maxConnections: 1 },
      );
      const dial = (): Promise<TransportConnection> =>
        subject.transport.dial(listener.address, subject.dial ?? {});
      const first = await dial();
      first.start(new CollectingSink());
      // TCP knows no refusal after the connection is made: there the second one ends at once.
      const second = await dial().catch((error: unknown) => error);
      if (second instanceof Error) {
        assert.ok(second instanceof SttError && second.code === "TRANSPORT");
      } else {
        const sink = new CollectingSink();
        const connection = second as TransportConnection;
        connection.start(sink);
        await sink.ended;
        await connection.close();
      }
      assert.equal(servers.length, 1);
      await first.close();
      await servers[0]!.close();
      const third = await dial();
      const sink = new CollectingSink();
      third.start(sink);
      third.send(pattern(10, 1));
      while (servers.length < 2) await turns(1);
      await third.close();
      await Promise.all([...servers.map((server) => server.close()), listener.close()]);
    },
  );

  check("addresses of another scheme are refused", async () => {
    const other = subject.address.startsWith("tcp") ? "mem:x" : "tcp://127.0.0.1:1";
    const refused = (error: unknown): boolean =>
      error instanceof SttError && error.code === "ADDRESS";
    await assert.rejects(subject.transport.dial(other), refused);
    await assert.rejects(subject.transport.listen(other, () => {}), refused);
    await assert.rejects(subject.transport.dial("nonsense"), refused);
  });
}

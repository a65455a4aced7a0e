import { test } from "node:test";
import assert from "node:assert/strict";
import { SttError } from "../../errors.ts";
import { receiveFile } from "../files/receive_file.ts";
import { sendFile } from "../files/send_file.ts";
import { bytes, pattern, readAll, text, UDP, until } from "../joined_for_test.ts";
import type { SttStream } from "../stt_stream.ts";
import type { Replies } from "./exchange.ts";
import { deferred, served } from "./served_for_test.ts";

const EMPTY = new Uint8Array(0);

async function textsOf(replies: AsyncIterable<Uint8Array>): Promise<string[]> {
  const texts: string[] = [];
  for await (const item of replies) texts.push(text(item));
  return texts;
}

async function* words(...all: string[]): AsyncGenerator<Uint8Array> {
  for (const word of all) {
    await Promise.resolve();
    yield bytes(word);
  }
}

for (const net of [undefined, UDP]) {
  test(`items go both ways at once over ${net?.name ?? "mem"}, with their boundaries`, () =>
    served(net === undefined ? {} : { net }, async ({ client, endpoints }) => {
      endpoints.register("shout", async function* (request) {
        for await (const item of request) yield bytes(text(item).toUpperCase());
      });
      const shout = client.endpoint("shout");
      assert.deepEqual(await textsOf(shout.exchange(words("a", "", "bc"))), ["A", "", "BC"]);
      assert.deepEqual(await textsOf(shout.exchange([bytes("x")])), ["X"]);
      assert.deepEqual(await textsOf(shout.exchange(new Set([bytes("y")]))), ["Y"]);
      assert.deepEqual(await textsOf(shout.exchange([])), []);
      // Each question follows the last answer: nothing waits for the end of the request.
      const answers = deferred<Replies>();
      const said: string[] = [];
      const replies = shout.exchange((async function* () {
        const reading = await answers.promise;
        for (const word of ["one", "two"]) {
          yield bytes(word);
          said.push(text(await reading.next()));
        }
      })());
      answers.resolve(replies);
      await until(() => said.length === 2);
      assert.deepEqual(said, ["ONE", "TWO"]);
      assert.equal(await replies.next(), null);
    }));
}

test("Web Streams go in and come out on both sides", () =>
  served({}, async ({ client, endpoints }) => {
    endpoints.register("through", (request) => request.readable);
    const items = new ReadableStream<Uint8Array>({
      start: (controller) => {
        for (const word of ["a", "b"]) controller.enqueue(bytes(word));
        controller.close();
      },
    });
    const replies = client.endpoint("through").exchange(items);
    assert.equal(
      text(await readAll(replies.readable as unknown as AsyncIterable<Uint8Array>)),
      "ab",
    );
  }));

test("Web Streams that cannot be iterated are read and cancelled", () =>
  served({}, async ({ client, endpoints }) => {
    endpoints.register("through", (request) => request.readable);
    endpoints.register("first", async (request) => (await request.next()) ?? EMPTY);
    const streamOf = (stream: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> =>
      ({ getReader: () => stream.getReader() }) as ReadableStream<Uint8Array>;
    const two = new ReadableStream<Uint8Array>({
      start: (controller) => {
        for (const word of ["a", "b"]) controller.enqueue(bytes(word));
        controller.close();
      },
    });
    const replies = client.endpoint("through").exchange(streamOf(two));
    assert.deepEqual(await textsOf(replies), ["a", "b"]);
    const cancelled = deferred();
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(pattern(50_000)),
      cancel: () => cancelled.resolve(),
    });
    const first = client.endpoint("first").exchange(streamOf(endless));
    assert.equal((await first.next())?.length, 50_000);
    assert.equal(await first.next(), null);
    await cancelled.promise;
  }));

test("items that throw when they are asked for, or while they are ended, end the exchange alone", () =>
  served({}, async ({ client, endpoints }) => {
    const mine = new Error("mine");
    const throwing = (next: () => IteratorResult<Uint8Array>): Iterable<Uint8Array> => ({
      [Symbol.iterator]: () => ({
        next,
        return: () => {
          throw new Error("of the end");
        },
      }),
    });
    endpoints.register("sink", async (request) => {
      for await (const _ of request);
    });
    endpoints.register("broken", () =>
      throwing(() => {
        throw mine;
      }));
    const sending = client.endpoint("sink").exchange(throwing(() => {
      throw mine;
    }));
    await assert.rejects(sending.next(), (error) => error === mine);
    await assert.rejects(client.endpoint("broken").request(EMPTY), { code: "INTERNAL" });
    const endless = throwing(() => ({ done: false, value: bytes("x") }));
    const left = client.endpoint("sink").exchange(endless);
    left.cancel();
    await assert.rejects(left.next(), { code: "CANCELLED" });
    await until(() => endpoints.stats().running === 0);
  }));

test("a reader that does not read slows the handler down, and the other way round", () =>
  served({}, async ({ client, endpoints }) => {
    let made = 0;
    let taken = 0;
    const gate = deferred();
    endpoints.register("source", async function* () {
      for (; made < 1000; made++) yield pattern(10_000);
    });
    endpoints.register("sink", async (request) => {
      await gate.promise;
      for await (const _ of request) taken++;
    });
    const replies = client.endpoint("source").exchange([]);
    await replies.next();
    let given = 0;
    const sending = client.endpoint("sink").exchange((async function* () {
      for (; given < 300; given++) yield pattern(10_000);
    })());
    // A session's window and a stream's send buffer, in items of 10000 bytes, with room to spare.
    await client.ping();
    await until(() => made > 20 && given > 20);
    await client.ping();
    assert.ok(made < 300 && given < 300, `${made} made, ${given} given`);
    replies.cancel();
    gate.resolve();
    await sending.next();
    assert.equal(taken, 300);
    await until(() => endpoints.stats().running === 0);
    assert.deepEqual(endpoints.stats().failed, { CANCELLED: 1 });
  }));

test("leaving the replies cancels; the handler's iterator is ended", () =>
  served({}, async ({ client, endpoints }) => {
    const ended = deferred();
    endpoints.register("numbers", async function* () {
      try {
        for (let n = 0;; n++) yield Uint8Array.of(n % 256);
      } finally {
        ended.resolve();
      }
    });
    for await (const [n] of client.endpoint("numbers").exchange([])) if (n === 3) break;
    await ended.promise;
    const replies = client.endpoint("numbers").exchange([]);
    await replies.readable.cancel();
    await assert.rejects(replies.next(), { code: "CANCELLED", remote: false });
  }));

test("a handler that is waiting is not waited for when its asker has left", () =>
  served({ endpoints: { maxPerPeer: 1 } }, async ({ client, endpoints }) => {
    const gate = deferred();
    endpoints.register("stuck", async function* () {
      yield bytes("first");
      await gate.promise;
    });
    for await (const _ of client.endpoint("stuck").exchange([])) break;
    await until(() => endpoints.stats().running === 0);
    assert.equal(text(await client.endpoint("stuck").exchange([]).next()), "first");
    gate.resolve();
  }));

test("an error in the middle of a reply arrives behind the items, with its code", () =>
  served({}, async ({ client, endpoints }) => {
    endpoints.register("broken", async function* () {
      yield* words("a", "b");
      throw new SttError("APPLICATION", "out of paper", { wire: 0x200 });
    });
    const got: string[] = [];
    await assert.rejects(async () => {
      for await (const item of client.endpoint("broken").exchange([])) got.push(text(item));
    }, (error) => {
      assert.ok(error instanceof SttError);
      assert.deepEqual([error.code, error.wire, error.remote], ["APPLICATION", 0x200, true]);
      assert.match(error.message, /"broken": out of paper$/);
      return true;
    });
    assert.deepEqual(got, ["a", "b"]);
  }));

test("an answer before the end of the question ends the question", () =>
  served({}, async ({ client, server, endpoints }) => {
    endpoints.register("first", async (request) => (await request.next()) ?? EMPTY);
    const ended = deferred();
    const replies = client.endpoint("first").exchange((async function* () {
      try {
        for (;;) yield pattern(50_000);
      } finally {
        ended.resolve();
      }
    })());
    assert.equal((await replies.next())?.length, 50_000);
    assert.equal(await replies.next(), null);
    assert.equal(await replies.next(), null);
    await ended.promise;
    await until(() => client.stats().streams.open === 0 && server.stats().streams.open === 0);
  }));

test("an error in the middle of the question tells its reason while the asker still sends", () =>
  served({}, async ({ client, endpoints }) => {
    endpoints.register("full", async (request) => {
      await request.next();
      throw new SttError("APPLICATION", "the disk is full", { wire: 0x300 });
    });
    const replies = client.endpoint("full").exchange((async function* () {
      for (;;) yield pattern(50_000);
    })());
    await assert.rejects(replies.next(), { code: "APPLICATION", wire: 0x300, remote: true });
    await assert.rejects(replies.next(), { code: "APPLICATION", wire: 0x300 });
  }));

test("a source of items that throws cancels, and the reader gets its error", () =>
  served({}, async ({ client, endpoints }) => {
    const mine = new Error("the camera is gone");
    const got: unknown[] = [];
    const over = deferred();
    endpoints.register("upload", async (request) => {
      try {
        for await (const item of request) got.push(text(item));
      } catch (error) {
        got.push((error as SttError).code);
        over.resolve();
        throw error;
      }
    });
    const replies = client.endpoint("upload").exchange((async function* () {
      yield* words("a");
      await until(() => got.length === 1);
      throw mine;
    })());
    await assert.rejects(replies.next(), (error) => error === mine);
    await over.promise;
    assert.deepEqual(got, ["a", "CANCELLED"]);
    const wrong = client.endpoint("upload").exchange(["x"] as unknown as Uint8Array[]);
    await assert.rejects(wrong.next(), { code: "CONFIG" });
  }));

test("files and streams of the application's own share a session with requests", () => {
  const others: SttStream[] = [];
  return served(
    { serve: { otherStream: (stream) => others.push(stream) } },
    async ({ client, endpoints }) => {
      endpoints.register("echo", (request) => request.body());
      const own = await client.openStream();
      await own.write(bytes("GET / is not a request of ours"));
      await own.end();
      await until(() => others.length === 1);
      assert.equal(text(await readAll(others[0] as SttStream)), "GET / is not a request of ours");

      const sending = sendFile(client, { name: "a.txt", source: [bytes("of a file")] });
      await until(() => others.length === 2);
      let file = "";
      await receiveFile(others[1] as SttStream, { write: (chunk) => void (file += text(chunk)) });
      await sending;
      assert.equal(file, "of a file");

      const empty = await client.openStream();
      await empty.end();
      await until(() => others.length === 3);
      assert.equal(await (others[2] as SttStream).read(), null);
      assert.equal(text(await client.endpoint("echo").request(bytes("still here"))), "still here");
    },
  );
});

test("a stream that says too little is the application's own once the time for a header is over", () => {
  const others: SttStream[] = [];
  return served({
    endpoints: { headerTimeout: 5 },
    serve: { otherStream: (stream) => others.push(stream) },
  }, async ({ client }) => {
    const own = await client.openStream();
    await own.write(Uint8Array.of(0x20));
    await until(() => others.length === 1);
    await own.write(Uint8Array.of(0x21));
    await own.end();
    assert.deepEqual([...await readAll(others[0] as SttStream)], [0x20, 0x21]);
  });
});

test("a signal ends serving: what is under way gets BUSY, and the session goes on", () => {
  const stop = new AbortController();
  return served({ serve: { signal: stop.signal } }, async ({ client, server, endpoints }) => {
    const begun = deferred();
    endpoints.register("never", () => {
      begun.resolve();
      return new Promise<Uint8Array>(() => undefined);
    });
    const asking = client.endpoint("never").request(EMPTY);
    await begun.promise;
    stop.abort();
    await assert.rejects(asking, { code: "BUSY", remote: true });
    endpoints.unregister("never");
    endpoints.register("never", () => bytes("again"));
    // Stopped already: nothing is taken.
    await endpoints.serve(server, { signal: stop.signal });
    const told = endpoints.events(["request"]);
    const asked = client.endpoint("never").request(EMPTY);
    await until(() => server.stats().streams.accepted === 2);
    const again = endpoints.serve(server);
    assert.equal(text(await asked), "again");
    assert.equal((await told.next()).value?.detail.endpoint, "never");
    client.abort();
    await again;
  });
});

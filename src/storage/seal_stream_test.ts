import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../testing/prng.ts";
import { openStream, type SealOptions, sealStream } from "./seal_stream.ts";
import { SealedReader } from "./sealed_reader.ts";

const SECRET = new Uint8Array(32).fill(3);
const CHEAP = { passphrase: "correct horse battery", scrypt: { N: 1024, r: 8, p: 1 } };
const SMALL: SealOptions = { secret: SECRET, chunkSize: 1024 };
const HEADER = 75;
const CHUNK = 1024 + 16;

function bytesOf(length: number): Uint8Array {
  return new Prng(length + 1).bytes(length);
}

async function through(
  transform: TransformStream<Uint8Array, Uint8Array>,
  pieces: readonly Uint8Array[],
): Promise<Uint8Array[]> {
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
  const out: Uint8Array[] = [];
  for await (const chunk of source.pipeThrough(transform)) out.push(chunk);
  return out;
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece, offset);
    offset += piece.length;
  }
  return bytes;
}

const seal = async (bytes: Uint8Array, options: SealOptions = SMALL): Promise<Uint8Array> =>
  join(await through(sealStream(options), [bytes]));
const open = async (bytes: Uint8Array, options: SealOptions = SMALL): Promise<Uint8Array> =>
  join(await through(openStream(options), [bytes]));

const LENGTHS = [0, 1, 1023, 1024, 1025, 2048, 5000];

test("what was sealed opens, at every length around the size of a chunk", async () => {
  for (const length of LENGTHS) {
    const sealed = await seal(bytesOf(length));
    const chunks = Math.max(1, Math.ceil(length / 1024));
    assert.equal(sealed.length, HEADER + length + 16 * chunks);
    assert.deepEqual(await open(sealed), bytesOf(length));
    const live = await seal(bytesOf(length), { ...SMALL, live: true });
    assert.deepEqual(await open(live), bytesOf(length));
  }
});

test("pieces of any size on either side give the same bytes", async () => {
  const prng = new Prng(4);
  const split = (bytes: Uint8Array): Uint8Array[] => {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      const length = prng.integer(0, prng.chance(0.5) ? 7 : 3000);
      pieces.push(bytes.slice(at, at + length));
      at += length;
    }
    return pieces;
  };
  for (const live of [false, true]) {
    for (let run = 0; run < 20; run++) {
      const bytes = bytesOf(prng.integer(0, 8000));
      const sealed = join(await through(sealStream({ ...SMALL, live }), split(bytes)));
      assert.deepEqual(join(await through(openStream(SMALL), split(sealed))), bytes);
    }
  }
});

test("a live stream hands on at once what was written", async () => {
  const sealer = sealStream({ ...SMALL, live: true });
  const opened = sealer.readable.pipeThrough(openStream(SMALL)).getReader();
  const writer = sealer.writable.getWriter();
  for (const text of ["a", "bc", "d".repeat(3000)]) {
    void writer.write(new TextEncoder().encode(text));
    let got = "";
    while (got.length < text.length) got += new TextDecoder().decode((await opened.read()).value);
    assert.equal(got, text);
  }
  void writer.close();
  assert.equal((await opened.read()).done, true);
});

test("every cut is found", async () => {
  for (const live of [false, true]) {
    const sealed = await seal(bytesOf(3000), { ...SMALL, live });
    for (let length = 0; length < sealed.length; length += length < 80 ? 1 : 13) {
      await assert.rejects(open(sealed.slice(0, length)), {
        code: /^SEALED_(TRUNCATED|CHUNK)$/,
      } as never);
    }
  }
  const sealed = await seal(bytesOf(3072));
  for (const chunks of [0, 1, 2]) {
    await assert.rejects(open(sealed.slice(0, HEADER + chunks * CHUNK)), {
      code: "SEALED_TRUNCATED",
    });
  }
});

test("every flipped byte and every added byte is found", async () => {
  for (const live of [false, true]) {
    const sealed = await seal(bytesOf(2100), { ...SMALL, live });
    for (let at = 0; at < sealed.length; at += at < 100 ? 1 : 11) {
      const changed = sealed.slice();
      changed[at] = (changed[at] as number) ^ 0x01;
      await assert.rejects(
        open(changed),
        (error: { code: string }) =>
          /^(SEALED_(KEY|FORMAT|CHUNK|TRUNCATED)|UNSUPPORTED)$/.test(error.code),
        `byte ${at}`,
      );
    }
    for (const extra of [new Uint8Array(1), new Uint8Array(CHUNK), sealed]) {
      await assert.rejects(open(join([sealed, extra])), { code: "SEALED_CHUNK" });
    }
  }
});

test("chunks that change places, repeat, vanish or come from another stream are found", async () => {
  const [one, two] = [await seal(bytesOf(4096)), await seal(bytesOf(4096))];
  const at = (sealed: Uint8Array, index: number): Uint8Array =>
    sealed.slice(HEADER + index * CHUNK, HEADER + (index + 1) * CHUNK);
  const head = one.slice(0, HEADER);
  const order = (...indexes: number[]) => join([head, ...indexes.map((index) => at(one, index))]);
  assert.deepEqual(await open(order(0, 1, 2, 3)), bytesOf(4096));
  for (const wrong of [[1, 0, 2, 3], [0, 0, 1, 2, 3], [0, 2, 3], [0, 1, 3, 2], [1, 2, 3], [3]]) {
    await assert.rejects(open(order(...wrong)), { code: "SEALED_CHUNK" }, String(wrong));
  }
  await assert.rejects(open(join([head, at(one, 0), at(two, 1), at(one, 2), at(one, 3)])), {
    code: "SEALED_CHUNK",
  });
});

test("nothing of a chunk comes out before it is verified", async () => {
  const sealed = await seal(bytesOf(3000));
  sealed[HEADER + CHUNK + 5] = (sealed[HEADER + CHUNK + 5] as number) ^ 1;
  const out: Uint8Array[] = [];
  const source = new Blob([sealed as Uint8Array<ArrayBuffer>])
    .stream() as unknown as ReadableStream<Uint8Array>;
  await assert.rejects(async () => {
    for await (const chunk of source.pipeThrough(openStream(SMALL))) out.push(chunk);
  }, { code: "SEALED_CHUNK" });
  assert(join(out).length <= 1024);
});

test("another secret, another kind of secret, or another context opens nothing", async () => {
  const context = new TextEncoder().encode("backup");
  const sealed = await seal(bytesOf(10), { ...SMALL, context });
  assert.deepEqual(await open(sealed, { ...SMALL, context }), bytesOf(10));
  const wrong: SealOptions[] = [SMALL, { secret: new Uint8Array(32), context }, {
    secret: CHEAP,
    context,
  }];
  for (const options of wrong) await assert.rejects(open(sealed, options), { code: "SEALED_KEY" });
  const phrase = await seal(bytesOf(10), { secret: CHEAP });
  assert.deepEqual(await open(phrase, { secret: { passphrase: CHEAP.passphrase } }), bytesOf(10));
  await assert.rejects(open(phrase, { secret: { passphrase: "correct horse batterz" } }), {
    code: "SEALED_KEY",
  });
  await assert.rejects(open(phrase), { code: "SEALED_KEY" });
});

test("other bytes are no sealed stream", async () => {
  await assert.rejects(open(new TextEncoder().encode("#!/bin/sh\n")), { code: "SEALED_FORMAT" });
  await assert.rejects(open(new Uint8Array(0)), { code: "SEALED_TRUNCATED" });
  assert.throws(() => sealStream({ secret: SECRET, chunkSize: 1000 }), { code: "CONFIG" });
  assert.throws(() => sealStream({ secret: new Uint8Array(8) }), { code: "SEED" });
  assert.throws(() => openStream({ secret: { passphrase: "short" } }), { code: "SEED" });
});

test("two streams of the same bytes have nothing in common", async () => {
  const [one, two] = [await seal(bytesOf(1000)), await seal(bytesOf(1000))];
  let equal = 0;
  for (let i = 11; i < one.length; i++) if (one[i] === two[i]) equal++;
  assert(equal < 40, `${equal} equal bytes`);
});

test("a reader reads any place, and reads no more of the source than it needs", async () => {
  for (const length of LENGTHS) {
    const bytes = bytesOf(length);
    const sealed = await seal(bytes);
    let read = 0;
    const reader = await SealedReader.open({
      size: sealed.length,
      read: (offset, count) => {
        read += count;
        return Promise.resolve(sealed.slice(offset, offset + count));
      },
    }, SMALL);
    assert.equal(reader.size, length);
    for (
      const [offset, count] of [[0, 1], [1020, 10], [0, length], [length, 5], [length - 1, 9], [
        2047,
        2,
      ]] as const
    ) {
      if (offset < 0) continue;
      read = 0;
      assert.deepEqual(await reader.read(offset, count), bytes.slice(offset, offset + count));
      assert(read <= (Math.ceil(count / 1024) + 1) * CHUNK, `${read} bytes for ${count}`);
    }
    await assert.rejects(reader.read(-1, 5), { code: "CONFIG" });
    reader.close();
  }
});

test("a reader refuses a stream that was cut, extended or is live when it opens it", async () => {
  const source = (sealed: Uint8Array) => ({
    size: sealed.length,
    read: (offset: number, count: number) => Promise.resolve(sealed.slice(offset, offset + count)),
  });
  const sealed = await seal(bytesOf(3000));
  for (
    const length of [
      0,
      30,
      HEADER,
      HEADER + 15,
      HEADER + CHUNK,
      HEADER + 2 * CHUNK,
      sealed.length - 1,
    ]
  ) {
    await assert.rejects(SealedReader.open(source(sealed.slice(0, length)), SMALL), {
      code: /^SEALED_(TRUNCATED|CHUNK)$/,
    } as never, String(length));
  }
  const longer = source(join([sealed, new Uint8Array(3)]));
  await assert.rejects(SealedReader.open(longer, SMALL), { code: "SEALED_CHUNK" });
  const live = source(await seal(bytesOf(10), { ...SMALL, live: true }));
  await assert.rejects(SealedReader.open(live, SMALL), { code: "UNSUPPORTED" });
});

test("both providers of cryptography open each other's streams", async () => {
  const { nobleProvider } = await import("../crypto/noble_provider.ts");
  const crypto = nobleProvider();
  assert.deepEqual(await open(await seal(bytesOf(3000), { ...SMALL, crypto })), bytesOf(3000));
  assert.deepEqual(await open(await seal(bytesOf(3000)), { ...SMALL, crypto }), bytesOf(3000));
});

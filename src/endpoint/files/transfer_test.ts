import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { SttError } from "../../errors.ts";
import type { Peer } from "../peer.ts";
import { withFolder } from "./folder_for_test.ts";
import { type FileOutcome, type ReceiveFileOptions, receiveFiles } from "./receive_file.ts";
import { declineFile } from "./receive_transfer.ts";
import { sendFile, type SendFileOptions } from "./send_file.ts";
import { withSession } from "./session_for_test.ts";

function isError(error: unknown, code: string): error is SttError {
  return error instanceof SttError && error.code === code;
}

async function nextOutcome(peer: Peer, options: ReceiveFileOptions): Promise<FileOutcome> {
  const step = await receiveFiles(peer, options).next();
  assert(step.value !== undefined);
  return step.value;
}

/** What both sides say of one transfer. */
async function transfer(
  sender: Peer,
  receiver: Peer,
  send: SendFileOptions,
  receive: ReceiveFileOptions,
): Promise<{ readonly sent: unknown; readonly received: FileOutcome }> {
  const [sent, received] = await Promise.all([
    sendFile(sender, send).catch((error: unknown) => error),
    nextOutcome(receiver, receive),
  ]);
  return { sent, received };
}

function pattern(length: number): Uint8Array {
  return new Uint8Array(length).map((_, index) => (index * 31 + (index >> 8)) & 0xff);
}

function* chunksOf(bytes: Uint8Array, size: number): Generator<Uint8Array, void, void> {
  for (let offset = 0; offset < bytes.length; offset += size) {
    yield bytes.subarray(offset, offset + size);
  }
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

test("files of every size arrive, from a path, a source, and a pipe of unknown size", async () => {
  await withFolder(async (folder) => {
    const inbox = join(folder, "inbox");
    await mkdir(inbox);
    await withSession(async (sender, receiver) => {
      for (const length of [0, 1, 53, 54, 55, 32_768, 262_144, 1_000_003]) {
        const bytes = pattern(length);
        const path = join(folder, `path-${length}`);
        await writeFile(path, bytes);
        const offers: SendFileOptions[] = [
          { path },
          { source: chunksOf(bytes, 7_777), name: `source-${length}`, size: length },
          { source: chunksOf(bytes, 50), name: `pipe-${length}` },
        ].slice(0, length > 100_000 ? 2 : 3);
        for (const offer of offers) {
          const { sent, received } = await transfer(sender, receiver, offer, { directory: inbox });
          assert(received.ok, `${received.name}: ${received.ok ? "" : received.error.message}`);
          const facts = { bytes: length, sha256: sha256(bytes), resumed: 0 };
          assert.deepEqual(sent, { name: received.name, ...facts });
          assert.deepEqual(received.sha256, sha256(bytes));
          assert.equal(received.path, join(inbox, received.name));
          assert.equal(received.mode, received.name.startsWith("pipe") ? "pipe" : "file");
          const kept = new Uint8Array(await readFile(join(inbox, received.name)));
          assert.deepEqual(kept, bytes);
        }
      }
      assert.equal((await readdir(inbox)).length, 22);
    });
  });
});

test("a refusal leaves the source untouched, and a source that cannot be read leaves no stream", async () => {
  await withSession(async (sender, receiver) => {
    const bytes = pattern(5000);
    let begun = 0;
    let closed = 0;
    const chunks = chunksOf(bytes, 1000);
    const source: Iterable<Uint8Array> = {
      [Symbol.iterator]() {
        begun++;
        return { next: () => chunks.next(), return: () => ({ value: ++closed, done: true }) };
      },
    };
    const declined = sendFile(sender, { source, name: "a" }).catch((error: unknown) => error);
    declineFile(await receiver.acceptStream() ?? assert.fail());
    assert(isError(await declined, "REFUSED"));
    assert.deepEqual([begun, closed], [0, 0]);
    const parts: Uint8Array[] = [];
    const write = (chunk: Uint8Array): void => void parts.push(chunk);
    const { received } = await transfer(sender, receiver, { source, name: "b" }, { write });
    assert(received.ok);
    assert.deepEqual([received.bytes, begun, closed], [5000, 1, 1]);
    const locked: Iterable<Uint8Array> = {
      [Symbol.iterator]() {
        throw new TypeError("locked");
      },
    };
    const { sent } = await transfer(sender, receiver, { source: locked, name: "c" }, { write });
    assert(sent instanceof TypeError);
    // What both sides said of the stream has arrived once an answer behind it has.
    await sender.ping();
    assert.equal(sender.stats().streams.open, 0);
  });
});

test("an existing file is refused, told to the sender, and replaced only on request", async () => {
  await withFolder(async (directory) => {
    await writeFile(join(directory, "x"), "old");
    await withSession(async (sender, receiver) => {
      const offer = (): SendFileOptions => ({ source: [pattern(5)], name: "x", size: 5 });
      const refused = await transfer(sender, receiver, offer(), { directory });
      assert(isError(refused.sent, "FILE_EXISTS") && refused.sent.remote);
      assert(!refused.sent.message.includes(directory), refused.sent.message);
      assert(!refused.received.ok && refused.received.error.code === "FILE_EXISTS");
      assert.equal(await readFile(join(directory, "x"), "utf8"), "old");
      const taken = await transfer(sender, receiver, offer(), { directory, overwrite: true });
      assert(taken.received.ok);
      assert.equal((await readFile(join(directory, "x"))).length, 5);
    });
  });
});

test("what the receiver does not want is refused, with the reason at the sender", async () => {
  await withSession(async (sender, receiver) => {
    const source = [pattern(1000)];
    const cases: [Partial<SendFileOptions>, Partial<ReceiveFileOptions>, string][] = [
      [{ size: 1000 }, { maxBytes: 999 }, "FILE_TOO_LARGE"],
      [{}, { maxBytes: 999 }, "FILE_TOO_LARGE"],
      [{}, { accept: () => false }, "REFUSED"],
      [{}, { accept: () => Promise.resolve(false) }, "REFUSED"],
    ];
    for (const [send, receive, code] of cases) {
      const write = (): void => undefined;
      const { sent, received } = await transfer(
        sender,
        receiver,
        { source, name: "x", ...send },
        { write, ...receive },
      );
      assert(isError(sent, code) && sent.remote, String(sent));
      assert(!received.ok && received.error.code === code);
    }
    const [sent] = await Promise.all([
      sendFile(sender, { source, name: "x" }).catch((error: unknown) => error),
      receiver.acceptStream().then((stream) => stream !== null && declineFile(stream)),
    ]);
    assert(isError(sent, "REFUSED"));
  });
});

test("a receiver that cannot write says so, while the source is silent too", async () => {
  await withSession(async (sender, receiver) => {
    let finished = false;
    async function* silent(): AsyncGenerator<Uint8Array, void, void> {
      try {
        yield pattern(200_000);
        await new Promise((resolve) => setTimeout(resolve, 60_000).unref());
      } finally {
        finished = true;
      }
    }
    const cause = Object.assign(new Error("/secret/path"), { code: "ENOSPC" });
    const { sent, received } = await transfer(sender, receiver, { source: silent(), name: "x" }, {
      write: () => {
        throw cause;
      },
    });
    assert(isError(sent, "FILE_IO") && /no space/.test(sent.message), String(sent));
    assert(!sent.message.includes("secret"));
    assert(!received.ok && received.error.code === "FILE_IO");
    assert.equal(finished, false);
  });
});

test("a source that fails, grows or shrinks leaves nothing at the receiver", async () => {
  await withFolder(async (directory) => {
    await withSession(async (sender, receiver) => {
      async function* broken(): AsyncGenerator<Uint8Array, void, void> {
        yield pattern(100_000);
        await Promise.resolve();
        throw new Error("the disk is gone");
      }
      const sources: [SendFileOptions, RegExp][] = [
        [{ source: broken(), name: "x" }, /the disk is gone/],
        [{ source: [pattern(10)], size: 9, name: "x" }, /it grew/],
        [{ source: [pattern(10)], size: 11, name: "x" }, /it shrank/],
      ];
      for (const [offer, message] of sources) {
        const { sent, received } = await transfer(sender, receiver, offer, { directory });
        assert(sent instanceof Error && message.test(sent.message), String(sent));
        assert(!received.ok, "it must not arrive");
        assert.deepEqual(await readdir(directory), []);
      }
    });
  });
});

test("either side can give up in the middle; nothing stays, and the next file arrives", async () => {
  await withFolder(async (directory) => {
    await withSession(async (sender, receiver) => {
      async function* endless(): AsyncGenerator<Uint8Array, void, void> {
        for (;;) {
          yield pattern(100_000);
          await new Promise((resolve) => setTimeout(resolve, 0));
        }
      }
      for (const side of ["sender", "receiver"]) {
        const abort = new AbortController();
        const onProgress = ({ bytes }: { readonly bytes: number }): void => {
          if (bytes > 500_000) abort.abort(new Error("enough"));
        };
        const mine = { signal: abort.signal, onProgress };
        const [sent, received] = await Promise.allSettled([
          sendFile(sender, {
            source: endless(),
            name: "x",
            ...(side === "sender" ? mine : {}),
          }),
          nextOutcome(receiver, { directory, ...(side === "receiver" ? mine : {}) }),
        ]);
        assert(sent.status === "rejected");
        if (side === "sender") {
          assert.equal(sent.reason.message, "enough");
          assert(received.status === "fulfilled" && !received.value.ok);
          assert.match(received.value.error.message, /cancelled/);
        } else {
          assert.match(sent.reason.message, /cancelled/);
          assert(received.status === "rejected" && received.reason.message === "enough");
        }
        assert.deepEqual(await readdir(directory), []);
      }
      const next = { source: [pattern(10)], name: "next" };
      assert((await transfer(sender, receiver, next, { directory })).received.ok);
      assert.deepEqual(await readdir(directory), ["next"]);
    });
  });
});

test("the end of the session in the middle leaves nothing", async () => {
  await withFolder(async (directory) => {
    await withSession(async (sender, receiver) => {
      const onProgress = ({ bytes }: { readonly bytes: number }): void => {
        if (bytes > 500_000) sender.abort({ code: 0x123, reason: "gone" });
      };
      const source = chunksOf(pattern(20_000_000), 100_000);
      const { sent, received } = await transfer(
        sender,
        receiver,
        { source, name: "x" },
        { directory, onProgress },
      );
      assert(sent instanceof SttError);
      assert(!received.ok && received.error.wire === 0x123);
      assert.deepEqual(await readdir(directory), []);
    });
  });
});

test("a receiver that does not read stops the sender", async () => {
  await withSession(async (sender, receiver) => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let handedOver = 0;
    const stalled = new Promise<void>((resolve) => {
      let last = -1;
      // Nothing moved for a while: the sender waits. A machine under load only makes the wait longer.
      const timer = setInterval(() => {
        if (handedOver > 0 && handedOver === last) {
          clearInterval(timer);
          resolve();
        }
        last = handedOver;
      }, 200);
    });
    const total = 60_000_000;
    const sending = sendFile(sender, {
      source: chunksOf(new Uint8Array(total), 65_536),
      name: "x",
      size: total,
      onProgress: ({ bytes }) => {
        handedOver = bytes;
      },
    });
    const receiving = nextOutcome(receiver, { write: () => gate });
    await stalled;
    // Its send buffer, the stream's window, and what the transport holds.
    assert(handedOver < 12_000_000, `${handedOver} bytes were taken from the source`);
    release();
    const [sent, received] = await Promise.all([sending, receiving]);
    assert.equal(sent.bytes, total);
    assert(received.ok);
  });
});

test("options that make no sense are refused before anything is sent", async () => {
  await withSession(async (sender, receiver) => {
    const source = [pattern(1)];
    const wrong: [SendFileOptions, string][] = [
      [{}, "CONFIG"],
      [{ path: "x", source }, "CONFIG"],
      [{ source }, "CONFIG"],
      [{ source, name: "x", size: -1 }, "CONFIG"],
      [{ source, name: "a/b" }, "FILE_NAME"],
      [{ path: "/nowhere/at/all" }, "FILE_IO"],
    ];
    for (const [options, code] of wrong) {
      await assert.rejects(sendFile(sender, options), (error: unknown) => isError(error, code));
    }
    for (const options of [{}, { directory: ".", write: () => undefined }]) {
      await assert.rejects(
        receiveFiles(receiver, options).next(),
        (error: unknown) => isError(error, "CONFIG"),
      );
    }
    assert.equal(sender.stats().streams.opened, 0);
  });
});

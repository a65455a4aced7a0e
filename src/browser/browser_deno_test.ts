import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { listen, type Listener } from "../endpoint/listener.ts";
import * as node from "../endpoint/files/mod.ts";
import type { ListenOptions } from "../endpoint/options.ts";
import { SttError } from "../errors.ts";
import { browserFiles } from "./file_runtime.ts";
import {
  connect,
  type ConnectOptions,
  type FileSink,
  generateSeed,
  type Peer,
  receiveFile,
  receiveFiles,
  seedFromPassphrase,
  sendFile,
  toHex,
  webSocketTransport,
} from "./mod.ts";

const UTF8 = new TextEncoder();

interface Ends {
  readonly listener: Listener;
  /** The browser's side. */
  readonly client: Peer;
  readonly server: Peer;
}

/** A session from this module to a listener of the runtime, over a real WebSocket. */
async function withSession(
  run: (ends: Ends) => Promise<void>,
  options: Partial<ListenOptions> & Partial<ConnectOptions> = {},
): Promise<void> {
  const seed = generateSeed();
  const app = node.FILES_APP;
  const listener = await listen("ws://127.0.0.1:0/", { ...options, seed, app } as ListenOptions);
  try {
    const client = await connect(listener.address, { seed, app, expect: listener.nodeId });
    const server = await listener.nextPeer();
    assert(server !== null);
    await run({ listener, client, server });
    await client.close();
  } finally {
    await listener.close();
  }
}

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "stt-browser-"));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function isError(code: string): (error: unknown) => boolean {
  return (error) => error instanceof SttError && error.code === code;
}

/** Bytes that are no constant, so that order and offsets count. */
function pattern(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8)) & 0xff;
  return bytes;
}

test("browser: a session with streams, messages, datagrams, pings and new keys", async () => {
  await withSession(async ({ client, server, listener }) => {
    assert.equal(client.info.id, toHex(listener.nodeId));
    assert.equal(client.info.pinned, true);

    const stream = await client.openStream();
    const bytes = pattern(1_000_000);
    const writing = stream.write(bytes).then(() => stream.end());
    const incoming = await server.acceptStream();
    const parts: Uint8Array[] = [];
    for await (const chunk of incoming!) parts.push(chunk);
    assert.deepEqual(new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer()), bytes);
    await incoming!.end();
    await writing;

    await client.send(UTF8.encode("up"));
    assert.equal(new TextDecoder().decode((await server.nextMessage())?.data), "up");
    await server.send(UTF8.encode("down"));
    assert.equal(new TextDecoder().decode((await client.nextMessage())?.data), "down");

    client.sendDatagram(UTF8.encode("now"), { channel: 7 });
    assert.equal((await server.nextDatagram())?.channel, 7);

    const rekeyed = new Promise((resolve) => client.on("rekey", resolve, { once: true }));
    client.rotateKeys();
    await rekeyed;
    assert(await client.ping() >= 0);
    assert(client.stats().bytesSent > 1_000_000);
  });
});

test("browser: a File goes to the disk of the listener, and one of the disk comes as a Blob", async () => {
  await withFolder(async (directory) => {
    await withSession(async ({ client, server }) => {
      const bytes = pattern(700_001);
      const receiving = node.receiveFiles(server, { directory }).next();
      const seen: number[] = [];
      const sent = await sendFile(client, {
        source: new File([bytes], "up.bin"),
        onProgress: ({ bytes }) => seen.push(bytes),
      });
      const received = (await receiving).value;
      assert(received?.ok);
      assert.equal(toHex(received.sha256), toHex(sent.sha256));
      assert.deepEqual(new Uint8Array(await readFile(join(directory, "up.bin"))), bytes);
      assert.deepEqual(seen, [262_144, 524_288, 700_001]);

      const taking = receiveFiles(client).next();
      await node.sendFile(server, { path: join(directory, "up.bin"), name: "down.bin" });
      const file = (await taking).value;
      assert(file?.ok);
      assert.equal(file.name, "down.bin");
      assert.equal(toHex(file.sha256), toHex(sent.sha256));
      assert.deepEqual(new Uint8Array(await file.blob!.arrayBuffer()), bytes);
    });
  });
});

test("browser: a File whose transfer broke off goes on where it stopped", async () => {
  await withFolder(async (directory) => {
    const bytes = pattern(3_000_000);
    const source = new File([bytes], "large.bin");
    await withSession(async ({ client, server }) => {
      const receiving = node.receiveFiles(server, { directory, resume: true }).next();
      const stop = new AbortController();
      const onProgress = ({ bytes }: { bytes: number }): void => {
        if (bytes > 2_000_000) stop.abort(new Error("enough"));
      };
      await assert.rejects(
        sendFile(client, { source, onProgress, signal: stop.signal }),
        /enough/,
      );
      assert.equal((await receiving).value?.ok, false);
    });
    await withSession(async ({ client, server }) => {
      const receiving = node.receiveFiles(server, { directory, resume: true }).next();
      const sent = await sendFile(client, { source });
      assert.equal((await receiving).value?.ok, true);
      assert(sent.resumed > 0, "nothing was there already");
      assert.deepEqual(new Uint8Array(await readFile(join(directory, "large.bin"))), bytes);
    });
  });
});

test("browser: chunks of unknown size go as a pipe; a source without a name is refused", async () => {
  await withSession(async ({ client, server }) => {
    const receiving = node.receiveFiles(server, { write: () => undefined }).next();
    const sent = await sendFile(client, {
      source: [UTF8.encode("a"), UTF8.encode("b")],
      name: "p",
    });
    assert.equal(sent.bytes, 2);
    const file = (await receiving).value;
    assert(file?.ok && file.mode === "pipe");
    for (const source of [new Blob(["x"]), [UTF8.encode("x")]]) {
      await assert.rejects(sendFile(client, { source }), isError("CONFIG"));
    }
  });
});

test("browser: a sink gets the bytes and the end", async () => {
  await withSession(async ({ client, server }) => {
    const source = [pattern(100_000)];
    const calls: string[] = [];
    let bytes = 0;
    const good: FileSink = {
      write: (chunk) => void (bytes += chunk.length),
      close: () => void calls.push("close"),
      abort: () => void calls.push("abort"),
    };
    const taking = receiveFiles(client, { sink: () => good }).next();
    await node.sendFile(server, { source, name: "one", size: 100_000 });
    const first = (await taking).value;
    assert(first?.ok && first.blob === null);
    assert.deepEqual([calls, bytes], [["close"], 100_000]);
  });
});

test("browser: a sink that cannot be opened, or closed, is a file that was not taken", async () => {
  await withSession(async ({ client, server }) => {
    const sinks: (() => FileSink)[] = [
      () => {
        throw new Error("no place");
      },
      () => ({ write: () => undefined, close: () => Promise.reject(new Error("cut off")) }),
    ];
    for (const sink of sinks) {
      const taking = receiveFiles(client, { sink }).next();
      await assert.rejects(
        node.sendFile(server, { source: [pattern(11)], name: "x", size: 11 }),
        isError("FILE_IO"),
      );
      const outcome = (await taking).value;
      assert(outcome !== undefined && !outcome.ok);
      assert.match(outcome.error.message, /cannot (create|write) the output: (no place|cut off)/);
    }
  });
});

test("browser: who gives a transfer up forgets the file, and the sender hears of it", async () => {
  await withSession(async ({ client, server }) => {
    const stop = new AbortController();
    let forgotten: unknown;
    const sink = (): FileSink => ({
      write: () => stop.abort(new Error("enough")),
      abort: (reason) => void (forgotten = reason),
    });
    const sending = node.sendFile(server, { source: [pattern(500_000)], name: "x", size: 500_000 });
    const refused = assert.rejects(sending, isError("STREAM_RESET"));
    await assert.rejects(receiveFiles(client, { sink, signal: stop.signal }).next(), /enough/);
    await refused;
    assert(isError("FILE_IO")(forgotten));

    const again = new AbortController();
    const offer = { source: [pattern(9_000_000)], name: "y", size: 9_000_000 };
    const failing = assert.rejects(node.sendFile(server, offer), isError("STREAM_RESET"));
    const onProgress = ({ bytes }: { bytes: number }): void => {
      if (bytes > 5_000_000) again.abort(new Error("enough of blobs"));
    };
    await assert.rejects(
      receiveFiles(client, { onProgress, signal: again.signal }).next(),
      /enough of blobs/,
    );
    await failing;
  });
});

/** A file that changed behind the page: browsers refuse to read it. */
class ChangedFile extends File {
  override slice(): Blob {
    const blob = new Blob(["x"]);
    blob.arrayBuffer = () => Promise.reject(new DOMException("changed", "NotReadableError"));
    return blob;
  }
}

test("browser: a File that cannot be read is told, here and there", async () => {
  await withSession(async ({ client, server }) => {
    const receiving = node.receiveFiles(server, { write: () => undefined }).next();
    await assert.rejects(
      sendFile(client, { source: new ChangedFile(["x"], "x") }),
      (error) => isError("FILE_IO")(error) && /cannot read "x": changed/.test(String(error)),
    );
    assert.equal((await receiving).value?.ok, false);
  });
});

test("browser: one file of one stream; a stream of something else is refused", async () => {
  await withSession(async ({ client, server }) => {
    const sending = node.sendFile(server, { source: [pattern(5)], name: "x", size: 5 });
    const file = await receiveFile((await client.acceptStream())!);
    assert.deepEqual([file.name, file.bytes, file.blob?.size], ["x", 5, 5]);
    await sending;
    const other = await server.openStream();
    await other.write(UTF8.encode("\x00\x00\x00"));
    await assert.rejects(receiveFile((await client.acceptStream())!), isError("PROTOCOL"));
  });
});

test("browser: words that are too few make no seed", async () => {
  await assert.rejects(seedFromPassphrase("short", "example network"), isError("SEED"));
  await assert.rejects(seedFromPassphrase("correct horse battery", "net"), isError("SEED"));
});

test("browser: errors of sinks keep their meaning, and bytes are compared whole", () => {
  const own = new SttError("FILE_EXISTS", "there already");
  assert.equal(browserFiles.error("write", "x", own), own);
  assert.match(browserFiles.error("write", "x", "odd").message, /cannot write x: odd/);
  assert.equal(browserFiles.isFull(new Error("QuotaExceededError")), false);
  const [a, b] = [new Uint8Array([1, 2]), new Uint8Array([1, 3])];
  assert.deepEqual([browserFiles.equal(a, a.slice()), browserFiles.equal(a, b)], [true, false]);
});

test("browser: what is not taken: too large, declined, a full place", async () => {
  await withSession(async ({ client, server }) => {
    let forgotten = 0;
    const full: FileSink = {
      write: () => Promise.reject(new DOMException("no room", "QuotaExceededError")),
      abort: () => void forgotten++,
    };
    const cases = [
      { options: { maxBytes: 10 }, code: "FILE_TOO_LARGE", text: /larger/ },
      { options: { accept: () => false }, code: "REFUSED", text: /takes no files/ },
      { options: { sink: () => full }, code: "FILE_IO", text: /no space left/ },
    ];
    for (const { options, code, text } of cases) {
      const taking = receiveFiles(client, options).next();
      await assert.rejects(
        node.sendFile(server, { source: [pattern(11)], name: "x", size: 11 }),
        (error) => isError(code)(error) && text.test(String(error)),
      );
      const outcome = (await taking).value;
      assert(outcome !== undefined && !outcome.ok && outcome.error.code === code);
    }
    assert.equal(forgotten, 1);
    await assert.rejects(receiveFiles(client, { maxBytes: -1 }).next(), isError("CONFIG"));
  });
});

test("browser: only WebSocket addresses, and no listening", async () => {
  const seed = generateSeed();
  for (const address of ["tcp://127.0.0.1:9", "udp://127.0.0.1:9", "mem:x", "ws://127.0.0.1:0/"]) {
    await assert.rejects(connect(address, { seed }), isError("ADDRESS"), address);
  }
  await assert.rejects(
    webSocketTransport.listen("ws://127.0.0.1:0/", () => undefined),
    isError("UNSUPPORTED"),
  );
  await assert.rejects(webSocketTransport.dial("tcp://127.0.0.1:9"), isError("ADDRESS"));
});

test("browser: a wrong seed, an address without a listener, and an abort say so", async () => {
  const listener = await listen("ws://127.0.0.1:0/", { seed: generateSeed() });
  const seed = generateSeed();
  try {
    await assert.rejects(
      connect(listener.address, { seed, handshakeTimeout: 300 }),
      isError("HANDSHAKE_TIMEOUT"),
    );
    const stop = new AbortController();
    const reason = new Error("left");
    const dialling = connect(listener.address, { seed, signal: stop.signal });
    stop.abort(reason);
    await assert.rejects(dialling, (error) => error === reason);
  } finally {
    await listener.close();
  }
  await assert.rejects(connect(listener.address, { seed }), isError("TRANSPORT"));
});

test("browser: a transport of one's own wraps the WebSocket", async () => {
  const seed = generateSeed();
  const listener = await listen("ws://127.0.0.1:0/", { seed });
  const sizes: number[] = [];
  const transport = {
    ...webSocketTransport,
    async dial(...args: Parameters<typeof webSocketTransport.dial>) {
      const connection = await webSocketTransport.dial(...args);
      const send = connection.send.bind(connection);
      connection.send = (bytes) => {
        sizes.push(bytes.length);
        return send(bytes);
      };
      return connection;
    },
  };
  const peer = await connect(listener.address, { seed, transports: [transport] });
  assert.equal(sizes.length, 2, "HELLO and AUTH_PROOF");
  await peer.close();
  await listener.close();
});

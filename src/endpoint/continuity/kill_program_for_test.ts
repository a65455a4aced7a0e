/**
 * One side of a transfer that is killed and started again, for `kill_process_test.ts`. State lies in chambers.
 *
 * `receive FOLDER UDP-PORT WS-PORT` keeps what comes in FOLDER/content; `send FOLDER ADDRESS BYTES` sends. One JSON
 * object per line says what happens.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { Chamber } from "../../storage/chamber.ts";
import { FileStore } from "../../storage/file_store.ts";
import { listen } from "../listener.ts";
import type { ResumableStream } from "./resumable_stream.ts";
import { resumable } from "./resumable.ts";
import { ResumptionHost } from "./resumption_host.ts";

const SHARED = new Uint8Array(32).fill(1);
const SERVER = new Uint8Array(32).fill(2);
const CLIENT = new Uint8Array(32).fill(3);
const CHUNK = 16_384;
const CONFIRM_BYTES = 262_144;

function say(event: Record<string, unknown>): void {
  console.log(JSON.stringify(event));
}

/** A byte of the content by its place. */
function chunkAt(offset: number, end: number): Uint8Array {
  const bytes = new Uint8Array(Math.min(CHUNK, end - offset));
  for (let index = 0; index < bytes.length; index++) {
    const place = offset + index;
    bytes[index] = place * 31 + (place >> 8) + (place >> 16);
  }
  return bytes;
}

async function chamberIn(folder: string): Promise<Chamber> {
  return await Chamber.open(await FileStore.open(join(folder, "state")), { secret: SHARED });
}

async function receive(folder: string, udpPort: string, wsPort: string): Promise<void> {
  const chamber = await chamberIn(folder);
  const host = await ResumptionHost.open({ chamber, confirm: "explicit" });
  const options = { seed: SHARED, nodeSeed: SERVER, resumption: host };
  const udp = await listen(`udp://127.0.0.1:${udpPort}`, options);
  const ws = await listen(`ws://127.0.0.1:${wsPort}/`, options);
  say({ event: "listening", udp: udp.address, ws: ws.address, restored: host.size });
  for await (const session of host) {
    session.on(
      "connected",
      ({ peer, resumed }) => say({ event: "connected", over: peer.info.localAddress, resumed }),
    );
    say({ event: "session", id: session.id, over: session.peer?.info.localAddress });
    const stream = await session.acceptStream();
    if (stream !== null) {
      await keep(stream, join(folder, "content"));
      say({
        event: "done",
        sha256: createHash("sha256").update(await readFile(join(folder, "content"))).digest("hex"),
        wire: session.peer?.stats().bytesReceived,
        over: session.peer?.info.localAddress,
      });
    }
  }
}

/** Writes, syncs, and only then confirms. */
async function keep(stream: ResumableStream, path: string): Promise<void> {
  say({ event: "stream", name: stream.name, restored: stream.restored, from: stream.readOffset });
  const file = await open(path, stream.readOffset === 0 ? "w" : "r+");
  await file.truncate(stream.readOffset);
  let offset = stream.readOffset;
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) {
    await file.write(chunk, 0, chunk.length, offset);
    offset += chunk.length;
    if (offset - stream.confirmedOffset < CONFIRM_BYTES) continue;
    await file.datasync();
    await stream.confirm(offset);
    say({ event: "confirmed", offset });
  }
  await file.datasync();
  await file.close();
  await stream.confirm();
}

async function send(folder: string, address: string, bytes: string): Promise<void> {
  const chamber = await chamberIn(folder);
  const session = await resumable(address, {
    seed: SHARED,
    nodeSeed: CLIENT,
    chamber,
    initialDelay: 20,
    maxDelay: 100,
    handshakeTimeout: 2000,
  });
  const size = Number(bytes);
  const stream = await session.openStream({ name: "content", oneWay: true });
  await stream.ready();
  say({ event: "sending", id: session.id, restored: stream.restored, from: stream.writeOffset });
  while (stream.writeOffset < size) await stream.write(chunkAt(stream.writeOffset, size));
  await stream.end();
  say({ event: "sent", wire: session.peer?.stats().bytesSent });
  await session.suspend();
  process.exit(0);
}

const [role, folder = "", ...rest] = process.argv.slice(2);
if (role === "receive") await receive(folder, rest[0] ?? "0", rest[1] ?? "0");
else if (role === "send") await send(folder, rest[0] ?? "", rest[1] ?? "0");

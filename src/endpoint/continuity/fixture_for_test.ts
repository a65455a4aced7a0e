/**
 * A listener and a dialler that resume, in this process.
 *
 * @module
 */
import assert from "node:assert/strict";
import { SttError } from "../../errors.ts";
import { Chamber } from "../../storage/chamber.ts";
import { MemoryStore } from "../../storage/memory_store.ts";
import { listen, type Listener } from "../listener.ts";
import type { ListenOptions } from "../options.ts";
import { generateSeed } from "../seeds.ts";
import { resumable, type ResumableOptions } from "./resumable.ts";
import type { ResumableSession } from "./resumable_session.ts";
import type { ResumableStream } from "./resumable_stream.ts";
import { ResumptionHost, type ResumptionHostOptions } from "./resumption_host.ts";
import type { SessionChamber } from "./stored.ts";

let scenes = 0;

/** Both sides, and what they are made of again after a "crash". */
export class Scene {
  readonly seed: Uint8Array = generateSeed();
  readonly serverSeed: Uint8Array = generateSeed();
  readonly clientSeed: Uint8Array = generateSeed();
  readonly address: string = `mem:continuity-${scenes++}`;
  readonly #close: (() => Promise<unknown>)[] = [];

  /** Runs `act` and closes whatever it opened. */
  static async run(act: (scene: Scene) => Promise<void>): Promise<void> {
    const scene = new Scene();
    try {
      await act(scene);
    } finally {
      for (const close of scene.#close.reverse()) await close().catch(() => undefined);
    }
  }

  async chamber(store: MemoryStore = new MemoryStore()): Promise<Chamber> {
    const chamber = await Chamber.open(store, { secret: this.seed });
    this.#close.push(() => chamber.close());
    return chamber;
  }

  /** A chamber whose disk has no space while `full`. */
  async fillableChamber(): Promise<SessionChamber & { full: boolean }> {
    const inner = await this.chamber();
    const chamber: SessionChamber & { full: boolean } = {
      full: false,
      get: (name) => inner.get(name),
      async put(name, value) {
        if (chamber.full) throw new SttError("FILE_IO", "no space is left");
        await inner.put(name, value);
      },
      delete: (name) => inner.delete(name),
      list: () => inner.list(),
    };
    return chamber;
  }

  async host(options: ResumptionHostOptions = {}): Promise<ResumptionHost> {
    const host = await ResumptionHost.open(options);
    this.#close.push(() => host.close());
    return host;
  }

  async listen(
    resumption: ResumptionHost | undefined,
    address: string = this.address,
    options: Partial<ListenOptions> = {},
  ): Promise<Listener> {
    const listener = await listen(address, {
      seed: this.seed,
      nodeSeed: this.serverSeed,
      closeFlush: 200,
      ...(resumption === undefined ? {} : { resumption }),
      ...options,
    });
    this.#close.push(() => listener.close());
    return listener;
  }

  async dial(
    options: Partial<ResumableOptions> = {},
    address: string = this.address,
  ): Promise<ResumableSession> {
    const session = await resumable(address, {
      seed: this.seed,
      nodeSeed: this.clientSeed,
      initialDelay: 1,
      maxDelay: 5,
      closeFlush: 200,
      ...options,
    });
    this.#close.push(() => session.suspend());
    return session;
  }
}

/** Bytes that tell their own place. */
export function content(length: number, salt: number = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = index * 31 + (index >> 8) + salt;
  return bytes;
}

/** Everything up to the end. */
export async function readAll(stream: ResumableStream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return all;
}

/** Writes everything from `writeOffset` on, in chunks, and ends. */
export async function writeAll(
  stream: ResumableStream,
  bytes: Uint8Array,
  chunk: number = 20_000,
): Promise<void> {
  await stream.ready();
  while (stream.writeOffset < bytes.length) {
    await stream.write(bytes.slice(stream.writeOffset, stream.writeOffset + chunk));
  }
  await stream.end();
}

/** The next stream of a session, which there must be. */
export async function accepted(session: ResumableSession): Promise<ResumableStream> {
  const stream = await session.acceptStream();
  assert.ok(stream !== null, "the session is over");
  return stream;
}

/** The next session of a host, which there must be. */
export async function hosted(host: ResumptionHost): Promise<ResumableSession> {
  const session = await host.nextSession();
  assert.ok(session !== null, "the host is closed");
  return session;
}

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { SttError } from "../../errors.ts";
import type { Peer } from "../peer.ts";
import { BlockStream } from "./block_stream.ts";
import type { FileDestination } from "./destination.ts";
import { nodeFiles } from "./node_runtime.ts";
import { receiveOffered } from "./receive_transfer.ts";
import { sendSource } from "./send_transfer.ts";
import { withSession } from "./session_for_test.ts";
import { encodeOffer, encodeOfferAnswer, encodePrefix } from "./wire.ts";

const CHUNK = new Uint8Array(1024);
const SIZE = 1_073_741_824;
/** Turns of the event loop that a session needs at most to end, here. */
const MOST_TURNS = 20_000;

/** A disk that reads for as long as anybody asks: `begun` once somebody does, `left` when nobody does any more. */
class SlowDisk {
  begun: Promise<void>;
  left = false;
  #begin: () => void = () => undefined;

  constructor() {
    this.begun = new Promise((resolve) => {
      this.#begin = resolve;
    });
  }

  async *read(): AsyncGenerator<Uint8Array, void, void> {
    try {
      for (let turn = 0; turn < MOST_TURNS; turn++) {
        this.#begin();
        yield CHUNK;
        await setImmediate();
      }
      throw new Error("it is still read");
    } finally {
      this.left = true;
    }
  }
}

/** How either side learns that it is for nothing. */
const ENDS: Readonly<Record<string, (other: Peer, stop: AbortController) => void>> = {
  "the session ends": (other) => other.abort(),
  "the signal is aborted": (_, stop) => stop.abort(new SttError("CLOSED", "given up")),
};

for (const [when, end] of Object.entries(ENDS)) {
  test(`a receiver stops to hash what it kept when ${when}, and keeps it`, async () => {
    await withSession(async (sender, receiver) => {
      const disk = new SlowDisk();
      const calls: string[] = [];
      const destination: FileDestination = {
        earlier: {
          bytes: SIZE / 2,
          read: () => disk.read(),
          decide: (use) => Promise.resolve(void calls.push(`decide ${use}`)),
        },
        write: () => Promise.resolve(),
        commit: () => Promise.resolve(null),
        discard: () => Promise.resolve(void calls.push("discard")),
        keep: () => Promise.resolve(void calls.push("keep")),
      };
      const place = { checkName: () => undefined, open: () => Promise.resolve(destination) };
      const stop = new AbortController();
      const blocks = new BlockStream(await sender.openStream(), undefined);
      await blocks.write(encodeOffer({ name: "x", size: SIZE, mode: "file", resume: true }));
      const incoming = await receiver.acceptStream();
      assert(incoming !== null);
      const options = { signal: stop.signal };
      const receiving = receiveOffered(incoming, place, nodeFiles, options, () => undefined);
      receiving.catch(() => undefined);
      // The proof is there: only the disk is waited for.
      await blocks.block();
      await blocks.write(encodePrefix(new Uint8Array(createHash("sha256").digest())));
      await disk.begun;
      end(sender, stop);
      await assert.rejects(receiving, (error) => error instanceof SttError);
      assert(disk.left);
      assert.deepEqual(calls, ["keep"]);
    });
  });

  test(`a sender stops to hash what the other side kept when ${when}`, async () => {
    await withSession(async (sender, receiver) => {
      const disk = new SlowDisk();
      const stop = new AbortController();
      const source = {
        name: "x",
        size: SIZE,
        chunks: [],
        own: true,
        range: () => disk.read(),
        close: () => Promise.resolve(),
      };
      const sending = sendSource(sender, source, nodeFiles, { signal: stop.signal });
      sending.catch(() => undefined);
      const incoming = await receiver.acceptStream();
      assert(incoming !== null);
      const blocks = new BlockStream(incoming, undefined);
      await blocks.block();
      await blocks.write(encodeOfferAnswer({ kept: SIZE / 2 }));
      await disk.begun;
      end(receiver, stop);
      await assert.rejects(sending, (error) => error instanceof SttError);
      assert(disk.left);
    });
  });
}

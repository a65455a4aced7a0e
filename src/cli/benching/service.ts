/**
 * The listener's side of `stt bench`: bounded in time, in streams and in memory.
 *
 * @module
 */
import { BlockStream } from "../../endpoint/files/block_stream.ts";
import type { Peer } from "../../endpoint/peer.ts";
import type { SttStream } from "../../endpoint/stt_stream.ts";
import { SttError } from "../../errors.ts";
import type { CommandContext } from "../command.ts";
import { EXIT_OK } from "../exit_codes.ts";
import type { Service } from "../services.ts";
import {
  BENCH_BUSY,
  BENCH_CHANNEL,
  BENCH_MALFORMED,
  decodeBenchRequest,
  encodeCount,
  MAX_BENCH_STREAMS,
} from "./wire.ts";

const CHUNK_BYTES = 65_536;

/** Serves every session on its own. */
export function benchService({ io, signal }: CommandContext): Service {
  return {
    async serve(peer, onWork) {
      onWork();
      await new BenchSession(peer, () => io.now(), signal).serve();
      return EXIT_OK;
    },
  };
}

class BenchSession {
  readonly #peer: Peer;
  readonly #now: () => number;
  readonly #signal: AbortSignal;
  #streams = 0;
  #datagrams = 0;

  constructor(peer: Peer, now: () => number, signal: AbortSignal) {
    this.#peer = peer;
    this.#now = now;
    this.#signal = signal;
  }

  async serve(): Promise<void> {
    const signal = this.#signal;
    const datagrams = this.#returnDatagrams();
    datagrams.catch(() => undefined);
    for await (const stream of this.#peer.streams({ signal })) {
      if (this.#streams >= MAX_BENCH_STREAMS) give(stream, BENCH_BUSY);
      else void this.#answer(stream);
    }
    await datagrams;
  }

  async #returnDatagrams(): Promise<void> {
    const peer = this.#peer;
    for await (const { channel, data } of peer.datagrams({ signal: this.#signal })) {
      if (channel !== BENCH_CHANNEL) continue;
      this.#datagrams++;
      if (data.length <= peer.maxDatagramSize) peer.sendDatagram(data, { channel });
    }
  }

  async #answer(stream: SttStream): Promise<void> {
    this.#streams++;
    try {
      const blocks = new BlockStream(stream, this.#signal);
      const request = decodeBenchRequest(await blocks.block());
      if (request.mode === "source") await this.#send(stream, request.ms);
      else if (request.mode === "sink") await blocks.write(encodeCount(await this.#take(blocks)));
      else await this.#count(blocks);
      await stream.end({ signal: this.#signal });
    } catch (error) {
      const malformed = error instanceof SttError && error.code === "PROTOCOL";
      give(stream, malformed ? BENCH_MALFORMED : BENCH_BUSY);
    } finally {
      this.#streams--;
    }
  }

  async #take(blocks: BlockStream): Promise<number> {
    let count = 0;
    for (;;) {
      const bytes = await blocks.bytes(CHUNK_BYTES);
      if (bytes === null) return count;
      count += bytes.length;
    }
  }

  async #send(stream: SttStream, ms: number): Promise<void> {
    const end = this.#now() + ms;
    const chunk = new Uint8Array(CHUNK_BYTES);
    // `own`: the bytes never change, so all pieces may be the same array.
    while (this.#now() < end) await stream.write(chunk, { own: true, signal: this.#signal });
  }

  /** Those from the request until the peer ends its direction. */
  async #count(blocks: BlockStream): Promise<void> {
    const before = this.#datagrams;
    await blocks.write(encodeCount(0));
    while (await blocks.bytes(CHUNK_BYTES) !== null);
    await blocks.write(encodeCount(this.#datagrams - before));
  }
}

function give(stream: SttStream, code: number): void {
  stream.reset(code);
  stream.stop(code);
}

/**
 * A stream as Web Streams.
 *
 * @module
 */
import type { SttStream } from "./stt_stream.ts";

/** The receiving direction. Nothing is read ahead: reading returns credit, so the peer would send what nobody takes. */
export function readableOf(stream: SttStream): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const chunk = await stream.read();
      if (chunk === null) controller.close();
      else controller.enqueue(chunk);
    },
    cancel: () => stream.stop(),
  }, { highWaterMark: 0 });
}

/** The sending direction. */
export function writableOf(stream: SttStream): WritableStream<Uint8Array> {
  return new WritableStream<Uint8Array>({
    write: (chunk) => stream.write(chunk),
    close: () => stream.end(),
    abort: () => stream.reset(),
  });
}

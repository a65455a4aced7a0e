/**
 * Answers one request: runs its handler, writes what it gives, and tells it when nobody waits any more.
 *
 * @module
 */
import { type ErrorCode, errorCodeOf, ERRORS, SttError } from "../../errors.ts";
import { MAX_TIMER_MS } from "../clock.ts";
import type { Peer } from "../peer.ts";
import type { SttStream } from "../stt_stream.ts";
import { failureOf } from "./failures.ts";
import { IncomingRequest } from "./incoming_request.ts";
import { isItems, type Items, untilAborted } from "./items.ts";
import type { PartReader } from "./part_reader.ts";
import type { Place } from "./places.ts";
import { encodeFailure, encodeItem, type RequestHeader } from "./wire.ts";

/** What a handler answers: one item, several as they come, or nothing, which is one empty item. */
export type HandlerReply = Uint8Array | Items | void;

/**
 * Answers requests to one endpoint. What it throws ends the request: `new SttError("APPLICATION", reason, { wire })` with a
 * code of 0x100 or above, `REFUSED`, `BUSY` and `PROTOCOL` reach the asker with their message, cut to 256 bytes; of
 * anything else the asker learns `INTERNAL`, and the event `failure` tells this side.
 */
export type RequestHandler = (request: IncomingRequest) => HandlerReply | Promise<HandlerReply>;

/** What a request ended with. */
export interface Ending {
  /** Undefined when it was answered. */
  readonly code: ErrorCode | undefined;
  /** What was thrown, or undefined. */
  readonly error: unknown;
}

/** A request that was let in. */
export interface Admitted {
  readonly peer: Peer;
  readonly stream: SttStream;
  readonly reader: PartReader;
  readonly header: RequestHeader;
  readonly handler: RequestHandler;
  /** Calls back when this side answers no more; returns a function that ends that. */
  readonly onStop: (stopped: (reason: SttError) => void) => () => void;
  /** Of this request among all. */
  readonly place: Place;
}

/** Resolves when the answer is out or nobody wants it, and the handler is done. */
export async function answer(admitted: Admitted): Promise<Ending> {
  const { peer, stream, reader, header, handler, onStop, place } = admitted;
  const over = new AbortController();
  const { signal } = over;
  let answered = false;
  const giveUp = (reason: unknown): void => {
    clearTimeout(timer);
    if (answered || signal.aborted) return;
    over.abort(reason);
    place.orphan();
  };
  // STOP ends our direction, and so does the session; RESET alone shows when the items are read.
  stream.finished.catch((error) => giveUp(cancelled(header, error)));
  const timer = header.deadline === undefined
    ? undefined
    : setTimeout(() => giveUp(late(header)), Math.min(header.deadline, MAX_TIMER_MS));
  const forgetStop = onStop(giveUp);
  const failed = (): void => void tell(stream, signal.reason);
  signal.addEventListener("abort", failed, { once: true });
  try {
    const request = new IncomingRequest(peer, header, reader, signal);
    await write(stream, await handler(request), signal);
    answered = true;
    // Whoever sees the end of the answer may ask again at once.
    place.release();
    stream.end().catch(() => undefined);
    // What nobody read was not needed for the answer.
    if (!reader.ended) stream.stop(ERRORS.NONE.wire as number);
    return { code: undefined, error: undefined };
  } catch (error) {
    if (signal.aborted) return { code: (signal.reason as SttError).code, error: signal.reason };
    answered = true;
    place.release();
    return tell(stream, error);
  } finally {
    place.end();
    clearTimeout(timer);
    forgetStop();
    signal.removeEventListener("abort", failed);
  }
}

async function write(stream: SttStream, reply: HandlerReply, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (reply === undefined || reply instanceof Uint8Array) {
    const item = encodeItem(reply ?? new Uint8Array(0));
    return await stream.write(item, { own: true, signal });
  }
  if (!isItems(reply)) throw new SttError("CONFIG", "cannot answer request: no bytes and no items");
  for await (const item of untilAborted(reply, signal)) {
    if (!(item instanceof Uint8Array)) {
      throw new SttError("CONFIG", `cannot answer request: ${typeof item} is no Uint8Array`);
    }
    await stream.write(encodeItem(item), { own: true, signal });
  }
}

/** Tells the peer why there is no answer, and reads no more. Whoever is gone is told nothing. */
export function tell(stream: SttStream, error: unknown): Ending {
  const failure = failureOf(error);
  try {
    stream.tryWrite(encodeFailure(failure), true);
    stream.end().catch(() => undefined);
  } catch (thrown) {
    if (!(thrown instanceof SttError)) throw thrown;
  }
  stream.stop(failure.error);
  return { code: errorCodeOf(failure.error), error };
}

function late({ to, deadline }: RequestHeader): SttError {
  return new SttError("DEADLINE", `no answer to ${JSON.stringify(to)} within ${deadline} ms`);
}

/** A peer that stops reading has cancelled, whatever its code; the end of the session says more than that. */
function cancelled({ to }: RequestHeader, error: unknown): unknown {
  if (!(error instanceof SttError) || error.code !== "STREAM_STOPPED") return error;
  if (error.wire === ERRORS.DEADLINE.wire) {
    return new SttError("DEADLINE", `the time for a request to ${JSON.stringify(to)} was over`);
  }
  return new SttError("CANCELLED", `the request to ${JSON.stringify(to)} was cancelled`, {
    remote: true,
  });
}

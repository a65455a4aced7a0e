/**
 * Handlers of the application's own frame types.
 *
 * @module
 */
import { BoundedQueue } from "../connection/bounded_queue.ts";
import type { CustomFrame } from "../connection/events.ts";
import { DATAGRAM_QUEUE, FRAME_CUSTOM_MAX, FRAME_CUSTOM_MIN } from "../constants.ts";
import { SttError } from "../errors.ts";

/** A received frame of the application's own type. */
export interface FrameEvent {
  /** 0x80 to 0xff. */
  readonly type: number;
  /** The application's eight bits. */
  readonly flags: number;
  /** 0 to 2^32-1, free for the application. */
  readonly streamId: number;
  /** The application's bytes. */
  readonly payload: Uint8Array;
}

/** The handlers of one session. */
export class FrameHandlers {
  /** Frames that nobody handled. */
  unhandled = 0;
  readonly #handlers: Map<number, (frame: FrameEvent) => void> = new Map();
  /** Frames that came before the application could add its first handler; undefined once it did. */
  #held: BoundedQueue<CustomFrame> | undefined = new BoundedQueue(DATAGRAM_QUEUE);

  /** Frames that wait for the first handler. */
  get waiting(): number {
    return this.#held?.size ?? 0;
  }

  /** @throws {SttError} `CONFIG` for another type, or one that has a handler. */
  add(type: number, handler: (frame: FrameEvent) => void): () => void {
    if (!Number.isInteger(type) || type < FRAME_CUSTOM_MIN || type > FRAME_CUSTOM_MAX) {
      throw new SttError("CONFIG", `cannot handle frames: type ${type} is outside 128 to 255`);
    }
    if (this.#handlers.has(type)) {
      throw new SttError("CONFIG", `cannot handle frames: type ${type} has a handler`);
    }
    this.#handlers.set(type, handler);
    this.#release();
    return () => {
      if (this.#handlers.get(type) === handler) this.#handlers.delete(type);
    };
  }

  dispatch(frame: CustomFrame): void {
    if (this.#held === undefined) this.#handle(frame);
    else if (!this.#held.push(frame)) this.unhandled++;
  }

  /** In a microtask, so that all handlers that the application adds in one turn take part. */
  #release(): void {
    if (this.#held === undefined || this.#handlers.size > 1) return;
    queueMicrotask(() => {
      const held = this.#held;
      this.#held = undefined;
      for (let frame = held?.shift(); frame !== undefined; frame = held?.shift()) {
        this.#handle(frame);
      }
    });
  }

  #handle(frame: CustomFrame): void {
    const handler = this.#handlers.get(frame.frameType);
    if (handler === undefined) {
      this.unhandled++;
      return;
    }
    const { frameType: type, flags, streamId, payload } = frame;
    try {
      handler({ type, flags, streamId, payload });
    } catch (error) {
      // As with events: an exception of the application is uncaught, outside of the transport's call.
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

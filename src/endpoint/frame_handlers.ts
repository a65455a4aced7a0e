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
  /** From the first handler on. */
  #handlers: Map<number, (frame: FrameEvent) => void> | undefined;
  /** The application's first handlers have been told what came before them. */
  #released = false;
  /** Frames that came before; undefined while there are none. */
  #held: BoundedQueue<CustomFrame> | undefined;

  /** Frames that wait for the first handler. */
  get waiting(): number {
    return this.#held?.size ?? 0;
  }

  /** @throws {SttError} `CONFIG` for another type, or one that has a handler. */
  add(type: number, handler: (frame: FrameEvent) => void): () => void {
    if (!Number.isInteger(type) || type < FRAME_CUSTOM_MIN || type > FRAME_CUSTOM_MAX) {
      throw new SttError("CONFIG", `cannot handle frames: type ${type} is outside 128 to 255`);
    }
    const handlers = this.#handlers ??= new Map();
    if (handlers.has(type)) {
      throw new SttError("CONFIG", `cannot handle frames: type ${type} has a handler`);
    }
    handlers.set(type, handler);
    if (handlers.size === 1) this.#release();
    return () => {
      if (handlers.get(type) === handler) handlers.delete(type);
    };
  }

  dispatch(frame: CustomFrame): void {
    if (this.#released) {
      this.#handle(frame);
      return;
    }
    this.#held ??= new BoundedQueue(DATAGRAM_QUEUE);
    if (!this.#held.push(frame)) this.unhandled++;
  }

  /** In a microtask, so that all handlers that the application adds in one turn take part. */
  #release(): void {
    if (this.#released) return;
    queueMicrotask(() => {
      const held = this.#held;
      this.#released = true;
      this.#held = undefined;
      for (let frame = held?.shift(); frame !== undefined; frame = held?.shift()) {
        this.#handle(frame);
      }
    });
  }

  #handle(frame: CustomFrame): void {
    const handler = this.#handlers?.get(frame.frameType);
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

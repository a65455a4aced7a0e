/**
 * How many requests are answered at once, and what becomes of the places of handlers that nobody waits for any more.
 *
 * A handler that ignores its signal may run for ever. If it kept its place, a few of them would end an endpoint; if it
 * gave it back at once, whoever asks and gives up could have any number of them run. So its place is free after a while,
 * and for so many at once.
 *
 * @module
 */

/** What bounds {@link Places}. */
export interface PlaceLimits {
  readonly maxPerPeer: number;
  readonly maxRequests: number;
  /** Milliseconds from the moment on that nobody waits for an answer any more. */
  readonly abandonAfter: number;
  /** Handlers beyond all places. */
  readonly maxAbandoned: number;
}

/** Requests of one peer that have a place. */
export interface PeerShare {
  running: number;
}

/** The place of one request. */
export interface Place {
  /** Nobody waits for the handler any more: it loses its place when it is not done soon. */
  orphan(): void;
  /** The answer is out, or the handler is done: the place is free. Several times are one. */
  release(): void;
  /** The handler is done. */
  end(): void;
}

/** All places of an {@link Endpoints}. */
export class Places {
  readonly #limits: PlaceLimits;
  /** Late, and there is no room for more of them: they keep their places, and the first one is next. */
  readonly #late: Set<() => void> = new Set();
  #running = 0;
  #abandoned = 0;

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  /** Places that are taken. */
  get running(): number {
    return this.#running;
  }

  /** Handlers that run without a place. */
  get abandoned(): number {
    return this.#abandoned;
  }

  /** Whether another request of this peer may come. */
  hasRoom(share: PeerShare): boolean {
    const { maxPerPeer, maxRequests } = this.#limits;
    return share.running < maxPerPeer && this.#running < maxRequests;
  }

  /** @param onAbandoned The handler has lost its place and still runs. */
  take(share: PeerShare, onAbandoned: () => void): Place {
    share.running++;
    this.#running++;
    let state: "placed" | "abandoned" | "free" = "placed";
    let timer: ReturnType<typeof setTimeout> | undefined;
    const leave = (): void => {
      share.running--;
      this.#running--;
    };
    const abandon = (): void => {
      state = "abandoned";
      this.#abandoned++;
      leave();
      onAbandoned();
    };
    const late = (): void => {
      if (this.#abandoned < this.#limits.maxAbandoned) abandon();
      else this.#late.add(abandon);
    };
    const release = (): void => {
      if (state !== "placed") return;
      state = "free";
      clearTimeout(timer);
      this.#late.delete(abandon);
      leave();
    };
    return {
      orphan: () => {
        if (state !== "placed" || timer !== undefined) return;
        timer = setTimeout(late, this.#limits.abandonAfter);
        // A process whose work is done does not stay for it. Browsers' timers are numbers.
        (timer as { unref?: () => void }).unref?.();
      },
      release,
      end: () => {
        release();
        if (state !== "abandoned") return;
        state = "free";
        this.#abandoned--;
        const [next] = this.#late;
        if (next === undefined) return;
        this.#late.delete(next);
        next();
      },
    };
  }
}

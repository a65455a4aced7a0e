/**
 * The sessions of a listener: each served on its own, one line when it comes and one when it breaks.
 *
 * @module
 */
import type { Listener } from "../endpoint/listener.ts";
import type { Peer } from "../endpoint/peer.ts";
import { SttError } from "../errors.ts";
import type { CommandContext } from "./command.ts";
import { EXIT_OK, exitCodeOf, Interrupted } from "./exit_codes.ts";
import type { Service } from "./services.ts";

/** Serves the peers of one listener. */
export class SessionHost {
  readonly #service: Service;
  readonly #once: boolean;
  readonly #context: CommandContext;
  readonly #sessions: Set<Promise<void>> = new Set();
  readonly #done: AbortController = new AbortController();
  #taken = false;
  #exit = EXIT_OK;

  constructor(service: Service, once: boolean, context: CommandContext) {
    this.#service = service;
    this.#once = once;
    this.#context = context;
  }

  /** Whether further sessions are welcome: with `--once`, until one is at work. */
  get open(): boolean {
    return !(this.#once && this.#taken);
  }

  /** Serves until a signal comes, or, with `--once`, until the one session has ended. */
  async serve(listener: Listener): Promise<number> {
    const { signal } = this.#context;
    try {
      await this.#takeAll(listener, AbortSignal.any([signal, this.#done.signal]));
      // Transfers under way are given up in order: the peers are told and nothing half-written stays.
      await Promise.all(this.#sessions);
    } finally {
      this.#service.close?.();
    }
    signal.throwIfAborted();
    return this.#exit;
  }

  async #takeAll(listener: Listener, over: AbortSignal): Promise<void> {
    try {
      for (;;) {
        const peer = await listener.nextPeer({ signal: over });
        if (peer === null) break;
        const session = this.#session(peer);
        this.#sessions.add(session);
        void session.then(() => this.#sessions.delete(session));
      }
    } catch (error) {
      if (!over.aborted) throw error;
    }
  }

  async #session(peer: Peer): Promise<void> {
    const { report } = this.#context;
    const { id, remoteAddress, app } = peer.info;
    report.event(
      "peer",
      { nodeId: id, address: remoteAddress, app },
      `peer ${id} from ${remoteAddress}`,
    );
    let worked = false;
    let exit: number;
    try {
      exit = await this.#service.serve(peer, () => {
        worked = true;
        this.#taken = true;
      });
    } catch (error) {
      exit = exitCodeOf(error);
      this.#broken(peer, error);
    }
    await peer.close();
    report.event("peer-left", { nodeId: id, address: remoteAddress }, `peer ${id} left`);
    if (!this.#once || !worked) return;
    this.#exit = exit;
    this.#done.abort();
  }

  #broken(peer: Peer, error: unknown): void {
    if (error instanceof Interrupted) return;
    const { id, remoteAddress } = peer.info;
    const code = error instanceof SttError ? error.code : "INTERNAL";
    const message = error instanceof Error ? error.message : String(error);
    this.#context.report.warning(
      "session-broken",
      { nodeId: id, address: remoteAddress, code, message },
      `session with ${remoteAddress} broke: ${message}`,
    );
  }
}

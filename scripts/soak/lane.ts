/**
 * One transport of a soak: a listener, and one session after the other with it.
 *
 * @module
 */
import { connect } from "../../src/endpoint/connect.ts";
import { listen, type Listener } from "../../src/endpoint/listener.ts";
import type { Peer } from "../../src/endpoint/peer.ts";
import { generateSeed } from "../../src/endpoint/seeds.ts";
import type { Prng } from "../../src/testing/prng.ts";
import { parseAddress } from "../../src/transport/address.ts";
import { Relay, type RelayHabits } from "./relay.ts";
import type { Suspensions } from "./suspension.ts";
import { Corruption, type Ending, Tally } from "./tally.ts";
import { answer, checkNote, note, transfer } from "./transfer.ts";

/** Transports that a soak runs over. */
export type LaneName = "udp" | "tcp" | "ws";

const ADDRESSES: Record<LaneName, string> = {
  udp: "udp://127.0.0.1:0",
  tcp: "tcp://127.0.0.1:0",
  ws: "ws://127.0.0.1:0/",
};
const HABITS: RelayHabits = { loss: 0.02, repeat: 0.005, delayMs: [2, 8] };
const SESSION_OPTIONS = { rotateTime: 2000, maxIdle: 15_000, keepAlive: 3000 };
const MESSAGE_BYTES = 1000;
const DATAGRAM_BYTES = 500;

/** What all lanes of a run share. */
export interface LaneOptions {
  /** Payload bytes per second, both directions together. */
  readonly rate: number;
  /** Milliseconds that a session lives, about. */
  readonly sessionMs: number;
  /** Milliseconds between two changes of the relay's port. */
  readonly rebindMs: number;
  readonly suspensions: Suspensions;
}

/** Runs sessions over one transport until told to stop. */
export class Lane {
  readonly name: LaneName;
  readonly tally: Tally = new Tally();
  readonly #prng: Prng;
  readonly #options: LaneOptions;
  readonly #seed: Uint8Array = generateSeed();
  readonly #nodeSeed: Uint8Array = generateSeed();
  readonly #endings: readonly Ending[];
  readonly #serving: Set<Promise<void>> = new Set();
  readonly #served: Set<Peer> = new Set();
  #address = "";
  #listener: Listener | undefined;
  #relay: Relay | undefined;
  #client: Peer | undefined;
  /** Set before the session is disturbed, until both sides have ended. */
  #ending: Ending | undefined;
  #stopped = false;
  #wake: () => void = () => undefined;

  constructor(name: LaneName, prng: Prng, options: LaneOptions) {
    this.name = name;
    this.#prng = prng;
    this.#options = options;
    this.#endings = name === "udp"
      ? ["close", "crash", "abort", "restart"]
      : ["close", "restart", "abort"];
  }

  /** Counters of the relay; undefined where there is none. */
  get relay(): Relay["counts"] | undefined {
    return this.#relay?.counts;
  }

  async start(): Promise<void> {
    await this.#listen(ADDRESSES[this.name]);
    this.#address = this.#listener?.address ?? "";
    if (this.name !== "udp") return;
    this.#relay = new Relay(parseAddress(this.#address).port, this.#prng.fork(), HABITS);
    await this.#relay.start();
  }

  #note(error: unknown, ending: Ending | undefined): void {
    this.tally.error(error, ending, this.#options.suspensions.recent);
  }

  /** One session after the other. */
  async run(): Promise<void> {
    for (let index = 0; !this.#stopped; index++) {
      const ending = this.#endings[index % this.#endings.length] ?? "close";
      try {
        await this.#session(ending);
      } catch (error) {
        this.#note(error, undefined);
        // A listener that is not there must not turn the run into a loop of dials.
        await this.#pause(1000);
      }
    }
  }

  /** The session under way ends in order, then `run` returns. */
  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  /** Notes the listener's tables. */
  sample(): void {
    const stats = this.#listener?.stats();
    if (stats === undefined) return;
    this.tally.mostSessions = Math.max(this.tally.mostSessions, stats.sessions);
    this.tally.mostHandshaking = Math.max(this.tally.mostHandshaking, stats.handshaking);
  }

  async close(): Promise<void> {
    await this.#listener?.close();
    await this.#relay?.close();
  }

  // ---- the dialler ----

  async #session(planned: Ending): Promise<void> {
    const { tally } = this;
    const client = await connect(this.#relay?.address ?? this.#address, {
      ...SESSION_OPTIONS,
      seed: this.#seed,
    });
    this.#client = client;
    tally.sessions++;
    const over = performance.now() + this.#options.sessionMs * (0.5 + this.#prng.float());
    let rebindAt = performance.now() + this.#options.rebindMs;
    const reading = this.#settle([this.#readDatagrams(client)]);
    try {
      while (!this.#stopped && performance.now() < over) {
        const bytes = await this.#round(client);
        await this.#pause(bytes * 1000 / this.#options.rate);
        if (this.#relay === undefined || performance.now() < rebindAt) continue;
        rebindAt = performance.now() + this.#options.rebindMs;
        tally.rebinds++;
        await this.#relay.rebind();
      }
      const ending = this.#stopped ? "close" : planned;
      tally.endings[ending]++;
      await this.#end(client, ending);
    } catch (error) {
      this.#note(error, this.#ending);
      client.abort();
    } finally {
      tally.rotations += client.stats().sendEpoch;
      await client.close();
      await Promise.all([reading, ...this.#serving]);
      this.#ending = undefined;
      this.#client = undefined;
    }
  }

  /** One transfer each way, a message and its answer, a datagram and its answer, a ping. */
  async #round(client: Peer): Promise<number> {
    const prng = this.#prng;
    const size = prng.chance(0.03) ? prng.integer(0, 1_048_576) : prng.integer(0, 32_768);
    await client.send(note(prng.u32(), MESSAGE_BYTES));
    const back = await client.nextMessage();
    if (back === null) throw new Corruption("the session ended in place of an answer");
    checkNote(back.data);
    this.tally.messages++;
    this.tally.verifiedBytes += back.data.length;
    this.tally.datagramsSent++;
    client.sendDatagram(note(prng.u32(), DATAGRAM_BYTES));
    await Promise.all([transfer(client, prng.u32(), size, this.tally), client.ping()]);
    return 2 * (size + MESSAGE_BYTES + DATAGRAM_BYTES);
  }

  async #end(client: Peer, ending: Ending): Promise<void> {
    this.#ending = ending;
    if (ending === "close") {
      await client.close();
      return;
    }
    // More than fits the windows: the ending comes in the middle of it.
    const moving = transfer(client, this.#prng.u32(), 4_000_000, this.tally)
      .catch((error) => this.#note(error, ending));
    await this.#pause(100);
    if (ending === "abort") client.abort();
    else await this.#restart(ending);
    await moving;
  }

  async #restart(ending: Ending): Promise<void> {
    const relay = this.#relay;
    if (ending === "crash" && relay !== undefined) {
      relay.isCut = true;
      for (const peer of this.#served) peer.abort();
    }
    await this.#listener?.close();
    await this.#listen(this.#address);
    if (relay !== undefined) relay.isCut = false;
  }

  async #readDatagrams(client: Peer): Promise<void> {
    for await (const { data } of client.datagrams()) {
      checkNote(data);
      this.tally.datagramsVerified++;
    }
  }

  // ---- the listener ----

  async #listen(address: string): Promise<void> {
    this.#listener = await listen(address, {
      ...SESSION_OPTIONS,
      seed: this.#seed,
      nodeSeed: this.#nodeSeed,
    });
    this.#listener.on("error", (error) => this.#note(error, undefined));
    void this.#serveAll(this.#listener);
  }

  async #serveAll(listener: Listener): Promise<void> {
    for await (const peer of listener) {
      const serving = this.#serve(peer);
      this.#serving.add(serving);
      this.#served.add(peer);
      void serving.then(() => {
        this.#serving.delete(serving);
        this.#served.delete(peer);
      });
    }
  }

  async #serve(peer: Peer): Promise<void> {
    let isOpen = true;
    peer.on("close", () => isOpen = false);
    const streams = (async () => {
      const answers: Promise<void>[] = [];
      for await (const stream of peer.streams()) {
        const done: Promise<void> = this.#settle([answer(stream, this.tally)]).then(() => {
          answers.splice(answers.indexOf(done), 1);
        });
        answers.push(done);
      }
      await Promise.all(answers);
    })();
    const messages = (async () => {
      for await (const { data } of peer.messages()) {
        await peer.send(note(checkNote(data), MESSAGE_BYTES));
      }
    })();
    const datagrams = (async () => {
      for await (const { data } of peer.datagrams()) {
        const seed = checkNote(data);
        // The session may have ended while the datagram waited: it is lost like any other.
        if (isOpen) peer.sendDatagram(note(seed, DATAGRAM_BYTES));
      }
    })();
    await this.#settle([streams, messages, datagrams]);
    await peer.closed;
    const { sendEpoch, migrations } = peer.stats();
    this.tally.rotations += sendEpoch;
    this.tally.migrations += migrations;
  }

  /** Waits for all; what failed is sorted, and corrupt bytes end the session at once. */
  async #settle(works: readonly Promise<void>[]): Promise<void> {
    const caught = works.map((work) =>
      work.catch((error) => {
        this.#note(error, this.#ending);
        if (error instanceof Corruption) this.#client?.abort();
      })
    );
    await Promise.all(caught);
  }

  /** Ends early when the lane is stopped. */
  async #pause(ms: number): Promise<void> {
    if (this.#stopped) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
  }
}

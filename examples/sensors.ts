/**
 * Readings of many sensors to many watchers. A watcher that is slow gets the newest reading of each sensor and misses
 * those in between; nobody waits for it.
 *
 *     sensors.ts hub udp://127.0.0.1:9000
 *     sensors.ts sensor udp://127.0.0.1:9000 kitchen 500
 *     sensors.ts watch udp://127.0.0.1:9000
 */
import { setTimeout as sleep } from "node:timers/promises";
import { connect, listen, type Peer } from "@seigr/stt";
import { run, type Setup } from "./command.ts";

const SENSOR = "example-sensor/1";
const WATCHER = "example-watcher/1";
const encoder = new TextEncoder();

/** One watcher: the newest reading of each sensor that it has not been sent. */
class Watcher {
  readonly #news = new Map<string, Uint8Array>();
  readonly #peer: Peer;
  #sending = false;

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  async show(sensor: string, reading: Uint8Array): Promise<void> {
    this.#news.set(sensor, reading);
    if (this.#sending) return;
    this.#sending = true;
    try {
      for (const [name, newest] of this.#news) {
        this.#news.delete(name);
        await this.#peer.send(newest); // waits while the watcher is slow
      }
    } finally {
      this.#sending = false;
    }
  }
}

async function hub({ seed, address, signal }: Setup): Promise<void> {
  const listener = await listen(address, { seed, signal });
  console.log(`listening on ${listener.address}`);
  const watchers = new Set<Watcher>();
  const serve = async (peer: Peer): Promise<void> => {
    if (peer.info.app === WATCHER) {
      const watcher = new Watcher(peer);
      watchers.add(watcher);
      await peer.closed;
      watchers.delete(watcher);
    } else if (peer.info.app === SENSOR) {
      for await (const { data } of peer.datagrams()) {
        for (const watcher of watchers) watcher.show(peer.id, data).catch(() => undefined);
      }
    } else {
      await peer.close({ code: 0x100, reason: `neither ${SENSOR} nor ${WATCHER}` });
    }
  };
  listener.on("peer", (peer) => {
    serve(peer).catch((error) => console.error(`${peer.id.slice(0, 8)}: ${error.message}`));
  });
  await listener.closed;
}

/** Lost and late readings are not worth sending again: the next one is as good. */
async function sense(
  { seed, address, rest: [name = "sensor", pause = "1000"], signal }: Setup,
): Promise<void> {
  const peer = await connect(address, { seed, app: SENSOR, signal });
  for (let number = 0; !signal.aborted; number++) {
    const value = 20 + Math.sin(number / 10);
    peer.sendDatagram(encoder.encode(JSON.stringify({ name, number, value })));
    await sleep(Number(pause), undefined, { signal }).catch(() => undefined);
  }
  await peer.close();
}

async function watch({ seed, address, signal }: Setup): Promise<void> {
  const peer = await connect(address, { seed, app: WATCHER, signal });
  signal.addEventListener("abort", () => void peer.close());
  for await (const { data } of peer.messages()) {
    const { name, number, value } = JSON.parse(new TextDecoder().decode(data));
    console.log(`${JSON.stringify(name)} ${Number(number)}: ${Number(value).toFixed(2)}`);
  }
}

await run(
  "usage: sensors.ts hub ADDRESS | sensors.ts sensor ADDRESS [NAME [MS]] | sensors.ts watch ADDRESS",
  { hub, sensor: sense, watch },
);

/// <reference lib="dom" />
/**
 * What a session does, as plots and numbers.
 */
import { type Peer, SttError } from "@seigr/stt/browser";
import { byId, bytesText, make, msText } from "./dom.ts";
import { Plot } from "./plot.ts";

const SAMPLE_MS = 500;
/** A minute. */
const POINTS = 120;

/** Shows the statistics of the session that there is. */
export class Live {
  readonly #counters = byId("counters", HTMLElement);
  readonly #throughput = new Plot(byId("throughput", HTMLElement), {
    title: "Throughput of the last minute",
    lines: ["sent", "received"],
    points: POINTS,
    since: "60 s ago",
    text: (rate) => `${bytesText(rate)}/s`,
  });
  readonly #rtt = new Plot(byId("rtt", HTMLElement), {
    title: "Round-trip time of the last minute",
    lines: ["ping"],
    points: POINTS,
    since: "60 s ago",
    text: msText,
  });
  #timer: ReturnType<typeof setInterval> | undefined;

  start(peer: Peer): void {
    this.#throughput.clear();
    this.#rtt.clear();
    let before = { at: performance.now(), ...peer.stats() };
    let rtt: number | undefined;
    let pinging = false;
    this.#timer = setInterval(() => {
      const now = { at: performance.now(), ...peer.stats() };
      const seconds = (now.at - before.at) / 1000;
      this.#throughput.add(
        (now.bytesSent - before.bytesSent) / seconds,
        (now.bytesReceived - before.bytesReceived) / seconds,
      );
      this.#rtt.add(rtt);
      this.#show(now);
      before = now;
      if (pinging) return;
      // One at a time: behind a large transfer a ping takes longer than a sample.
      pinging = true;
      peer.ping().then((ms) => {
        rtt = ms;
        pinging = false;
      }, (error) => {
        // The end of the session is told where the session is.
        if (!(error instanceof SttError)) throw error;
      });
    }, SAMPLE_MS);
    this.#show(before);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #show(stats: ReturnType<Peer["stats"]>): void {
    const facts: [string, string][] = [
      ["Sent", bytesText(stats.bytesSent)],
      ["Received", bytesText(stats.bytesReceived)],
      ["Frames sent", String(stats.framesSent)],
      ["Frames received", String(stats.framesReceived)],
      ["Key epochs", `${stats.sendEpoch} out, ${stats.recvEpoch} in`],
    ];
    this.#counters.replaceChildren(
      ...facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))),
    );
  }
}

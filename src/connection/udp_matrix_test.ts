import { test } from "node:test";
import assert from "node:assert/strict";
import process from "node:process";
import type { SimulatedLinkOptions } from "../testing/simulated_link.ts";
import { assertNothingLeft, exchange } from "./udp_exchange_for_test.ts";

const LOSS: Record<string, SimulatedLinkOptions> = {
  none: {},
  "1%": { loss: 0.01 },
  "5%": { loss: 0.05 },
  "20%": { loss: 0.2 },
  // Three in a row on average, 4 % in all.
  bursty: { burst: { enter: 0.014, leave: 1 / 3 } },
};
const FAULTS: Record<string, SimulatedLinkOptions> = {
  reorder: { reorder: 0.05 },
  duplicate: { duplicate: 0.05 },
  corrupt: { corrupt: 0.01, reorder: 0.01, duplicate: 0.01 },
};
const RTTS = [1, 50, 300];
const CONTROLS = ["cubic", "bbr", "newreno"] as const;
const SEEDS = Number(process.env["STT_UDP_SEEDS"] ?? 4);
/** Repeats one run: `loss fault rtt seed`. */
const ONLY = process.env["STT_UDP_RUN"];

function run(loss: string, fault: string, rtt: number, seed: number): void {
  const link = {
    delayMs: rtt / 2,
    jitterMs: rtt / 20,
    bytesPerSecond: 4_000_000,
    queueBytes: Math.max(64_000, 4000 * rtt),
    ...LOSS[loss],
    ...FAULTS[fault],
  };
  const congestion = CONTROLS[seed % CONTROLS.length]!;
  const options = { packed: seed % 4 === 3, rotatePackets: seed % 2 === 0 ? 100 : 1_000_000 };
  const plan = { seed: seed * 1000 + rtt, streams: [30_000, 25_000, 12_000], messages: 30 };
  const pair = exchange({ link, congestion, options }, plan);
  assertNothingLeft(pair);
  pair.a.close(pair.clock.nowMs);
  assert.ok(pair.run(() => pair.a.finished, 60_000));
}

for (const loss of Object.keys(LOSS)) {
  for (const fault of Object.keys(FAULTS)) {
    test(`udp: every byte arrives, loss ${loss}, ${fault}`, () => {
      for (const rtt of RTTS) {
        for (let seed = 1; seed <= SEEDS; seed++) {
          const name = `${loss} ${fault} ${rtt} ${seed}`;
          if (ONLY !== undefined && ONLY !== name) continue;
          try {
            run(loss, fault, rtt, seed);
          } catch (error) {
            const repeat = `STT_UDP_SEEDS=${SEEDS} STT_UDP_RUN="${name}"`;
            throw new Error(`${repeat} deno test -A src/connection/udp_matrix_test.ts`, {
              cause: error,
            });
          }
        }
      }
    });
  }
}

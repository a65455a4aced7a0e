import type { Prng } from "../../testing/prng.ts";
import type { LinkOptions } from "../../testing/simulated_link.ts";
import { type Case, CASES } from "./cases_for_test.ts";

/** One kind of network, or of play, that runs with many seeds. */
export interface Cell {
  /** Unique; no name is part of another one. */
  readonly name: string;
  readonly rttMs: number;
  readonly link: (prng: Prng) => LinkOptions;
  readonly play?: Case;
}

const LOSS: Readonly<Record<string, LinkOptions>> = {
  "0%": {},
  "1%": { loss: 0.01 },
  "5%": { loss: 0.05 },
  "20%": { loss: 0.2 },
  bursty: { burst: { share: 0.04, meanLength: 3 } },
};

const FAULTS: Readonly<Record<string, LinkOptions>> = {
  none: {},
  reorder: { reorder: 0.05 },
  duplicate: { duplicate: 0.05 },
  "reorder+duplicate": { reorder: 0.05, duplicate: 0.05 },
};

const RTTS_MS = [1, 50, 300] as const;

function matrix(): Cell[] {
  const cells: Cell[] = [];
  for (const [loss, lossOptions] of Object.entries(LOSS)) {
    for (const [fault, faultOptions] of Object.entries(FAULTS)) {
      for (const rttMs of RTTS_MS) {
        cells.push({
          name: `loss=${loss} fault=${fault} rtt=${rttMs}ms`,
          rttMs,
          link: (prng) => ({ ...usual(prng, rttMs), ...lossOptions, ...faultOptions }),
        });
      }
    }
  }
  return cells;
}

/** The link of most runs: what the matrix does not say is left to chance. */
function usual(prng: Prng, rttMs: number): LinkOptions {
  const limited = prng.chance(0.75);
  const bytesPerSecond = prng.pick([500_000, 4_000_000, 20_000_000]);
  return {
    delayMs: rttMs / 2,
    jitterMs: prng.chance(0.5) ? rttMs / 10 : 0,
    ...(limited
      ? { bytesPerSecond, queueBytes: Math.max(32_000, bytesPerSecond * rttMs / 1000) }
      : {}),
  };
}

function cases(): Cell[] {
  return CASES.flatMap((play) =>
    RTTS_MS.map((rttMs) => ({
      name: `case=${play.name} rtt=${rttMs}ms`,
      rttMs,
      // Every kind of loss and fault, at random.
      link: (prng: Prng) => ({
        ...usual(prng, rttMs),
        ...LOSS[prng.pick(["0%", "1%", "5%", "20%", "bursty"])],
        ...FAULTS[prng.pick(["none", "reorder", "duplicate", "reorder+duplicate"])],
        ...play.link?.(prng, rttMs),
      }),
      play,
    }))
  );
}

/** All cells: the matrix, then what else networks and applications do. */
export const CELLS: readonly Cell[] = [...matrix(), ...cases()];

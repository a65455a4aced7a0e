import { SttError } from "../errors.ts";

/**
 * Loss in bursts: datagrams are lost in a row, as on a radio link that fades (a Gilbert channel). A burst also ends when
 * nothing was sent for a second.
 */
export interface BurstLoss {
  /** Share of all datagrams that is lost so, 0 to meanLength / (meanLength + 1). */
  readonly share: number;
  /** Mean number of datagrams that are lost in a row, 1 or more. */
  readonly meanLength: number;
}

/** One direction of a {@link SimulatedLink}. Rates are probabilities per datagram, 0 to 1; times are milliseconds. */
export interface LinkOptions {
  /** One-way delay. Default 0. */
  readonly delayMs?: number;
  /** Added delay, uniform from 0 to this. Order is kept: only `reorder` changes it. Default 0. */
  readonly jitterMs?: number;
  /** Independent loss. Default 0. */
  readonly loss?: number;
  /** Loss in bursts, on top of `loss`. Default: none. */
  readonly burst?: BurstLoss;
  /** Datagrams held back by `reorderMs` while later ones pass. Default 0. */
  readonly reorder?: number;
  /** Default: 2 ms or a quarter of the delay, whichever is more. */
  readonly reorderMs?: number;
  /** Datagrams that arrive twice. Default 0. */
  readonly duplicate?: number;
  /** Datagrams that arrive with one bit flipped. Default 0. */
  readonly corrupt?: number;
  /** Rate of the link, above 0. Default: unlimited. */
  readonly bytesPerSecond?: number;
  /** Bytes that may wait for the link; more is dropped. Needs `bytesPerSecond`. Default: unlimited. */
  readonly queueBytes?: number;
  /** Largest datagram that passes, 1 to 65507 bytes. Default 65507. */
  readonly mtu?: number;
}

/** {@link LinkOptions} with the defaults filled in. */
export type LinkRules = Required<LinkOptions>;

type Test = (value: number) => boolean;

const probability: readonly [Test, string] = [
  (value) => value >= 0 && value <= 1,
  "a probability from 0 to 1",
];
const time: readonly [Test, string] = [
  (value) => value >= 0 && value < Infinity,
  "a time of 0 or more",
];

const TESTS: Readonly<Record<Exclude<keyof LinkOptions, "burst">, readonly [Test, string]>> = {
  delayMs: time,
  jitterMs: time,
  loss: probability,
  reorder: probability,
  reorderMs: time,
  duplicate: probability,
  corrupt: probability,
  bytesPerSecond: [(value) => value > 0, "above 0"],
  queueBytes: [(value) => value >= 0, "0 or more"],
  mtu: [
    (value) => Number.isInteger(value) && value >= 1 && value <= 65_507,
    "a whole number from 1 to 65507",
  ],
};

/**
 * Fills in defaults and validates.
 *
 * @throws {SttError} CONFIG naming the option that does not exist or is outside of its range.
 */
export function linkRules(options: LinkOptions): LinkRules {
  for (const name of Object.keys(options)) {
    if (name !== "burst" && !Object.hasOwn(TESTS, name)) {
      throw new SttError("CONFIG", `cannot simulate link: there is no option ${name}`);
    }
  }
  const delayMs = options.delayMs ?? 0;
  const rules: LinkRules = {
    delayMs,
    jitterMs: options.jitterMs ?? 0,
    loss: options.loss ?? 0,
    burst: { share: 0, meanLength: 1, ...options.burst },
    reorder: options.reorder ?? 0,
    reorderMs: options.reorderMs ?? Math.max(2, delayMs / 4),
    duplicate: options.duplicate ?? 0,
    corrupt: options.corrupt ?? 0,
    bytesPerSecond: options.bytesPerSecond ?? Infinity,
    queueBytes: options.queueBytes ?? Infinity,
    mtu: options.mtu ?? 65_507,
  };
  for (const name of Object.keys(TESTS) as (keyof typeof TESTS)[]) {
    const value: unknown = rules[name];
    const [test, wanted] = TESTS[name];
    if (typeof value !== "number" || !test(value)) refuse(name, value, wanted);
  }
  const { share, meanLength } = rules.burst;
  if (!(meanLength >= 1 && meanLength < Infinity)) {
    refuse("burst.meanLength", meanLength, "1 or more");
  }
  const most = meanLength / (meanLength + 1);
  if (!(share >= 0 && share <= most)) refuse("burst.share", share, `from 0 to ${most}`);
  if (rules.queueBytes < Infinity && rules.bytesPerSecond === Infinity) {
    throw new SttError(
      "CONFIG",
      "cannot simulate link: queueBytes needs bytesPerSecond, or nothing ever waits",
    );
  }
  return rules;
}

function refuse(name: string, value: unknown, wanted: string): never {
  throw new SttError("CONFIG", `cannot simulate link: ${name} ${String(value)} is not ${wanted}`);
}

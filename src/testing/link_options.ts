import { SttError } from "../errors.ts";

/** Loss in bursts: a Gilbert-Elliott channel, stepped once per datagram. */
export interface BurstLoss {
  /** Probability per datagram of entering the bad state. */
  readonly enter: number;
  /** Probability per datagram of leaving it; 1 / leave is the mean burst length. */
  readonly leave: number;
  /** Loss probability inside the bad state. Default 1. */
  readonly loss?: number;
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
  /** Rate of the link. Default: unlimited. */
  readonly bytesPerSecond?: number;
  /** Bytes that may wait for the link; more is dropped. Needs `bytesPerSecond`. Default: unlimited. */
  readonly queueBytes?: number;
  /** Largest datagram that passes. Default 65507. */
  readonly mtu?: number;
}

/** {@link LinkOptions} with the defaults filled in. */
export type LinkRules = Required<Omit<LinkOptions, "burst">> & {
  readonly burst: Required<BurstLoss>;
};

/**
 * Fills in defaults and validates.
 *
 * @throws {SttError} CONFIG for a rate outside 0 to 1, a negative time or size, or a rate of 0 bytes per second.
 */
export function linkRules(options: LinkOptions): LinkRules {
  const delayMs = options.delayMs ?? 0;
  const rules: LinkRules = {
    delayMs,
    jitterMs: options.jitterMs ?? 0,
    loss: options.loss ?? 0,
    burst: {
      enter: options.burst?.enter ?? 0,
      leave: options.burst?.leave ?? 1,
      loss: options.burst?.loss ?? 1,
    },
    reorder: options.reorder ?? 0,
    reorderMs: options.reorderMs ?? Math.max(2, delayMs / 4),
    duplicate: options.duplicate ?? 0,
    corrupt: options.corrupt ?? 0,
    bytesPerSecond: options.bytesPerSecond ?? Infinity,
    queueBytes: options.queueBytes ?? Infinity,
    mtu: options.mtu ?? 65_507,
  };
  const { burst } = rules;
  const rates = {
    ...burst,
    ...pick(rules, ["reorder", "duplicate", "corrupt"]),
    lossRate: rules.loss,
  };
  for (const [name, value] of Object.entries(rates)) {
    if (!(value >= 0 && value <= 1)) refuse(name, value, "a probability from 0 to 1");
  }
  const sizes = pick(rules, ["delayMs", "jitterMs", "reorderMs", "queueBytes", "mtu"]);
  for (const [name, value] of Object.entries(sizes)) {
    if (!(value >= 0)) refuse(name, value, "0 or more");
  }
  if (!(rules.bytesPerSecond > 0)) refuse("bytesPerSecond", rules.bytesPerSecond, "above 0");
  return rules;
}

function pick<T, K extends keyof T>(from: T, names: readonly K[]): Pick<T, K> {
  const out = {} as Pick<T, K>;
  for (const name of names) out[name] = from[name];
  return out;
}

function refuse(name: string, value: number, wanted: string): never {
  throw new SttError("CONFIG", `cannot simulate link: ${name} ${value} is not ${wanted}`);
}

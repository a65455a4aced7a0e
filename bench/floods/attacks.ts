/**
 * The attacks by name. They run in a process of their own, so that what they cost is not the listener's.
 *
 * @module
 */
import { CHURN } from "./attacks/churn.ts";
import { HELLOS } from "./attacks/hellos.ts";
import { SESSIONS } from "./attacks/sessions.ts";
import { SLOW } from "./attacks/slow.ts";
import { UPGRADES } from "./attacks/upgrades.ts";

/** What an attack is given. */
export interface Target {
  /** The listener's address. */
  readonly address: string;
  readonly port: number;
  /** The listener's seed; attacks of strangers make no use of it. */
  readonly seed: Uint8Array;
  /** How often; what is counted is the attack's own affair. */
  readonly count: number;
  /** Prepared: resolves when the listener is ready to be measured. */
  readonly go: () => Promise<void>;
}

/** What an attack did. */
export interface Attacked {
  /** Datagrams, connections, sessions, frames or streams. */
  readonly sent: number;
  readonly answers?: number;
}

/** Prepares, awaits `go`, attacks. */
export type Attack = (target: Target) => Promise<Attacked>;

/** All of them. */
export const ATTACKS: Readonly<Record<string, Attack>> = {
  ...HELLOS,
  ...CHURN,
  ...SLOW,
  ...UPGRADES,
  ...SESSIONS,
};

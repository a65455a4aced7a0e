/**
 * Sessions opened and closed, one after the other.
 *
 * @module
 */
import { connect } from "../../../src/endpoint/connect.ts";
import type { Attack } from "../attacks.ts";

const AT_ONCE = 8;

const churn: Attack = async ({ address, seed, count, go }) => {
  await go();
  let begun = 0;
  let sent = 0;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (begun++ < count) {
      const peer = await connect(address, { seed });
      await peer.close();
      sent++;
    }
  }));
  return { sent };
};

/** By name. */
export const CHURN: Readonly<Record<string, Attack>> = { churn };

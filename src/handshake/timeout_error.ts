/**
 * HANDSHAKE_TIMEOUT and what may be behind it.
 *
 * @module
 */
import { SttError } from "../errors.ts";

/**
 * The error of a dial that nobody answered in time. A listener is silent to strangers (SPEC 6.4), so the message can only
 * list the causes.
 *
 * @param phase "hello" while RESPONSE was awaited, "proof" while FINAL was
 * @param timeoutMs what the dial had in all
 * @param drops frames that were dropped meanwhile, by reason
 */
export function timeoutError(
  phase: "hello" | "proof",
  timeoutMs: number,
  drops: ReadonlyMap<string, number>,
): SttError {
  const what = `cannot connect: no session within ${timeoutMs} ms`;
  const causes = phase === "hello"
    ? "no RESPONSE came: the shared seed may differ, nobody may listen at the address, a firewall or the listener's " +
      "limits may stop HELLO, the clocks may differ by more than 2 minutes, or packets were lost"
    : "RESPONSE came but no FINAL: the pair key may differ, the listener may not have decided to accept, or packets " +
      "were lost";
  const dropped = [...drops].map(([reason, count]) => `${count} ${reason}`).join(", ");
  const seen = dropped === "" ? "" : `; frames dropped: ${dropped}`;
  return new SttError("HANDSHAKE_TIMEOUT", `${what}; ${causes}${seen}`, { limit: timeoutMs });
}

/**
 * The decision over a peer that proved who it is.
 *
 * @module
 */
import { ERRORS, SttError } from "../errors.ts";
import type { Driver } from "./driver.ts";
import type { ListenerParts } from "./listener_parts.ts";
import { peerInfo } from "./peer_info.ts";

/**
 * Accepts or refuses an identified peer, at once or when the application's `accept` has answered.
 *
 * @param onError Gets what `accept` threw.
 */
export function decide(
  driver: Driver,
  parts: Pick<ListenerParts, "options" | "sessions" | "maxSessions">,
  onError: (error: SttError) => void,
): void {
  const { connection } = driver;
  const session = connection.session;
  const { accept } = parts.options;
  if (session === undefined) return;
  const answer = (yes: boolean, reason?: string): void => {
    if (connection.state !== "deciding") return;
    const { sessions, maxSessions } = parts;
    if (!yes) {
      connection.refuse(driver.now(), reason);
    } else if (sessions.size >= maxSessions) {
      // Others were let in since its HELLO passed the same check.
      connection.abort(driver.now(), ERRORS.BUSY.wire as number, "the listener is busy");
    } else {
      connection.accept(driver.now());
      sessions.add(driver);
    }
    // FINAL may share its datagram with the first words of the application.
    driver.scheduleAfterTurn();
  };
  if (accept === undefined) {
    answer(true);
    return;
  }
  // The hook's error text stays here: the peer learns that it was refused, not why.
  void Promise.resolve().then(() => accept(peerInfo(session, driver.transport))).then(
    (yes) => answer(yes === true),
    (error) => {
      onError(new SttError("REFUSED", "the accept hook threw", { cause: error }));
      answer(false);
    },
  );
}

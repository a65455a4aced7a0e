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
  parts: Pick<
    ListenerParts,
    "options" | "sessions" | "maxSessions" | "seedKeys" | "acceptorConfig"
  >,
  onError: (error: SttError) => void,
): void {
  const { connection } = driver;
  const session = connection.session;
  const { accept, resumption } = parts.options;
  if (session === undefined) return;
  /** True when the peer is let in. */
  const answer = (yes: boolean, reason?: string): boolean => {
    if (connection.state !== "deciding") return false;
    let accepted = false;
    const { sessions, maxSessions } = parts;
    if (!yes) {
      connection.refuse(driver.now(), reason);
    } else if (sessions.size >= maxSessions) {
      // Others were let in since its HELLO passed the same check.
      connection.abort(driver.now(), ERRORS.BUSY.wire as number, "the listener is busy");
    } else {
      connection.accept(driver.now());
      sessions.add(driver);
      accepted = true;
    }
    // FINAL may share its datagram with the first words of the application.
    driver.scheduleAfterTurn();
    return accepted;
  };
  const resumes = resumption?.resumes(session) === true;
  if (accept === undefined && !resumes) {
    answer(true);
    return;
  }
  // The hook's error text stays here: the peer learns that it was refused, not why.
  const asked = Promise.resolve().then(() =>
    // Only `true` is a yes: a hook that forgets its answer lets nobody in.
    accept === undefined ? true : accept(peerInfo(session, driver.transport))
  );
  void asked.then(
    (yes) => {
      if (!resumes || yes !== true) {
        answer(yes === true);
        return;
      }
      const unixMs = driver.now() + parts.acceptorConfig.unixOffsetMs;
      // SPEC 15.2: that a ticket is used up lasts before FINAL is sent.
      resumption.admit(session, parts.seedKeys, unixMs).then(
        (release) => {
          // The dialler may have gone meanwhile.
          if (!answer(true)) release();
        },
        (error) => {
          if (error instanceof SttError && (error.code === "TICKET" || error.code === "BUSY")) {
            connection.abort(driver.now(), error.wire as number);
            driver.schedule();
            return;
          }
          onError(
            new SttError("REFUSED", "the session's state cannot be stored", { cause: error }),
          );
          answer(false);
        },
      );
    },
    (error) => {
      onError(new SttError("REFUSED", "the accept hook threw", { cause: error }));
      answer(false);
    },
  );
}

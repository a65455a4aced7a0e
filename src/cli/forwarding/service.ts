/**
 * The forwarding service of a listener.
 *
 * @module
 */
import type { CommandContext } from "../command.ts";
import { EXIT_OK } from "../exit_codes.ts";
import type { Service } from "../services.ts";
import { type ForwardPolicy, ForwardSession } from "./forward_session.ts";
import { failureLog } from "./options.ts";

/** Serves every session by one policy. */
export function forwardService(policy: ForwardPolicy, context: CommandContext): Service {
  const log = failureLog(context);
  return {
    async serve(peer, onWork) {
      onWork();
      const session = new ForwardSession(
        peer,
        policy,
        ({ place, error }) => log.record(place, error),
      );
      await session.serve(context.signal);
      return EXIT_OK;
    },
    close: () => log.close(),
  };
}

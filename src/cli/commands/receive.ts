/**
 * `stt receive`.
 *
 * @module
 */
import { FILES_APP } from "../../endpoint/files/mod.ts";
import { SttError } from "../../errors.ts";
import type { Command } from "../command.ts";
import { dial } from "../dial.ts";
import { UsageError } from "../exit_codes.ts";
import { DIAL_OPTIONS, GENERAL_OPTIONS, SESSION_OPTIONS } from "../options.ts";
import { RECEIVE_OPTIONS, receiveAll, receiveOptions, toStdout } from "../receiving.ts";

export const receive: Command = {
  name: "receive",
  usage: "receive ADDR [--out DIR|-]",
  summary: "dial a listener and take the files that it offers",
  details: [
    "The listener runs `stt listen ADDR --offer FILE`, and ends the session when all is sent.",
    "Files appear under their names only when they are whole and verified.",
  ],
  positionals: ["address"],
  examples: [
    {
      line: "receive ws://192.0.2.1:9000/ --seed-file net.seed --out inbox",
      what: "into the folder inbox",
    },
    {
      line: "receive ws://192.0.2.1:9000/ --seed-file net.seed --to-stdout",
      what: "to standard output: … | tar x",
    },
  ],
  options: [...RECEIVE_OPTIONS, ...SESSION_OPTIONS, ...DIAL_OPTIONS, ...GENERAL_OPTIONS],
  dataOnStdout: toStdout,
  async run(args, context) {
    const [address, ...others] = args.positionals;
    if (address === undefined || others.length > 0) {
      throw new UsageError("receive needs one address", "receive");
    }
    const options = await receiveOptions(args, context);
    const { peer, timeoutMs } = await dial(address, args, context, FILES_APP);
    // A listener that only receives would wait for us as long as we for it.
    const nothing = new AbortController();
    const timer = setTimeout(() => {
      const why = `nothing was offered within ${
        timeoutMs / 1000
      } s: does the listener --offer files?`;
      nothing.abort(new SttError("REFUSED", `cannot receive: ${why}`));
    }, timeoutMs);
    const signal = AbortSignal.any([context.signal, nothing.signal]);
    try {
      return await receiveAll(peer, { ...options, signal }, context, () => clearTimeout(timer));
    } finally {
      clearTimeout(timer);
      await peer.close();
    }
  },
};

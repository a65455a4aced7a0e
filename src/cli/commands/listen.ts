/**
 * `stt listen`.
 *
 * @module
 */
import { FILES_APP } from "../../endpoint/files/mod.ts";
import type { Command } from "../command.ts";
import { UsageError } from "../exit_codes.ts";
import { openListener } from "../listening.ts";
import { OFFER_OPTIONS, offersOf } from "../offers.ts";
import { GENERAL_OPTIONS, LISTEN_OPTIONS, SESSION_OPTIONS } from "../options.ts";
import { RECEIVE_OPTIONS, toStdout } from "../receiving.ts";
import { SessionHost } from "../session_host.ts";
import { SENDING_OPTIONS } from "../sending.ts";
import { warmUp } from "../warm_up.ts";
import { serviceOf } from "../services.ts";
import { listenForPages, WEB_OPTIONS } from "../web/listen.ts";

/** Options of who takes files, and of whoever moves some. */
const RECEIVING = ["out", "to-stdout", "overwrite", "max-size", "max-entries", "hidden"];
const RESUMING = ["resume", "no-resume"];

/** Nobody waits for a listener that has just begun. */
const WARM_UP_BYTES = 1_048_576;

export const listenCommand: Command = {
  name: "listen",
  usage: "listen ADDR [--out DIR|-] [--offer FILE|DIR] [--echo|--web] [--once]",
  summary: "take files from whoever has the seed, or offer some",
  details: [
    "Files appear under their names only when they are whole and verified.",
    "A peer with a wrong seed, or noise, costs one line; the listener goes on.",
  ],
  positionals: ["address"],
  examples: [
    {
      line: "listen ws://0.0.0.0:9000/ --seed-file net.seed --out inbox",
      what: "receive into the folder inbox",
    },
    {
      line: "listen udp://0.0.0.0:9000 --seed-file net.seed --offer photos --once",
      what: "offer a folder to one peer, then end",
    },
  ],
  options: [
    ...RECEIVE_OPTIONS,
    {
      name: "offer",
      value: "FILE|DIR",
      multiple: true,
      help: "send this file or folder to every peer (`stt receive`) instead of receiving",
    },
    ...SENDING_OPTIONS,
    { name: "echo", help: "return every stream's bytes and every datagram" },
    ...WEB_OPTIONS,
    { name: "once", help: "end after the first session that did something" },
    ...OFFER_OPTIONS,
    ...SESSION_OPTIONS,
    ...LISTEN_OPTIONS,
    ...GENERAL_OPTIONS,
  ],
  dataOnStdout: toStdout,
  async run(args, context) {
    const [address, ...others] = args.positionals;
    if (address === undefined || others.length > 0) {
      throw new UsageError("listen needs one address", "listen");
    }
    const offers = args.texts("offer").length > 0;
    if (args.flag("echo") && offers) {
      throw new UsageError("--echo and --offer exclude each other", "listen");
    }
    if (args.flag("echo")) args.refuse([...RECEIVING, ...RESUMING], "is for files", "listen");
    else if (offers && !args.flag("web")) {
      args.refuse(RECEIVING, "is for who receives, and --offer sends", "listen");
    }
    if (!offers) args.refuse(["exclude"], "is for --offer", "listen");
    if (args.flag("chat") && !args.flag("web")) {
      throw new UsageError("--chat needs --web; `stt chat --listen` is a chat alone", "listen");
    }
    const besides = OFFER_OPTIONS.find(({ name }) =>
      args.flag(name) || args.texts(name).length > 0
    );
    if (args.flag("web") && besides !== undefined) {
      throw new UsageError(`--web and --${besides.name} exclude each other`, "listen");
    }
    if (args.flag("web")) return await listenForPages(address, args, context);
    const main = await serviceOf(args, context);
    const all = offersOf(args, context, main, args.flag("echo") ? "" : FILES_APP);
    const host = new SessionHost(all.service, args.flag("once"), context);
    const { listener, close } = await openListener(address, args, context, {
      app: all.app,
      accept: ({ app }) => host.open && all.takes(app),
      limits: all.limits,
    });
    const cool = address.startsWith("udp:")
      ? warmUp(() => context.io.now(), WARM_UP_BYTES, 0, context.report.warnOf)
      : () => undefined;
    try {
      return await host.serve(listener);
    } finally {
      cool();
      await close();
    }
  },
};

/**
 * Traces and keys of the sessions of a command, in files that its options name.
 *
 * @module
 */
import type { EndpointOptions } from "../endpoint/options.ts";
import { keyLogFile, qlogFile } from "../telemetry/files.ts";
import type { Arguments, OptionSpec } from "./args.ts";
import type { CommandContext } from "./command.ts";
import { grantedEnv } from "./granted.ts";

export const OBSERVE_OPTIONS: readonly OptionSpec[] = [
  { name: "qlog", value: "FILE", help: "write what the sessions do as qlog (FILE.sqlog)" },
  {
    name: "keylog",
    value: "FILE",
    help: "DANGER: append the sessions' keys, for `stt decode --keylog`",
  },
];

const KEY_LOG_VARIABLE = "STT_KEYLOGFILE";

/** Opens the files. They are written until the process ends. */
export function observeOptions(
  args: Arguments,
  { io, report }: CommandContext,
): Pick<EndpointOptions, "tracer" | "keyLog"> {
  const qlog = args.text("qlog");
  const keys = args.text("keylog") ?? grantedEnv(io.env, KEY_LOG_VARIABLE);
  // The sessions go on without; whoever asked for the file learns that it is not whole.
  const files = { onFailure: report.warnOf };
  const tracer = qlog === undefined ? undefined : qlogFile(qlog, files).tracer;
  const keyLog = keys === undefined || keys === "" ? undefined : keyLogFile(keys, files).keyLog;
  if (keyLog !== undefined) {
    const message = `the keys of these sessions go to ${JSON.stringify(keys)}: ` +
      "whoever reads that file reads everything that they send";
    report.warning("warning", { message }, `warning: ${message}`);
  }
  return { ...(tracer && { tracer }), ...(keyLog && { keyLog }) };
}

/**
 * `stt doctor`.
 *
 * @module
 */
import type { Arguments } from "../args.ts";
import { type Check, examine, fail, type Finding } from "../checkup/check.ts";
import { configCheck } from "../checkup/configuration.ts";
import { dialChecks } from "../checkup/dials.ts";
import { listenCheck, MACHINE_CHECKS } from "../checkup/machine.ts";
import { hasSeed, seedChecks } from "../checkup/seeds.ts";
import type { Command, CommandContext } from "../command.ts";
import { type Dialled, Dialler } from "../dial.ts";
import { EXIT_FAILURE, EXIT_OK } from "../exit_codes.ts";
import type { CliOutput } from "../io.ts";
import { DIAL_OPTIONS, GENERAL_OPTIONS, SESSION_OPTIONS } from "../options.ts";
import { Report } from "../report.ts";
import { styleOf } from "../style.ts";
import { printable, wrapped } from "../text.ts";

const NAME_COLUMNS = 13;
const STATUS_COLUMNS = 5;
const MIN_COLUMNS = 40;
/** What is well needs no emphasis. */
const LOOKS = { ok: "plain", warn: "warn", fail: "bad" } as const;

export const doctor: Command = {
  name: "doctor",
  usage: "doctor [ADDR...] [--listen ADDR]",
  summary: "look at what keeps sessions from working, and say what to do",
  details: [
    "Looks at the runtime, its cryptography and sockets, the clock and the seed; at",
    "addresses to listen on; and at listeners: the dial, round trips, the path.",
    "Each line is ok, warn or fail. The exit code is 1 when something fails.",
  ],
  positionals: ["address"],
  examples: [
    { line: "doctor", what: "this machine alone" },
    {
      line: "doctor udp://192.0.2.1:9000 tcp://192.0.2.1:9000 --seed-file net.seed",
      what: "and two listeners",
    },
  ],
  options: [
    {
      name: "listen",
      value: "ADDR",
      multiple: true,
      help: "an address that should be free to listen on",
    },
    ...SESSION_OPTIONS,
    ...DIAL_OPTIONS,
    ...GENERAL_OPTIONS,
  ],
  async run(args, context) {
    const { signal } = context;
    const counts = { ok: 0, warn: 0, fail: 0 };
    const checks = checksOf(args, context);
    try {
      for (const check of checks) {
        const finding = await examine(check, signal);
        if (finding === undefined) continue;
        counts[finding.status]++;
        tell(check.name, finding, context);
      }
    } finally {
      await Promise.all(checks.map((check) => check.close?.()));
    }
    context.report.result("checked", counts, sumOf(counts));
    return counts.fail === 0 ? EXIT_OK : EXIT_FAILURE;
  },
};

function checksOf(args: Arguments, context: CommandContext): Check[] {
  return [
    ...MACHINE_CHECKS,
    configCheck(args, context),
    ...seedChecks(args, context.io),
    ...args.texts("listen").map(listenCheck),
    ...args.positionals.flatMap((address) =>
      hasSeed(args, context.io)
        ? dialChecks(address, () => dialQuietly(address, args, context))
        : [{
          name: `dial ${address}`,
          run: () =>
            Promise.resolve(fail("not dialled: there is no seed", "give --seed-file FILE")),
        }]
    ),
  ];
}

/** The finding says what the dial would. */
async function dialQuietly(
  address: string,
  args: Arguments,
  context: CommandContext,
): Promise<Dialled> {
  const report = new Report(context.io, { json: false, quiet: true });
  const dialler = await Dialler.prepare(address, args, { ...context, report }, "");
  try {
    return await dialler.dial(context.signal);
  } finally {
    dialler.close();
  }
}

function tell(name: string, finding: Finding, { io, report }: CommandContext): void {
  const { status, message, advice } = finding;
  report.result(
    "check",
    { name, status, message, advice: advice ?? null },
    rowOf(name, finding, io.stdout, styleOf(io.stdout, io)),
  );
}

function rowOf(
  name: string,
  { status, message, advice }: Finding,
  output: CliOutput,
  style: ReturnType<typeof styleOf>,
): string {
  // Lines that nobody reads on a terminal are easier to search when they are whole.
  const columns = output.isTty ? Math.max(MIN_COLUMNS, output.columns - 1) : Infinity;
  const shown = printable(name);
  // A name that is longer than its column has a line of its own, and more room below it.
  const long = shown.length > NAME_COLUMNS;
  const indent = STATUS_COLUMNS + (long ? 0 : NAME_COLUMNS + 1);
  const rows = (text: string): string[] => wrapped(printable(text), columns - indent);
  const head = `${style(LOOKS[status], status.padEnd(STATUS_COLUMNS - 1))} ${
    shown.padEnd(NAME_COLUMNS)
  }`;
  const [first = "", ...rest] = rows(message);
  const start = long ? [head, " ".repeat(indent) + first] : [`${head} ${first}`];
  const more = advice === undefined ? [] : rows(advice).map((line) => style("bold", line));
  return [...start, ...[...rest, ...more].map((line) => " ".repeat(indent) + line)].join("\n");
}

function sumOf({ ok, warn, fail }: Readonly<Record<Finding["status"], number>>): string {
  const count = (number: number, word: string): string =>
    `${number} ${number === 1 ? word : `${word}s`}`;
  return `${ok} ok, ${count(warn, "warning")}, ${count(fail, "failure")}`;
}

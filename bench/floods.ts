/**
 * `deno task floods [--only TEXT] [--scale N] [--json]`: floods against real listeners on this machine, one after the
 * other, and what each one cost. Exit code 1 when a bound was passed.
 *
 * @module
 */
import { parseArguments, USAGE } from "./floods/arguments.ts";
import { FLOODS } from "./floods/list.ts";
import { LoopDelay } from "./floods/loop_delay.ts";
import { measure, type Row } from "./floods/measure.ts";
import { HEADER, rowText } from "./floods/table.ts";

const IDLE_MS = 500;

Deno.exit(await main());

async function main(): Promise<number> {
  let args: ReturnType<typeof parseArguments>;
  try {
    args = parseArguments(Deno.args);
  } catch (error) {
    console.error(`floods: ${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    return 2;
  }
  if (args === undefined) {
    console.log(USAGE);
    return 0;
  }
  const { only, scale, json } = args;
  const floods = FLOODS.filter(({ name }) => name.includes(only));
  if (floods.length === 0) {
    console.error(`floods: no flood's name holds "${only}"`);
    return 2;
  }
  const say = json ? console.error : console.log;
  const delay = new LoopDelay().start();
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const idle = delay.stop();
  say(
    `deno ${Deno.version.deno}, ${navigator.hardwareConcurrency} cores, scale ${scale}; ` +
      `the event loop when idle: ${idle.ownMs.toFixed(0)} ms of own work (${
        idle.wallMs.toFixed(0)
      } on the clock) at worst\n\n${HEADER}`,
  );
  const rows: Row[] = [];
  for (const flood of floods) {
    const row = await measure(flood, scale);
    rows.push(row);
    say(rowText(row));
  }
  const failed = rows.filter(({ faults }) => faults.length > 0);
  say("");
  for (const { name, faults } of failed) say(`failed ${name}: ${faults.join("; ")}`);
  const worst = Math.max(...rows.map(({ loopMs }) => loopMs));
  say(
    `${rows.length} floods, ${failed.length} failed; the event loop was blocked for ` +
      `${worst.toFixed(0)} ms of own work at worst`,
  );
  if (json) console.log(JSON.stringify({ runtime: Deno.version.deno, scale, idle, rows }));
  return failed.length === 0 ? 0 : 1;
}

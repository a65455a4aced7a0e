// Real processes and real sockets over a bad line: the programs are those of the user, the line is link.py.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Lab, labRefusal, type LabResult, type LinkOptions, withLab } from "./lab.ts";
import { LineProcess } from "./process.ts";
import { makeSample, overStt, type TransferResult } from "./transfer.ts";

const NOT_HERE = "network namespaces or TUN devices are not permitted here";
const OPTIONS = { skip: await labRefusal() === undefined ? false : NOT_HERE };
const DEADLINE_MS = 50_000;

/** Sends a file of `bytes` by two `stt` processes over a line; the bytes are compared on arrival. */
async function carry(
  line: LinkOptions,
  { bytes, ipv6 = false }: { readonly bytes: number; readonly ipv6?: boolean },
): Promise<LabResult<TransferResult>> {
  const folder = await Deno.makeTempDir({ prefix: "stt-lab-" });
  try {
    const sample = await makeSample(folder, bytes);
    return await withLab(
      line,
      (lab) => overStt(lab, { runtime: "deno", ipv6, deadlineMs: DEADLINE_MS }, sample, folder),
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

test("a file over a line that loses, reorders, repeats and damages packets", OPTIONS, async () => {
  const { link } = await carry(
    { rtt: 20, jitter: 4, rate: 50, loss: 2, burst: 3, reorder: 5, dup: 1, corrupt: 0.5, seed: 7 },
    { bytes: 1_500_000 },
  );
  const { lost, reordered, duplicated, corrupted } = link.bToA;
  assert(Math.min(lost, reordered, duplicated, corrupted) > 0, JSON.stringify(link.bToA));
});

test(
  "a file over a path that narrows to 1280 bytes on the way, without a word",
  OPTIONS,
  async () => {
    const { link } = await carry(
      { rtt: 20, rate: 50, narrowTo: 1280, narrowAfter: 400 },
      { bytes: 1_500_000 },
    );
    assert(link.bToA.too_big > 0, "no packet was larger than the path");
  },
);

test(
  "a file over a path that carries 1280 bytes from the start, IPv6",
  OPTIONS,
  async (context) => {
    const { value: ipv6 } = await withLab({}, (lab: Lab) => Promise.resolve(lab.hasIpv6));
    if (!ipv6) context.diagnostic("no IPv6 here: over IPv4");
    const { link } = await carry({ rtt: 20, rate: 50, narrowTo: 1280 }, { bytes: 1_000_000, ipv6 });
    assert(link.bToA.too_big > 0, "the path's size was never tried");
  },
);

async function runs(pid: number): Promise<boolean> {
  try {
    // A zombie has ended: it is its parent who has not looked yet.
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
    return !/\) Z/.test(stat);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

test("a lab that is killed leaves no process behind, so no network either", OPTIONS, async () => {
  const holder = new LineProcess([
    Deno.execPath(),
    ...["run", "-A", "--frozen", "--quiet", "--no-check"],
    fileURLToPath(new URL("hold.ts", import.meta.url)),
  ]);
  const pids = Object.values(await holder.line((line) => "link" in line, "its processes"));
  for (const pid of pids) assert(await runs(Number(pid)), `${pid} does not run`);
  holder.signal("SIGKILL");
  await holder.exit();
  const until = performance.now() + DEADLINE_MS;
  for (const pid of pids) {
    while (await runs(Number(pid))) {
      assert(performance.now() < until, `${pid} still runs`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
});

test("labs do not meet: both have the same addresses", OPTIONS, async () => {
  const both = await Promise.all(
    [1, 2].map((seed) => carry({ rtt: 10, rate: 50, loss: 1, seed }, { bytes: 300_000 })),
  );
  for (const { link } of both) assert(link.bToA.packets > 0);
});

test("a file whose sender gets another port and address from its NAT, twice", OPTIONS, async () => {
  const { link } = await carry(
    { rtt: 20, rate: 50, rebindAfter: [300, 700], rebindAddress: true },
    { bytes: 1_500_000 },
  );
  assert.equal(link.rebindings, 2);
});

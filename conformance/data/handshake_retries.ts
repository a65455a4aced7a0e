/** RETRY frames, cookies and passphrases of vectors/stt1/handshake.json. @module */
import type { Check } from "../case.ts";
import { hex, unhex } from "../twin/bytes.ts";
import { bytesOf, intOf, intsOf } from "../twin/messages.ts";
import { hkdf, passphraseSeed } from "../twin/primitives.ts";
import { cookieOf, makeRetry } from "../twin/retry.ts";
import type { Entry, EntryCase } from "./section.ts";

export function retry(entry: Entry): EntryCase[] {
  const cases: EntryCase[] = [];
  if (entry.cookie !== undefined && entry.cookie !== null) {
    cases.push({ name: "cookie", section: "6.4", run: (check) => cookie(check, entry) });
  }
  if (entry.code !== undefined) {
    cases.push({
      name: "retry",
      section: "6.4",
      title: `RETRY code ${entry.code}`,
      run: (check) => retryFrame(check, entry),
    });
  }
  if (cases.length === 0) throw new Error("neither a RETRY nor a cookie");
  return cases;
}

async function cookie(check: Check, entry: Entry): Promise<void> {
  const { secret, ip, port, nonce, minute, cookie: expected } = entry.cookie;
  check.data(expected, hex(cookieOf({ secret, ip, port }, unhex(nonce), minute)), "cookie");
  if (entry.fields?.cookie !== undefined) {
    check.data(entry.fields.cookie, { bytes: expected }, "field cookie");
  }
  await check.gives({ op: "cookie.make", secret, ip, port, nonce, minute }, { cookie: expected });
}

async function retryFrame(check: Check, entry: Entry): Promise<void> {
  const { fields } = entry;
  const seed = unhex(entry.shared_seed);
  const retryKey = hex(hkdf(seed, "stt1 retry", 32));
  if (entry.retry_key !== undefined) check.data(entry.retry_key, retryKey, "retry_key");
  check.data(entry.code, Number(intOf(fields, "code")), "code");
  const twin = makeRetry(seed, {
    nonce: bytesOf(fields, "nonce"),
    code: entry.code,
    cookie: bytesOf(fields, "cookie"),
    versions: intsOf(fields, "versions"),
    suites: intsOf(fields, "suites"),
  });
  check.data(fields, twin.fields, "fields");
  check.data(entry.value, twin.value, "value");
  check.data(entry.frame, twin.frame, "frame");
  await check.gives({ op: "seed.keys", seed: entry.shared_seed }, { retry_key: retryKey });
  await check.gives({
    op: "retry.make",
    seed: entry.shared_seed,
    nonce: fields.nonce.bytes,
    code: entry.code,
    cookie: fields.cookie.bytes,
    versions: intsOf(fields, "versions"),
    suites: intsOf(fields, "suites"),
  }, { frame: entry.frame });
  await check.gives({ op: "message.encode", fields }, { hex: entry.value });
  await check.gives({ op: "message.parse", frame: entry.frame }, { type: "RETRY", fields });
}

export function passphrase(entry: Entry): EntryCase {
  return {
    section: "5",
    title: `passphrase "${entry.passphrase}" in "${entry.network}"`,
    slow: true,
    run: async (check) => {
      check.data(entry.seed, hex(passphraseSeed(entry.passphrase, entry.network)), "seed");
      const { passphrase, network } = entry;
      await check.gives({ op: "passphrase.seed", passphrase, network }, { seed: entry.seed });
    },
  };
}

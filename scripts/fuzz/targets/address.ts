/** Addresses as users, configurations and programs write them. @module */
import { parseAddress, printableAddress } from "../../../src/transport/address.ts";
import { SttError } from "../../../src/errors.ts";
import { mutateWith } from "../mutate_bytes.ts";
import { oracle, type Target } from "../target.ts";

const PASSWORD = "hunter2";

function run(input: Uint8Array): string {
  const text = new TextDecoder().decode(input);
  try {
    const address = parseAddress(text);
    const again = parseAddress(address.text);
    oracle(JSON.stringify(again) === JSON.stringify(address), "its normal form is another address");
    oracle(/^[!-~]+$/.test(address.text) && !address.host.includes("@"), "odd characters in it");
    oracle(address.port >= 0 && address.port <= 65_535, `port ${address.port}`);
    if (address.scheme !== "mem") sameElsewhere(address);
    oracle(!printableAddress(address).includes("?"), "a query is printed");
    return `${address.scheme} ${address.host.includes(":")} ${address.path.length > 1}`;
  } catch (error) {
    if (!(error instanceof SttError)) throw error;
    oracle(error.code === "ADDRESS", () => error.stack ?? "");
    // What stands before the last @ may be a name and a password.
    const at = text.lastIndexOf("@");
    const secret = text.slice(0, Math.max(0, at)).includes(PASSWORD) &&
      !text.slice(at).includes(PASSWORD);
    oracle(!secret || !error.message.includes(PASSWORD), "the password is shown");
    oracle(
      !/\p{Cc}/u.test(error.message.replace(/[\x7f-\x9f]/g, "")),
      "control characters are shown",
    );
    return error.message.replace(/^.*": /s, "").replace(/".*"/s, "…").replace(
      /\d+|(ws|wss|tcp|udp)\b/g,
      "…",
    );
  }
}

/** Another parser finds the same host and port, if it takes the name at all: some `xn--` it does not. */
function sameElsewhere({ text, host, port }: ReturnType<typeof parseAddress>): void {
  const url = text.replace(/^[a-z]+:/, "http:").replace(/%[^\]]*\]/, "]");
  if (!URL.canParse(url)) {
    oracle(host.includes("xn--"), "URL does not take it");
    return;
  }
  const other = new URL(url);
  oracle(Number(other.port || 80) === port, () => `URL finds port ${other.port}`);
  oracle(host.includes(":") || other.hostname === host, () => `URL finds host ${other.hostname}`);
}

const SEEDS = [
  "ws://example.org",
  "ws://example.org:8080/stt?x=1",
  "wss://[2001:db8::1]:443/",
  "tcp://127.0.0.1:9000",
  "tcp://[fe80::1%eth0]:9000",
  "udp://node-1.example.:4780",
  "mem:name",
  "UDP://EXAMPLE.org:1",
  `ws://user:${PASSWORD}@example.org/`,
  `ws://${"u".repeat(190)}:${PASSWORD}@example.org/`,
  `user:${PASSWORD}@example.org`,
  `wss://example.org/?password=${PASSWORD}#top`,
  "tcp://256.1.1.1:1",
  "tcp://1.2.3:1",
  "ws://a_b.example/%20",
  "ws:example.org",
  "http://example.org",
  "udp://example.org",
  "ws://[::1",
  "ws://exa mple",
];

export const address: Target = {
  name: "address",
  exact: true,
  maxBytes: 2100,
  seeds: () => SEEDS.map((text) => new TextEncoder().encode(text)),
  mutate: mutateWith,
  run,
};

/**
 * What peers of `stt chat`, `forward` and `bench` write (SPEC 12.8, 12.11, 12.12). The first byte of an input says whether
 * it is a message of a chat or a block. @module
 */
import { cleanName } from "../../../src/cli/chat/room.ts";
import { lineText } from "../../../src/cli/chat/screen.ts";
import {
  decodeJoin,
  decodeLine,
  decodeSaid,
  encodeJoin,
  encodeLine,
  LINE_MAX_BYTES,
  NAME_MAX_LENGTH,
} from "../../../src/cli/chat/wire.ts";
import {
  decodeBenchRequest,
  decodeCount,
  encodeBenchRequest,
  encodeCount,
} from "../../../src/cli/benching/wire.ts";
import { AllowList, placeText } from "../../../src/cli/forwarding/rules.ts";
import {
  decodeAnswer,
  decodeRequest,
  encodeNo,
  encodeRequest,
  encodeYes,
} from "../../../src/cli/forwarding/wire.ts";
import { type Block, takeServiceBlock } from "../../../src/endpoint/service_block.ts";
import { SttError } from "../../../src/errors.ts";
import { mutateWith, spliced } from "../mutate_bytes.ts";
import { mutateEncodedValue } from "../mutate_values.ts";
import { oracle, type Target } from "../target.ts";

const CHAT = 0;
const BLOCK = 1;
const PLACES = new AllowList(["localhost:80", "*.example.org:1-100"]);

/** What `act` gives, or undefined when it refuses as it may. */
function attempt<T>(act: () => T, codes: readonly string[] = ["PROTOCOL"]): T | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof SttError && codes.includes(error.code)) return undefined;
    throw error;
  }
}

function chat(bytes: Uint8Array): string {
  const outcomes: string[] = [];
  const joined = attempt(() => decodeJoin(bytes));
  if (joined !== undefined) {
    outcomes.push("join");
    oracle(decodeJoin(encodeJoin(joined)) === joined, "another name comes back");
    const name = cleanName(joined);
    oracle([...name].length <= NAME_MAX_LENGTH, "a long name");
    oracle(!/[\p{Cc}\s\u202e]/u.test(name), () => `a name of odd characters: ${name}`);
  }
  const said = attempt(() => decodeSaid(bytes));
  if (said !== undefined) {
    outcomes.push("said");
    oracle(bytes.length > 0 && bytes.length <= LINE_MAX_BYTES, "a line of another size");
  }
  const line = attempt(() => decodeLine(bytes));
  if (line !== undefined) {
    outcomes.push(line.from === "" ? "notice" : "line");
    const again = attempt(() => decodeLine(encodeLine(line)));
    oracle(again?.from === line.from && again.text === line.text, "another line comes back");
    const shown = lineText(line, (_, text) => text);
    oracle(!/[\p{Cc}\u2028\u2029\u202e]/u.test(shown), "it moves the cursor");
  }
  return outcomes.join(" ") || "refused";
}

function block(bytes: Uint8Array): string {
  const taken = attempt(() => takeServiceBlock(bytes, "block"));
  if (taken === undefined) return "no block";
  const outcomes: string[] = [];
  const request = attempt(() => decodeRequest(taken.block));
  if (request !== undefined) {
    outcomes.push(request.type);
    const text = JSON.stringify(request);
    oracle(JSON.stringify(decodeRequest(read(encodeRequest(request)))) === text, "not the same");
    if (request.type !== "came") {
      const { host, port } = request.place;
      oracle(/^[0-9a-z._:%-]{1,253}$/.test(host), () => `a host of odd characters: ${host}`);
      oracle(Number.isInteger(port) && port >= 0 && port < 65_536, () => `port ${port}`);
      const allowed = host === "localhost" && port === 80 ||
        host.endsWith(".example.org") && port >= 1 && port <= 100;
      oracle(
        PLACES.allows(request.place) === allowed,
        `${placeText(request.place)} is judged wrong`,
      );
    }
  }
  const port = attempt(() => decodeAnswer(taken.block), ANSWERS);
  if (port !== undefined) {
    outcomes.push("answer");
    oracle(port === 0 || Number.isInteger(port) && port < 65_536, () => `answer ${port}`);
  }
  const bench = attempt(() => decodeBenchRequest(taken.block));
  if (bench !== undefined) {
    outcomes.push(bench.mode);
    oracle(bench.mode !== "source" || bench.ms >= 1 && bench.ms <= 60_000, "sends for too long");
  }
  const count = attempt(() => decodeCount(taken.block));
  if (count !== undefined) {
    outcomes.push("count");
    oracle(Number.isSafeInteger(count) && count >= 0, () => `count ${count}`);
  }
  return outcomes.join(" ") || "refused";
}

/** Every code that a refusal may become. */
const ANSWERS: readonly string[] = ["PROTOCOL", "REFUSED", "TRANSPORT", "BUSY", "STREAM_RESET"];

function read(bytes: Uint8Array): Block {
  const taken = takeServiceBlock(bytes, "block");
  oracle(taken !== undefined, "it encodes to no block");
  return taken.block;
}

function seeds(): Uint8Array[] {
  const text = new TextEncoder();
  const messages = [
    encodeJoin("bob"),
    encodeJoin(""),
    encodeJoin("\u001b[2J\u202e"),
    text.encode("bob\nhello"),
    text.encode("\nbob left"),
    text.encode("\u6f22\u5b57"),
    Uint8Array.of(0xc0, 0xaf),
    new Uint8Array(LINE_MAX_BYTES).fill(0x61),
  ];
  const blocks = [
    encodeRequest({ type: "connect", place: { host: "localhost", port: 80 } }),
    encodeRequest({ type: "connect", place: { host: "a.example.org", port: 100 } }),
    encodeRequest({ type: "listen", place: { host: "::1", port: 0 } }),
    encodeRequest({ type: "came", listen: 7 }),
    encodeYes(),
    encodeYes(8080),
    encodeNo("denied"),
    encodeBenchRequest({ mode: "sink" }),
    encodeBenchRequest({ mode: "source", ms: 1000 }),
    encodeBenchRequest({ mode: "datagrams" }),
    encodeCount(77),
  ];
  return [
    ...messages.map((bytes) => spliced(bytes, 0, 0, Uint8Array.of(CHAT))),
    ...blocks.map((bytes) => spliced(bytes, 0, 0, Uint8Array.of(BLOCK))),
  ];
}

export const services: Target = {
  name: "services",
  exact: true,
  maxBytes: 4400,
  seeds,
  mutate(input, other, prng) {
    const head = input.slice(0, 1);
    const bytes = input.slice(1);
    if (((head[0] ?? 0) & 1) === BLOCK && bytes.length > 2 && prng.chance(0.6)) {
      const value = mutateEncodedValue(bytes.slice((bytes[0] ?? 0) < 128 ? 1 : 2), prng);
      const length = value.length < 128
        ? [value.length]
        : [value.length & 127 | 128, value.length >> 7 & 127];
      return Uint8Array.of(head[0] ?? 0, ...length, ...value);
    }
    return spliced(mutateWith(bytes, other.slice(1), prng), 0, 0, head);
  },
  run(input) {
    const bytes = input.subarray(1);
    return ((input[0] ?? 0) & 1) === CHAT ? chat(bytes) : block(bytes);
  },
};

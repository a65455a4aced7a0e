/** SPEC 6.2: the encrypted payload of messages 2 and 3. @module */
import { ascii, Refusal } from "./bytes.ts";
import { type Field, type Fields, intsOf, toFields } from "./messages.ts";
import { decodeValue, type Typed } from "./values.ts";

const SAFE = 2n ** 53n - 1n;

/** Default, least and largest of each integer. */
const INTEGERS: Readonly<Record<string, readonly [bigint, bigint, bigint]>> = {
  capabilities: [0n, 0n, SAFE],
  max_idle: [300000n, 0n, SAFE],
  max_data: [1048576n, 0n, SAFE],
  max_stream_data: [262144n, 0n, SAFE],
  max_streams: [256n, 0n, 2n ** 31n],
  max_datagram: [65535n, 0n, SAFE],
  max_frame: [65536n, 1200n, 2097152n],
  max_udp: [65507n, 1200n, SAFE],
  ack_delay: [25n, 0n, 1000n],
  ack_every: [16n, 1n, 64n],
};

export interface Negotiation {
  readonly suite: number;
  readonly version: number;
  readonly ownSuites: readonly number[];
  readonly ownVersions: readonly number[];
  readonly ownApp: string;
  /** True when the payload came from the initiator. */
  readonly fromInitiator: boolean;
  /** Hears what the payload says of a ticket, once all of it was taken. */
  readonly onResumed?: (resumed: boolean) => void;
}

/** The parameters with their defaults, or a refusal: parameter, suite, version or app. */
export function readParameters(payload: Uint8Array, negotiation: Negotiation): Fields {
  const fields = shape(payload);
  const peerSuites = intsOf(fields, "suites");
  const peerVersions = intsOf(fields, "versions");
  const { suite, version } = negotiation;
  const order = negotiation.fromInitiator ? peerSuites : negotiation.ownSuites;
  const other = negotiation.fromInitiator ? negotiation.ownSuites : peerSuites;
  // Of several faults the payload's own words are judged first, then what both sides have in common.
  inUse(fields.suite, suite, "suite");
  inUse(fields.version, version, "version");
  if (order.find((id) => other.includes(id)) !== suite) throw new Refusal("suite");
  const common = negotiation.ownVersions.filter((id) => peerVersions.includes(id));
  if (Math.max(...common) !== version) throw new Refusal("version");
  const app = (fields.app as { text: string }).text;
  if (app !== "" && negotiation.ownApp !== "" && app !== negotiation.ownApp) {
    throw new Refusal("app");
  }
  const names = [...Object.keys(INTEGERS), "migrate", "app", "reset"];
  negotiation.onResumed?.((fields.resumed as { bool: boolean }).bool);
  return Object.fromEntries(Object.entries(fields).filter(([name]) => names.includes(name)));
}

function inUse(field: Field | undefined, value: number, name: string): void {
  if (field === undefined) return;
  if (!("int" in field)) throw new Refusal("parameter", name);
  if (Number(field.int) !== value) throw new Refusal(name);
}

function shape(payload: Uint8Array): Fields {
  if (payload.length > 400) throw new Refusal("parameter");
  let typed: Typed;
  try {
    typed = decodeValue(payload, { canonical: true, maxDepth: 2, maxEntries: 32 });
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal("parameter", error.code);
    throw error;
  }
  if (typed.t !== "dict") throw new Refusal("parameter");
  const given = toFields(typed);
  const fields: Record<string, Field> = {
    version: { int: "1" },
    versions: { list: [{ int: "1" }] },
    migrate: { bool: true },
    app: { text: "" },
    resumed: { bool: false },
    ...given,
  };
  for (const [name, [standard, least, largest]] of Object.entries(INTEGERS)) {
    const field = fields[name] ?? { int: standard.toString() };
    if (!("int" in field)) throw new Refusal("parameter", name);
    const value = BigInt(field.int);
    if (value < least || value > largest) throw new Refusal("parameter", name);
    fields[name] = field;
  }
  const integers = (name: string): boolean => {
    const field = fields[name] as Field | undefined;
    return field !== undefined && "list" in field && field.list.every((item) => "int" in item);
  };
  if (!integers("suites") || !integers("versions")) throw new Refusal("parameter");
  const { reset, migrate, app } = fields;
  if (reset !== undefined && !("bytes" in reset && reset.bytes.length === 32)) {
    throw new Refusal("parameter", "reset");
  }
  if (!("bool" in (fields.resumed as Field))) throw new Refusal("parameter", "resumed");
  if (!("bool" in (migrate as Field))) throw new Refusal("parameter", "migrate");
  if (!("text" in (app as Field))) throw new Refusal("parameter", "app");
  if (ascii((app as { text: string }).text).length > 64) throw new Refusal("parameter", "app");
  return fields;
}

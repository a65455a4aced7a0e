/**
 * The import rules of src/ as data: which folder may import which, and what the pure layers must not touch.
 *
 * @module
 */

/** The folder name that stands for the files directly in src/. */
export const BASE = "(base)";

/**
 * Folder of src/ to the folders it may import besides itself. Imports point down only; handshake, session and streams
 * do not know each other, and neither do connection and transport.
 */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  [BASE]: [],
  observe: [BASE],
  codec: [BASE, "observe"],
  crypto: [BASE, "observe", "codec"],
  handshake: [BASE, "observe", "codec", "crypto"],
  session: [BASE, "observe", "codec", "crypto"],
  streams: [BASE, "observe", "codec", "crypto"],
  sealed: [BASE, "observe", "codec", "crypto"],
  storage: [BASE, "observe", "codec", "crypto", "sealed"],
  connection: [BASE, "observe", "codec", "crypto", "handshake", "session", "streams"],
  transport: [BASE, "observe", "codec", "crypto"],
  endpoint: [
    BASE,
    "observe",
    "codec",
    "crypto",
    "handshake",
    "session",
    "streams",
    "sealed",
    "storage",
    "connection",
    "transport",
  ],
  // The endpoint without the runtime: BROWSER_ENTRIES holds its files to that.
  browser: [
    BASE,
    "observe",
    "codec",
    "crypto",
    "handshake",
    "session",
    "streams",
    "connection",
    "transport",
    "endpoint",
  ],
  testing: [
    BASE,
    "observe",
    "codec",
    "crypto",
    "handshake",
    "session",
    "streams",
    "sealed",
    "storage",
    "connection",
    "transport",
    "endpoint",
  ],
  telemetry: [BASE, "observe", "codec", "session", "streams", "connection", "endpoint"],
  cli: [
    BASE,
    "observe",
    "codec",
    "crypto",
    "handshake",
    "session",
    "streams",
    "sealed",
    "storage",
    "connection",
    "transport",
    "endpoint",
    "telemetry",
    // A session in memory, which warms the code of a real one up.
    "testing",
  ],
};

/** Folders whose files take the clock and the randomness as arguments and do no I/O. */
export const PURE_FOLDERS: readonly string[] = [
  "codec",
  "crypto",
  "handshake",
  "session",
  "streams",
  "connection",
  "observe",
  "sealed",
];

/** Pure files outside of the pure folders. */
export const PURE_FILES: readonly string[] = ["src/endpoint/pool/policy.ts"];

/** Global names that no pure file may use: clocks, timers, randomness, I/O, runtimes. */
export const BANNED_GLOBALS: readonly string[] = [
  "Buffer",
  "Date",
  "Deno",
  "EventSource",
  "Promise",
  "WebSocket",
  "XMLHttpRequest",
  "clearInterval",
  "clearTimeout",
  "console",
  "crypto",
  "fetch",
  "global",
  "globalThis",
  "navigator",
  "performance",
  "process",
  "queueMicrotask",
  "require",
  "self",
  "setImmediate",
  "setInterval",
  "setTimeout",
  "window",
];

/** Bans lifted for single files, with the reason. */
export const EXCEPTIONS: readonly {
  readonly file: string;
  readonly allow: readonly string[];
  readonly reason: string;
}[] = [
  {
    file: "src/crypto/node_provider.ts",
    allow: ["node:crypto", "node:buffer", "node:process", "Promise", "async", "Buffer"],
    reason:
      "the one pure-layer file that stands on node:crypto; scrypt is asynchronous; collectors differ",
  },
  {
    file: "src/crypto/noble_provider.ts",
    allow: ["globalThis", "crypto", "Promise", "async", "@noble/"],
    reason: "the portable provider: noble, and the randomness of the platform",
  },
  {
    file: "src/crypto/seeds.ts",
    allow: ["Promise", "async"],
    reason: "scrypt takes half a second, so a seed from a passphrase is asynchronous",
  },
  {
    file: "src/crypto/provider.ts",
    allow: ["Promise"],
    reason: "declares the asynchronous scrypt",
  },
];

/** Bare packages (npm names) and the only folder or file of src/ that may name them. */
export const PACKAGES: readonly { readonly name: string; readonly where: string }[] = [
  { name: "@noble/", where: "src/crypto/noble_provider.ts" },
  { name: "uqr", where: "src/cli/qr.ts" },
  { name: "ws", where: "src/transport/" },
];

/**
 * Exports that browsers load: no file that they reach, by an import of whatever kind, names a `node:` module or loads what
 * is computed. Their packages are bundled with them.
 */
export const BROWSER_ENTRIES: readonly string[] = ["./browser", "./noble"];

/**
 * How source text compares bytes in a time that depends on them. Tags, MACs, cookies, confirmations and tokens are
 * compared by `CryptoProvider.equal` (or where a test of a decryption fails), so none of these may stand in src/ but in
 * the files below.
 */
export const EARLY_COMPARISONS: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  {
    pattern: /\.(every|some)\(\(\w+, \w+\) => [^)]*[!=]==/,
    what: "compares bytes one by one",
  },
  { pattern: /\w\[\w+\]!? [!=]== [\w.#]+\[\w+\]/, what: "compares bytes one by one" },
  { pattern: /\bsameBytes\b/, what: "uses sameBytes" },
  {
    pattern: /\b(toHex|toBase64Url)\([^()]*\)\s*[!=]==|[!=]==\s*(toHex|toBase64Url)\(/,
    what: "compares bytes as text",
  },
  { pattern: /\btimingSafeEqual\b/, what: "goes past the provider" },
];

/** Where that is right: what is compared there everybody may know. */
export const PUBLIC_COMPARISONS: readonly { readonly file: string; readonly reason: string }[] = [
  { file: "src/crypto/node_provider.ts", reason: "CryptoProvider.equal itself" },
  { file: "src/handshake/bytes.ts", reason: "sameBytes itself" },
  { file: "src/handshake/hello_attempt.ts", reason: "session ids, which travel in the clear" },
  { file: "src/handshake/messages.ts", reason: "a message and its own canonical spelling" },
  { file: "src/handshake/acceptor.ts", reason: "HELLOs as they travelled" },
  { file: "src/handshake/final_store.ts", reason: "AUTH_PROOFs as they travelled" },
  { file: "src/handshake/network_address.ts", reason: "addresses" },
  { file: "src/sealed/stream_format.ts", reason: "the magic of a file" },
  { file: "src/storage/chamber_body.ts", reason: "sealed heads as they lie on the disk" },
  { file: "src/storage/file_lock.ts", reason: "lock files: process ids and times" },
  { file: "src/storage/provider.ts", reason: "keys of records, which are the names of files" },
  { file: "src/testing/storage_cases.ts", reason: "keys of a test" },
  {
    file: "src/endpoint/files/receive_transfer.ts",
    reason: "the hash of a file, by whoever has the file",
  },
];

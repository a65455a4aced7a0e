/**
 * What to do about an error: one line behind its message.
 *
 * @module
 */
import { type ErrorCode, SttError } from "../errors.ts";

interface Rule {
  readonly codes: readonly ErrorCode[];
  /** Found in the message. */
  readonly text: RegExp;
  /** Only of errors that the peer reported, or only of others. */
  readonly remote?: boolean;
  readonly hint: string;
}

const RULES: readonly Rule[] = [
  {
    codes: ["TRANSPORT"],
    text: /ECONNREFUSED/,
    hint: "is `stt listen` running there, with this port and this scheme?",
  },
  {
    codes: ["FRAME_MAGIC"],
    text: /./,
    hint: "something else answers there: is the scheme the one that `stt listen` prints?",
  },
  {
    codes: ["TRANSPORT"],
    text: /cannot connect to wss?:.*ECONNRESET/,
    hint: "is the scheme the one that `stt listen` prints?",
  },
  {
    codes: ["TRANSPORT"],
    text: /WRONG_VERSION_NUMBER|InvalidContentType/,
    hint: "no TLS is spoken there: take ws: if the listener does",
  },
  {
    codes: ["TRANSPORT"],
    text: /ENOTFOUND|EAI_AGAIN/,
    hint: "check the spelling of the host; an address is SCHEME://HOST:PORT",
  },
  {
    codes: ["TRANSPORT"],
    text: /certificate|CERT|self.signed/i,
    hint: "--ca FILE trusts a certificate of your own",
  },
  {
    codes: ["HANDSHAKE_TIMEOUT"],
    text: /no RESPONSE came|before the handshake was complete/,
    hint: "do both sides have the same seed? `stt listen` prints a line for each that it rejects",
  },
  {
    codes: ["TRANSPORT", "ADDRESS"],
    text: /EADDRINUSE/,
    hint: "take another port, or port 0 for any that is free",
  },
  {
    codes: ["TRANSPORT", "ADDRESS"],
    text: /cannot (listen|bind).*(EACCES|EPERM)/,
    hint: "ports below 1024 need a privilege: take one above",
  },
  {
    codes: ["TRANSPORT", "ADDRESS"],
    text: /cannot (listen|bind).*(EINVAL|EADDRNOTAVAIL)/,
    hint: "listen on an address of this machine; 0.0.0.0 and [::] are all of them",
  },
  {
    codes: ["ADDRESS"],
    text: /cannot parse address/,
    hint: "addresses look like ws://192.0.2.1:9000/ or udp://[::1]:9000; `stt config` names peers",
  },
  {
    codes: ["FILE_EXISTS"],
    text: /./,
    remote: true,
    hint: "the receiver takes it with --overwrite; --name gives it another name",
  },
  { codes: ["FILE_IO"], text: /ENOSPC|EDQUOT/, hint: "make room, or take another folder: --out" },
  {
    codes: ["FILE_IO", "SEED"],
    text: /EACCES|EPERM|permission denied/i,
    remote: false,
    hint: "look at its owner and mode (`ls -ld`), or take another place",
  },
  {
    codes: ["REFUSED"],
    text: /speaks "stt-chat\//,
    hint: "a chat runs there: `stt chat ADDR`",
  },
  {
    codes: ["REFUSED"],
    text: /we "stt-chat\//,
    hint: "the other side runs `stt chat --listen ADDR`",
  },
  {
    codes: ["REFUSED"],
    text: /we "stt-forward\//,
    hint: "the other side runs `stt forward --listen ADDR`, or `stt listen` with --allow-forward",
  },
  { codes: ["REFUSED"], text: /we "stt-bench\//, hint: "does the listener run with --bench?" },
  {
    codes: ["REFUSED"],
    text: /the peer speaks "/,
    hint: "--app names what both sides speak: it must be the same there and here",
  },
  {
    codes: ["PEER_IDENTITY"],
    text: /./,
    hint: "compare --expect with the node id that the other side prints",
  },
];

/** What to do about an error, where there is something to say that its message does not. */
export function hintOf(error: unknown): string | undefined {
  if (!(error instanceof SttError)) return undefined;
  const { code, message, remote } = error;
  return RULES.find((rule) =>
    rule.codes.includes(code) && rule.text.test(message) &&
    (rule.remote === undefined || rule.remote === remote)
  )?.hint;
}

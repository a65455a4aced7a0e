/** SPEC 6.4: strangers, RETRY and cookies. @module */
import type { JsonObject, Request } from "../protocol.ts";
import { hex, unhex } from "../twin/bytes.ts";
import type { Fields } from "../twin/messages.ts";
import { cookieOf, makeRetry } from "../twin/retry.ts";
import {
  ACCEPT,
  altered,
  at,
  each,
  endOf,
  initiatorOf,
  int,
  list,
  type Play,
  play,
  responderOf,
  SUITES,
  TIMES,
} from "./6_scripts.ts";
import { flip, type Rule, RuleBook, type RuleTest, sample } from "./rule.ts";

const SECRET = sample("cookie secret", 32);
const HERE = { ip: "7f000001", port: 4780 };

export function strangerRules(): Rule[] {
  const book = new RuleBook("6.4");
  const seeds = ["a", "b", "c"].map((label) => sample(`listener seed ${label}`, 32));
  book.accepts(
    1,
    "several-seeds",
    "each seed of the listener is tried",
    SUITES.flatMap((suite) =>
      seeds.map((seed, i): RuleTest => {
        const one = play({ suite, seed, seeds });
        return {
          comment: `suite ${suite}: seed ${i + 1} of 3`,
          request: responderOf(one, [
            at("response", one.frames.HELLO),
            at("auth_proof", one.frames.AUTH_PROOF),
            ACCEPT,
          ]),
        };
      })
    ),
  );
  book.refuses(
    2,
    "hello-refused",
    "HELLOs of strangers are dropped in silence",
    each((one, suite) => {
      const stranger = play({
        suite,
        seed: sample("another seed", 32),
        seeds: one.inputs.listener_seeds,
      });
      const drop = (frame: string): Request =>
        responderOf(one, [at("response", frame), at("response", one.frames.HELLO)]);
      return [
        ["another seed", drop(stranger.frames.HELLO)],
        ["seed_id", drop(flip(one.frames.HELLO, endOf(one, "HELLO", "seed_id")))],
        ["commitment", drop(flip(one.frames.HELLO, endOf(one, "HELLO", "commitment")))],
        ["node_id", drop(flip(one.frames.HELLO, endOf(one, "HELLO", "node_id")))],
        ["nonce", drop(flip(one.frames.HELLO, endOf(one, "HELLO", "nonce")))],
        ["timestamp", drop(flip(one.frames.HELLO, endOf(one, "HELLO", "timestamp")))],
        ["capabilities", drop(altered(one, "HELLO", { capabilities: int(0) }))],
        [
          "order of suites behind the first",
          drop(altered(one, "HELLO", { suites: list(suite, 3 - suite, 9) })),
        ],
        [
          "commitment of another handshake",
          drop(
            altered(one, "HELLO", {
              commitment: play({ suite, extra: { x: int(1) } }).result.messages.HELLO.fields
                .commitment as Fields[string],
            }),
          ),
        ],
      ];
    }),
  );
  book.accepts(
    3,
    "version-retry",
    "another version is answered with RETRY code 2",
    each((one) =>
      [0, 2, 3, 100].map((
        version,
      ) => [
        `version ${version}`,
        responderOf(one, [at("response", altered(one, "HELLO", { version: int(version) }))]),
      ])
    ),
  );
  const cookies = { cookie_secret: SECRET };
  const late = (ms: number): string => String(BigInt(TIMES.hello) + BigInt(ms));
  book.accepts(
    4,
    "cookie",
    "a HELLO that is late, or comes under load, is asked for a cookie",
    each((one) => {
      const asked = (time: string, from = HERE): JsonObject => ({
        receive: one.frames.HELLO,
        at: time,
        from,
      });
      return [
        ["120000 ms late: not yet", responderOf(one, [asked(late(120000))], cookies)],
        ["120001 ms late", responderOf(one, [asked(late(120001))], cookies)],
        ["120001 ms early", responderOf(one, [asked(late(-120001))], cookies)],
        ["under load", responderOf(one, [asked(TIMES.response)], { ...cookies, under_load: true })],
        [
          "IPv6 address",
          responderOf(one, [
            asked(TIMES.response, { ip: "20010db8000000000000000000000001", port: 65535 }),
          ], { ...cookies, under_load: true }),
        ],
        [
          "under load, with the cookie",
          responderOf(one, [withCookie(one, HERE, TIMES.response)], {
            ...cookies,
            under_load: true,
          }),
        ],
        ["late, with the cookie", responderOf(one, [withCookie(one, HERE, late(600000))], cookies)],
        [
          "cookie of another address",
          responderOf(one, [{
            ...withCookie(one, { ip: "7f000002", port: 4780 }, TIMES.response),
            from: HERE,
          }], { ...cookies, under_load: true }),
        ],
        [
          "cookie of another port",
          responderOf(one, [{
            ...withCookie(one, { ip: "7f000001", port: 4781 }, TIMES.response),
            from: HERE,
          }], { ...cookies, under_load: true }),
        ],
        [
          "cookie cut",
          responderOf(one, [{
            receive: altered(one, "HELLO", { cookie: { bytes: "00".repeat(19) } }),
            at: TIMES.response,
            from: HERE,
          }], { ...cookies, under_load: true }),
        ],
        [
          "no cookie at all",
          responderOf(one, [{
            receive: altered(one, "HELLO", { cookie: { bytes: "" } }),
            at: TIMES.response,
            from: HERE,
          }], { ...cookies, under_load: true }),
        ],
      ];
    }),
  );
  book.accepts(
    9,
    "cookie-age",
    "a cookie serves for a few minutes",
    each((one) => [
      [
        "late, with a cookie of two minutes ago",
        responderOf(one, [withCookie(one, HERE, late(600000), late(480000))], cookies),
      ],
      [
        "cookie of ten minutes ago",
        responderOf(one, [withCookie(one, HERE, TIMES.response, late(-600000))], {
          ...cookies,
          under_load: true,
        }),
      ],
      [
        "cookie from the future",
        responderOf(one, [withCookie(one, HERE, TIMES.response, late(600000))], {
          ...cookies,
          under_load: true,
        }),
      ],
    ]),
    "SHOULD",
  );
  const retry = (
    one: Play,
    code: number,
    changes: Partial<Parameters<typeof makeRetry>[1]> = {},
    seed = one.inputs.shared_seed,
  ): string =>
    makeRetry(unhex(seed), {
      nonce: unhex(one.inputs.initiator.nonce),
      code,
      ...(code === 1 ? { cookie: unhex(sample("cookie", 20)) } : {}),
      ...changes,
    }).frame;
  book.accepts(
    5,
    "retry-cookie",
    "RETRY code 1: the same HELLO again, with the cookie",
    each((one) => [
      [
        "once",
        initiatorOf(one, [
          at("response", retry(one, 1)),
          at("auth_proof", one.frames.RESPONSE),
          at("final", one.frames.FINAL),
        ]),
      ],
      [
        "twice",
        initiatorOf(one, [
          at("response", retry(one, 1)),
          at("response", retry(one, 1, { cookie: unhex("aa") })),
        ]),
      ],
    ]),
  );
  book.refuses(
    6,
    "retry-refused",
    "RETRY that does not verify, or comes too often",
    each((one) => {
      const first = retry(one, 1);
      const drop = (frame: string): Request =>
        initiatorOf(one, [at("response", frame), at("auth_proof", one.frames.RESPONSE)]);
      return [
        // The content of mac lies behind its name, a tag and a length.
        ["mac", drop(flip(first, first.indexOf("6d6163") / 2 + 3 + 5))],
        ["another seed", drop(retry(one, 1, {}, sample("another seed", 32)))],
        ["another nonce", drop(retry(one, 1, { nonce: unhex(sample("another nonce", 32)) }))],
        [
          "the third",
          initiatorOf(one, [at("response", first), at("response", first), at("response", first)]),
        ],
        ["code 4, busy", initiatorOf(one, [at("response", retry(one, 4))])],
        ["code 4 of a stranger", drop(retry(one, 4, {}, sample("another seed", 32)))],
        ["code 5", drop(retry(one, 5))],
      ];
    }),
  );
  book.accepts(
    7,
    "retry-frame",
    "RETRY always carries all its fields",
    [1, 2, 3, 4].map((code): RuleTest => ({
      comment: `code ${code}`,
      request: {
        op: "retry.make",
        seed: seeds[0] as string,
        nonce: sample("nonce a", 32),
        code,
        cookie: code === 1 ? sample("cookie", 20) : "",
        versions: code === 2 ? [1] : [],
        suites: code === 3 ? [2, 1] : [],
      },
    })),
  );
  book.accepts(
    8,
    "cookie-bytes",
    "cookies bind address, port, nonce and minute",
    [HERE, { ip: "20010db8000000000000000000000001", port: 1 }, { ip: "ffffffff", port: 65535 }]
      .flatMap((from) =>
        [0, 28850000, 4294967295].map((minute): RuleTest => ({
          comment: `${from.ip}, minute ${minute}`,
          request: {
            op: "cookie.make",
            secret: SECRET,
            ...from,
            nonce: sample("nonce a", 32),
            minute,
          },
        }))
      ),
  );
  return book.rules;
}

/** HELLO with the cookie that the listener would have made for `from` at `made`. */
function withCookie(
  one: Play,
  from: { ip: string; port: number },
  time: string,
  made: string = time,
): JsonObject {
  const cookie = hex(cookieFor(one, from, made));
  return { receive: altered(one, "HELLO", { cookie: { bytes: cookie } }), at: time, from };
}

function cookieFor(one: Play, from: { ip: string; port: number }, made: string): Uint8Array {
  return cookieOf(
    { secret: SECRET, ...from },
    unhex(one.inputs.initiator.nonce),
    Number(BigInt(made) / 60000n),
  );
}

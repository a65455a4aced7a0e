/** Data of the schema of vectors/stt1/records.json. @module */
import { type Case, type Check, Failure } from "../case.ts";
import type { Json } from "../protocol.ts";
import { hex, unhex } from "../twin/bytes.ts";
import {
  decodeRecords,
  decodeStreamPayload,
  encodeRecord,
  encodeStreamPayload,
} from "../twin/records.ts";
import { attempt } from "./expect.ts";
import { type DataFile, type Entry, type EntryCase, FileCases } from "./section.ts";

export function recordCases(file: DataFile): Case[] {
  const cases = new FileCases(file, "9");
  cases.list("valid", valid);
  cases.list("payloads", (entry) => [{ run: (check) => payload(check, entry, file) }]);
  cases.list("invalid", (entry) => [{ run: (check) => invalid(check, entry) }]);
  cases.list("streams", streams);
  cases.list(
    "streams_invalid",
    (entry) => [{ section: "8", run: (check) => streamInvalid(check, entry) }],
  );
  return cases.finish();
}

function valid(entry: Entry): EntryCase[] {
  const record = { record: entry.record, fields: entry.fields };
  const claim = (check: Check): void => {
    const made = attempt(() => hex(encodeRecord(record)));
    check.data(entry.hex, "value" in made ? made.value : made.refused, "hex");
    const { records, refused } = decodeRecords(unhex(entry.hex));
    check.data([record], refused ? "refused" : records as unknown as Json, "record");
  };
  return [
    {
      name: "encode",
      title: `${entry.record}: encode`,
      run: async (check) => {
        claim(check);
        await check.gives({ op: "record.encode", ...record }, { hex: entry.hex });
      },
    },
    {
      name: "decode",
      title: `${entry.record}: decode`,
      run: async (check) => {
        claim(check);
        await expectRecords(check, entry.hex, [record], false);
      },
    },
  ];
}

async function expectRecords(
  check: Check,
  text: string,
  expected: Json,
  refused: boolean,
): Promise<void> {
  const actual = await check.ok({ op: "records.decode", hex: text });
  if (refused) {
    if (actual.error === undefined) {
      throw new Failure("records.decode accepted what must be refused");
    }
    check.code(String(actual.error), ["PROTOCOL"]);
  } else if (actual.error !== undefined) {
    throw new Failure(`records.decode refused with ${actual.error}`);
  }
  check.equal(actual.records ?? null, expected, "records");
}

async function payload(check: Check, entry: Entry, file: DataFile): Promise<void> {
  const all = file.content.valid as Entry[];
  const records = entry.records.map((index: number) => {
    const { record, fields } = all[index];
    return { record, fields };
  });
  check.data(entry.hex, entry.records.map((index: number) => all[index].hex).join(""), "hex");
  const twin = decodeRecords(unhex(entry.hex));
  check.data(records, twin.refused ? "refused" : twin.records as unknown as Json, "records");
  await expectRecords(check, entry.hex, records, false);
}

async function invalid(check: Check, entry: Entry): Promise<void> {
  const twin = decodeRecords(unhex(entry.hex));
  if (!twin.refused && entry.choice === true) {
    check.note("the data refuse by a reading that this suite does not share");
    return;
  }
  check.data("refused", twin.refused ? "refused" : "accepted", "the result");
  if (entry.before !== undefined) check.data(entry.before, twin.records.length, "before");
  await expectRecords(check, entry.hex, twin.records as unknown as Json, true);
}

function streams(entry: Entry): EntryCase[] {
  const { kind, offset, data } = entry;
  const claim = (check: Check): void => {
    const made = attempt(() => hex(encodeStreamPayload({ kind, offset, data })));
    check.data(entry.hex, "value" in made ? made.value : made.refused, "hex");
    const read = attempt(() => decodeStreamPayload(unhex(entry.hex)));
    check.data(
      { kind, offset, data },
      "value" in read ? { ...read.value } : read.refused,
      "payload",
    );
  };
  return [
    {
      name: "encode",
      section: "8",
      run: async (check) => {
        claim(check);
        await check.gives({ op: "stream.encode", kind, offset, data }, { hex: entry.hex });
      },
    },
    {
      name: "decode",
      section: "8",
      run: async (check) => {
        claim(check);
        await check.gives({ op: "stream.decode", hex: entry.hex }, { kind, offset, data });
      },
    },
  ];
}

async function streamInvalid(check: Check, entry: Entry): Promise<void> {
  const twin = attempt(() => decodeStreamPayload(unhex(entry.hex)));
  if ("value" in twin && entry.choice === true) {
    check.note("the data refuse by a reading that this suite does not share");
    return;
  }
  check.data("refused", "value" in twin ? "accepted" : "refused", "the result");
  await check.refuses({ op: "stream.decode", hex: entry.hex }, "PROTOCOL");
}

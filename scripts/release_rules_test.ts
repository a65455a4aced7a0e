import assert from "node:assert/strict";
import { test } from "node:test";
import {
  changelogSections,
  changelogState,
  compareVersions,
  distTag,
  parseVersion,
  type Version,
  versionFaults,
} from "./release_rules.ts";
import { ROOT } from "./source_files.ts";

/** In rising order: the list of semver.org, 11.4, and its neighbours. */
const RISING = [
  "0.0.0",
  "0.0.1",
  "0.1.0",
  "0.2.0",
  "0.10.0",
  "1.0.0-1",
  "1.0.0-2",
  "1.0.0-11",
  "1.0.0-alpha",
  "1.0.0-alpha.1",
  "1.0.0-alpha.beta",
  "1.0.0-beta",
  "1.0.0-beta.2",
  "1.0.0-beta.11",
  "1.0.0-rc.1",
  "1.0.0",
  "1.0.1-rc.1",
  "1.0.1",
  "2.0.0",
];

function version(text: string): Version {
  const parsed = parseVersion(text);
  assert(parsed !== undefined, text);
  return parsed;
}

test("versions are ordered as semantic versioning says", () => {
  RISING.forEach((one, i) => {
    RISING.forEach((other, j) => {
      const order = Math.sign(compareVersions(version(one), version(other)));
      assert.equal(order, Math.sign(i - j), `${one} and ${other}`);
    });
  });
});

test("what is no version is refused", () => {
  const wrong = [
    "",
    "1",
    "1.0",
    "1.0.0.0",
    "v1.0.0",
    "01.0.0",
    "1.00.0",
    "1.0.0-",
    "1.0.0-a..b",
    "1.0.0-01",
    "1.0.0+build",
    "1.0.0 ",
    "1.0.x",
    "-1.0.0",
    "1.0.0-ä",
    "9999999999.0.0",
  ];
  for (const text of wrong) {
    assert.equal(parseVersion(text), undefined, text);
    assert.deepEqual(versionFaults(text, { all: [], here: [] }).length, 1, text);
  }
});

test("a version before its release is not what npm install takes", () => {
  assert.equal(distTag(version("1.2.3")), "latest");
  assert.equal(distTag(version("1.2.3-rc.1")), "next");
});

test("a version is new: no tag is higher, and none of its own stands elsewhere", () => {
  const tags = (all: string[], here: string[] = []) => ({ all, here });
  assert.deepEqual(versionFaults("0.1.0", tags([])), []);
  assert.deepEqual(versionFaults("0.2.0", tags(["v0.1.0", "v0.2.0-rc.1", "nightly", "v9"])), []);
  // What the workflow sees: the tag has been made, and is this commit's.
  assert.deepEqual(versionFaults("0.2.0", tags(["v0.1.0", "v0.2.0"], ["v0.2.0"])), []);
  assert.deepEqual(versionFaults("0.1.0", tags(["v0.1.0", "v0.2.0"])), [
    "v0.1.0 is the tag of another commit",
    "0.1.0 is lower than the tag v0.2.0",
  ]);
  assert.deepEqual(versionFaults("0.2.0-rc.2", tags(["v0.2.0"])), [
    "0.2.0-rc.2 is lower than the tag v0.2.0",
  ]);
});

const CHANGELOG = `# Changelog

Words.

## 0.3.0 (unreleased)

- New.

### Inner

## 0.2.0 (2026-02-03)

- Old,
  still.

## Notes

Not a version.

## 0.1.0 (2026-01-02)
`;

test("a changelog is read by sections", () => {
  assert.deepEqual(changelogSections(CHANGELOG), [
    { version: "0.3.0", date: "unreleased", body: "- New.\n\n### Inner" },
    { version: "0.2.0", date: "2026-02-03", body: "- Old,\n  still." },
    { version: "0.1.0", date: "2026-01-02", body: "" },
  ]);
  const windows = CHANGELOG.replaceAll("\n", "\r\n");
  assert.deepEqual(changelogSections(windows), changelogSections(CHANGELOG));
  assert.deepEqual(changelogSections(""), []);
});

test("the release's section comes first, lists something, and has a date that has come", () => {
  const state = (text: string, version = "0.3.0") => changelogState(text, version, "2026-03-04");
  const dated = (date: string) => CHANGELOG.replace("unreleased", date);
  assert.deepEqual(state(dated("2026-03-04")), { faults: [], todo: [] });
  assert.deepEqual(state(CHANGELOG), {
    faults: [],
    todo: ['write "## 0.3.0 (2026-03-04)" in CHANGELOG.md'],
  });
  const wrong: [string, string, RegExp][] = [
    [CHANGELOG, "0.4.0", /has no section "## 0\.4\.0 \(2026-03-04\)"/],
    [CHANGELOG, "0.2.0", /0\.3\.0 stands above 0\.2\.0/],
    [dated("2026-03-05"), "0.3.0", /2026-03-05 has not come/],
    [dated("2026-02-30"), "0.3.0", /"2026-02-30" is no date/],
    [dated("soon"), "0.3.0", /"soon" is no date/],
    [dated("2026-03-04").replace("- New.", "New."), "0.3.0", /lists nothing/],
    ["## 0.3.0 (2026-03-04)\n- A\n" + dated("2026-03-04"), "0.3.0", /two sections of 0\.3\.0/],
  ];
  for (const [text, version, fault] of wrong) {
    const { faults, todo } = state(text, version);
    assert.equal(faults.length, 1, faults.join("\n"));
    assert.match(faults[0]!, fault);
    assert.deepEqual(todo, []);
  }
});

test("this repository's version has its section", () => {
  const read = (path: string) => Deno.readTextFileSync(new URL(path, ROOT));
  const { version } = JSON.parse(read("deno.json")) as { version: string };
  const today = new Date().toISOString().slice(0, 10);
  assert.deepEqual(changelogState(read("CHANGELOG.md"), version, today).faults, []);
});

/**
 * What a release must be: its version, its section of the changelog, its tag.
 *
 * @module
 */

/** A version of semantic versioning, without build metadata: registries do not tell two of them apart. */
export interface Version {
  /** Major, minor, patch. */
  readonly numbers: readonly [number, number, number];
  /** Identifiers behind the hyphen; none for a release proper. */
  readonly pre: readonly string[];
}

const VERSION =
  /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/;

/** Reads a version; undefined when it is none. */
export function parseVersion(text: string): Version | undefined {
  const match = VERSION.exec(text);
  if (match === null) return undefined;
  const pre = match[4]?.split(".") ?? [];
  if (pre.some((part) => /^0\d+$/.test(part))) return undefined;
  return { numbers: [Number(match[1]), Number(match[2]), Number(match[3])], pre };
}

/** Below 0 when `a` comes before `b`, above 0 when it comes after it (semver.org, 11). */
export function compareVersions(a: Version, b: Version): number {
  for (const index of [0, 1, 2] as const) {
    const difference = a.numbers[index] - b.numbers[index];
    if (difference !== 0) return difference;
  }
  if (a.pre.length === 0 || b.pre.length === 0) return b.pre.length - a.pre.length;
  for (let index = 0; index < Math.max(a.pre.length, b.pre.length); index++) {
    const [one, other] = [a.pre[index], b.pre[index]];
    if (one === undefined) return -1;
    if (other === undefined) return 1;
    if (one === other) continue;
    const [isNumber, otherIsNumber] = [/^\d+$/.test(one), /^\d+$/.test(other)];
    if (isNumber && otherIsNumber) return Number(one) - Number(other);
    if (isNumber !== otherIsNumber) return isNumber ? -1 : 1;
    return one < other ? -1 : 1;
  }
  return 0;
}

/** The tag of a version. */
export function tagOf(version: string): string {
  return `v${version}`;
}

/** The name under which npm offers a version: what `npm install` takes without a version is `latest`. */
export function distTag(version: Version): string {
  return version.pre.length === 0 ? "latest" : "next";
}

/** The tags of a repository. */
export interface Tags {
  readonly all: readonly string[];
  /** Those of the commit that is to be released. */
  readonly here: readonly string[];
}

/** What is wrong with `version`, in words. */
export function versionFaults(version: string, tags: Tags): string[] {
  const wanted = parseVersion(version);
  if (wanted === undefined) return [`${version} is no version of semantic versioning`];
  const faults: string[] = [];
  const own = tagOf(version);
  if (tags.all.includes(own) && !tags.here.includes(own)) {
    faults.push(`${own} is the tag of another commit`);
  }
  for (const tag of tags.all) {
    const other = tag.startsWith("v") ? parseVersion(tag.slice(1)) : undefined;
    if (other !== undefined && compareVersions(wanted, other) < 0) {
      faults.push(`${version} is lower than the tag ${tag}`);
    }
  }
  return faults;
}

/** A section of the changelog. */
export interface ChangelogSection {
  readonly version: string;
  /** What stands in brackets: a date as YYYY-MM-DD, or `unreleased`. */
  readonly date: string;
  /** What stands below, up to the next section. */
  readonly body: string;
}

/** The sections of a changelog, `## VERSION (DATE)`, in its order. */
export function changelogSections(text: string): ChangelogSection[] {
  const sections: ChangelogSection[] = [];
  for (const part of text.replaceAll("\r\n", "\n").split(/^(?=## )/m)) {
    const match = /^## (\S+) \(([^)]*)\) *(?:\n|$)/.exec(part);
    if (match === null) continue;
    sections.push({
      version: match[1]!,
      date: match[2]!,
      body: part.slice(match[0].length).trim(),
    });
  }
  return sections;
}

/** What the changelog lacks for a release of `version` on `today` (YYYY-MM-DD). */
export interface ChangelogState {
  readonly faults: readonly string[];
  /** What remains to be written when it is released. */
  readonly todo: readonly string[];
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/** Looks for the section of `version`: the first one, with something in it, and a date that has come. */
export function changelogState(text: string, version: string, today: string): ChangelogState {
  const sections = changelogSections(text);
  const section = sections.find((one) => one.version === version);
  const heading = `## ${version} (${today})`;
  if (section === undefined) {
    return { faults: [`CHANGELOG.md has no section "${heading}"`], todo: [] };
  }
  const faults: string[] = [];
  const todo: string[] = [];
  if (sections[0] !== section) faults.push(`${sections[0]?.version} stands above ${version}`);
  if (sections.filter((one) => one.version === version).length > 1) {
    faults.push(`CHANGELOG.md has two sections of ${version}`);
  }
  if (!/^- /m.test(section.body)) faults.push(`the section of ${version} lists nothing`);
  if (section.date === "unreleased") todo.push(`write "${heading}" in CHANGELOG.md`);
  else if (!isDate(section.date)) faults.push(`"${section.date}" is no date; "${heading}"`);
  else if (section.date > today) faults.push(`the date ${section.date} has not come yet`);
  return { faults, todo };
}

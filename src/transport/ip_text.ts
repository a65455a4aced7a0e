/**
 * Which texts are IP addresses, as `node:net` judges it, for runtimes without it.
 *
 * @module
 */

const IPV4_PART = /^(?:0|[1-9]\d{0,2})$/;
const IPV6_GROUP = /^[0-9a-fA-F]{1,4}$/;
const ZONE = /^[0-9a-zA-Z.:-]+$/;
const IPV6_GROUPS = 8;

/** Four decimal numbers up to 255 without leading zeros. */
export function isIPv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => IPV4_PART.test(part) && Number(part) <= 255);
}

/** Groups of one side of `::`; undefined when one is malformed. An IPv4 address counts for two, and stands last. */
function groupsOf(text: string, last: boolean): number | undefined {
  if (text === "") return 0;
  const groups = text.split(":");
  let count = 0;
  for (const [index, group] of groups.entries()) {
    if (IPV6_GROUP.test(group)) count++;
    else if (last && index === groups.length - 1 && isIPv4(group)) count += 2;
    else return undefined;
  }
  return count;
}

/** RFC 4291 section 2.2, with a zone (`%eth0`) or without. */
export function isIPv6(text: string): boolean {
  const percent = text.indexOf("%");
  if (percent >= 0 && !ZONE.test(text.slice(percent + 1))) return false;
  const halves = (percent < 0 ? text : text.slice(0, percent)).split("::");
  if (halves.length > 2) return false;
  const [head = "", tail] = halves;
  const before = groupsOf(head, tail === undefined);
  const after = tail === undefined ? 0 : groupsOf(tail, true);
  if (before === undefined || after === undefined) return false;
  // `::` stands for at least one group.
  return tail === undefined ? before === IPV6_GROUPS : before + after < IPV6_GROUPS;
}

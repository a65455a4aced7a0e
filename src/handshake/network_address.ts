/**
 * IP addresses as bytes: what cookies and rate limits are keyed by.
 *
 * @module
 */

const UTF8 = new TextEncoder();
const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

function parseIpv4(text: string): number[] | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part))) return undefined;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

function parseGroups(text: string): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [index, group] of groups.entries()) {
    const embedded = index === groups.length - 1 && group.includes(".")
      ? parseIpv4(group)
      : undefined;
    if (embedded !== undefined) {
      bytes.push(...embedded);
    } else if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const word = parseInt(group, 16);
      bytes.push(word >> 8, word & 0xff);
    } else {
      return undefined;
    }
  }
  return bytes;
}

function parseIpv6(text: string): number[] | undefined {
  const halves = text.replace(/%.*$/, "").split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? "");
  const tail = parseGroups(halves[1] ?? "");
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 2 ? missing < 2 : missing !== 0) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

/**
 * 4 bytes of an IPv4 address, also when it is mapped into IPv6, 16 of an IPv6 address, and the UTF-8 of any other name,
 * as transports without addresses have.
 */
export function hostBytes(host: string): Uint8Array {
  const v4 = parseIpv4(host);
  if (v4 !== undefined) return Uint8Array.from(v4);
  const v6 = host.includes(":") ? parseIpv6(host) : undefined;
  if (v6 === undefined) return UTF8.encode(host);
  // One machine must not have two identities by dialling a dual-stack socket.
  const mapped = MAPPED_PREFIX.every((byte, index) => v6[index] === byte);
  return Uint8Array.from(mapped ? v6.slice(12) : v6);
}

/** As systems write them: most addresses need no parsing to be a key. */
const PLAIN_IPV4 = /^(?:(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])(?:\.(?!$)|$)){4}$/;

/** Key of an address itself. */
export function addressKey(host: string): string {
  return PLAIN_IPV4.test(host) ? host : keyOf(host, hostBytes(host));
}

/** Key of the /32 of an IPv4 address or the /64 of an IPv6 address (SPEC 6.4), or of the name. */
export function networkKey(host: string): string {
  if (PLAIN_IPV4.test(host)) return host;
  const bytes = hostBytes(host);
  const v6 = bytes.length === 16 && host.includes(":");
  return v6 ? `${bytes.subarray(0, 8).join()}/64` : keyOf(host, bytes);
}

function keyOf(host: string, bytes: Uint8Array): string {
  // A name of four bytes is shorter than any address of four.
  return bytes.length === 4 && host.length > 4 ? bytes.join(".") : bytes.join();
}

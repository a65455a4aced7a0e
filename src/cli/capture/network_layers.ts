/**
 * From captured packets to what UDP and TCP carry.
 *
 * @module
 */
import { formatAddress } from "../../transport/address.ts";
import type { CapturedPacket } from "./capture_file.ts";

/** What a packet carries, and between whom. */
export interface Segment {
  readonly protocol: "udp" | "tcp";
  /** In the form `host:port`. */
  readonly from: string;
  readonly to: string;
  readonly payload: Uint8Array;
  /** TCP alone: of the first byte, or of SYN. */
  readonly sequence: number;
  readonly syn: boolean;
}

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
const ETHERTYPES_VLAN: readonly number[] = [0x8100, 0x88a8, 0x9100];
const MAX_VLAN_TAGS = 4;
const TCP = 6;
const UDP = 17;
/** Headers of IPv6 that only stand before others: hop-by-hop options, routing, destination options. */
const PASSED_HEADERS: readonly number[] = [0, 43, 60];
const MAX_PASSED_HEADERS = 8;
const TCP_SYN = 0x02;

/** Where the network layer begins, by link type: a fixed number of bytes, or what their EtherType says. */
const RAW_LINKS: Readonly<Record<number, number>> = { 12: 0, 14: 0, 101: 0, 228: 0, 229: 0 };
const NULL_LINKS: readonly number[] = [0, 108];
const ETHERNET = 1;
const LINUX_COOKED = 113;
const LINUX_COOKED_2 = 276;

/** What a packet carries; undefined for other protocols, fragments, and packets that are cut. Never throws. */
export function segmentOf(packet: CapturedPacket): Segment | undefined {
  const start = networkStart(packet);
  if (start === undefined) return undefined;
  const ip = packet.bytes.subarray(start);
  const version = (ip[0] ?? 0) >> 4;
  if (version === 4) return ipv4(ip);
  return version === 6 ? ipv6(ip) : undefined;
}

function word(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
}

function networkStart({ linkType, bytes }: CapturedPacket): number | undefined {
  const raw = RAW_LINKS[linkType];
  if (raw !== undefined) return raw;
  if (NULL_LINKS.includes(linkType)) return 4;
  if (linkType === LINUX_COOKED) return isIp(word(bytes, 14)) ? 16 : undefined;
  if (linkType === LINUX_COOKED_2) return isIp(word(bytes, 0)) ? 20 : undefined;
  if (linkType !== ETHERNET) return undefined;
  let at = 12;
  for (let tags = 0; tags < MAX_VLAN_TAGS && ETHERTYPES_VLAN.includes(word(bytes, at)); tags++) {
    at += 4;
  }
  return isIp(word(bytes, at)) ? at + 2 : undefined;
}

function isIp(etherType: number): boolean {
  return etherType === ETHERTYPE_IPV4 || etherType === ETHERTYPE_IPV6;
}

function ipv4(ip: Uint8Array): Segment | undefined {
  const head = ((ip[0] ?? 0) & 0x0f) * 4;
  const length = word(ip, 2);
  // More fragments follow, or this is not the first one.
  const fragment = (word(ip, 6) & 0x3fff) !== 0;
  if (head < 20 || length < head || length > ip.length || fragment) return undefined;
  const host = (at: number): string => ip.subarray(at, at + 4).join(".");
  return transport(ip[9] ?? 0, ip.subarray(head, length), host(12), host(16));
}

function ipv6(ip: Uint8Array): Segment | undefined {
  const end = 40 + word(ip, 4);
  if (end > ip.length) return undefined;
  let next = ip[6] ?? 0;
  let at = 40;
  for (let passed = 0; PASSED_HEADERS.includes(next); passed++) {
    if (passed === MAX_PASSED_HEADERS || at + 8 > end) return undefined;
    next = ip[at] ?? 0;
    at += 8 + (ip[at + 1] ?? 0) * 8;
  }
  if (at > end) return undefined;
  const host = (from: number): string => {
    const groups = Array.from({ length: 8 }, (_, index) => word(ip, from + 2 * index).toString(16));
    // The short form that people know.
    return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
  };
  return transport(next, ip.subarray(at, end), host(8), host(24));
}

function transport(
  protocol: number,
  bytes: Uint8Array,
  fromHost: string,
  toHost: string,
): Segment | undefined {
  if (bytes.length < 8) return undefined;
  const from = place(fromHost, word(bytes, 0));
  const to = place(toHost, word(bytes, 2));
  if (protocol === UDP) {
    const length = word(bytes, 4);
    if (length < 8 || length > bytes.length) return undefined;
    return {
      protocol: "udp",
      from,
      to,
      payload: bytes.subarray(8, length),
      sequence: 0,
      syn: false,
    };
  }
  if (protocol !== TCP || bytes.length < 20) return undefined;
  const head = ((bytes[12] ?? 0) >> 4) * 4;
  if (head < 20 || head > bytes.length) return undefined;
  const sequence = word(bytes, 4) * 65_536 + word(bytes, 6);
  const syn = ((bytes[13] ?? 0) & TCP_SYN) !== 0;
  return { protocol: "tcp", from, to, payload: bytes.subarray(head), sequence, syn };
}

function place(host: string, port: number): string {
  return formatAddress({ scheme: "udp", host, port }).slice("udp://".length);
}

/** IP addresses of the data (4 or 16 bytes, hex) as text. @module */
export function hostOf(ip: string): string {
  if (ip.length === 8) {
    return (ip.match(/../g) as string[]).map((pair) => Number.parseInt(pair, 16)).join(".");
  }
  return (ip.match(/..../g) as string[]).join(":");
}

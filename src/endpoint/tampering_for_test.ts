/**
 * UDP that does to datagrams what a test wants.
 *
 * @module
 */
import type { DatagramTransport } from "../transport/transport.ts";
import { udpTransport } from "../transport/udp/udp_transport.ts";

/** What `change` makes of each datagram goes out in its place. */
export function tampering(
  change: (datagram: Uint8Array) => readonly Uint8Array[],
): DatagramTransport {
  return {
    schemes: ["udp"],
    async open(options) {
      const socket = await udpTransport.open(options);
      const changed = Object.create(socket) as typeof socket;
      const forward: Partial<Record<keyof typeof socket, PropertyDescriptor>> = {
        send: {
          value: (datagram: Uint8Array, host: string, port: number) => {
            for (const each of change(datagram)) socket.send(each.slice(), host, port);
            return !socket.full;
          },
        },
        start: { value: (sink: Parameters<typeof socket.start>[0]) => socket.start(sink) },
        close: { value: () => socket.close() },
        full: { get: () => socket.full },
      };
      for (const name of ["localHost", "localPort", "family", "receiveBuffer"] as const) {
        forward[name] = { value: socket[name] };
      }
      return Object.defineProperties(changed, forward as PropertyDescriptorMap);
    },
  };
}

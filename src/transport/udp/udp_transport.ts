import type { DatagramTransport } from "../transport.ts";
import { openDatagramSocket } from "./open_datagram_socket.ts";

/** `udp://host:port`. */
export const udpTransport: DatagramTransport = {
  schemes: ["udp"],
  open: (options) => openDatagramSocket(options),
};

/**
 * Plain TCP of `node:net`: what nobody above it can beat.
 *
 * @module
 */
import net from "node:net";
import { type Adapter, HOST } from "../adapter.ts";
import { bound, DuplexConnection, happened, port } from "./duplex.ts";

/** `tcp`. */
export const tcpAdapter: Adapter = {
  encrypted: false,
  over: "TCP",
  async listen(onConnection) {
    const server = net.createServer(
      { noDelay: true },
      (socket) => onConnection(new DuplexConnection(socket)),
    );
    return { port: await bound(server) };
  },
  async connect(address) {
    const socket = net.connect({ host: HOST, port: port(address), noDelay: true });
    await happened(socket, "connect");
    return new DuplexConnection(socket);
  },
};

/**
 * TLS 1.3 of `node:tls`: a full handshake each time, no resumption.
 *
 * @module
 */
import tls from "node:tls";
import { type Adapter, HOST } from "../adapter.ts";
import { makeCertificate } from "./certificate.ts";
import { bound, DuplexConnection, field, happened, port } from "./duplex.ts";

/** `tls13`. */
export const tlsAdapter: Adapter = {
  encrypted: true,
  over: "TCP",
  async listen(onConnection) {
    const certificate = makeCertificate();
    const server = tls.createServer(
      { ...certificate, minVersion: "TLSv1.3", noDelay: true },
      (socket) => onConnection(new DuplexConnection(socket)),
    );
    return { port: await bound(server), ca: certificate.cert };
  },
  async connect(address) {
    const socket = tls.connect({
      host: HOST,
      port: port(address),
      ca: field(address, "ca"),
      servername: "localhost",
      minVersion: "TLSv1.3",
    });
    socket.setNoDelay(true);
    await happened(socket, "secureConnect");
    return new DuplexConnection(socket);
  },
};

import { networkInterfaces } from "node:os";
import { testTransport } from "./behaviour_for_test.ts";
import { certificateForTest } from "./certificate_for_test.ts";
import { MemoryNetwork } from "./memory.ts";
import type { Subject } from "./subject_for_test.ts";
import { tcpTransport } from "./tcp.ts";
import { webSocketTransport } from "./websocket.ts";

const certificate = certificateForTest();
const ipv6 = Object.values(networkInterfaces()).flat().some((face) => face?.address === "::1");

const subjects: Subject[] = [
  { name: "memory", transport: new MemoryNetwork(), address: "mem:behaviour", framing: "stream" },
  { name: "tcp", transport: tcpTransport, address: "tcp://127.0.0.1:0", framing: "stream" },
  {
    name: "ws",
    transport: webSocketTransport,
    address: "ws://127.0.0.1:0/stt",
    framing: "message",
  },
  {
    name: "wss",
    transport: webSocketTransport,
    address: "wss://127.0.0.1:0/stt",
    framing: "message",
    ...(certificate.skip === undefined
      ? {
        dial: { ca: certificate.cert },
        listen: { cert: certificate.cert, key: certificate.key },
      }
      : { skip: certificate.skip }),
  },
  {
    name: "tcp over IPv6",
    transport: tcpTransport,
    address: "tcp://[::1]:0",
    framing: "stream",
    ...(ipv6 ? {} : { skip: "this machine has no IPv6 loopback" }),
  },
];

for (const subject of subjects) testTransport(subject);

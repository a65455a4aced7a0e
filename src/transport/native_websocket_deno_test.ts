import { testTransport } from "./behaviour_for_test.ts";
import { webSocketTransport } from "./websocket.ts";

const common = {
  transport: webSocketTransport,
  address: "ws://127.0.0.1:0/stt",
  framing: "message",
  controlled: false,
} as const;

testTransport({ ...common, name: "native server", listen: { native: true } });
testTransport({
  ...common,
  name: "native server and client",
  listen: { native: true },
  dial: { native: true },
});
testTransport({ ...common, name: "native client", dial: { native: true } });

/**
 * WebRTC's data channel by `node-datachannel`, reliable and ordered. The two sides agree over a TCP connection, whose
 * time and bytes belong to the handshake.
 *
 * @module
 */
import net from "node:net";
import { createInterface } from "node:readline";
import { type Adapter, type BenchConnection, HOST, unasked } from "../adapter.ts";
import { bound, happened, port } from "./duplex.ts";

const HIGH_WATER_BYTES = 1_048_576;

interface DataChannel {
  sendMessageBinary(bytes: Uint8Array): boolean;
  bufferedAmount(): number;
  setBufferedAmountLowThreshold(bytes: number): void;
  onBufferedAmountLow(listener: () => void): void;
  onMessage(listener: (bytes: Uint8Array) => void): void;
  onOpen(listener: () => void): void;
  close(): void;
}

interface PeerConnection {
  onLocalDescription(listener: (sdp: string, type: string) => void): void;
  onLocalCandidate(listener: (candidate: string, mid: string) => void): void;
  onDataChannel(listener: (channel: DataChannel) => void): void;
  setRemoteDescription(sdp: string, type: string): void;
  addRemoteCandidate(candidate: string, mid: string): void;
  createDataChannel(label: string): DataChannel;
  state(): string;
  close(): void;
}

interface DataChannelModule {
  readonly PeerConnection: new (name: string, options: unknown) => PeerConnection;
}

interface Signal {
  readonly sdp?: string;
  readonly type?: string;
  readonly candidate?: string;
  readonly mid?: string;
}

async function load(): Promise<DataChannelModule> {
  const name = "node-datachannel";
  return await import(name) as DataChannelModule;
}

class ChannelConnection implements BenchConnection {
  ondata: (bytes: Uint8Array) => void = unasked;
  readonly #peer: PeerConnection;
  readonly #channel: DataChannel;
  readonly #signals: net.Socket;
  #drained: () => void = () => undefined;

  constructor(peer: PeerConnection, channel: DataChannel, signals: net.Socket) {
    this.#peer = peer;
    this.#channel = channel;
    this.#signals = signals;
    channel.setBufferedAmountLowThreshold(HIGH_WATER_BYTES / 2);
    channel.onBufferedAmountLow(() => this.#drained());
    channel.onMessage((bytes) => this.ondata(bytes));
  }

  send(bytes: Uint8Array): void | Promise<void> {
    this.#channel.sendMessageBinary(bytes);
    if (this.#channel.bufferedAmount() <= HIGH_WATER_BYTES) return;
    return new Promise((resolve) => this.#drained = resolve);
  }

  close(): Promise<void> {
    this.#channel.close();
    this.#peer.close();
    this.#signals.destroy();
    return Promise.resolve();
  }
}

/** Passes what a side has to tell the other one. */
function negotiate(peer: PeerConnection, signals: net.Socket): void {
  const tell = (signal: Signal): void => void signals.write(JSON.stringify(signal) + "\n");
  peer.onLocalDescription((sdp, type) => tell({ sdp, type }));
  peer.onLocalCandidate((candidate, mid) => tell({ candidate, mid }));
  signals.on("error", () => undefined);
  const lines = createInterface({ input: signals });
  lines.on("error", () => undefined);
  lines.on("line", (line) => {
    // What was on its way when the connection was closed.
    if (signals.destroyed || peer.state() === "closed") return;
    const { sdp, type = "", candidate = "", mid = "" } = JSON.parse(line) as Signal;
    if (sdp === undefined) peer.addRemoteCandidate(candidate, mid);
    else peer.setRemoteDescription(sdp, type);
  });
}

/** `node-datachannel`. */
export const dataChannelAdapter: Adapter = {
  encrypted: true,
  over: "UDP",
  async listen(onConnection) {
    const { PeerConnection } = await load();
    const server = net.createServer({ noDelay: true }, (signals) => {
      const peer = new PeerConnection("server", { iceServers: [], bindAddress: HOST });
      negotiate(peer, signals);
      peer.onDataChannel((channel) => onConnection(new ChannelConnection(peer, channel, signals)));
      signals.on("close", () => peer.close());
    });
    return { port: await bound(server) };
  },
  async connect(address) {
    const { PeerConnection } = await load();
    const signals = net.connect({ host: HOST, port: port(address), noDelay: true });
    await happened(signals, "connect");
    const peer = new PeerConnection("client", { iceServers: [], bindAddress: HOST });
    negotiate(peer, signals);
    const channel = peer.createDataChannel("bench");
    await new Promise<void>((resolve) => channel.onOpen(resolve));
    return new ChannelConnection(peer, channel, signals);
  },
};

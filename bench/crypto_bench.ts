import { nodeProvider } from "../src/crypto/node_provider.ts";
import { nobleProvider } from "../src/crypto/noble_provider.ts";
import type { AeadName } from "../src/crypto/provider.ts";

const providers = [nodeProvider(), nobleProvider()];
const names: AeadName[] = ["chacha20-poly1305", "aes-256-gcm"];

for (const size of [64, 1200, 16_384, 32_768]) {
  for (const provider of providers) {
    for (const name of names) {
      const key = provider.aead(name, new Uint8Array(32));
      const buffer = new Uint8Array(size + 16);
      const nonce = new Uint8Array(12);
      const aad = new Uint8Array(36);
      Deno.bench(`seal ${size} B: ${name}, ${provider.name}`, { group: `seal ${size}` }, () => {
        key.sealInPlace(nonce, aad, buffer, 0, size);
      });
    }
  }
}

for (const provider of providers) {
  const own = provider.x25519();
  const other = provider.x25519().publicKey;
  Deno.bench(`X25519 key pair: ${provider.name}`, { group: "x25519" }, () => {
    provider.x25519().destroy();
  });
  Deno.bench(`X25519 agreement: ${provider.name}`, { group: "x25519" }, () => {
    own.agree(other);
  });
}

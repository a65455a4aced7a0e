import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A self-signed certificate for localhost and the loopback addresses, or why there is none. */
export type TestCertificate =
  | { readonly skip?: undefined; readonly cert: string; readonly key: string }
  | { readonly skip: string };

/** Makes a certificate with the program `openssl`: none is kept in the repository, and none ever expires there. */
export function certificateForTest(): TestCertificate {
  const folder = mkdtempSync(join(tmpdir(), "stt-certificate-"));
  try {
    const key = join(folder, "key.pem");
    const cert = join(folder, "cert.pem");
    execFileSync("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-days", "2", "-subj", "/CN=localhost", "-keyout", key, "-out", cert],
      ...["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"],
    ], { stdio: "pipe" });
    return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
  } catch (cause) {
    return { skip: `openssl cannot make a certificate here: ${(cause as Error).message}` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

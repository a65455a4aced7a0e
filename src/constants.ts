/**
 * Numbers of the wire format, fixed by SPEC.md, and apart from them the limits and defaults that are this
 * implementation's own choice.
 *
 * @module
 */

// ---- Fixed by SPEC.md ----

/** Protocol version (SPEC 6). */
export const VERSION = 1;

/** Frame types (SPEC 3). */
export const FRAME_DATA = 0x01;
export const FRAME_CONTROL = 0x02;
export const FRAME_STREAM = 0x03;
export const FRAME_AUTH = 0x04;
export const FRAME_HANDSHAKE = 0x05;
export const FRAME_CUSTOM_MIN = 0x80;
export const FRAME_CUSTOM_MAX = 0xff;

/** Header flags (SPEC 3). */
export const FLAG_FRAGMENT = 0x01;
export const FLAG_STREAM_INIT = 0x02;
export const FLAG_STREAM_END = 0x04;
export const FLAG_SEGMENT = 0x08;
export const FLAG_PRIORITY_HIGH = 0x10;
export const FLAG_PRIORITY_LOW = 0x20;
export const FLAGS_RESERVED = 0xc0;

export const MAGIC_0 = 0x53;
export const MAGIC_1 = 0x54;
/** Type, flags, session id, sequence, timestamp, stream id. */
export const FRAME_FIXED_BYTES = 30;
export const FRAME_MIN_BODY = 31;
export const FRAME_MAX_BODY = 2_097_152;
export const SESSION_ID_BYTES = 8;
export const TAG_BYTES = 16;
export const KEY_BYTES = 32;
export const NONCE_BYTES = 32;
export const AEAD_NONCE_BYTES = 12;

export const VALUE_MAX_DEPTH = 64;

/** Record types of CONTROL payloads (SPEC 9). */
export const RECORD_PADDING = 0x00;
export const RECORD_PING = 0x01;
export const RECORD_PONG = 0x02;
export const RECORD_FLOW_CREDIT = 0x03;
export const RECORD_KEY_ROTATION = 0x04;
export const RECORD_SESSION_CLOSE = 0x05;
export const RECORD_ERROR = 0x06;
export const RECORD_ACK = 0x07;
export const RECORD_STREAM_RESET = 0x08;
export const RECORD_STREAM_STOP = 0x09;
export const RECORD_STREAMS_LIMIT = 0x0a;
export const RECORD_PATH_CHALLENGE = 0x0c;
export const RECORD_PATH_RESPONSE = 0x0d;
export const RECORD_STREAM_GAP = 0x0e;
export const RECORD_BLOCKED = 0x0f;
export const RECORD_STREAM_DATA = 0x10;
export const RECORD_DATAGRAM = 0x11;

/** Stream kinds (SPEC 8): bits 0-1 delivery, bit 2 messages. */
export const KIND_BYTES = 0;
export const KIND_MESSAGES = 4;
export const KIND_UNORDERED = 5;
export const KIND_PARTIAL = 2;

export const SUITE_CHACHA20_POLY1305 = 1;
export const SUITE_AES_256_GCM = 2;
export const SUITE_STC = 127;

/** RETRY codes (SPEC 6). */
export const RETRY_COOKIE = 1;
export const RETRY_VERSION = 2;
export const RETRY_SUITE = 3;
export const RETRY_BUSY = 4;

export const CAPABILITY_STREAMS = 0x01;
export const CAPABILITY_ROTATION = 0x02;
export const CAPABILITY_RESUMPTION = 0x04;
export const CAPABILITY_FLOW_CONTROL = 0x08;

/** Tickets (SPEC 15.1): how many a session gives, how long they last, and the size of their ids. */
export const TICKETS_PER_SESSION = 4;
export const TICKET_LIFE_MS = 86_400_000;
/** How far a clock may have been set back since a ticket was given. */
export const TICKET_CLOCK_MS = 600_000;
export const TICKET_ID_BYTES = 16;

export const HANDSHAKE_MAX_BODY = 4096;
export const HANDSHAKE_MAX_DEPTH = 2;
export const HANDSHAKE_MAX_ENTRIES = 32;
export const PAYLOAD_MAX_BYTES = 400;

/** What a responder keeps of a session whose AUTH_PROOF has not come yet, on UDP (SPEC 6.3). */
export const EARLY_DATAGRAMS = 16;
export const EARLY_BYTES = 20_480;
/** How long the id of a UDP session stays taken after its end (SPEC 9). */
export const TOMBSTONE_MS = 10_000;
/** SPEC 10: the smallest packet size that every path must carry. */
export const MIN_UDP_BYTES = 1200;

export const REASON_MAX_BYTES = 256;
export const REPLAY_WINDOW = 8192;
/** Frames of a UDP session that may fail to verify (SPEC 7). */
export const AEAD_FAILURE_LIMIT = 268_435_456;
/** Stateless reset token (SPEC 7). */
export const RESET_TOKEN_BYTES = 16;

/** A frame of an unknown session is answered with a stateless reset from this size on (SPEC 7.7). */
export const RESET_TRIGGER_BYTES = 80;
export const STREAM_ID_MAX = 4_294_967_295;

// ---- Our own choices: defaults of options, see docs/options.md ----

export const DEFAULT_HANDSHAKE_TIMEOUT_MS = 10_000;
export const DEFAULT_ACCEPT_TIMEOUT_MS = 5_000;
export const DEFAULT_MAX_IDLE_MS = 300_000;
export const DEFAULT_MAX_DATA = 1_048_576;
export const DEFAULT_MAX_STREAM_DATA = 262_144;
export const DEFAULT_MAX_STREAMS = 256;
export const DEFAULT_MAX_FRAME = 65_536;
export const DEFAULT_MAX_DATAGRAM = 65_535;
export const DEFAULT_MAX_UDP = 65_507;
export const DEFAULT_ACK_DELAY_MS = 25;
export const DEFAULT_ACK_EVERY = 16;
export const DEFAULT_MAX_MESSAGE_SIZE = 16_777_216;
export const MAX_STREAM_WINDOW = 8_388_608;
export const MAX_SESSION_WINDOW = 16_777_216;
export const DEFAULT_ROTATE_BYTES = 1_073_741_824;
export const DEFAULT_ROTATE_MS = 3_600_000;
export const DEFAULT_ROTATE_PACKETS = 16_777_216;
export const DEFAULT_HALF_OPEN = 1024;
export const DEFAULT_HALF_OPEN_PER_ADDRESS = 16;
export const DEFAULT_HANDSHAKE_RATE = 20;
export const DEFAULT_HANDSHAKE_BURST = 5;
export const RELIABLE_FRAME_BYTES = 32_768;
export const TRANSPORT_HIGH_WATER_BYTES = 131_072;
export const CLOSE_FLUSH_MS = 5_000;
export const CLOSE_WAIT_MS = 1_000;

/** Longest wait for it over UDP, where it is 3 PTO and a peer that acknowledges late has a long one (SPEC 9.3.3). */
export const CLOSE_WAIT_UDP_MS = 10_000;
export const DATAGRAM_QUEUE = 256;

/** Tag bytes of values (SPEC 2). */
export const TAG_NULL = 0x00;
export const TAG_FALSE = 0x01;
export const TAG_TRUE = 0x02;
export const TAG_INT8 = 0x10;
export const TAG_INT16 = 0x11;
export const TAG_INT32 = 0x12;
export const TAG_INT64 = 0x13;
export const TAG_UINT8 = 0x14;
export const TAG_UINT16 = 0x15;
export const TAG_UINT32 = 0x16;
export const TAG_UINT64 = 0x17;
export const TAG_FLOAT32 = 0x20;
export const TAG_FLOAT64 = 0x21;
export const TAG_BYTES = 0x30;
export const TAG_STRING = 0x31;
export const TAG_LIST = 0x40;
export const TAG_DICT = 0x41;

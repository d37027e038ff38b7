/** Compression of chunks; see there. What is decompressed never exceeds CHUNK_BYTES_MAX. */
export { plainCodec } from '@tablewalk/references';
export type { Codec } from '@tablewalk/references';

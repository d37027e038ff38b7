/**
 * Compression of blocks, given from outside because loading a WASM module is asynchronous. `name` is
 * MCAP's (`zstd`, `lz4`, or empty for none). `decompress` is told how many bytes must come out, never
 * more than the caller's limit; it may throw on bytes that it did not make.
 */
export interface Codec {
  readonly name: string;
  compress(bytes: Uint8Array): Uint8Array;
  decompress(bytes: Uint8Array, size: number): Uint8Array;
}

/** No compression. */
export const plainCodec: Codec = {
  name: '',
  compress: (bytes) => bytes,
  decompress: (bytes) => bytes,
};

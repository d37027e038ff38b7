import type { Codec } from '@tablewalk/history';

const LEVEL = 3;

/** zstd as WebAssembly: Node 20 has none of its own. Loading it is the one thing that takes a promise. */
export async function loadCodec(): Promise<Codec> {
  const zstd = await import('@foxglove/wasm-zstd');
  const { compress, decompress, isLoaded } = 'default' in zstd ? (zstd.default as typeof zstd) : zstd;
  await isLoaded;
  return {
    name: 'zstd',
    compress: (bytes) => compress(bytes, LEVEL),
    decompress: (bytes, size) => decompress(bytes, size),
  };
}

export { plainCodec } from './codec.ts';
export type { Codec } from './codec.ts';
export { boundsOf, decodeReferences, openReferenceBlock } from './decode.ts';
export type { Fail, ReferenceBlock, ReferenceBounds } from './decode.ts';
export { ReferenceEncoder } from './encode.ts';
export { blockBytesMax, REFERENCES_PER_BLOCK_MAX } from './layout.ts';

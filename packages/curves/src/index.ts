export { CurveBuilder } from './curve-builder.ts';
export type { CurveOptions, Stream } from './curve-builder.ts';
export { MissCurve } from './miss-curve.ts';
export { StackDistances } from './stack-distances.ts';

export type * from './result.ts';
export { decodeSchedule, encodeSchedule } from './schedule-text.ts';

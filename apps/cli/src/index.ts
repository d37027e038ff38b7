/** What tools may use of the command line: loading plugins, reading traces, driving a machine. */
export { builtInPlugins } from './catalogue.ts';
export { createProcesses, drive } from './drive.ts';
export type { Workload } from './drive.ts';
export { TraceFile } from './trace-file.ts';
export type { BatchSource } from './trace-file.ts';
export { findFormat, openTableDump } from './table-dump/open.ts';

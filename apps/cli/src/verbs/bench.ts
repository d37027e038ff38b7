export const addBench = (_: unknown): void => {};

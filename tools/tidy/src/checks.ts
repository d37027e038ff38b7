import { determinismCheck } from './determinism-check.ts';
import { fileShapeCheck } from './file-shape.ts';
import type { Check } from './finding.ts';
import { machinePathsCheck } from './machine-paths.ts';
import { pluginAnatomyCheck } from './plugin-anatomy.ts';
import { unfinishedCheck } from './unfinished.ts';

/** Every check, by the name that its findings carry. */
export const CHECKS: Readonly<Record<string, Check>> = {
  determinism: (files) => determinismCheck(files),
  'plugin-anatomy': pluginAnatomyCheck,
  'file-shape': (files) => fileShapeCheck(files),
  'machine-paths': machinePathsCheck,
  unfinished: unfinishedCheck,
};

import type { Command } from './component.ts';
import type { KernelFactOf } from './kernel.ts';

export type Violation = KernelFactOf<'PropertyViolated'>;

/** A checker's order to its own component, which decides the violation that is in it. */
export interface ReportViolation extends Command {
  readonly violation: Violation;
}

/** `checker`: its id, which is the name of its component too. */
export const reportViolation = (
  checker: string,
  found: Omit<Violation, 'type' | 'checker'>,
): ReportViolation => ({
  to: checker,
  type: 'ReportViolation',
  violation: { type: 'PropertyViolated', checker, ...found },
});

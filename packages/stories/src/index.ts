export type {
  Cast,
  Freedom,
  MachineStory,
  Models,
  ModelStory,
  Overrides,
  Staged,
  Story,
  Symmetry,
  Variant,
} from './story.ts';
export { movesComponent, Variable } from './variable.ts';
export type { Move, VariableFact } from './variable.ts';

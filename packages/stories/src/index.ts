export { stories, storyOf, variantOf } from './catalogue.ts';
export { protocolRun } from './protocols.ts';
export type { ProtocolRow, ProtocolRun } from './protocols.ts';
export type {
  Cast,
  Freedom,
  MachineStory,
  Models,
  ModelStory,
  Overrides,
  Staged,
  Story,
  Survivors,
  Symmetry,
  Variant,
} from './story.ts';
export { atomically, movesComponent, Variable, variables, Writes } from './variable.ts';
export type { Move, VariableFact } from './variable.ts';

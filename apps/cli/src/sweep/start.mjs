// Threads run from TypeScript sources as the command does (ADR 0002).
import { register } from 'tsx/esm/api';

register();
await import('./thread.ts');

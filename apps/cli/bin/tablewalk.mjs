#!/usr/bin/env node
// Tablewalk runs from its TypeScript sources; tsx translates them as they are loaded (ADR 0002).
import { register } from 'tsx/esm/api';

register();
const { main } = await import('../src/main.ts');
await main(process.argv.slice(2));

#!/usr/bin/env node
import { runCommand } from '../src/launch/launch.mjs';

await runCommand(process.argv.slice(2));

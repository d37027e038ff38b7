import { DEFAULT_PLUGINS, machineJsonSchema } from '@tablewalk/compose';
import type { Command } from 'commander';
import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { buildFrom, findMachineFile, machineNames, readMachineFile, readYaml } from '../machine-file.ts';
import { print, printJson } from '../output.ts';
import { collect } from './options.ts';

export function addMachines(program: Command): void {
  const machines = program
    .command('machines')
    .summary('what machines there are')
    .description('Lists the machines that come with Tablewalk, or shows one.');
  machines
    .command('list')
    .description('every machine, a line each')
    .option('--json', 'print the result as JSON')
    .action((flags: { json?: boolean }) => {
      const all = machineNames().map((name) => {
        const at = findMachineFile(name);
        const { description = '' } = readYaml(readFileSync(at, 'utf8'), at) as { description?: string };
        return { name, description };
      });
      if (flags.json === true) printJson(all);
      else for (const { name, description } of all) print(`${name.padEnd(20)} ${description}`);
    });
  machines
    .command('show')
    .description('one machine with every default and knob written out')
    .argument('<machine>', 'machine file or name')
    .option('--set <path=value>', 'override, as in run', collect, [])
    .option('--json', 'print the result as JSON')
    .action(async (name: string, flags: { set: readonly string[]; json?: boolean }) => {
      const { config, at } = readMachineFile(name, flags);
      const { effective } = await buildFrom(config, at);
      if (flags.json === true) printJson(effective);
      else print(stringify(effective).trimEnd());
    });
  machines
    .command('schema')
    .description('the JSON Schema of machine files')
    .action(() => {
      printJson(machineJsonSchema());
    });
  machines
    .command('defaults')
    .description('the plugin of each slot that a machine file leaves out')
    .action(() => {
      printJson(DEFAULT_PLUGINS);
    });
}

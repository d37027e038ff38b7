import { ConfigError, nearestName } from '@tablewalk/base';
import { SLOTS } from '@tablewalk/contracts';
import type { Manifest } from '@tablewalk/contracts';
import type { Command } from 'commander';
import { z } from 'zod';
import { builtInPlugins } from '../catalogue.ts';
import { print, printJson } from '../output.ts';

export function addPlugins(program: Command): void {
  const plugins = program
    .command('plugins')
    .summary('what policies there are')
    .description('Lists the plugins of this installation, or shows one.');
  plugins
    .command('list')
    .description('every plugin by slot, a line each')
    .option('--json', 'print the result as JSON')
    .action(async (flags: { json?: boolean }) => {
      const manifests = [...(await builtInPlugins()).values()];
      if (flags.json === true) {
        printJson(
          manifests.map(({ id, slot, version, summary, source }) => ({ id, slot, version, summary, source })),
        );
        return;
      }
      for (const [slot, meaning] of Object.entries(SLOTS)) {
        print(`${slot}: ${meaning}`);
        for (const manifest of manifests)
          if (manifest.slot === slot) print(`  ${manifest.id.padEnd(30)} ${manifest.summary}`);
      }
    });
  plugins
    .command('show')
    .description('one plugin: source, requirements, knobs with defaults')
    .argument('<id>', 'plugin id')
    .option('--json', 'print the result as JSON')
    .action(async (id: string, flags: { json?: boolean }) => {
      show(find(id, await builtInPlugins()), flags.json === true);
    });
}

function find(id: string, plugins: ReadonlyMap<string, Manifest>): Manifest {
  const manifest = plugins.get(id);
  if (manifest !== undefined) return manifest;
  const near = nearestName(id, plugins.keys());
  throw new ConfigError('PLUGIN_UNKNOWN', {
    what: `there is no plugin "${id}"`,
    fix: near === undefined ? 'see tablewalk plugins list' : `did you mean "${near}"?`,
  });
}

function show(manifest: Manifest, json: boolean): void {
  const { id, slot, version, summary, source, requires, optional = [], facets = [], needs = [] } = manifest;
  const knobs = z.toJSONSchema(manifest.config, { io: 'input', unrepresentable: 'any' });
  if (json) {
    printJson({ id, slot, version, summary, source, requires, optional, facets, needs, knobs });
    return;
  }
  print(`${id} ${version}  (slot ${slot}: ${SLOTS[slot]})`);
  print(summary);
  print(`source: ${source}`);
  print(`requires: ${requires.length === 0 ? 'nothing' : requires.join(', ')}`);
  if (optional.length > 0) print(`uses, where filled: ${optional.join(', ')}`);
  if (facets.length > 0) print(`facets: ${facets.join(', ')}`);
  const properties = Object.entries((knobs as { properties?: Record<string, Knob> }).properties ?? {});
  print(properties.length === 0 ? 'knobs: none' : 'knobs:');
  for (const [name, { description = '', default: preset }] of properties)
    print(
      `  ${name.padEnd(16)} ${description}${preset === undefined ? '' : ` (default ${JSON.stringify(preset)})`}`,
    );
}

interface Knob {
  readonly description?: string;
  readonly default?: unknown;
}

import { describe, expect, it } from 'vitest';
import { determinismCheck } from './determinism-check.ts';
import { COLUMNS_MAX, fileShapeCheck, LINES_MAX } from './file-shape.ts';
import type { Finding, SourceFile } from './finding.ts';
import { formatFinding } from './finding.ts';
import { machinePathsCheck } from './machine-paths.ts';
import { pluginAnatomyCheck } from './plugin-anatomy.ts';
import { unfinishedCheck } from './unfinished.ts';

const file = (path: string, text: string): SourceFile => ({ path, text });
/** `file:line: what`, without the advice. */
const told = (findings: readonly Finding[]): string[] =>
  findings.map((finding) => formatFinding(finding).split('\n')[0] as string);

describe('determinism', () => {
  const bad = 'export const now = () => Date.now();';

  it('binds packages and plugins, not their tests, and not apps or tools', () => {
    const paths = ['packages/base/src/a.ts', 'plugins/tlb-x/src/a.ts', 'plugins/tlb-x/src/a.spec.ts'];
    const others = [
      'packages/base/src/a.bench.ts',
      'apps/cli/src/a.ts',
      'tools/tidy/src/a.ts',
      'a.config.ts',
    ];
    expect(
      told(
        determinismCheck(
          [...paths, ...others].map((path) => file(path, bad)),
          [],
        ),
      ),
    ).toEqual([
      'packages/base/src/a.ts:1: Date reads the clock of the machine it runs on',
      'plugins/tlb-x/src/a.ts:1: Date reads the clock of the machine it runs on (plugin tlb-x)',
    ]);
  });

  it('grants an exception, and takes note of one that is not needed', () => {
    const exceptions = [
      { file: 'packages/a/src/a.ts', reason: 'a test' },
      { file: 'packages/a/src/b.ts', reason: 'a test' },
    ];
    const files = [file('packages/a/src/a.ts', bad), file('packages/a/src/b.ts', 'export const x = 1;')];
    expect(told(determinismCheck(files, exceptions))).toEqual([
      'packages/a/src/b.ts: is excepted from the determinism check and does not need to be',
    ]);
  });
});

describe('plugin anatomy', () => {
  const plugin = (id: string, parts: Record<string, string> = {}): SourceFile[] => {
    const slot = id.slice(0, id.lastIndexOf('-'));
    const whole: Record<string, string> = {
      'README.md': '# it',
      'project.json': JSON.stringify({ name: id, tags: ['layer:plugin', `slot:${slot}`, 'platform:any'] }),
      'src/index.ts': `export { manifest as default } from './manifest.ts';`,
      'src/manifest.ts': `export const manifest = defineManifest({ id: '${id}', requires: [] });`,
      'src/contract.spec.ts': 'suite();',
      ...parts,
    };
    return Object.entries(whole).map(([name, text]) => file(`plugins/${id}/${name}`, text));
  };

  it('accepts a whole plugin, of a slot with a dash in its name too', () => {
    expect(pluginAnatomyCheck([...plugin('replacement-lru'), ...plugin('mmu-gather-ranged')])).toEqual([]);
  });

  it('names every part that is missing', () => {
    expect(told(pluginAnatomyCheck([file('plugins/tlb-x/src/x.ts', '')]))).toEqual([
      'plugins/tlb-x: the plugin has no README.md',
      'plugins/tlb-x: the plugin has no project.json',
      'plugins/tlb-x: the plugin has no src/index.ts',
      'plugins/tlb-x: the plugin has no src/manifest.ts',
      'plugins/tlb-x: the plugin has no src/contract.spec.ts',
    ]);
  });

  it('wants one name in folder, project and manifest', () => {
    const parts = {
      'project.json': '{ "name": "tlb-y", "tags": ["layer:plugin", "slot:cache", "platform:any"] }',
      'src/manifest.ts': `// the manifest\nexport const manifest = defineManifest({ id: 'tlb-z' });`,
    };
    expect(told(pluginAnatomyCheck(plugin('tlb-x', parts)))).toEqual([
      'plugins/tlb-x/project.json: is called "tlb-y"',
      'plugins/tlb-x/project.json: has the tag slot:cache, which is not how its name begins',
      'plugins/tlb-x/src/manifest.ts:2: the id is "tlb-z"',
    ]);
  });

  it('wants tags', () => {
    expect(told(pluginAnatomyCheck(plugin('tlb-x', { 'project.json': '{ "name": "tlb-x" }' })))).toEqual([
      'plugins/tlb-x/project.json: has no tag layer:plugin',
      'plugins/tlb-x/project.json: has no tag platform:any',
      'plugins/tlb-x/project.json: has no slot tag',
    ]);
  });
});

describe('file shape', () => {
  const long = 'x;\n'.repeat(LINES_MAX + 1);
  const wide = `const x = 1;\n// ${'e'.repeat(COLUMNS_MAX)}\n`;

  it('limits lines and columns of code, and leaves documents alone', () => {
    const files = [file('a.ts', long), file('b.mjs', wide), file('c.md', long + wide)];
    expect(told(fileShapeCheck(files, []))).toEqual([
      'a.ts: has 401 lines, more than 400',
      'b.mjs:2: has 122 columns, more than 119',
    ]);
    expect(fileShapeCheck([file('a.ts', 'x;\n'.repeat(LINES_MAX))], [])).toEqual([]);
  });

  it('grants an exception, and takes note of one that is not needed', () => {
    const exceptions = [
      { file: 'a.ts', reason: 'mirrors a manual' },
      { file: 'gone.ts', reason: 'was long' },
    ];
    expect(told(fileShapeCheck([file('a.ts', long)], exceptions))).toEqual([
      'gone.ts: is excepted from the limit on length and does not need to be',
    ]);
  });
});

describe('machine paths', () => {
  // Put together here, so that this file does not find itself.
  const path = (...parts: string[]): string => ['', ...parts].join('/');
  const host = `https://${'registry'}.example.org/x`;

  it('finds paths of one machine and hosts of registries', () => {
    const text = ['ok', `cd ${path('work', 'main')}`, `"${path('root', '.npmrc')}"`, path('home'), host].join(
      '\n',
    );
    expect(told(machinePathsCheck([file('a.md', text)]))).toEqual([
      `a.md:2: names the path of one machine: ${path('work', 'main')}`,
      `a.md:3: names the path of one machine: ${path('root', '.npmrc')}`,
      `a.md:4: names the path of one machine: ${path('home')}`,
      `a.md:5: names the host of a package registry: ${host.replace('/x', '')}`,
    ]);
  });

  it('does not mind the same words elsewhere', () => {
    const text = ['a/work/b', './home/x', 'https://example.org/work', path('workload'), 'read/write'].join(
      '\n',
    );
    expect(machinePathsCheck([file('a.md', text)])).toEqual([]);
  });
});

describe('unfinished', () => {
  it('finds tests that are left out', () => {
    const text = ["it.skip('a');", "describe.only('b');", "test.todo('c');", "it.each([1]).skip('d');"].join(
      '\n',
    );
    expect(told(unfinishedCheck([file('a.spec.ts', text)]))).toEqual([
      'a.spec.ts:1: it.skip leaves tests out',
      'a.spec.ts:2: describe.only leaves tests out',
      'a.spec.ts:3: test.todo leaves tests out',
      'a.spec.ts:4: it.skip leaves tests out',
    ]);
  });

  it('does not mind a condition, a string, or a list that skips', () => {
    const text = `it.skipIf(process.platform === 'win32')('a'); "it.only"; list.skip(2); // it.skip`;
    expect(unfinishedCheck([file('a.spec.ts', text)])).toEqual([]);
  });

  it('finds notes, as words', () => {
    const [todo, fixme] = ['TO' + 'DO', 'FIX' + 'ME'];
    expect(told(unfinishedCheck([file('a.ts', `x; // ${todo}: later\nconst ${todo}S = 1;`)]))).toEqual([
      `a.ts:1: has a note ${todo}`,
    ]);
    expect(told(unfinishedCheck([file('a.md', `${fixme}`)]))).toEqual([`a.md:1: has a note ${fixme}`]);
  });
});

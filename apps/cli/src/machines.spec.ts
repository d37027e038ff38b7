import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { machineJsonSchema } from '@tablewalk/compose';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from './install.ts';
import { buildFrom, machineNames, readMachineFile } from './machine-file.ts';

it('machines/machine.schema.json is what `tablewalk machines schema` prints', () => {
  const file = readFileSync(join(repositoryRoot, 'machines/machine.schema.json'), 'utf8');
  expect(JSON.parse(file)).toEqual(JSON.parse(JSON.stringify(machineJsonSchema())));
});

describe.each(machineNames())('%s', (name) => {
  it('can be built, names the schema, and says the same when its effective config is read again', async () => {
    const { config, at } = readMachineFile(name, {});
    expect(config.$schema).toBe('./machine.schema.json');
    const { effective } = await buildFrom(config, at);
    const again = readMachineFile(name, { set: [`slots=${JSON.stringify(effective.slots)}`] });
    expect((await buildFrom(again.config, at)).effective).toEqual(effective);
  });
});

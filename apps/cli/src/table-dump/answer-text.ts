import { formatBytes, hex } from '@tablewalk/base';
import { FaultKind } from '@tablewalk/contracts';
import type { Access, Registers, TableFormat } from '@tablewalk/contracts';
import type { DecodedField } from '@tablewalk/architecture';
import { wrapped } from '../report/wrap.ts';
import type { Answer, AnswerStep, Leaf, Outcome } from './answer.ts';
import type { Viewpoint } from './question.ts';
import { attributesText, binary, wordText } from './words.ts';

/** Columns of the longest line, as far as there are spaces to break at. */
const WIDTH = 120;

export const accessText = ({ write, fetch, privileged }: Access): string =>
  `${fetch ? 'fetch' : write ? 'write' : 'read'} at PL${privileged ? 1 : 0}`;

export function answerText(
  format: TableFormat,
  view: Viewpoint,
  { va, access, start, steps, outcome }: Answer,
): string {
  return [
    `${hex(va)}, ${accessText(access)}`,
    `  ${startText(start, view)}`,
    ...steps.flatMap((step) => stepLines(format, step)),
    ...outcomeLines(format, outcome),
  ]
    .map((line) => wrapped(line, WIDTH, 6))
    .join('\n');
}

function startText({ ttbr, why }: Answer['start'], { registers, root, users }: Viewpoint): string {
  if (ttbr === 'none') return `no TTBR: ${why}`;
  const own = ttbr === 'TTBR0' ? `; first level at ${hex(root)}: ${users}` : '';
  return `${ttbr} ${registerText(registers, ttbr)}: ${why}${own}`;
}

const registerText = (registers: Registers, name: string): string => {
  const value = registers[name] ?? 0n;
  return `0x${value.toString(16).padStart(value < 2n ** 32n ? 8 : 16, '0')}`;
};

function stepLines(format: TableFormat, step: AnswerStep): string[] {
  const { level, table, index, pa, layout, fields, handedDown, linux } = step;
  const value = wordText(step, format.wordBytes);
  const wide = Math.max(...fields.map((field) => nameText(field).length));
  const entry = `entry ${index} (${hex(index, 1)}) at ${hex(pa)}`;
  return [
    `  level ${level}: table ${hex(table)}, ${entry} is ${value}: ${layout.type}`,
    ...fields.filter(isTold).map((field) => `      ${nameText(field).padEnd(wide)}  ${valueText(field)}`),
    ...handedDownLines(handedDown),
    ...(linux === undefined ? [] : linuxLines(linux, format)),
  ];
}

/** Bits that hardware ignores are worth a line when something is in them. */
const isTold = ({ name, value }: DecodedField): boolean =>
  !/^(IGNORED|UNK|IMPLEMENTATION)/.test(name) || value !== 0;

/** With its bits, where the name does not end with them. */
function nameText({ name, high, low }: DecodedField): string {
  const bits = high === low ? `[${low}]` : `[${high}:${low}]`;
  return name.endsWith(bits) ? name : `${name} ${bits}`;
}

function valueText({ value, meaning, high, low }: DecodedField): string {
  const bits = high - low + 1;
  const number = bits <= 4 ? binary(value, bits) : hex(value, 1);
  if (meaning === number || meaning === '') return number;
  // An address is itself the meaning of its bits.
  return meaning.startsWith('0x') ? meaning : `${number}  ${meaning}`;
}

/** A domain is always told; of the others only what restricts. */
function handedDownLines(fields: readonly DecodedField[]): string[] {
  const told = fields.filter(({ name, value }) => name === 'Domain' || value !== 0);
  if (fields.length === 0) return [];
  const texts = told.map(({ name, value, meaning }) => `${name} ${value} (${meaning})`);
  return [`    for all below: ${texts.length === 0 ? 'no restriction' : texts.join(', ')}`];
}

function linuxLines(linux: NonNullable<AnswerStep['linux']>, { wordBytes }: TableFormat): string[] {
  const names = linux.names.join(' ');
  if (linux.kind === 'bits') return names === '' ? [] : [`    Linux: ${names}`];
  return [
    `    Linux pte at ${hex(linux.pa)} is ${wordText(linux, wordBytes)}: ${names === '' ? 'none' : names}`,
  ];
}

function outcomeLines(format: TableFormat, outcome: Outcome): string[] {
  switch (outcome.kind) {
    case 'translated':
      return [
        `  = ${hex(outcome.pa)}, in ${formatBytes(2 ** outcome.shift)} at ${hex(outcome.base)}`,
        ...leafLines(outcome),
      ];
    case 'unknown':
      return [
        `  = not known: the next descriptor is at ${hex(outcome.absent)}, in a page that the dump lacks`,
        '    a table that nothing reaches any more is not in a dump: this entry may be a stale one',
      ];
    case 'fault': {
      const { fault, level, register, value, status, linux, base, shift, attributes, rights } = outcome;
      const code = format.wordBytes === 8 ? `STATUS ${binary(status, 6)}` : `FS ${binary(status, 5)}`;
      const leaf =
        base !== undefined && shift !== undefined && attributes !== undefined && rights !== undefined;
      return [
        `  = ${faultName(fault)} fault at level ${level}: ${register} ${hex(value, 3)} (${code})`,
        ...(leaf
          ? leafLines({ ...outcome, base, shift, attributes, rights, global: outcome.global ?? false })
          : []),
        `    Linux: "${linux.name}", ${linux.handler}: ${linux.then}`,
      ];
    }
  }
}

export const faultName = (fault: FaultKind): string =>
  ({
    [FaultKind.none]: 'no',
    [FaultKind.translation]: 'translation',
    [FaultKind.accessFlag]: 'access flag',
    [FaultKind.domain]: 'domain',
    [FaultKind.permission]: 'permission',
  })[fault];

function leafLines({ attributes, rights, global, domain }: Leaf): string[] {
  const { refused } = rights;
  const may =
    refused === undefined
      ? `PL1 ${rights.pl1}, PL0 ${rights.pl0}`
      : `nobody has access: ${refused === FaultKind.domain ? 'of the domain' : 'the access flag is 0'}`;
  return [
    `    memory: ${attributesText(attributes)}`,
    `    ${may}; ${global ? 'global' : 'of its ASID'}`,
    ...(domain === undefined ? [] : [`    domain ${domain.number}: ${domainText(domain)}`]),
  ];
}

export const domainText = ({ number, dacr }: NonNullable<Leaf['domain']>): string =>
  `DACR[${2 * number + 1}:${2 * number}] is ${binary(dacr, 2)}, ${DACR_WORDS[dacr] ?? ''}`;

const DACR_WORDS = [
  'no access',
  'client: permissions count',
  'reserved',
  'manager: permissions do not count',
];

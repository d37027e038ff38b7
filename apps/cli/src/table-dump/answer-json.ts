import { hex } from '@tablewalk/base';
import type { TableFormat } from '@tablewalk/contracts';
import type { Answer, AnswerStep, Leaf, Outcome } from './answer.ts';
import { accessText, faultName } from './answer-text.ts';
import { wordText } from './words.ts';

/** For programs. Addresses and descriptors are `0x...`, since descriptors may have 64 bits; counts are numbers. */
export const answerJson = (format: TableFormat, { va, access, start, steps, outcome }: Answer): object => ({
  va: hex(va),
  access: accessText(access),
  ttbr: start.ttbr,
  why: start.why,
  steps: steps.map((step) => stepJson(format, step)),
  ...outcomeJson(outcome),
});

const stepJson = (format: TableFormat, step: AnswerStep): object => ({
  level: step.level,
  table: hex(step.table),
  index: step.index,
  pa: hex(step.pa),
  descriptor: wordText(step, format.wordBytes),
  type: step.layout.type,
  fields: step.fields.map(({ name, high, low, value, meaning }) => ({ name, high, low, value, meaning })),
  handedDown: step.handedDown.map(({ name, value }) => ({ name, value })),
  ...(step.linux === undefined
    ? {}
    : {
        linux: {
          kind: step.linux.kind,
          pa: hex(step.linux.pa),
          value: wordText(step.linux, format.wordBytes),
          names: step.linux.names,
        },
      }),
});

function outcomeJson(outcome: Outcome): object {
  switch (outcome.kind) {
    case 'translated':
      return { result: 'translated', pa: hex(outcome.pa), leaf: leafJson(outcome) };
    case 'unknown':
      return { result: 'unknown', absent: hex(outcome.absent) };
    case 'fault': {
      const { fault, level, status, register, value, linux } = outcome;
      return {
        result: 'fault',
        fault: faultName(fault),
        level,
        status,
        register,
        value: hex(value, 3),
        linux,
        ...(outcome.base === undefined ? {} : { leaf: leafJson(outcome) }),
      };
    }
  }
}

const leafJson = ({ base = 0, shift = 0, attributes, rights, global, domain }: Partial<Leaf>): object => ({
  base: hex(base),
  bytes: 2 ** shift,
  attributes,
  pl1: rights?.pl1,
  pl0: rights?.pl0,
  global,
  ...(domain === undefined ? {} : { domain }),
});

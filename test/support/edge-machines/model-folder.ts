import { existsSync, readFileSync, rmSync } from 'node:fs';
import { z } from 'zod';
import type { AnsweredTokens } from '../stub-model.ts';
import type { EdgeMachine } from './edge-machine.ts';

/** Where the model server of a machine keeps its book, on the machine's disk. */
export const modelFolder = '/var/lib/stub-model';
/** A line of JSON for each answer. */
export const bookFile = 'answers.jsonl';
/** While it is there, requests are left without an answer. */
export const hangFile = 'hangs';
/** Of the tokens of each request. */
export const cachedTokens = 40;

const tokensSchema = z.object({ inputTokens: z.int(), cachedTokens: z.int(), outputTokens: z.int() });

/** What the machine's model server answered so far, as it counted itself. */
export function answersOf(machine: EdgeMachine): readonly AnsweredTokens[] {
  const file = machine.path(`${modelFolder}/${bookFile}`);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) => tokensSchema.parse(JSON.parse(line)));
}

/** From now on the model lets the agent wait, or answers again. */
export function letModelHang(machine: EdgeMachine, hangs: boolean): void {
  const file = `${modelFolder}/${hangFile}`;
  if (hangs) machine.write(file, '');
  else rmSync(machine.path(file));
}

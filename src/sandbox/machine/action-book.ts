import { mkdir, open, readdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { actionReplySchema } from '../../edge-client/gate-protocol.ts';
import { capsuleSchema } from '../../fleet/capsule.ts';
import { isMissing } from './is-missing.ts';

const recordSchema = z.strictObject({
  capsule: capsuleSchema,
  timeoutSeconds: z.int().positive(),
  interruptible: z.boolean(),
  begunAt: z.iso.datetime(),
  /** What the kernel called the boot in which it was taken on. */
  boot: z.string(),
});

/** An action as it was taken on. */
export type TakenAction = z.infer<typeof recordSchema>;

const runnerSchema = z.strictObject({ pid: z.int().positive(), pidStart: z.string().nullable() });
/** The process that runs an action. */
export type ActionRunner = z.infer<typeof runnerSchema>;

/** How an action went. */
export const actionResultSchema = actionReplySchema.extend({
  outcome: z.enum(['done', 'failed', 'lost', 'unknown']),
});
export type ActionResult = z.infer<typeof actionResultSchema>;

/**
 * What became of every action that this machine ever took on, in one folder, for the machine and for what runs an
 * action. An action `ID` has: `ID.turn`, which whoever may run it takes away; `ID.json`, what is to be run, with which
 * the id is used; `ID.runner`, who runs it; `ID.result`, how it went. When a method resolves, a power cut cannot undo
 * what it did.
 */
export class ActionBook {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async begin(record: TakenAction): Promise<void> {
    const { id } = record.capsule;
    const made = await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    if (made !== undefined) await sync(dirname(made));
    await writeFile(this.#file(id, 'turn'), '', { mode: 0o600 });
    await this.#write(id, 'json', record);
  }

  /** What was taken on; undefined for an id that was never used. */
  async record(id: string): Promise<TakenAction | undefined> {
    return await this.#read(id, 'json', recordSchema);
  }

  async runner(id: string): Promise<ActionRunner | undefined> {
    return await this.#read(id, 'runner', runnerSchema);
  }

  /** Tells who runs it; before its turn is taken. */
  async tellRunner(id: string, runner: ActionRunner): Promise<void> {
    await this.#write(id, 'runner', runner);
  }

  /** Whether the caller is the one who may run the action, or may say that it never ran: true once, ever. */
  async takeTurn(id: string): Promise<boolean> {
    try {
      await unlink(this.#file(id, 'turn'));
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
    await sync(this.#folder);
    return true;
  }

  /** How it went; undefined while that is not known. */
  async result(id: string): Promise<ActionResult | undefined> {
    return await this.#read(id, 'result', actionResultSchema);
  }

  async finish(result: ActionResult): Promise<void> {
    await this.#write(result.id, 'result', result);
  }

  /** The ids of which there is no result. */
  async unfinished(): Promise<string[]> {
    const names = new Set(
      await readdir(this.#folder).catch((error) => (isMissing(error) ? [] : Promise.reject(error))),
    );
    const ids = [...names]
      .filter((name) => name.endsWith('.json'))
      .map((name) => name.slice(0, -'.json'.length));
    return ids.filter((id) => !names.has(`${id}.result`)).toSorted();
  }

  #file(id: string, part: string): string {
    return join(this.#folder, `${id}.${part}`);
  }

  async #read<T>(id: string, part: string, schema: z.ZodType<T>): Promise<T | undefined> {
    try {
      return schema.parse(JSON.parse(await readFile(this.#file(id, part), 'utf8')));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async #write(id: string, part: string, content: unknown): Promise<void> {
    const temporary = this.#file(id, `${part}.new`);
    try {
      await using file = await open(temporary, 'w', 0o600);
      await file.writeFile(JSON.stringify(content));
      await file.sync();
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await rename(temporary, this.#file(id, part));
    await sync(this.#folder);
  }
}

async function sync(path: string): Promise<void> {
  await using folder = await open(path);
  await folder.sync();
}

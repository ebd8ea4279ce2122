import type { Logger } from 'pino';

const cures = {
  broken:
    'spans cannot be written to FLEETBOT_SPANS_FOLDER: they wait in memory and are lost with this process. See that the folder exists, that fleetbot may write there, and that its disk has room.',
  full: 'new spans are lost: too many wait for MLflow. See why it does not take them, or raise FLEETBOT_SPANS_MAX_MIB.',
} as const;

/** Tells once per streak why spans cannot be kept on disk, with its cure, and when they are again. */
export class SpoolTrouble {
  readonly #log: Logger;
  readonly #folder: string | undefined;
  #kind: keyof typeof cures | undefined;

  constructor(log: Logger, folder: string | undefined) {
    this.#log = log;
    this.#folder = folder;
  }

  tell(kind: keyof typeof cures, waitingSpans: number, error?: unknown): void {
    if (this.#kind === kind) return;
    this.#kind = kind;
    this.#log.warn({ err: error, folder: this.#folder, waitingSpans }, cures[kind]);
  }

  isOver(lostSpans: number): void {
    if (this.#kind === undefined) return;
    this.#kind = undefined;
    this.#log.info({ lostSpans }, 'spans are kept on disk again');
  }
}

const undoPrefix = /^undo:(r-[0-9a-z]{12}):/;

/** How the event id of a request begins that a button of a run made. @param button tells one button of it from another */
export function clickEventPrefix(button: string, runId: string): string {
  return `${button}:${runId}:`;
}

/** The run whose Undo made the request; undefined where no Undo did. */
export function undoneRun(eventId: string): string | undefined {
  return undoPrefix.exec(eventId)?.[1];
}

import { globSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * OpenClaw resumes, some seconds after its start, every session whose run was interrupted by a kill, and has no switch
 * against it: commands would run for a task that ended long ago. This marks those sessions as killed, as OpenClaw
 * itself marks a run that was killed; their history stays. Returns how many there were. To be called while OpenClaw
 * does not run.
 *
 * Source: the tables of openclaw 2026.9.6. `entry_json` is the record, `status` its index; a trigger resets
 * `entry_valid` when the record changes, and the writer sets it again.
 * @throws Error when a database is not as expected; the gateway must not be started then
 */
export function clearInterrupted(stateFolder: string): number {
  let cleared = 0;
  for (const file of globSync(join(stateFolder, 'agents/*/agent/openclaw-agent.sqlite'))) {
    const database = new DatabaseSync(file);
    try {
      cleared += clearIn(database);
    } finally {
      database.close();
    }
  }
  return cleared;
}

function clearIn(database: DatabaseSync): number {
  database.exec('BEGIN IMMEDIATE');
  const keys = database.prepare(`SELECT session_key FROM session_nodes WHERE status = 'running'`).all();
  const mark = database.prepare(`
    UPDATE session_nodes SET status = 'killed', entry_json = json_set(entry_json, '$.status', 'killed')
    WHERE session_key = ?`);
  const confirm = database.prepare('UPDATE session_nodes SET entry_valid = 1 WHERE session_key = ?');
  for (const { session_key: key } of keys) {
    mark.run(key ?? null);
    confirm.run(key ?? null);
  }
  database.exec('COMMIT');
  return keys.length;
}

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clearInterrupted } from '../../edge/agent/clear-interrupted.ts';

let stateFolder: string;

beforeEach(async () => {
  stateFolder = await mkdtemp(join(tmpdir(), 'fleetbot-state-'));
});

afterEach(() => rm(stateFolder, { recursive: true }));

/** The part of an agent's database that matters, as OpenClaw 2026.9.6 makes it. */
const schema = `
  CREATE TABLE session_nodes (
    session_key TEXT NOT NULL PRIMARY KEY,
    entry_json TEXT NOT NULL,
    entry_valid INTEGER NOT NULL DEFAULT 0 CHECK (entry_valid IN (-1, 0, 1)),
    status TEXT CHECK (status IS NULL OR status IN ('running', 'done', 'failed', 'killed', 'timeout'))
  ) STRICT;
  CREATE TRIGGER session_nodes_entry_valid_after_entry_update AFTER UPDATE OF entry_json ON session_nodes
  BEGIN UPDATE session_nodes SET entry_valid = 0 WHERE session_key = NEW.session_key; END;`;

async function agentDatabase(agent: string): Promise<DatabaseSync> {
  const folder = join(stateFolder, 'agents', agent, 'agent');
  await mkdir(folder, { recursive: true });
  return new DatabaseSync(join(folder, 'openclaw-agent.sqlite'));
}

async function withSessions(agent: string, sessions: Record<string, string>): Promise<DatabaseSync> {
  const database = await agentDatabase(agent);
  database.exec(schema);
  const insert = database.prepare(
    'INSERT INTO session_nodes (session_key, entry_json, entry_valid, status) VALUES (?, ?, 1, ?)',
  );
  for (const [key, status] of Object.entries(sessions)) {
    insert.run(key, JSON.stringify({ sessionId: key, status, abortedLastRun: false }), status);
  }
  return database;
}

const sessionsOf = (database: DatabaseSync) =>
  database
    .prepare('SELECT session_key, entry_json, entry_valid, status FROM session_nodes ORDER BY session_key')
    .all();

describe('the interrupted sessions of a killed gateway', () => {
  it('count as killed, by record and by index, and stay valid', async () => {
    const database = await withSessions('edge', { 'agent:edge:a': 'running', 'agent:edge:b': 'done' });
    expect(clearInterrupted(stateFolder)).toBe(1);
    expect(sessionsOf(database)).toEqual([
      {
        session_key: 'agent:edge:a',
        entry_json: '{"sessionId":"agent:edge:a","status":"killed","abortedLastRun":false}',
        entry_valid: 1,
        status: 'killed',
      },
      expect.objectContaining({ session_key: 'agent:edge:b', entry_valid: 1, status: 'done' }),
    ]);
    expect(clearInterrupted(stateFolder)).toBe(0);
    database.close();
  });

  it('are found in every agent’s database', async () => {
    (await withSessions('edge', { a: 'running' })).close();
    (await withSessions('other', { b: 'running', c: 'running' })).close();
    expect(clearInterrupted(stateFolder)).toBe(3);
  });

  it('are none before the first start', () => {
    expect(clearInterrupted(stateFolder)).toBe(0);
  });

  it('cannot be told of in a database of another make', async () => {
    const database = await agentDatabase('edge');
    database.exec('CREATE TABLE sessions (key TEXT)');
    database.close();
    expect(() => clearInterrupted(stateFolder)).toThrow(/session_nodes/);
  });
});

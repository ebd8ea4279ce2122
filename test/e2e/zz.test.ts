import { it } from 'vitest';
import { readFileSync } from 'node:fs';
import { agentProgram } from '../support/agent-program.ts';
import { startHarness } from './parts/harness.ts';
it('x', async () => {
  await using h = await startHarness([{ name: 'hangs', agentCommand: agentProgram('hangs') }]);
  const wait = Number(process.env.W ?? 0);
  const a = await h.sre.ask('check hangs disk');
  await a.reaches('tasking');
  await new Promise((r) => setTimeout(r, wait));
  const m = h.machine('hangs');
  process.kill(m.agentPid() ?? 0, 'SIGKILL');
  const t0 = Date.now();
  for (let i = 0; i < 30; i++) { await new Promise((r) => setTimeout(r, 200)); const r = await a.run(); if (r.state === 'done') { console.log('DONE', Date.now() - t0, JSON.stringify(r.diagnosis)); break; } if (i%10===9) console.log(r.state, JSON.stringify(await m.status())); }
  console.log(readFileSync(h['#parts']?.folder ?? '/dev/null', 'utf8'), h.fleetbotLog().slice(-1500));
}, 60000);

import { startSandbox } from '/work/main/src/sandbox/sandbox.ts';
import { Person, messageText } from '/work/main/src/sandbox/person.ts';
import { workspace } from '/work/main/src/sandbox/workspace.ts';
const t0=performance.now();
const s = await startSandbox({ port: 0, tell: console.log, mlflow: true });
console.log('ready', performance.now()-t0, s.folder);
try {
const p = new Person(s.slackUrl, workspace.sre.id);
await p.type(workspace.channel.id, process.argv[2] ?? 'check sandbox-01 disk');
const end = Date.now()+Number(process.argv[3]??15000);
let last='';
while (Date.now()<end) {
  const m = await p.messages(workspace.channel.id);
  const t = m.map(x=>(x.thread_ts&&x.thread_ts!==x.ts?'  > ':'')+messageText(x)).join('\n====\n');
  if (t!==last) { console.log('-----', ((performance.now()-t0)/1000).toFixed(1)); console.log(t); last=t; }
  await new Promise(r=>setTimeout(r,200));
}
} finally {
console.log(await (await import('node:fs/promises')).readFile(s.folder+'/fleetbot/fleetbot.log','utf8').then(t=>t.slice(-6000)));
await s[Symbol.asyncDispose](); }

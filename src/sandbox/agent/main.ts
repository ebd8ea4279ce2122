import { createRulesModel } from './rules-model.ts';
import { runAgent } from './run-agent.ts';

await runAgent({ model: createRulesModel() });

/** The sandbox's Slack workspace: who and what is in it. Nothing here is a secret: it exists on loopback only. */
export const workspace = {
  teamId: 'T0SANDBOX',
  appId: 'A0FLEETBOT',
  botUserId: 'U0FLEETBOT',
  botName: 'fleetbot',
  botToken: 'xoxb-sandbox',
  appToken: 'xapp-sandbox',
  signingSecret: 'sandbox-signing-secret',
  channel: { id: 'C0OPS', name: 'ops' },
  /** May do everything in the sandbox but approve what they asked for themselves, as nobody may. */
  sre: { id: 'U0ALEX', name: 'alex', realName: 'Alex (SRE)' },
  /** May approve what others ask for. */
  approver: { id: 'U0SAM', name: 'sam', realName: 'Sam (on call)' },
  /** Is in no access rule: may do nothing. */
  visitor: { id: 'U0VISITOR', name: 'vera', realName: 'Vera (visitor)' },
} as const;

/** The machine that the sandbox runs. */
export const sandboxMachineName = 'sandbox-01';

/** What `fleetbot --help` prints. */
export const usage = `Usage:
  fleetbot start               run with the settings in the environment (see .env.example)
  fleetbot validate FILE...    check fleet files
  fleetbot halt --direct [--fleet FILE] [--yes] [--json] SELECTOR REASON...
                               stop and lock machines from here, without Redis and Slack: needs only the fleet
                               file (FLEETBOT_FLEET_FILE) and the SSH key (FLEETBOT_SSH_KEY_FILE)
  fleetbot resume --direct [--fleet FILE] [--json] [--force] SELECTOR
                               unlock what "halt --direct" locked; --force: whatever locked it
  fleetbot edge policy [--fleet FILE] MACHINE
                               print the policy that belongs on the machine as /etc/fleetbot/policy.json: the
                               commands that its broker may run
  fleetbot machine verify [--fleet FILE] [--json] MACHINE
                               prove from here that what is installed on the machine works: gate, pin, fence, broker,
                               agent, trace and stop. Starts its agent once; needs the fleet file and the SSH key.
                               For when nothing is asked of the machine: a run that begins there meanwhile fails
  fleetbot ledger verify --key PUBLIC_KEY_FILE [--checkpoint CHECKPOINT] [--partial] FILE...
                               check exported ledgers: all files of one, in any order
  fleetbot ledger key NEW_FILE make a key that signs the ledger, and NEW_FILE.pub that verifies it
  fleetbot decision key NEW_FILE
                               make the bot's key, which signs what people decide, and NEW_FILE.pub for the signer
  fleetbot capsule key NEW_FILE
                               make the signer's key, which signs what machines may run, and NEW_FILE.pub for the machines
  fleetbot --help              print this
  fleetbot --version           print the version
`;

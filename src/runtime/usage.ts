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
  fleetbot collector prices [--fleet FILE]
                               print the fleet file's prices as a part of the central collector's configuration
  fleetbot machine verify [--fleet FILE] [--json] MACHINE
                               prove from here that what is installed on the machine works: gate, pin, fence, broker,
                               agent, trace and stop. Starts its agent once; needs the fleet file and the SSH key.
                               For when nothing is asked of the machine: a run that begins there meanwhile fails
  fleetbot mlflow init [--experiment NAME]
                               make MLflow (MLFLOW_TRACKING_URI) ready for traces, check that it takes them, and print
                               what to set; doing it again changes nothing
  fleetbot traces replay [--dry-run] [--since TIME] FILE|FOLDER...
                               send MLflow the spans in copies (of collectors, of FLEETBOT_SPANS_FOLDER) that it lacks;
                               doing it again changes nothing. TIME: 24h, 7d, 2026-11-01, 2026-11-01T10:30
  fleetbot ledger verify --key PUBLIC_KEY_FILE [--checkpoint CHECKPOINT] [--partial] FILE...
                               check exported ledgers: all files of one, in any order
  fleetbot ledger search [--machine NAME|PATTERN] [--person SLACK_ID] [--since TIME] [--until TIME] [--json|--csv] FILE...
                               print who did what, when and with what result, newest first, from exported ledgers; times
                               are 2026-11-01, 2026-11-01T10:30, 2026-11 or 7d (ago), in UTC. Proves nothing: verify does
  fleetbot ledger key NEW_FILE make a key that signs the ledger, and NEW_FILE.pub that verifies it
  fleetbot decision key NEW_FILE
                               make the bot's key, which signs what people decide, and NEW_FILE.pub for the signer
  fleetbot capsule key NEW_FILE
                               make the signer's key, which signs what machines may run, and NEW_FILE.pub for the machines
  fleetbot --help              print this
  fleetbot --version           print the version
`;

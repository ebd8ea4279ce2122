/** The environment, with the fleet file that a command was told to use. */
export function withFleetFile(fleetFile: string | undefined): NodeJS.ProcessEnv {
  return fleetFile === undefined ? process.env : { ...process.env, FLEETBOT_FLEET_FILE: fleetFile };
}

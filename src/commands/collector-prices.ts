import type { PricesLine } from '../runtime/command-line.ts';
import { readFleetFile } from '../runtime/fleet-file.ts';
import { readFleetFilePath } from '../runtime/settings.ts';
import { collectorPrices } from '../telemetry/collector-prices.ts';
import { write } from './write.ts';

/** Prints the fleet file's prices as a part of the central collector's configuration. */
export async function printCollectorPrices(line: PricesLine): Promise<void> {
  const fleet = await readFleetFile(line.fleetFile ?? readFleetFilePath(process.env));
  write(collectorPrices(fleet.prices));
}

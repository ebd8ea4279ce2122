import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { agentBaseRecipe, writeAgentBase } from './agent-base.ts';
import { cached } from './cached.ts';
import { inStore, type StoreOwner } from './image-store.ts';

/** The images of a governed machine. */
export interface EdgeImages {
  /** A folder for `additionalimagestores` of the owner's rootless podman, to be read only. */
  readonly store: string;
  /** Reference by digest of the image that `edge/image/Containerfile` makes. */
  readonly agent: string;
  /** Reference by digest of the collector's image. */
  readonly collector: string;
}

const archive = 'base.tar';
/** A line for each image: the references by which its own machine knows it. */
const digestsSchema = z.tuple([
  z.tuple([z.string()]).rest(z.string()),
  z.tuple([z.string()]).rest(z.string()),
]);
const imagesSchema = z.object({ agent: z.string(), collector: z.string() });

const edge = join(import.meta.dirname, '../../../edge');
/** What of it goes into the agent's image. */
const agentSources = ['image', 'agent', 'plugin'].map((folder) => join(edge, folder));
/** No user of a machine has this id. */
const collectorUid = 10_001;

const script = `
  podman import --quiet /base.tar localhost/fleetbot-agent-base >&2
  podman build --quiet --pull=never --build-arg BASE=localhost/fleetbot-agent-base \\
    --file /edge/image/Containerfile --tag localhost/fleetbot-agent /edge >&2
  tar --create --directory / --owner 0 --group 0 --mode 0755 otelcol |
    podman import --quiet --change USER=${collectorUid} --change 'ENTRYPOINT ["/otelcol"]' - localhost/fleetbot-collector >&2
  podman image inspect --format '{{json .RepoDigests}}' localhost/fleetbot-agent localhost/fleetbot-collector
`;

/**
 * The images, built once from the repository's own files and kept in the user's cache under a hash of all that goes
 * in. Needs root. Tells so on standard error; whoever builds them at the same time wins too.
 */
export async function edgeImages(options: {
  readonly owner: StoreOwner;
  /** The collector's program, linked statically. */
  readonly collectorProgram: string;
}): Promise<EdgeImages> {
  const { owner, collectorProgram } = options;
  const files = [...(await Promise.all(agentSources.map(filesIn))).flat(), collectorProgram];
  const key = await keyOf({ owner, script, agentBaseRecipe, files }, files);
  const folder = await cached(`edge-images-${key}`, async (making) => {
    const readOnly = { [await agentBase()]: '/base.tar', [edge]: '/edge', [collectorProgram]: '/otelcol' };
    const output = await inStore(owner, { store: join(making, 'store'), readOnly }, script);
    const [[agent], [collector]] = digestsSchema.parse(
      output
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    );
    await writeFile(join(making, 'images.json'), JSON.stringify({ agent, collector }));
  });
  const images = imagesSchema.parse(JSON.parse(await readFile(join(folder, 'images.json'), 'utf8')));
  return { store: join(folder, 'store'), ...images };
}

/** The archive of the agent's base: it changes rarely, and takes a minute. */
async function agentBase(): Promise<string> {
  const key = await keyOf(agentBaseRecipe, []);
  const folder = await cached(`agent-base-${key}`, (making) => writeAgentBase(join(making, archive)));
  return join(folder, archive);
}

/** All files in a folder and below, sorted; without what Python leaves there. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.pyc'))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

async function keyOf(settings: object, files: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(settings));
  for (const file of files) hash.update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}

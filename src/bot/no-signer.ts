import type { Services } from './services.ts';

const noSigner =
  'No signer runs at the moment, and without one nothing that people approve is done: it ends as never begun after a minute. An operator has to start one (`FLEETBOT_ROLE=signer`).';

/**
 * What people should know before they decide: a sentence where no signer is there. Empty also where the store does not
 * answer, because nothing depends on it.
 */
export async function noSignerSentences({ signerSeen, log }: Services): Promise<readonly string[]> {
  try {
    return (await signerSeen()) ? [] : [noSigner];
  } catch (error) {
    log.warn({ err: error }, 'whether a signer runs could not be looked up');
    return [];
  }
}

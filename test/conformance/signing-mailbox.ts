import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { SignedCapsule } from '../../src/fleet/capsule.ts';
import { SignerError } from '../../src/fleet/errors.ts';
import type { SigningAsks } from '../../src/signer/ports.ts';
import type { Signer } from '../../src/supervisors/ports.ts';
import { sampleRun } from '../support/sample-run.ts';

/** A mailbox that nobody else uses: a worker's side and a signer's. */
export interface MailboxUnderTest {
  readonly signer: Signer;
  readonly asks: SigningAsks;
  /** The signer's side as another process sees it. */
  another(): Promise<SigningAsks>;
  close(): Promise<void>;
}

const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const signed: SignedCapsule = { capsule: '{"version":1}', signature: '-----BEGIN SSH SIGNATURE-----' };

/**
 * What both sides of the mailbox between workers and signers promise: Signer and SigningAsks.
 * @param make with limits short enough for a test: a wish is sent again within a second, and given up within five
 */
export function signingMailboxSuite(name: string, make: () => Promise<MailboxUnderTest>): void {
  describe(`the mailbox of signers: ${name}`, () => {
    let under: MailboxUnderTest;
    beforeAll(async () => {
      under = await make();
    });
    afterAll(async () => {
      await under?.close();
    });

    /** A signer that is there until the test ends. */
    function untilEnd(): AbortSignal {
      const stopping = new AbortController();
      onTestFinished(() => stopping.abort());
      return stopping.signal;
    }
    const wish = (id: string, signal = new AbortController().signal) =>
      under.signer.capsule({ run: sampleRun(id, 'approved'), fence: 7, traceparent }, signal);

    it('brings a wish to the signer, and the capsule back', async () => {
      const capsule = wish('r-000000000001');
      const asked = await under.asks.next(untilEnd());
      expect(asked).toMatchObject({ run: 'r-000000000001', machine: 'web-01', fence: 7, traceparent });
      if (asked) await under.asks.answer(asked, { signed });
      expect(await capsule).toEqual(signed);
    });

    it('brings a refusal back with its reason', async () => {
      const refusal = wish('r-000000000002').catch((error: unknown) => error);
      const asked = await under.asks.next(untilEnd());
      if (asked) await under.asks.answer(asked, { refused: 'U1 may not approve this.' });
      expect(await refusal).toBeInstanceOf(SignerError);
      expect(await refusal).toMatchObject({ code: 'signer-refused', message: 'U1 may not approve this.' });
    });

    it('gives each of many wishes its own answer, whichever signer takes it', async () => {
      const signers = [under.asks, await under.another()];
      const stopping = new AbortController();
      const { signal } = stopping;
      const ids = Array.from({ length: 20 }, (_, n) => `r-0000000001${String(n).padStart(2, '0')}`);
      const answers = Promise.all(ids.map((id) => wish(id)));
      const taken = new Set<string>();
      const serving = signers.map(async (asks) => {
        while (!signal.aborted) {
          const asked = await asks.next(signal);
          if (asked === undefined) continue;
          taken.add(asked.run);
          await asks.answer(asked, { signed: { ...signed, capsule: asked.run } });
        }
      });
      onTestFinished(async () => {
        stopping.abort();
        await Promise.all(serving);
      });
      expect((await answers).map(({ capsule }) => capsule)).toEqual(ids);
      expect([...taken].toSorted()).toEqual(ids);
    });

    it('sends a wish again where the signer that took it never answers', async () => {
      const other = await under.another();
      const signal = untilEnd();
      const capsule = wish('r-000000000003');
      const lost = await under.asks.next(signal);
      const again = await other.next(signal);
      expect(again).toEqual(lost);
      if (again) await other.answer(again, { signed });
      expect(await capsule).toEqual(signed);
    });

    it('says that no signer answered, and takes the wish back', async () => {
      const error = await wish('r-000000000004').catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(SignerError);
      expect(error).toMatchObject({ code: 'signer-away' });
      const signal = untilEnd();
      const worker = new AbortController();
      const next = under.asks.next(signal);
      const fresh = wish('r-000000000005', worker.signal).catch((thrown: unknown) => thrown);
      expect(await next).toMatchObject({ run: 'r-000000000005' });
      worker.abort();
      await fresh;
    });

    it('lets go at once on both sides', async () => {
      const reason = new Error('cancelled');
      const [worker, signer] = [new AbortController(), new AbortController()];
      const capsule = wish('r-000000000006', worker.signal).catch((thrown: unknown) => thrown);
      worker.abort(reason);
      expect(await capsule).toBe(reason);
      const next = under.asks.next(signer.signal);
      signer.abort();
      expect(await next).toBeUndefined();
      expect(await under.asks.next(signer.signal)).toBeUndefined();
    });
  });
}

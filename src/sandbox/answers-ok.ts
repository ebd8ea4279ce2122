const askTimeoutMs = 1_000;

/**
 * Whether a page answers well now. Asks for no longer than a second, and reads the answer to its end: a server
 * that is still starting may leave a request without one, and an answer that nobody reads holds up the next.
 * @throws what `fetch` throws while nothing listens there
 */
export async function answersOk(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(askTimeoutMs) });
  await response.arrayBuffer();
  return response.ok;
}

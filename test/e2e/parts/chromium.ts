import { type Browser, chromium } from 'playwright-core';
import { installPackage, onPath } from './system-package.ts';

const programs = ['chromium', 'chromium-browser', 'google-chrome'];

/** Starts the distribution's Chromium without a window; installs it where it is missing. */
export async function launchChromium(): Promise<Browser> {
  if (!programs.some(onPath)) installPackage('chromium');
  const program = programs.find(onPath);
  if (!program) throw new Error('Chromium is not on PATH. Install the package chromium and run again.');
  return chromium.launch({
    executablePath: program.startsWith('/') ? program : `/usr/bin/${program}`,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

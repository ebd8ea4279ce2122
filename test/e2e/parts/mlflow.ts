import { venvBinFolder } from './python-venv.ts';

/** The release that this suite was written against. */
const version = '3.17.2';

/**
 * The folder with the `mlflow` program: a virtual environment in the user's cache, made once.
 * @throws Error when it cannot be made
 */
export function mlflowBinFolder(): string {
  // Its basic-auth app needs one package more.
  return venvBinFolder('mlflow', version, 'auth');
}

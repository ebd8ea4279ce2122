import { onInternalDiagnosticEvent } from 'openclaw/plugin-sdk/diagnostic-runtime';
import { definePluginEntry } from 'openclaw/plugin-sdk/plugin-entry';
import { connectHooks,                 startRecording } from './recording.js';

/**
 * The gateway registers a plugin again whenever it looks at its plugins, each time from another copy of this folder:
 * what must be there once lives beside the modules.
 */
const recordingKey = Symbol.for('fleetbot.recording');
const shared                                                                 = globalThis;

export default definePluginEntry({
  id: 'fleetbot',
  name: 'fleetbot',
  description: "Sends a span of every run, model call and tool call to the machine's collector.",
  register(api) {
    if (!(recordingKey in shared)) {
      shared[recordingKey] = startRecording(api, onInternalDiagnosticEvent, process.env);
    }
    const recording = shared[recordingKey];
    if (recording) connectHooks(api, recording);
  },
});

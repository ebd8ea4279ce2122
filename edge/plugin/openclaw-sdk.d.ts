/*
 * The part of OpenClaw's public plugin SDK that is used here, as declared by `openclaw@2026.9.6` in
 * `dist/plugin-sdk/{plugin-entry,diagnostic-runtime}.d.ts`. What events and hooks carry is `unknown` on purpose:
 * `events.ts` looks at it before anything believes it.
 */

declare module 'openclaw/plugin-sdk/plugin-entry' {
  export interface PluginLogger {
    info(message: string): void;
    warn(message: string): void;
  }

  export interface PluginApi {
    readonly id: string;
    /** The whole configuration of the gateway. */
    readonly config: unknown;
    /** `plugins.entries.<id>.config`, checked against the manifest's schema. */
    readonly pluginConfig?: Readonly<Record<string, unknown>>;
    readonly logger: PluginLogger;
    on(hook: 'after_tool_call' | 'llm_output', handler: (event: unknown, context: unknown) => void): void;
    /** Awaited for at most 5 s. */
    on(hook: 'gateway_stop', handler: () => Promise<void>): void;
  }

  export interface PluginEntry {
    readonly id: string;
    readonly name: string;
    readonly description: string;
    /** Runs more than once in a process: for the gateway, and again whenever plugins are looked at. */
    register(api: PluginApi): void;
  }

  export function definePluginEntry(entry: PluginEntry): PluginEntry;
}

declare module 'openclaw/plugin-sdk/diagnostic-runtime' {
  /** Calls back with a frozen copy of every event of these types. Returns how to stop. */
  export function onInternalDiagnosticEvent(
    listener: (event: unknown, metadata: { readonly trusted: boolean }) => void,
    filter?: { readonly include?: readonly string[] },
  ): () => void;
}

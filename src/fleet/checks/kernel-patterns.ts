/** Something that no healthy kernel says. */
export interface KernelFault {
  /** In a sentence: `3 × out-of-memory kill`. */
  readonly name: string;
  readonly pattern: RegExp;
  /** It stays true after the window: a disk or a file system does not heal by waiting. */
  readonly isLasting: boolean;
  /** Some virtual hardware makes healthy kernels say it while they boot. */
  readonly isUsualAtBoot?: true;
}

/**
 * Texts of the Linux kernel (mm/oom_kill.c, block/blk-core.c, fs/, drivers/, kernel/). Floppy and CD drives
 * without a medium, which many virtual machines have, answer every look with an I/O error. A kill within a
 * container's own memory limit is that limit at work; it stays a warning.
 */
export const kernelFaults: readonly KernelFault[] = [
  {
    name: 'out-of-memory kill',
    pattern: /^Out of memory(?: \([^)]*\))?: Killed process \d+/,
    isLasting: false,
  },
  {
    name: 'I/O error',
    pattern:
      /(?:I\/O error, dev|Buffer I\/O error on dev(?:ice)?|critical (?:medium|target|space allocation) error, dev|device offline error, dev) (?!fd\d|sr\d)|rejecting I\/O to offline device|^nvme .*(?:I\/O .*timeout|controller is down)|^ata\d.*: failed command|^sd .*Medium Error/,
    isLasting: true,
  },
  {
    name: 'file system error',
    pattern:
      /^EXT[234]-fs error|^EXT[234]-fs \([^)]*\): (?:error|failed to convert|Delayed block allocation failed)|Remounting filesystem read-only|^Aborting journal|^JBD2: .*[Ee]rror|^XFS \([^)]*\): .*(?:[Cc]orrupt|CRC error|I\/O error|[Ss]hut(?:ting)? down)|^BTRFS:? (?:error|critical)/,
    isLasting: true,
  },
  {
    name: 'hardware error',
    pattern:
      /^mce: \[Hardware Error\]: (?!Machine check events logged)|^EDAC .* UE |\[Hardware Error\]: .*severity: (?:fatal|recoverable)/,
    isLasting: true,
  },
  {
    name: 'lockup or stall',
    pattern:
      /soft lockup - CPU|hard LOCKUP|rcu: INFO: rcu\w* (?:self-)?detected|blocked for more than \d+ seconds/,
    isLasting: false,
  },
  {
    name: 'kernel bug',
    pattern:
      /^BUG: (?!soft lockup)|^kernel BUG at|^Oops\b|^Internal error: |^general protection fault, |^Unable to handle kernel|^Kernel panic/,
    isLasting: true,
  },
  {
    name: 'kernel call trace',
    pattern: /^WARNING: (?:CPU: \d|.* at )/,
    isLasting: false,
    isUsualAtBoot: true,
  },
];

/**
 * What healthy kernels print as warnings at any time, as globs: firewalls that log packets, rate limits that
 * tell of themselves, advice about deprecated use, measurements of a busy host, and the lines around a call
 * trace or a kill for lack of memory, of which the first line says all.
 */
export const kernelNoise: readonly string[] = [
  '*IN=* OUT=*',
  '*callbacks suppressed*',
  '*martian source*',
  'll header: *',
  '*deprecated*',
  '*Unmaintained *',
  '*perf: interrupt took too long*',
  '*hrtimer: interrupt took*',
  '*clocksource: *',
  '*hogged CPU for*',
  '*RT throttling activated*',
  '*bridge: filtering via arp/ip/ip6tables*',
  'new mount options do not match*',
  '*detected capacity change*',
  '*I/O error*dev fd?,*',
  '*I/O error*dev sr?,*',
  'floppy: *',
  '------------[ cut here ]*',
  '---[ end *',
  '*Call Trace:*',
  '*TASK>*',
  '*IRQ>*',
  '*+0x*/0x*',
  'CPU: * PID: *',
  'Hardware name: *',
  'Modules linked in: *',
  'Workqueue: *',
  'RIP: *',
  'RSP: *',
  'R??: *',
  'CS: *',
  'CR?: *',
  'DR?: *',
  'FS: *',
  'PKRU: *',
  'Code: *',
  'Mem-Info:*',
  '*active_anon:*',
  '*unevictable:*',
  '*slab_reclaimable:*',
  '*mapped:*',
  '*free_pcp:*',
  'Node * *',
  'lowmem_reserve*',
  '* pagecache pages',
  '* pages in swap cache',
  'Free swap *',
  'Total swap *',
  '* pages RAM',
  '* pages HighMem/MovableOnly',
  '* pages reserved',
  '* pages hwpoisoned',
  'Swap cache stats: *',
];

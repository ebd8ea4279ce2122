import { describe, expect, test } from 'vitest';
import { verdictOf } from '../../../src/fleet/finding.ts';
import { machineWith } from '../fixtures.ts';
import { journalLine, sight } from './journal.ts';
import { brief, judge, judgeAt, measured } from './judge.ts';

const machine = machineWith();
const dayMinutes = 1_440;
const line = (message: string, ageMinutes = 1, bootSeconds = 100_000) =>
  journalLine(
    {
      MESSAGE: message,
      SYSLOG_IDENTIFIER: 'kernel',
      __MONOTONIC_TIMESTAMP: String(bootSeconds * 1_000_000),
    },
    ageMinutes,
  );
const judgeErrors = (...lines: string[]) => judge(machine, 'kernel', sight, lines.join(''), '');
const judgeWarnings = (...lines: string[]) => judge(machine, 'kernel', sight, '', lines.join(''));

/** What kernels of RHEL 9 and Debian 12 and 13 print at these levels on virtual machines that are well. */
const bootChatter = [
  "[Firmware Bug]: TSC doesn't count with P0 frequency!",
  'Speculative Return Stack Overflow: IBPB-extending microcode not applied!',
  'software IO TLB: No low mem',
  'ACPI: \\_SB.PCI0: _OSC evaluation returned wrong type',
  'ACPI BIOS Warning (bug): 32/64X length mismatch in FADT/Gpe0Block: 128/32 (20230628/tbfadt-564)',
  'Warning: Deprecated Hardware is detected: x86_64-v2:GenuineIntel will not be maintained in a future major release',
  'MDS CPU bug present and SMT on, data leak possible. See https://www.kernel.org/doc/html/latest/admin-guide/hw-vuln/mds.html for more details.',
  'i8042: Warning: Keylock active',
  'device-mapper: core: CONFIG_IMA_DISABLE_HTABLE is disabled. Duplicate IMA measurements will not be recorded in the IMA log.',
  'piix4_smbus 0000:00:07.3: SMBus Host Controller not enabled!',
  'sd 0:0:0:0: [sda] Assuming drive cache: write through',
  "acpi PNP0A03:00: fail to add MMCONFIG information, can't access extended configuration space under this bridge",
  'vmwgfx 0000:00:0f.0: [drm] *ERROR* vmwgfx seems to be running on an unsupported hypervisor.',
  '[drm:vmw_host_printf [vmwgfx]] *ERROR* Failed to send host log message.',
  'Unstable clock detected, switching default tracing clock to "global"',
  'blk_update_request: I/O error, dev fd0, sector 0 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 0',
  'Buffer I/O error on dev fd0, logical block 0, async page read',
  'WARNING: CPU: 0 PID: 1 at arch/x86/kernel/cpu/bugs.c:2950 __warn_thunk+0x2c/0x40',
  'systemd[1]: /usr/lib/systemd/system/x.service:9: Unknown key name',
];

describe('kernel', () => {
  test('the usual lines of a boot accuse no healthy machine, even minutes after it', () => {
    const lines = bootChatter.map((message, index) => line(message, 3, index)).join('');
    expect(judge(machine, 'kernel', sight, lines, lines)).toEqual([
      {
        severity: 'ok',
        subject: 'kernel',
        text: 'kernel reports no fault and nothing unusual in the last 24 hours (38 lines of no concern since the boot)',
        output: 1,
        measure: { value: 0, unit: 'lines' },
      },
    ]);
  });

  test.each([
    ['[UFW BLOCK] IN=eth0 OUT= MAC=00 SRC=10.0.0.9 DST=10.0.0.1 PROTO=TCP'],
    ['filter_IN_public_REJECT: IN=eth0 OUT= MAC=00 SRC=10.0.0.9'],
    ['kauditd_printk_skb: 12 callbacks suppressed'],
    ['net_ratelimit: 9 callbacks suppressed'],
    ['perf: interrupt took too long (2512 > 2500), lowering kernel.perf_event_max_sample_rate to 79000'],
    [
      'workqueue: drm_fb_helper_damage_work hogged CPU for >10000us 4 times, consider switching to WQ_UNBOUND',
    ],
    ['IPv4: martian source 10.0.0.1 from 10.0.0.2, on dev eth0'],
    ['I/O error, dev sr0, sector 0 op 0x0:(READ) flags 0x80700 phys_seg 1 prio class 2'],
    ['new mount options do not match the existing superblock, will be ignored'],
    [' ? exc_page_fault+0x7f/0x180'],
  ])('%s is noise at any time', (message) => {
    expect(verdictOf(judgeWarnings(line(message)))).toBe('ok');
  });

  test.each([
    ['Out of memory: Killed process 812 (java) total-vm:9GB, anon-rss:7GB', 'out-of-memory kill'],
    [
      'Out of memory (oom_kill_allocating_task): Killed process 812 (java) total-vm:9GB',
      'out-of-memory kill',
    ],
    ['sd 0:0:0:0: [sda] tag#0 Sense Key : Medium Error [current]', 'I/O error'],
    ['XFS (dm-0): Metadata CRC error detected at xfs_agf_read_verify+0x1', 'file system error'],
    ['I/O error, dev sda, sector 1234 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2', 'I/O error'],
    ['blk_update_request: critical medium error, dev sdb, sector 99', 'I/O error'],
    ['Buffer I/O error on dev dm-0, logical block 12, lost async page write', 'I/O error'],
    [
      'EXT4-fs error (device vda1): ext4_find_entry:1455: inode #2: reading directory lblock 0',
      'file system error',
    ],
    ['EXT4-fs (vda1): Remounting filesystem read-only', 'file system error'],
    ['XFS (dm-0): Metadata corruption detected at xfs_agi_verify+0x1', 'file system error'],
    ['XFS (dm-0): log I/O error -5', 'file system error'],
    ['XFS (dm-0): Filesystem has been shut down due to log error (0x2).', 'file system error'],
    ['BTRFS critical (device sdb): corrupt leaf', 'file system error'],
    ['mce: [Hardware Error]: CPU 1: Machine Check Exception: 5 Bank 4: be00000000800400', 'hardware error'],
    ['EDAC MC0: 1 UE memory read error on CPU_SrcID#0', 'hardware error'],
    ['watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [kworker/1:1:42]', 'lockup or stall'],
    ['rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:', 'lockup or stall'],
    ['INFO: task jbd2/vda1-8:210 blocked for more than 120 seconds.', 'lockup or stall'],
    ['BUG: unable to handle page fault for address: ffffffffc0', 'kernel bug'],
    ['kernel BUG at mm/slub.c:321!', 'kernel bug'],
    ['general protection fault, probably for non-canonical address 0xdead: 0000 [#1]', 'kernel bug'],
    ['WARNING: CPU: 3 PID: 99 at net/sched/sch_generic.c:525 dev_watchdog+0x20a/0x210', 'kernel call trace'],
  ])('%s is a fault', (message, subject) => {
    expect(brief(judgeErrors(line(message)))).toEqual([['critical', subject]]);
  });

  test('a fault counts its lines and quotes the newest', () => {
    const text = 'I/O error, dev sda, sector';
    expect(judgeErrors(line(`${text} 2`, 5), line(`${text} 1`, 300))).toMatchObject([
      {
        text: `kernel reports 2 × I/O error since the boot, the latest within the last hour: "${text} 2"`,
        measure: { value: 2, unit: 'lines' },
        output: 1,
      },
    ]);
  });

  test('after the window a broken disk is a warning for the rest of the boot; a kill is history', () => {
    const old = dayMinutes * 10;
    const findings = judgeErrors(
      line('Out of memory: Killed process 812 (java)', old),
      line('I/O error, dev sda, sector 7', old),
    );
    expect(brief(findings)).toEqual([['warning', 'I/O error']]);
    expect(findings[0]?.text).toContain('240 hours ago');
  });

  test('the age of a line is counted by the clock that wrote it', () => {
    const lines = line('Out of memory: Killed process 812 (java)', 60);
    const judgeWith = (clockSkewMs: number) =>
      judgeAt({ now: measured.now, clockSkewMs }, machine, 'kernel', sight, lines, '');
    expect(verdictOf(judgeWith(0))).toBe('critical');
    expect(verdictOf(judgeWith(2 * dayMinutes * 60_000))).toBe('ok');
  });

  test('other lines are warnings while they are new, grouped by what they have in common', () => {
    const memcg = 'Memory cgroup out of memory: Killed process 5 (x)';
    const findings = judgeWarnings(
      line('nfs: server filer1 not responding, still trying', 9),
      line('nfs: server filer2 not responding, still trying', 10),
      line(memcg, 11),
      line('e1000 0000:00:03.0 eth0: Reset adapter', dayMinutes + 1),
    );
    expect(findings).toMatchObject([
      {
        severity: 'warning',
        subject: 'kernel warnings',
        text: `kernel warnings of the last 24 hours: 2 × "nfs: server filer1 not responding, still trying", 1 × "${memcg}"`,
        output: 2,
      },
    ]);
  });

  test('the fleet file can have lines ignored, faults too', () => {
    const calm = machineWith("    expect: { kernel: { ignore: ['*dev sdz,*', 'nfs: *'] } }");
    const lines = line('I/O error, dev sdz, sector 7') + line('nfs: server filer1 not responding');
    expect(verdictOf(judge(calm, 'kernel', sight, lines, ''))).toBe('ok');
  });

  test('what came before the newest lines is not called good', () => {
    const floppy = line('I/O error, dev fd0, sector 0', 60).repeat(200);
    const hidden = judge(machine, 'kernel', sight, floppy, '');
    expect(brief(hidden)).toEqual([['inconclusive', 'kernel']]);
    expect(hidden[0]?.text).toContain('of the errors only the newest 200 of the 24 hours were read');
    // Warnings of a firewall may push each other out, which is told.
    const rejected = line('filter_IN_public_REJECT: IN=eth0 OUT= MAC=00', 60).repeat(200);
    expect(judge(machine, 'kernel', sight, '', rejected)).toMatchObject([
      { severity: 'ok', text: expect.stringContaining('of the warnings only the newest 200') },
    ]);
    const boot = line('I/O error, dev fd0, sector 0', dayMinutes + 1, 1).repeat(200);
    expect(verdictOf(judge(machine, 'kernel', sight, boot, ''))).toBe('ok');
  });

  test('a machine whose kernel cannot be seen is inconclusive', () => {
    // As in a container: the journal is there, and holds nothing of the kernel.
    const findings = judge(machine, 'kernel', '-- No entries --\n', '', '');
    expect(findings).toMatchObject([
      { severity: 'inconclusive', text: expect.stringContaining('no line of the kernel') },
    ]);
  });
});

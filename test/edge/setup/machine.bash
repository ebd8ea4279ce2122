# A machine that setup can look at without changing it: a folder as its root, and programs that note how they are
# called. Needs no root.
# shellcheck disable=SC2034

kit=$(cd "$BATS_TEST_DIRNAME/../../../edge" && pwd)
setup_edge=$kit/scripts/setup-edge.sh
image=registry.example.com/fleetbot-agent@sha256:$(printf '%064d' 0)
collector_image=registry.example.com/fleetbot-collector@sha256:$(printf '%064d' 1)
centre_key='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f'

# stand_in NAME OUTPUT: a program that notes its arguments and prints OUTPUT.
stand_in() {
  printf '#!/bin/sh\necho "%s $*" >>"%s"\nprintf "%%s\\n" "%s"\n' "$1" "$calls" "$2" >"$programs/$1"
  chmod +x "$programs/$1"
}

make_machine() {
  machine=$BATS_TEST_TMPDIR/machine
  programs=$BATS_TEST_TMPDIR/programs
  calls=$BATS_TEST_TMPDIR/calls
  mkdir -p "$programs" "$machine"/{home,etc/ssh,run/systemd/system,sys/fs/cgroup,usr/lib/systemd/user,usr/libexec/podman,var/lib,var/log/journal}
  : >"$calls"
  : >"$machine/sys/fs/cgroup/cgroup.controllers"
  : >"$machine/usr/lib/systemd/user/dbus.socket"
  printf '#!/bin/sh\nexit 0\n' >"$machine/usr/libexec/podman/quadlet"
  chmod +x "$machine/usr/libexec/podman/quadlet"
  echo 'Include /etc/ssh/sshd_config.d/*.conf' >"$machine/etc/ssh/sshd_config"
  echo "$centre_key centre" >"$machine/etc/ssh/ssh_host_ed25519_key.pub"
  stand_in systemctl 'systemd 257 (257.13)'
  stand_in podman 'podman version 5.4.2'
  stand_in ssh 'OpenSSH_10.0p2'
  stand_in df "$(printf 'Filesystem 1M-blocks Used Available\n/dev/a 99999 1 90000')"
  local name
  for name in sshd newuidmap useradd usermod loginctl runuser; do stand_in "$name" ''; done
  printf '{"version":1,"machine":"rhel-01","checks":{},"agent":{"commands":[],"readable":[],"secret":[]},"limits":{"commandTimeoutSeconds":20,"outputBytes":131072,"agentOutputBytes":32768,"concurrentCommands":4}}\n' \
    >"$BATS_TEST_TMPDIR/policy.json"
  flags=(--name rhel-01 --address rhel-01.example.com --centre-key "$centre_key" --from 192.0.2.10
    --policy "$BATS_TEST_TMPDIR/policy.json" --image "$image")
}

# dry_run FLAG…: setup on that machine, which it only looks at.
dry_run() {
  PATH=$programs:$PATH "$setup_edge" --dry-run --non-interactive --root "$machine" "$@" </dev/null
}

# load_setup: setup's functions, without running it.
load_setup() {
  local part
  scratch=$BATS_TEST_TMPDIR
  for part in say change settings prerequisites users ssh host-part secrets agent; do
    # shellcheck disable=SC1090
    source "$kit/scripts/lib/$part.sh"
  done
}

#!/usr/bin/env bats
# shellcheck disable=SC2154

bats_require_minimum_version 1.5.0

setup() {
  load machine.bash
  make_machine
}

tree() { (cd "$machine" && find . -printf '%p %m %s\n' | sort); }

@test "a dry run tells every change and makes none" {
  tree >"$BATS_TEST_TMPDIR/before"
  run -0 dry_run "${flags[@]}" --collector-image "$collector_image"
  [[ $output = *'would make user openclaw'* ]]
  [[ $output = *'would write /usr/libexec/fleetbot/broker'* ]]
  [[ $output = *'would write /etc/ssh/authorized_keys.d/fleetbot'* ]]
  [[ $output = *"would pull $image"* ]]
  [[ $output = *'would start the collector'* ]]
  [[ $output = *'changes would be made; none was.'* ]]
  tree | diff "$BATS_TEST_TMPDIR/before" -
  run ! grep -E '^(useradd|usermod|loginctl|podman (pull|load|secret)|systemctl (start|stop|restart|reload|enable|daemon-reload|--user))' "$calls"
}

@test "it ends with the entry for the fleet file and the next command" {
  run -0 dry_run "${flags[@]}"
  [[ $output = *'- name: rhel-01'*'address: rhel-01.example.com'*"hostKey: $centre_key"$'\n'* ]]
  [[ $output = *"agent: { image: \"$image\" }"*'Put the line "agent" into fleet.yaml too; otherwise another image is not told as drift.'* ]]
  [[ $output = *'npx fleetbot machine verify rhel-01'* ]]
  [[ $output = *"sha256:$(sha256sum <"$BATS_TEST_TMPDIR/policy.json" | cut -d' ' -f1)"* ]]
}

@test "the settings of the last run are enough for the next" {
  mkdir -p "$machine/etc/fleetbot"
  printf 'NAME=rhel-01\nADDRESS=r\nCENTRE_KEY=%s\nFROM=192.0.2.10\nIMAGE=%s\n' "$centre_key" "$image" >"$machine/etc/fleetbot/setup.conf"
  run -0 dry_run --policy "$BATS_TEST_TMPDIR/policy.json"
  [[ $output = *'Setting up rhel-01'* ]]
}

@test "where the centre's key was given as a file, the next run needs it no more" {
  printf '%s centre\n' "$centre_key" >"$BATS_TEST_TMPDIR/centre.pub"
  mkdir -p "$machine/etc/fleetbot"
  (
    load_setup
    set_value NAME rhel-01 test
    set_value ADDRESS rhel-01.example.com test
    set_value CENTRE_KEY "$centre_key" test
    set_value FROM 192.0.2.10 test
    set_value IMAGE "$image" test
    default_values
    kept_values
  ) >"$machine/etc/fleetbot/setup.conf"
  run -0 dry_run "${flags[@]}" --centre-key "$BATS_TEST_TMPDIR/centre.pub"
  [[ $output != *'/etc/fleetbot/setup.conf (root'* ]]
}

@test "a dry run finds what only root has on PATH" {
  rm "$programs"/{useradd,usermod,runuser}
  PATH=/usr/bin:/bin run -0 dry_run "${flags[@]}"
}

@test "a podman that does not run is told with what it says" {
  printf '#!/bin/sh\necho "cannot find libgpgme.so.11" >&2\nexit 127\n' >"$programs/podman"
  run -1 dry_run "${flags[@]}"
  [[ $output = *'podman does not run (cannot find libgpgme.so.11). Run podman --version and mend it.'* ]]
}

@test "a model server that does not answer is told, and one that listens is not" {
  python3 -c 'import signal, socket
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
signal.pause()' >"$BATS_TEST_TMPDIR/port" 3>&- &
  local server=$! url
  until [ -s "$BATS_TEST_TMPDIR/port" ]; do sleep 0.05; done
  url=http://127.0.0.1:$(cat "$BATS_TEST_TMPDIR/port")/v1
  run -0 dry_run "${flags[@]}" --model-url "$url"
  kill "$server"
  wait "$server" || true
  [[ $output != *'nothing answers'* ]]
  run -0 dry_run "${flags[@]}" --model-url "$url"
  [[ $output = *"nothing answers at $url; the agent cannot work until it does."* ]]
}

@test "without an uplink it is said who traces" {
  run -0 dry_run "${flags[@]}"
  [[ $output = *'the supervisor traces what it sees itself.'* ]]
}

@test "where fleetbot is not set up there is nothing to take off" {
  printf '#!/bin/sh\nexit 2\n' >"$programs/getent"
  chmod +x "$programs/getent"
  run -0 dry_run --uninstall
  [ "$output" = 'fleetbot is not set up here; nothing to take off.' ]
}

@test "a machine that is not ready is told everything at once, each with its cure" {
  rm "$machine/sys/fs/cgroup/cgroup.controllers" "$machine/usr/lib/systemd/user/dbus.socket"
  : >"$machine/etc/ssh/sshd_config"
  stand_in systemctl 'systemd 239 (239-78)'
  stand_in podman 'podman version 4.2.0'
  stand_in ssh 'OpenSSH_8.0p1'
  stand_in df "$(printf 'Filesystem 1M-blocks Used Available\n/dev/a 99999 1 100')"
  run -1 dry_run "${flags[@]}"
  [[ $output = *'systemd 239 is too old (250 is needed)'* ]]
  [[ $output = *'Boot it with systemd.unified_cgroup_hierarchy=1.'* ]]
  [[ $output = *'podman 4.2.0 is too old (4.3 is needed)'* ]]
  [[ $output = *'OpenSSH 8.0 is too old'* ]]
  [[ $output = *'Put "Include /etc/ssh/sshd_config.d/*.conf" at its top.'* ]]
  [[ $output = *'Install dbus-user-session.'* ]]
  [[ $output = *'/home has 100 MiB free, 3072 are needed'* ]]
  [[ $output = *'this machine is not ready: 8 to mend, nothing was changed.'* ]]
}

@test "where podman has no Quadlet that tells a crash, the units are systemd's own" {
  run -0 dry_run "${flags[@]}" --collector-image "$collector_image"
  [[ $output = *'/openclaw-agent.kube'* && $output != *openclaw-agent.service* ]]
  stand_in podman 'podman version 4.6.1'
  run -0 dry_run "${flags[@]}" --collector-image "$collector_image"
  [[ $output = *'write /etc/systemd/user/openclaw-agent.service'* && $output != *.kube* ]]
  stand_in podman 'podman version 4.3.1'
  rm "$machine/usr/libexec/podman/quadlet"
  run -0 dry_run "${flags[@]}" --collector-image "$collector_image"
  [[ $output = *'write /etc/systemd/user/openclaw-agent.service'* ]]
  [[ $output = *'link /etc/systemd/user/default.target.wants/fleetbot-collector.service to ../fleetbot-collector.service'* ]]
  [[ $output != *.kube* && $output != *wants/openclaw-agent* ]]
}

@test "a machine that got a podman with Quadlet gives up systemd's own units" {
  mkdir -p "$machine/etc/systemd/user"
  : >"$machine/etc/systemd/user/openclaw-agent.service"
  run -0 dry_run "${flags[@]}"
  [[ $output = *'would stop the collector'*'would remove /etc/systemd/user/openclaw-agent.service'*'/openclaw-agent.kube'* ]]
}

@test "units that this machine's Quadlet does not take are refused before they are in place" {
  printf '#!/bin/sh\necho "unsupported key ExitCodePropagation" >&2\nexit 1\n' >"$machine/usr/libexec/podman/quadlet"
  run -1 dry_run "${flags[@]}"
  [[ $output = *'Quadlet does not take the units: unsupported key ExitCodePropagation'* ]]
}

@test "the policy of another machine and a file that is no policy are refused" {
  run -1 dry_run "${flags[@]}" --name rhel-02
  [[ $output = *'is the policy of rhel-01, but this machine is rhel-02.'* ]]
  echo 'no policy' >"$BATS_TEST_TMPDIR/policy.json"
  run -1 dry_run "${flags[@]}"
  [[ $output = *'is no policy. On the centre: npx fleetbot edge policy rhel-01'* ]]
}

@test "a private key, two keys and what is no key are refused" {
  local file=$BATS_TEST_TMPDIR/key
  ssh-keygen -q -t ed25519 -N '' -f "$file"
  run -1 dry_run "${flags[@]}" --centre-key "$file"
  [[ $output = *'is a private key'* || $output = *'holds more than one key'* ]]
  cat "$file.pub" "$file.pub" >"$file.two"
  run -1 dry_run "${flags[@]}" --centre-key "$file.two"
  [[ $output = *'holds more than one key'* ]]
  run -1 dry_run "${flags[@]}" --centre-key 'ssh-ed25519 AAAA'
  [[ $output = *'is no public SSH key.'* ]]
  run -0 dry_run "${flags[@]}" --centre-key "$file.pub"
}

@test "the signer's keys are written when they are given, and stay as they are when they are not" {
  local signer='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP//AgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f'
  run -0 dry_run "${flags[@]}"
  [[ $output = *'Without --capsule-key nobody can approve a change of this machine'* && $output != *capsule-signers* ]]
  run -0 dry_run "${flags[@]}" --capsule-key "$signer"
  [[ $output = *'would write /etc/fleetbot/capsule-signers (root:root 0644)'* && $output != *'nobody can approve'* ]]
  mkdir -p "$machine/etc/fleetbot"
  printf 'signer@fleetbot namespaces="fleetbot-capsule@1" %s\n' "$signer" >"$machine/etc/fleetbot/capsule-signers"
  run -0 dry_run "${flags[@]}"
  [[ $output != *capsule-signers* && $output != *'nobody can approve'* ]]
  ssh-keygen -q -t ed25519 -N '' -f "$BATS_TEST_TMPDIR/signer"
  run -0 dry_run "${flags[@]}" --capsule-key "$signer" --capsule-key "$BATS_TEST_TMPDIR/signer.pub"
  [[ $output = *'would replace /etc/fleetbot/capsule-signers'* ]]
  run -1 dry_run "${flags[@]}" --capsule-key "$BATS_TEST_TMPDIR/signer"
  [[ $output = *'is a private key'* && $output != *'Setting up'* ]]
  run -1 dry_run "${flags[@]}" --capsule-key "$centre_key"
  [[ $output = *'is the key with which the centre logs in'* && $output != *'Setting up'* ]]
}

@test "an image without a digest is refused" {
  run -1 dry_run "${flags[@]}" --image registry.example.com/fleetbot-agent:latest
  [[ $output = *"--image: IMAGE cannot be"* ]]
}

@test "an uplink without a collector is refused" {
  run -1 dry_run "${flags[@]}" --uplink-url https://collector.example.com
  [[ $output = *'Give --collector-image too'* ]]
}

@test "an unknown flag and a flag without its value are refused" {
  run -1 dry_run --nmae rhel-01
  [[ $output = *'there is no flag --nmae.'* ]]
  run -1 dry_run --name
  [[ $output = *'--name needs a value'* ]]
  PATH=$programs:$PATH run -1 "$setup_edge" --dry-run --root
  [[ $output = *'--root needs a folder.'* ]]
  run -1 dry_run --purge
  [[ $output = *'--purge goes with --uninstall.'* ]]
}

@test "without root nothing but a dry run is begun, and it is said why" {
  chmod 755 "$BATS_TEST_TMPDIR"
  local as_nobody=() script=$setup_edge
  if [ "$EUID" -eq 0 ]; then
    cp -r "$kit" "$BATS_TEST_TMPDIR/kit"
    script=$BATS_TEST_TMPDIR/kit/scripts/setup-edge.sh
    chmod 755 "$BATS_RUN_TMPDIR" "$BATS_SUITE_TMPDIR" "$BATS_FILE_TMPDIR" "$(dirname "$BATS_TEST_TMPDIR")"
    as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  fi
  run -1 "${as_nobody[@]}" "$script" --non-interactive "${flags[@]}"
  [[ $output = *'setup needs root: it makes users, and files that only root may change.'* ]]
  run -1 "${as_nobody[@]}" "$script" --status
  [[ $output = *'--status needs root to ask the gate. Run it with sudo.'* ]]
}

@test "the entry for the fleet file can be had before there is a policy" {
  PATH=$programs:$PATH run -0 "$setup_edge" --fleet-entry --name rhel-01 --address 192.0.2.7 --dry-run --root "$machine"
  [[ $output = *'- name: rhel-01'*'address: 192.0.2.7'*"hostKey: $centre_key"* ]]
  [[ $output = *'npx fleetbot edge policy rhel-01 > policy.json'* ]]
}

@test "the entry tells the port of sshd, and none where sshd does not tell" {
  local entry=("$setup_edge" --fleet-entry --name rhel-01 --address 192.0.2.7 --dry-run --root "$machine")
  stand_in sshd 'port 2222'
  PATH=$programs:$PATH run -0 "${entry[@]}"
  [[ $output = *'ssh: { port: 2222 }'* ]]
  printf '#!/bin/sh\necho "Missing privilege separation directory: /run/sshd" >&2\nexit 255\n' >"$programs/sshd"
  PATH=$programs:$PATH run -0 "${entry[@]}"
  [[ $output = *"hostKey: $centre_key"*'npx fleetbot edge policy rhel-01'* && $output != *port:* ]]
}

@test "packages are installed only when asked to, and a dry run only tells which" {
  stand_in dnf ''
  run -0 dry_run "${flags[@]}"
  [[ $output != *'install packages'* ]]
  run -0 dry_run "${flags[@]}" --install-prerequisites
  [[ $output = *'would install packages: dnf install -y podman'* ]]
  run ! grep '^dnf' "$calls"
}

@test "a secret that is missing is told before anything is changed" {
  local with_collector=(--collector-image "$collector_image" --uplink-url https://collector.example.com)
  run -1 dry_run "${flags[@]}" "${with_collector[@]}"
  [[ $output = *'the uplink has no password yet.'* && $output != *'Setting up'* ]]
  run -1 dry_run "${flags[@]}" --anthropic-model claude-sonnet-4-6
  [[ $output = *'there is no key for claude-sonnet-4-6.'* && $output != *'Setting up'* ]]
  echo secret >"$BATS_TEST_TMPDIR/password"
  run -0 dry_run "${flags[@]}" "${with_collector[@]}" --uplink-password-file "$BATS_TEST_TMPDIR/password"
  [[ $output = *'would keep the secret fleetbot-uplink'* ]]
  [[ $(cat "$calls") != *c2VjcmV0* ]]
}

# Root's part of the machine: gate, broker, what they may do, and whom this machine takes itself for.

readonly program_dir=/usr/libexec/fleetbot

# json_field FILE FIELD: a text field of a JSON object; nothing where there is none.
json_field() {
  python3 -I -S -c 'import json, sys
value = json.load(open(sys.argv[1], encoding="utf-8")).get(sys.argv[2])
print(value if isinstance(value, str) else "")' "$1" "$2" 2>/dev/null || true
}

policy_digest() { printf 'sha256:%s' "$(sha256sum <"$1" | cut -d' ' -f1)"; }

check_policy() {
  local file=${value[POLICY]} machine
  [[ -r $file ]] || die "cannot read the policy $file. On the centre: npx fleetbot edge policy ${value[NAME]} > policy.json, and copy the file here."
  machine=$(json_field "$file" machine)
  [[ -n $machine ]] || die "$file is no policy. On the centre: npx fleetbot edge policy ${value[NAME]} > policy.json, and copy the file here."
  [[ $machine = "${value[NAME]}" ]] ||
    die "$file is the policy of $machine, but this machine is ${value[NAME]}. Bring the right one, or correct --name."
}

readonly capsule_signers=/etc/fleetbot/capsule-signers

# What ssh-keygen(1) calls a file of allowed signers, of the keys that were given; nothing where none was.
capsule_signer_lines() {
  local text line lines key
  for text in "${capsule_keys[@]}"; do
    lines=$text
    if [[ $text = /* ]]; then
      [[ -r $text ]] || die "cannot read $text. Give the signer's public key, or a readable file with it, to --capsule-key."
      lines=$(grep -vE '^[[:space:]]*(#|$)' "$text" || true)
    fi
    [[ $lines != *'PRIVATE KEY'* ]] || die "$text is a private key, which must never leave the signer. Give the file that ends in .pub."
    while IFS= read -r line; do
      key=$(awk '{ print $1, $2 }' <<<"$line")
      if [[ $key != 'ssh-ed25519 '* ]] || ! ssh-keygen -lf - <<<"$key" >/dev/null 2>&1; then
        die "\"$text\" is no public key of a signer. Give the line that \"fleetbot capsule key\" wrote into the .pub file."
      fi
      [[ $key != "${value[CENTRE_KEY]:-}" ]] ||
        die "\"$text\" is the key with which the centre logs in: whoever has that could approve, too. Give the signer's own."
      say "signer@fleetbot namespaces=\"fleetbot-capsule@1\" $key"
    done <<<"$lines"
  done
}

# refuse_while_acting: what an action runs from and writes into stays in its place until it has ended.
refuse_while_acting() {
  [[ $EUID -eq 0 && -z $root ]] || return 0
  local unit
  unit=$(systemctl list-units --plain --no-legend 'fleetbot-action-*.service' 2>/dev/null | awk '{ print $1 }' || true)
  [[ -z $unit ]] || die "$unit runs, a change that people approved. Wait for its end, which its time limit brings at the latest, and run setup again."
}

# Where the plugin's spans go nowhere, the supervisor traces the agent's calls as far as it sees them itself.
machine_json() {
  local traces=true quadlet=true
  [[ -n ${value[UPLINK_URL]} ]] || traces=false
  with_quadlet || quadlet=false
  cat <<JSON
{
  "name": "${value[NAME]}",
  "gatewayPort": 18789,
  "stateDir": "/var/lib/fleetbot",
  "runDir": "/run/fleetbot",
  "agentUser": "$agent_user",
  "readUser": "$read_user",
  "image": "${value[IMAGE]}",
  "plugin": "$kit_version",
  "traces": $traces,
  "quadlet": $quadlet
}
JSON
}

# ensure_host_files SIGNERS: without SIGNERS the machine keeps those that it has.
ensure_host_files() {
  local dir
  for dir in /etc/fleetbot "$program_dir" /var/lib/fleetbot; do ensure_dir "$dir" root:root 0755; done
  ensure_dir /var/lib/fleetbot/gate "$login_user:$login_user" 0700
  ensure_dir /var/lib/fleetbot/broker root:root 0700
  ensure_python "$kit/gate" "$program_dir/gate"
  ensure_python "$kit/broker" "$program_dir/broker"
  ensure_file /etc/fleetbot/machine.json root:root 0644 < <(machine_json)
  ensure_file /etc/fleetbot/policy.json root:root 0644 <"${value[POLICY]}"
  [[ -z $1 ]] || ensure_file "$capsule_signers" root:root 0644 <<<"$1"
}

# ensure_broker: its socket listens, from boot on. $host_before is what was changed before root's part was looked at:
# when anything of it differs, a broker that runs is ended, and the socket starts one that knows what is new.
ensure_broker() {
  local file
  for file in "$kit"/units/system/fleetbot-*; do
    ensure_file "/etc/systemd/system/${file##*/}" root:root 0644 <"$file"
  done
  ! changed_since "$host_before" || change 'have systemd read its units' systemctl daemon-reload
  systemctl is-enabled --quiet fleetbot-broker.socket 2>/dev/null ||
    change 'have the broker listen from boot on' systemctl enable fleetbot-broker.socket
  if changed_since "$host_before" || ! systemctl is-active --quiet fleetbot-broker.socket 2>/dev/null; then
    change 'have the broker listen' restart_broker
  fi
}

restart_broker() {
  systemctl stop fleetbot-broker.socket fleetbot-broker.service
  systemctl start fleetbot-broker.socket
}

# ensure_user_limits: root's limits on everything that the agent's user runs.
ensure_user_limits() {
  local uid before=$changes
  uid=$(uid_of "$agent_user")
  local dir=/etc/systemd/system/user@${uid:-UID}.service.d
  ensure_dir "$dir" root:root 0755
  ensure_file "$dir/50-fleetbot.conf" root:root 0644 \
    < <(render "$kit/units/system/user-limits.conf" MEMORY_MAX_MIB "${value[MEMORY_MAX_MIB]}")
  changed_since "$before" || return 0
  change 'have systemd read its units' systemctl daemon-reload
  # OOMScoreAdjust holds for what is started from now on.
  change "restart the user manager of $agent_user under its limits" systemctl restart "user@${uid:-UID}.service"
  [[ $dry_run = yes ]] || wait_for_user_manager
}

ensure_journal() {
  [[ ${value[PERSISTENT_JOURNAL]} = yes ]] || return 0
  [[ -d $root/var/log/journal && ! -e $root/etc/systemd/journald.conf.d/50-fleetbot.conf ]] && return 0
  local before=$changes
  ensure_dir /etc/systemd/journald.conf.d root:root 0755
  ensure_file /etc/systemd/journald.conf.d/50-fleetbot.conf root:root 0644 <"$kit/units/system/journald.conf"
  ! changed_since "$before" || change 'have the journal kept on disk' systemctl restart systemd-journald.service
}

selinux_is_on() { has selinuxenabled && selinuxenabled; }

ensure_selinux() {
  selinux_is_on || return 0
  local before=$changes
  has semodule || die 'SELinux is on, but semodule is missing. Install policycoreutils and run setup again.'
  ensure_file /usr/share/selinux/packages/fleetbot.cil root:root 0644 <"$kit/selinux/fleetbot.cil"
  if changed_since "$before" || ! grep -qx fleetbot < <(semodule -l); then
    change 'load the SELinux module fleetbot' semodule -i /usr/share/selinux/packages/fleetbot.cil
  fi
}

# ensure_labels: each path gets the label that the module says, before a container looks at it.
ensure_labels() {
  selinux_is_on || return 0
  ! changed_since 0 || change 'label what was installed' restorecon -R /etc/fleetbot "$program_dir" /var/lib/fleetbot /run/fleetbot
}

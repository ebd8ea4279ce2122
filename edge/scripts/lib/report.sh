# What people take away: the machine's entry for the fleet file, and what is installed.

host_key_file() {
  local type
  for type in ed25519 ecdsa rsa; do
    if [[ -r $root/etc/ssh/ssh_host_${type}_key.pub ]]; then
      say "$root/etc/ssh/ssh_host_${type}_key.pub"
      return 0
    fi
  done
}

# The first; sshd must be read to its end, or a full pipe would end it, and setup with it.
# Nothing where sshd is missing or does not tell (to another user than root, or while it is stopped).
ssh_port() { sshd -T 2>/dev/null | awk '$1 == "port" && !found++ { print $2 }' || true; }

print_fleet_entry() {
  local file port key='TYPE BASE64 # no host key here yet: start sshd, then /etc/ssh/ssh_host_ed25519_key.pub'
  file=$(host_key_file)
  [[ -z $file ]] || key=$(awk '{ print $1, $2 }' "$file")
  port=$(ssh_port)
  heading 'For fleet.yaml, under machines (add role, labels and what should be true of it):'
  say ''
  say "  - name: ${value[NAME]}"
  say "    address: ${value[ADDRESS]}"
  say "    hostKey: $key"
  [[ ${port:-22} = 22 ]] || say "    ssh: { port: $port }"
  [[ -n ${value[IMAGE]} ]] || return 0
  say "    agent: { image: \"${value[IMAGE]}\" }"
  heading 'Put the line "agent" into fleet.yaml too; otherwise another image is not told as drift.'
}

# tell LABEL STATE [CURE]: one line of --status; a cure makes it a fault.
faults=0
tell() {
  if [[ -z ${3:-} ]]; then
    printf '  %-12s %s\n' "$1" "$2"
  else
    faults=$((faults + 1))
    printf '  %-12s %s  <- %s\n' "$1" "$2" "$3"
  fi
}

# Of each key that may sign a change.
signer_fingerprints() {
  local key fingerprints=()
  while IFS= read -r key; do
    fingerprints+=("$(ssh-keygen -lf - <<<"$key" | awk '{ print $2 }')")
  done < <(grep -o 'ssh-ed25519 .*' "$capsule_signers" 2>/dev/null)
  printf '%s' "${fingerprints[*]:-none: nobody can approve a change of this machine}"
}

print_status() {
  local machine=/etc/fleetbot/machine.json image state lock digest action
  if [[ ! -f $machine ]]; then
    say 'fleetbot is not set up on this machine. Run setup-edge.sh without --status to set it up.'
    return 1
  fi
  say "$(json_field "$machine" name): fleetbot $(sed -n 's/^VERSION = "\(.*\)"$/\1/p' "$program_dir/gate/version.py")"
  image=$(json_field "$machine" image)
  digest=$(policy_digest /etc/fleetbot/policy.json)
  tell policy "$digest"
  if [[ -z $(gate_field protocol) ]]; then
    tell gate 'does not answer' 'journalctl -t fleetbot-gate -t fleetbot-broker says why'
  else
    tell gate "answers, highest fence $(gate_field fence)"
  fi
  lock=$(gate_field lock)
  tell lock "${lock:-none}"
  action=$(gate_field action)
  tell action "${action:-none}"
  tell signers "$(signer_fingerprints)"
  if systemctl is-active --quiet fleetbot-broker.socket; then tell broker listens; else
    tell broker 'does not listen' 'run setup-edge.sh again'
  fi
  if as_agent podman image exists "$image" 2>/dev/null; then tell image "$image"; else
    tell image "$image is missing" 'run setup-edge.sh again'
  fi
  state=$(agent_state)
  case $state in
    failed) tell agent "$state" "journalctl _UID=$(uid_of "$agent_user") says why; the next start is tried anew" ;;
    '') tell agent 'has no unit' 'run setup-edge.sh again' ;;
    *) tell agent "$state" ;;
  esac
  if user_units cat fleetbot-collector.service >/dev/null 2>&1; then
    state=$(user_units show --property=ActiveState --value fleetbot-collector.service)
    if [[ $state = active ]]; then tell collector "$state"; else
      tell collector "$state" "journalctl _UID=$(uid_of "$agent_user") says why"
    fi
  else
    tell collector none
  fi
  [[ $faults -eq 0 ]]
}

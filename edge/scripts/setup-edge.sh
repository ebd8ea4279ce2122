#!/usr/bin/env bash
# Turns this Linux machine into a governed one; see --help and edge/README.md.
set -euo pipefail
umask 022
export LC_ALL=C
# Where Debian has what setup calls, and users who are not root do not look.
export PATH=$PATH:/usr/sbin:/sbin

kit=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
kit_version=$(<"$kit/VERSION")
# shellcheck source=lib/say.sh
source "$kit/scripts/lib/say.sh"
# shellcheck source=lib/change.sh
source "$kit/scripts/lib/change.sh"
# shellcheck source=lib/settings.sh
source "$kit/scripts/lib/settings.sh"
# shellcheck source=lib/prerequisites.sh
source "$kit/scripts/lib/prerequisites.sh"
# shellcheck source=lib/users.sh
source "$kit/scripts/lib/users.sh"
# shellcheck source=lib/ssh.sh
source "$kit/scripts/lib/ssh.sh"
# shellcheck source=lib/host-part.sh
source "$kit/scripts/lib/host-part.sh"
# shellcheck source=lib/secrets.sh
source "$kit/scripts/lib/secrets.sh"
# shellcheck source=lib/agent.sh
source "$kit/scripts/lib/agent.sh"
# shellcheck source=lib/warm-up.sh
source "$kit/scripts/lib/warm-up.sh"
# shellcheck source=lib/report.sh
source "$kit/scripts/lib/report.sh"
# shellcheck source=lib/uninstall.sh
source "$kit/scripts/lib/uninstall.sh"

mode=install interactive=auto answers_file='' stop_agent=no purge=no install_missing=no

usage() {
  local name
  cat <<HELP
setup-edge.sh ($kit_version): makes this machine one that fleetbot governs. Run it as root, from a copy of edge/.

  setup-edge.sh                        asks for what it needs
  setup-edge.sh --non-interactive …    takes flags, and defaults for the rest
  setup-edge.sh --answers FILE         takes lines KEY=VALUE; the file is read, never executed
  setup-edge.sh                        again, also from a newer kit: changes what differs; keeps lock, fence, secrets, volumes

  --fleet-entry              prints the entry for fleet.yaml, of which the centre makes the policy that setup needs
  --dry-run                  prints every change and makes none
  --status                   tells what is installed and whether it works (exit code 1: not all does)
  --uninstall [--purge]      takes it off; --purge also removes volumes, lock, fence and users
  --stop-agent               ends the run that is under way, where setup would refuse
  --install-prerequisites    lets dnf or apt-get install what is missing
  --no-warm-up               does not start the agent once
  --help                     this text

Settings, as flags or (in capitals, with _) in the answer file:
HELP
  for name in "${setting_names[@]}"; do
    printf '  %-26s %s%s\n' "$(flag_of "$name")" "${what[$name]}" "${fallback[$name]:+ [${fallback[$name]}]}"
  done
  cat <<'HELP'

An example:
  setup-edge.sh --non-interactive --name rhel-01 --address rhel-01.example.com --centre-key centre.pub \
    --from 192.0.2.10 --policy policy.json --image registry.example.com/fleetbot-agent@sha256:…
HELP
}

read_flags() {
  local flag name
  while [[ $# -gt 0 ]]; do
    flag=$1
    shift
    case $flag in
      --help | -h) usage; exit 0 ;;
      --dry-run) dry_run=yes ;;
      --status) mode=status ;;
      --fleet-entry) mode=entry ;;
      --uninstall) mode=uninstall ;;
      --purge) purge=yes ;;
      --stop-agent) stop_agent=yes ;;
      --install-prerequisites) install_missing=yes ;;
      --non-interactive) interactive=no ;;
      --no-warm-up) set_value WARM_UP no --no-warm-up ;;
      --root) root=${1:-}; [[ -n $root ]] || die '--root needs a folder.'; shift ;;
      --answers) answers_file=${1:-}; [[ -n $answers_file ]] || die '--answers needs a file.'; interactive=no; shift ;;
      --*)
        name=${flag%%=*}
        name=${name#--}
        name=${name^^}
        name=${name//-/_}
        [[ -n ${pattern[$name]:-} ]] || die "there is no flag $flag. --help lists them."
        if [[ $flag = *=* ]]; then
          set_value "$name" "${flag#*=}" "${flag%%=*}"
        else
          [[ $# -gt 0 ]] || die "$flag needs a value: ${what[$name]}."
          set_value "$name" "$1" "$flag"
          shift
        fi
        ;;
      *) die "\"$flag\" is not understood. --help tells how setup is called." ;;
    esac
  done
  [[ -z $root || $dry_run = yes ]] || die '--root is for --dry-run alone.'
  [[ $purge = no || $mode = uninstall ]] || die '--purge goes with --uninstall.'
}

need_root() { # WHY
  [[ $EUID -eq 0 || $dry_run = yes ]] || die "$1"
}

collect_values() {
  [[ -z $answers_file ]] || read_answers "$answers_file"
  fill_from "$root/etc/fleetbot/setup.conf"
  default_values
  [[ $interactive != auto || -t 0 ]] || interactive=no
  if [[ $interactive = auto ]]; then
    ask_for_values
    ask_for_secrets
  fi
  require_values
}

tell_intent() {
  cat <<TEXT

setup needs root for what the agent and its user must not be able to change:
  users     fleetbot (the centre logs in), openclaw (runs the agent, rootless), fleetbot-read (reads for checks)
  SSH       one key with one forced command, and a part of sshd's configuration
  programs  gate and broker in $program_dir, the broker's socket
  limits    memory, CPU and IO of the agent's user, its units, images and secrets
  books     /etc/fleetbot (settings, policy, signers), /var/lib/fleetbot (fence, lock, what became of actions)
TEXT
  [[ $interactive = auto && $dry_run = no ]] || return 0
  local answer
  read -rp 'Go on? [Y/n] ' answer || answer=n
  [[ ${answer:-y} = [yY]* ]] || die 'nothing was changed.'
}

install_kit() {
  local collector_settings host_before signers
  collector_changed=no
  collect_values
  [[ $install_missing = no ]] || install_prerequisites
  check_prerequisites
  check_policy
  collect_secrets
  # The key itself from here on: the next run may not find the file.
  value[CENTRE_KEY]=$(centre_key)
  signers=$(capsule_signer_lines)
  tell_intent
  [[ ! -e $root$unfinished_file ]] || unfinished=yes
  refuse_while_acting
  refuse_while_active
  heading "Setting up ${value[NAME]} with fleetbot $kit_version:"
  ensure_users
  # First what most likely fails: until the images are here, a machine that works goes on as it was.
  ensure_image "${value[IMAGE]}" "${value[IMAGE_ARCHIVE]}"
  ! with_collector || ensure_image "${value[COLLECTOR_IMAGE]}" "${value[COLLECTOR_IMAGE_ARCHIVE]}"
  ensure_journal
  ensure_selinux
  host_before=$changes
  ensure_host_files "$signers"
  ensure_agent_settings
  ensure_broker
  ensure_user_limits
  collector_settings=$changes
  ensure_secrets
  ensure_collector_settings
  ! changed_since "$collector_settings" || collector_changed=yes
  ensure_labels
  ensure_units
  # Last, so that nobody comes in before everything is in its place.
  ensure_ssh
  warm_up
  ensure_file /etc/fleetbot/setup.conf root:root 0600 < <(kept_values)
  [[ $dry_run = yes ]] || rm -f -- "$unfinished_file"
  tell_result "$signers"
}

tell_result() { # SIGNERS
  if [[ $dry_run = yes ]]; then
    heading "$changes changes would be made; none was."
  elif [[ $changes -eq 0 ]]; then
    heading 'Nothing to change: this machine is as it should be.'
  else
    heading "$changes changes made."
  fi
  [[ -n ${value[UPLINK_URL]} ]] ||
    warn 'without --uplink-url the agent reports no traces of its own; the supervisor traces what it sees itself.'
  [[ -n $1 || -s $root$capsule_signers ]] ||
    say 'Without --capsule-key nobody can approve a change of this machine: it can only be looked at.'
  check_model
  say "The policy in force: $(policy_digest "${value[POLICY]}")"
  print_fleet_entry
  heading "Then, on the centre: npx fleetbot machine verify ${value[NAME]}"
}

# Before there is a policy: the centre makes it from this entry.
print_entry_first() {
  fill_from "$root/etc/fleetbot/setup.conf"
  default_values
  print_fleet_entry
  heading "Then, on the centre: npx fleetbot edge policy ${value[NAME]} > policy.json, and setup with --policy policy.json here."
}

clean_up() {
  # Interrupted in the middle of the agent's first start.
  [[ -z $warming ]] || ask_gate stop "$warming" >/dev/null 2>&1 || true
  rm -rf -- "$scratch"
}

main() {
  read_flags "$@"
  scratch=$(mktemp -d)
  trap clean_up EXIT
  case $mode in
    install)
      need_root 'setup needs root: it makes users, and files that only root may change. Run it with sudo, or look first with --dry-run.'
      install_kit
      ;;
    entry) print_entry_first ;;
    status) need_root '--status needs root to ask the gate. Run it with sudo.'; print_status ;;
    uninstall)
      need_root '--uninstall needs root to remove users and files. Run it with sudo, or look first with --dry-run.'
      uninstall
      ;;
  esac
}

main "$@"

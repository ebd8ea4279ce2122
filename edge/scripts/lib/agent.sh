# The agent's part: images, settings and units of the user openclaw.

quadlet_dir() { printf '/etc/containers/systemd/users/%s' "$(uid_of "$agent_user" | grep . || printf UID)"; }

# Without Quadlet the units are systemd's own, and stand where every user has them.
unit_dir() { if with_quadlet; then quadlet_dir; else printf '/etc/systemd/user'; fi; }

unit_files() { if with_quadlet; then say "$1.kube" "$1.yaml"; else say "$1.service"; fi; } # NAME

user_units() { as_agent systemctl --user "$@"; }

agent_state() { user_units show --property=ActiveState --value openclaw-agent.service 2>/dev/null || true; }

# refuse_while_active: an upgrade changes nothing under a running agent.
refuse_while_active() {
  local state
  user_exists "$agent_user" && [[ $EUID -eq 0 && -d /run/user/$(uid_of "$agent_user") ]] || return 0
  state=$(agent_state)
  case $state in active | activating | deactivating) ;; *) return 0 ;; esac
  [[ $stop_agent = yes ]] ||
    die "the agent is $state. Wait until its run has ended, or run setup with --stop-agent, which ends the run."
  change 'stop the agent' stop_agent_now
}

# ensure_image REF ARCHIVE: as pinned, from the archive or the registry, unless it is there.
ensure_image() {
  local ref=$1 archive=$2 problem
  has_image "$ref" && return 0
  if [[ -z $archive ]]; then
    note "pull $ref"
    [[ $dry_run = yes ]] || problem=$(as_agent podman pull --quiet "$ref" 2>&1 >/dev/null) ||
      die "$ref cannot be pulled: $(tail -n 1 <<<"$problem"). $(login_or_archive "$ref")"
    return 0
  fi
  [[ -r $archive ]] || die "cannot read the archive $archive. Make it with $(archive_command "$ref")."
  change "load $ref from $archive" load_image "$archive"
  [[ $dry_run = yes ]] || has_image "$ref" ||
    die "$archive does not hold $ref; it brought: $(images_beside "$ref"). Pin what it holds, or make it with $(archive_command "$ref")."
}

# Not podman save, which writes another digest.
archive_command() { # REF
  case $1 in
    localhost/*) printf 'skopeo copy --preserve-digests containers-storage:%s oci-archive:FILE, where it was built' "$1" ;;
    *) printf 'skopeo copy --preserve-digests docker://%s oci-archive:FILE' "$1" ;;
  esac
}

login_or_archive() { # REF
  [[ $1 = localhost/* ]] || printf 'Let %s log in to the registry: cd / && runuser -u %s -- env HOME=%s XDG_RUNTIME_DIR=/run/user/%s podman login %s. ' \
    "$agent_user" "$agent_user" "$(getent passwd "$agent_user" | cut -d: -f6)" "$(uid_of "$agent_user")" "${1%%/*}"
  printf 'It can come from an archive (--image-archive or --collector-image-archive) made with %s.' "$(archive_command "$1")"
}

has_image() { user_exists "$agent_user" && [[ $EUID -eq 0 ]] && as_agent podman image exists "$1" 2>/dev/null; }

# images_beside REF: those of the same name with another digest.
images_beside() {
  as_agent podman images --digests --format '{{.Repository}}@{{.Digest}}' | grep -F "${1%%@*}" | tr '\n' ' ' | grep . || printf 'nothing of that name'
}

load_image() { as_agent podman load --quiet <"$1"; }

# ensure_agent_settings: what the image's own tool makes of policy and model.
ensure_agent_settings() {
  local made=$scratch/agent file arguments=()
  mkdir -p "$made"
  arguments+=(--model-url "${value[MODEL_URL]}")
  [[ -z ${value[MODEL]} ]] || arguments+=(--model "${value[MODEL]}")
  [[ -z ${value[ANTHROPIC_MODEL]} ]] || arguments+=(--anthropic-model "${value[ANTHROPIC_MODEL]}")
  python3 -I -B "$kit/agent/make-config" --machine "${value[NAME]}" --policy "${value[POLICY]}" --out "$made" "${arguments[@]}" ||
    die 'the settings of the agent could not be made. Correct what the line above names, and run setup again.'
  ensure_dir /etc/fleetbot/agent root:root 0755
  for file in "$made"/*; do
    ensure_file "/etc/fleetbot/agent/${file##*/}" root:root 0644 <"$file"
  done
}

with_collector() { [[ -n ${value[COLLECTOR_IMAGE]} ]]; }

ensure_collector_settings() {
  with_collector || return 0
  local authorities
  ensure_dir /etc/fleetbot/collector root:root 0755
  ensure_file /etc/fleetbot/collector/collector.yaml root:root 0644 <"$kit/collector/collector.yaml"
  if [[ -z ${value[UPLINK_URL]} ]]; then
    ensure_gone /etc/fleetbot/collector/uplink.yaml
    return 0
  fi
  ensure_file /etc/fleetbot/collector/uplink.yaml root:root 0644 <"$kit/collector/uplink.yaml"
  for authorities in "${value[UPLINK_CA_FILE]}" /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/certs/ca-certificates.crt; do
    [[ -n $authorities && -r $authorities ]] && break
  done
  # Those that were given once stay until others are given.
  [[ -z ${value[UPLINK_CA_FILE]} && -e $root/etc/fleetbot/collector/ca.pem ]] ||
    ensure_file /etc/fleetbot/collector/ca.pem root:root 0644 <"$authorities"
}

# collector_pod: without the lines of the uplink where there is none.
collector_pod() {
  render "$kit/units/user/fleetbot-collector.yaml" NAME "${value[NAME]}" UPLINK_URL "${value[UPLINK_URL]}" \
    COLLECTOR_IMAGE "${value[COLLECTOR_IMAGE]}" | if [[ -n ${value[UPLINK_URL]} ]]; then cat; else sed '/# with uplink$/d'; fi
}

# make_units DIR: what is to stand in the unit directory.
make_units() {
  mkdir -p "$1"
  if with_quadlet; then make_pods "$1"; else make_services "$1"; fi
}

# make_pods DIR: checked by this machine's own Quadlet.
make_pods() {
  local dir=$1 problem
  render "$kit/units/user/openclaw-agent.kube" RUNTIME_MAX_SECONDS "${value[RUNTIME_MAX_SECONDS]}" >"$dir/openclaw-agent.kube"
  render "$kit/units/user/openclaw-agent.yaml" IMAGE "${value[IMAGE]}" >"$dir/openclaw-agent.yaml"
  if with_collector; then
    cp "$kit/units/user/fleetbot-collector.kube" "$dir/"
    collector_pod >"$dir/fleetbot-collector.yaml"
  fi
  problem=$(QUADLET_UNIT_DIRS=$dir "$(quadlet_program)" -dryrun -user 2>&1 >/dev/null) ||
    die "this machine's Quadlet does not take the units: $(last_lines "$problem")Upgrade podman and run setup again."
}

make_services() { # DIR
  local kit_units=$kit/units/without-quadlet
  render "$kit_units/openclaw-agent.service" RUNTIME_MAX_SECONDS "${value[RUNTIME_MAX_SECONDS]}" IMAGE "${value[IMAGE]}" |
    if has_secret openclaw-model-keys MODEL_API_KEY; then cat; else without MODEL_API_KEY; fi |
    if has_secret openclaw-model-keys ANTHROPIC_API_KEY; then cat; else without ANTHROPIC_API_KEY; fi >"$1/openclaw-agent.service"
  with_collector || return 0
  render "$kit_units/fleetbot-collector.service" NAME "${value[NAME]}" COLLECTOR_IMAGE "${value[COLLECTOR_IMAGE]}" \
    UPLINK_URL "$(quoted_for_exec "${value[UPLINK_URL]}")" |
    if [[ -n ${value[UPLINK_URL]} ]]; then cat; else without uplink; fi >"$1/fleetbot-collector.service"
}

# without WHAT: a unit without the lines that follow "# with WHAT".
without() { sed "/^ *# with $1\$/,+1d"; }

# What systemd takes for TEXT between double quotes of ExecStart=.
quoted_for_exec() { sed 's/[%$]/&&/g; s/\\/&&/g' <<<"$1"; }

# Units that setup made before podman had Quadlet would stand before those that Quadlet makes.
leave_other_form() {
  with_quadlet && [[ -e $root/etc/systemd/user/openclaw-agent.service ]] || return 0
  change 'stop the collector' user_units stop 'fleetbot-collector.*'
  remove_services
}

remove_services() {
  ensure_gone /etc/systemd/user/default.target.wants/fleetbot-collector.service
  ensure_gone /etc/systemd/user/fleetbot-collector.service
  ensure_gone /etc/systemd/user/openclaw-agent.service
}

ensure_units() {
  local made=$scratch/units dir file before=$changes collector_before
  make_units "$made"
  dir=$(unit_dir)
  leave_other_form
  if with_quadlet; then
    for file in /etc/containers/systemd /etc/containers/systemd/users "$dir"; do ensure_dir "$file" root:root 0755; done
  fi
  ensure_dir /etc/systemd/user root:root 0755
  ensure_dir /etc/systemd/user/default.target.wants root:root 0755
  ensure_file /etc/systemd/user/fleetbot-warm-up.service root:root 0644 <"$kit/units/user/fleetbot-warm-up.service"
  ensure_link /etc/systemd/user/default.target.wants/fleetbot-warm-up.service ../fleetbot-warm-up.service
  for file in $(unit_files openclaw-agent); do
    ensure_file "$dir/$file" root:root 0644 <"$made/$file"
  done
  collector_before=$changes
  for file in $(unit_files fleetbot-collector); do
    if with_collector; then
      ensure_file "$dir/$file" root:root 0644 <"$made/$file"
    else
      ensure_gone "$dir/$file"
    fi
  done
  # Quadlet makes this link itself.
  if with_collector && ! with_quadlet; then
    ensure_link /etc/systemd/user/default.target.wants/fleetbot-collector.service ../fleetbot-collector.service
  else
    ensure_gone /etc/systemd/user/default.target.wants/fleetbot-collector.service
  fi
  ! changed_since "$before" || change "have the user manager of $agent_user read its units" user_units daemon-reload
  with_collector || return 0
  if [[ $dry_run = yes ]] || ! user_units is-active --quiet fleetbot-collector.service; then
    [[ $dry_run = yes && $changes -eq 0 ]] || change 'start the collector' user_units start fleetbot-collector.service
  elif [[ $collector_changed = yes ]] || changed_since "$collector_before"; then
    change 'restart the collector' user_units restart fleetbot-collector.service
  fi
}

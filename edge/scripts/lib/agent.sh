# The agent's part: images, secrets, settings and units of the user openclaw.

unit_dir() { printf '/etc/containers/systemd/users/%s' "$(uid_of "$agent_user" | grep . || printf UID)"; }

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
      die "$ref cannot be pulled: $(tail -n 1 <<<"$problem"). Let $agent_user log in to the registry (podman login), or give an archive with --image-archive or --collector-image-archive."
    return 0
  fi
  [[ -r $archive ]] || die "cannot read the archive $archive. Make it with skopeo copy --preserve-digests docker://$ref oci-archive:FILE."
  change "load $ref from $archive" load_image "$archive"
  [[ $dry_run = yes ]] || has_image "$ref" ||
    die "$archive does not hold $ref; it brought: $(images_beside "$ref"). Pin what it holds, or make it with skopeo copy --preserve-digests docker://$ref oci-archive:FILE."
}

has_image() { user_exists "$agent_user" && [[ $EUID -eq 0 ]] && as_agent podman image exists "$1" 2>/dev/null; }

# images_beside REF: those of the same name with another digest.
images_beside() {
  as_agent podman images --digests --format '{{.Repository}}@{{.Digest}}' | grep -F "${1%%@*}" | tr '\n' ' ' | grep . || printf 'nothing of that name'
}

load_image() { as_agent podman load --quiet <"$1"; }

# secret_yaml NAME KEY VALUE…: the form that secretKeyRef reads.
secret_yaml() {
  printf 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\ndata:\n' "$1"
  shift
  while [[ $# -gt 0 ]]; do
    printf '  %s: %s\n' "$1" "$(printf '%s' "$2" | base64 -w0)"
    shift 2
  done
}

has_secret() { user_exists "$agent_user" && [[ $EUID -eq 0 ]] && as_agent podman secret exists "$1" 2>/dev/null; }

# Who may not look (a dry run without root) takes it to be there.
lacks_secret() { # NAME KEY
  [[ $EUID -eq 0 ]] || ! user_exists "$agent_user" || return 1
  [[ -z $(secret_value "$1" "$2") ]]
}

# ensure_secret NAME KEY VALUE…: the values go by pipes, never by arguments.
ensure_secret() {
  local name=$1 yaml
  yaml=$(secret_yaml "$@")
  if has_secret "$name"; then
    [[ $(as_agent podman secret inspect --showsecret --format '{{.SecretData}}' "$name") = "$yaml" ]] && return 0
  fi
  change "keep the secret $name" store_secret "$name" "$yaml"
}

store_secret() { printf '%s\n' "$2" | as_agent podman secret create --replace "$1" -; }

# read_secret_file FILE: its one line.
read_secret_file() {
  local text
  [[ -r $1 ]] || die "cannot read $1. Give a file that root can read, with the secret alone in it."
  text=$(<"$1")
  [[ -n $text && $text != *$'\n'* ]] || die "$1 does not hold exactly one line. Put the secret alone in it."
  printf '%s' "$text"
}

# secret_value NAME KEY: what is kept; nothing where there is none.
secret_value() {
  has_secret "$1" || return 0
  as_agent podman secret inspect --showsecret --format '{{.SecretData}}' "$1" | sed -n "s/^  $2: //p" | base64 -d
}

# collect_secrets: from their files into memory, beside those that were typed; and that none is missing.
collect_secrets() {
  local key
  for key in MODEL_KEY ANTHROPIC_KEY UPLINK_PASSWORD; do
    [[ -z ${value[${key}_FILE]} ]] || typed["$key"]=$(read_secret_file "${value[${key}_FILE]}")
  done
  if [[ -n ${value[ANTHROPIC_MODEL]} && -z ${typed[ANTHROPIC_KEY]:-} ]] && lacks_secret openclaw-model-keys ANTHROPIC_API_KEY; then
    die "there is no key for ${value[ANTHROPIC_MODEL]}. Give the file with it to --anthropic-key-file."
  fi
  if [[ -n ${value[UPLINK_URL]} && -z ${typed[UPLINK_PASSWORD]:-} ]] && lacks_secret fleetbot-uplink password; then
    die 'the uplink has no password yet. Give the file with it to --uplink-password-file.'
  fi
}

# ensure_secrets: what this run was not told again stays as it is.
ensure_secrets() {
  local pairs=() key
  has_secret fleetbot-otlp-token || ensure_secret fleetbot-otlp-token token "$(openssl rand -hex 32)"
  key=${typed[MODEL_KEY]:-$(secret_value openclaw-model-keys MODEL_API_KEY)}
  [[ -z $key ]] || pairs+=(MODEL_API_KEY "$key")
  key=${typed[ANTHROPIC_KEY]:-$(secret_value openclaw-model-keys ANTHROPIC_API_KEY)}
  [[ -z $key ]] || pairs+=(ANTHROPIC_API_KEY "$key")
  [[ ${#pairs[@]} -eq 0 ]] || ensure_secret openclaw-model-keys "${pairs[@]}"
  [[ -z ${typed[UPLINK_PASSWORD]:-} ]] || ensure_secret fleetbot-uplink password "${typed[UPLINK_PASSWORD]}"
}

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

# make_units DIR: what is to stand in the unit directory, checked by this machine's own Quadlet.
make_units() {
  local dir=$1 problem quadlet
  mkdir -p "$dir"
  render "$kit/units/user/openclaw-agent.kube" RUNTIME_MAX_SECONDS "${value[RUNTIME_MAX_SECONDS]}" >"$dir/openclaw-agent.kube"
  render "$kit/units/user/openclaw-agent.yaml" IMAGE "${value[IMAGE]}" >"$dir/openclaw-agent.yaml"
  if with_collector; then
    cp "$kit/units/user/fleetbot-collector.kube" "$dir/"
    collector_pod >"$dir/fleetbot-collector.yaml"
  fi
  quadlet=$(quadlet_program)
  [[ -n $quadlet ]] || return 0
  problem=$(QUADLET_UNIT_DIRS=$dir "$quadlet" -dryrun -user 2>&1 >/dev/null) ||
    die "this machine's Quadlet does not take the units: $(last_lines "$problem")Upgrade podman and run setup again."
}

ensure_units() {
  local made=$scratch/units dir file before=$changes collector_before
  make_units "$made"
  dir=$(unit_dir)
  for file in /etc/containers/systemd /etc/containers/systemd/users "$dir"; do ensure_dir "$file" root:root 0755; done
  ensure_dir /etc/systemd/user root:root 0755
  ensure_dir /etc/systemd/user/default.target.wants root:root 0755
  ensure_file /etc/systemd/user/fleetbot-warm-up.service root:root 0644 <"$kit/units/user/fleetbot-warm-up.service"
  ensure_link /etc/systemd/user/default.target.wants/fleetbot-warm-up.service ../fleetbot-warm-up.service
  for file in openclaw-agent.kube openclaw-agent.yaml; do
    ensure_file "$dir/$file" root:root 0644 <"$made/$file"
  done
  collector_before=$changes
  for file in fleetbot-collector.kube fleetbot-collector.yaml; do
    if with_collector; then
      ensure_file "$dir/$file" root:root 0644 <"$made/$file"
    else
      ensure_gone "$dir/$file"
    fi
  done
  ! changed_since "$before" || change "have the user manager of $agent_user read its units" user_units daemon-reload
  with_collector || return 0
  if [[ $dry_run = yes ]] || ! user_units is-active --quiet fleetbot-collector.service; then
    [[ $dry_run = yes && $changes -eq 0 ]] || change 'start the collector' user_units start fleetbot-collector.service
  elif [[ $collector_changed = yes ]] || changed_since "$collector_before"; then
    change 'restart the collector' user_units restart fleetbot-collector.service
  fi
}

# The secrets of the agent's user, kept by podman. A secret has keys: where a pod reads them (secretKeyRef), podman keeps
# NAME as a whole; where `podman run` reads them, it keeps every key by itself as NAME.KEY.

kept_name() { if with_quadlet; then say "$1"; else say "$1.$2"; fi; } # NAME KEY

is_kept() { user_exists "$agent_user" && [[ $EUID -eq 0 ]] && as_agent podman secret inspect "$1" >/dev/null 2>&1; }

has_secret() { is_kept "$(kept_name "$1" "$2")"; } # NAME KEY

# kept_content KEPT-NAME: podman before 4.7 shows no secret, but says where it keeps them.
kept_content() {
  if with_quadlet; then
    as_agent podman secret inspect --showsecret --format '{{.SecretData}}' "$1"
  else
    as_agent podman secret inspect "$1" | as_agent python3 -I -S -c 'import base64, json, sys
[secret] = json.load(sys.stdin)
with open(secret["Spec"]["Driver"]["Options"]["path"] + "/secretsdata.json", encoding="ascii") as file:
    print(base64.b64decode(json.load(file)[secret["ID"]]).decode())'
  fi
}

# secret_value NAME KEY: what is kept; nothing where there is none.
secret_value() {
  has_secret "$1" "$2" || return 0
  if with_quadlet; then
    kept_content "$1" | sed -n "s/^  $2: //p" | base64 -d
  else
    kept_content "$1.$2"
  fi
}

# Who may not look (a dry run without root) takes it to be there.
lacks_secret() { # NAME KEY
  [[ $EUID -eq 0 ]] || ! user_exists "$agent_user" || return 1
  [[ -z $(secret_value "$1" "$2") ]]
}

# secret_yaml NAME KEY VALUE…: the form that secretKeyRef reads.
secret_yaml() {
  printf 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\ndata:\n' "$1"
  shift
  while [[ $# -gt 0 ]]; do
    printf '  %s: %s\n' "$1" "$(printf '%s' "$2" | base64 -w0)"
    shift 2
  done
}

# ensure_secret NAME KEY VALUE…: the values go by pipes, never by arguments.
ensure_secret() {
  local name=$1
  if with_quadlet; then
    ensure_kept "$name" "$(secret_yaml "$@")"
    return 0
  fi
  shift
  while [[ $# -gt 0 ]]; do
    ensure_kept "$name.$1" "$2"
    shift 2
  done
}

ensure_kept() { # KEPT-NAME CONTENT
  if is_kept "$1"; then
    [[ $(kept_content "$1") = "$2" ]] && return 0
  fi
  change "keep the secret $1" store_secret "$1" "$2"
}

# Podman before 4.7 replaces none.
store_secret() {
  if with_quadlet; then
    printf '%s' "$2" | as_agent podman secret create --replace "$1" -
  else
    ! is_kept "$1" || as_agent podman secret rm "$1"
    printf '%s' "$2" | as_agent podman secret create "$1" -
  fi
}

# read_secret_file FILE: its one line.
read_secret_file() {
  local text
  [[ -r $1 ]] || die "cannot read $1. Give a file that root can read, with the secret alone in it."
  text=$(<"$1")
  [[ -n $text && $text != *$'\n'* ]] || die "$1 does not hold exactly one line. Put the secret alone in it."
  printf '%s' "$text"
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
  has_secret fleetbot-otlp-token token || ensure_secret fleetbot-otlp-token token "$(openssl rand -hex 32)"
  key=${typed[MODEL_KEY]:-$(secret_value openclaw-model-keys MODEL_API_KEY)}
  [[ -z $key ]] || pairs+=(MODEL_API_KEY "$key")
  key=${typed[ANTHROPIC_KEY]:-$(secret_value openclaw-model-keys ANTHROPIC_API_KEY)}
  [[ -z $key ]] || pairs+=(ANTHROPIC_API_KEY "$key")
  [[ ${#pairs[@]} -eq 0 ]] || ensure_secret openclaw-model-keys "${pairs[@]}"
  [[ -z ${typed[UPLINK_PASSWORD]:-} ]] || ensure_secret fleetbot-uplink password "${typed[UPLINK_PASSWORD]}"
}

# remove_secrets: in both forms.
remove_secrets() {
  local name
  user_exists "$agent_user" && [[ $EUID -eq 0 ]] || return 0
  for name in $(as_agent podman secret ls --format '{{.Name}}' |
    grep -E '^(openclaw-gateway-token|openclaw-model-keys|fleetbot-otlp-token|fleetbot-uplink)(\.|$)'); do
    change "forget the secret $name" as_agent podman secret rm "$name"
  done
}

# What setup is told: by flags, by an answer file, by what the last run was told, by asking, or by default, in this
# order. Values are only ever text: nothing here is evaluated, and each must look as its pattern says.

declare -gA value=() value_from=() what=() pattern=() fallback=()
setting_names=()

# define NAME DEFAULT PATTERN WHAT
define() {
  setting_names+=("$1")
  fallback[$1]=$2
  pattern[$1]=$3
  what[$1]=$4
}

readonly image_pattern='[a-z0-9][a-zA-Z0-9._:/-]*@sha256:[0-9a-f]{64}'
readonly file_pattern='/[^[:cntrl:]]*'
# What sshd takes in from="…": an address, a network or a pattern of host names.
readonly source_pattern='!?(([0-9]{1,3}\.){3}[0-9]{1,3}(/[0-9]{1,2})?|[0-9A-Fa-f]*:[0-9A-Fa-f:.*?]+(/[0-9]{1,3})?|([0-9][0-9._-]*)?[A-Za-z*?][A-Za-z0-9._*?-]*)'

define NAME '' '[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?' 'name of this machine in the fleet file'
define ADDRESS '' '[A-Za-z0-9_][A-Za-z0-9._-]*|[0-9A-Fa-f:.]+' 'host name or IP address under which the centre reaches it'
define CENTRE_KEY '' "$file_pattern|(ssh|ecdsa|sk-)[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( [^[:cntrl:]\"]*)?" "the centre's public SSH key (\"ssh-ed25519 AAAA…\"), or a file with it"
define FROM '' "$source_pattern(,$source_pattern)*" 'addresses from which the centre may log in, as this machine sees them (sshd from="…")'
define POLICY '' "$file_pattern" 'file that "fleetbot edge policy NAME" printed'
define CAPSULE_KEY '' "$file_pattern|ssh-ed25519 [A-Za-z0-9+/]+=*( [^[:cntrl:]\"]*)?" "the signer's public key (\"ssh-ed25519 AAAA…\"), or a file with its keys; several, where it is given again (default: those that this machine has)"
define IMAGE '' "$image_pattern" "the agent's image, pinned: REF@sha256:…"
define IMAGE_ARCHIVE '' "($file_pattern)?" 'OCI archive to load the image from, where there is no registry'
define MODEL_URL 'http://127.0.0.1:8888/v1' 'https?://[^[:space:][:cntrl:]"]+' 'OpenAI-compatible model server (default: RHEL Lightspeed on this machine)'
define MODEL '' '[A-Za-z0-9._:/-]*' 'model to ask there'
define MODEL_KEY_FILE '' "($file_pattern)?" "file with the model server's key, where it wants one"
define ANTHROPIC_MODEL '' '[A-Za-z0-9._:/-]*' 'Anthropic model to prefer over the model server'
define ANTHROPIC_KEY_FILE '' "($file_pattern)?" 'file with the Anthropic key'
define COLLECTOR_IMAGE '' "($image_pattern)?" "the collector's image, pinned; none: no collector, no traces from the agent"
define COLLECTOR_IMAGE_ARCHIVE '' "($file_pattern)?" 'OCI archive to load it from'
define UPLINK_URL '' '(https?://[^[:space:][:cntrl:]"]+)?' 'central collector, without /v1/traces; none: traces stay here'
define UPLINK_PASSWORD_FILE '' "($file_pattern)?" "file with this machine's password at the central collector"
define UPLINK_CA_FILE '' "($file_pattern)?" 'certificate authorities to trust there (default: those of this machine)'
define MEMORY_MAX_MIB 2048 '[1-9][0-9]{2,5}' 'memory of agent and collector together, in MiB'
define RUNTIME_MAX_SECONDS 1200 '[1-9][0-9]{0,5}' 'an agent that nobody stopped ends after so many seconds'
define PERSISTENT_JOURNAL yes 'yes|no' 'keep the journal on disk: it says who asked what of this machine'
define WARM_UP yes 'yes|no' 'start the agent once now, so that the first check is fast'

# How a value is written, where the setting's description does not say it.
declare -grA form=(
  [NAME]='lower-case letters, digits, . _ -, at most 64'
  [FROM]='addresses, networks or host names with commas between them; a name may hold * and ?, and ! before one shuts it out'
  [MEMORY_MAX_MIB]='a number, 100 at least'
  [RUNTIME_MAX_SECONDS]='a number, 1 at least'
  [PERSISTENT_JOURNAL]='yes or no'
  [WARM_UP]='yes or no'
)

# Asked for where somebody can be asked; the rest has a default or is rarely wanted.
readonly asked=(NAME ADDRESS CENTRE_KEY FROM POLICY IMAGE MODEL_URL COLLECTOR_IMAGE UPLINK_URL)
readonly required=(NAME ADDRESS CENTRE_KEY FROM POLICY IMAGE)

flag_of() {
  local name=${1,,}
  printf -- '--%s' "${name//_/-}"
}

# cure_of NAME TEXT: what to write instead, after a blank; nothing where the setting's description is enough.
cure_of() {
  [[ -z ${form[$1]:-} ]] || printf ' Give %s.' "${form[$1]}"
  [[ $2 != \"*\" && $2 != \'*\' ]] || printf ' Leave the quotes away.'
}

# Every CAPSULE_KEY that was given, in its order: together they take the place of those that the machine has.
capsule_keys=()

# set_value NAME VALUE SOURCE: dies of what does not look like the setting.
set_value() {
  local name=$1 text=$2 source=$3
  case $name in
    POLICY | *_FILE | *_ARCHIVE) [[ -z $text || $text = /* ]] || text=$PWD/$text ;;
    CENTRE_KEY | CAPSULE_KEY) [[ -z $text || $text = /* || $text = *' '* ]] || text=$PWD/$text ;;
  esac
  [[ $text =~ ^(${pattern[$name]})$ ]] || die "$source: $name cannot be \"$text\" (${what[$name]}).$(cure_of "$name" "$2")"
  [[ $name != @(CENTRE_KEY|CAPSULE_KEY|POLICY) || $text != /* || (-e $text && ! -d $text) ]] || die "$source: there is no file $text. Give the ${what[$name]#the }."
  [[ $name != CAPSULE_KEY ]] || capsule_keys+=("$text")
  value[$name]=$text
  value_from[$name]=$source
}

# shellcheck disable=SC2094 # the file's name is only told
# read_answers FILE: lines KEY=VALUE, empty lines and lines that begin with #. The value is everything after the
# first =, as it stands: no quotes, no variables, no commands.
read_answers() {
  local file=$1 line name number=0
  [[ -r $file ]] || die "cannot read the answer file $file. Give a readable file to --answers."
  while IFS= read -r line || [[ -n $line ]]; do
    number=$((number + 1))
    line=${line%$'\r'}
    [[ -z $line || $line = '#'* ]] && continue
    [[ $line =~ ^([A-Z_]+)=(.*)$ ]] || die "$file, line $number: is not KEY=VALUE, such as NAME=rhel-01: capitals, no blanks, no export."
    name=${BASH_REMATCH[1]}
    [[ -n ${pattern[$name]:-} ]] || die "$file, line $number: there is no setting $name. --help lists them."
    [[ ${value_from[$name]:-} = "$file" && $name != CAPSULE_KEY ]] && die "$file, line $number: $name is there twice. Keep one."
    # A flag stands above an answer.
    [[ ${value_from[$name]:-} = --* ]] || set_value "$name" "${BASH_REMATCH[2]}" "$file"
  done <"$file"
}

# shellcheck disable=SC2094 # the file's name is only told
# fill_from FILE: what the last run was told, below everything that this one was told.
fill_from() {
  local file=$1 line name
  [[ -r $file ]] || return 0
  while IFS= read -r line; do
    [[ $line =~ ^([A-Z_]+)=(.+)$ ]] || continue
    name=${BASH_REMATCH[1]}
    [[ -n ${pattern[$name]:-} && -z ${value_from[$name]:-} ]] && set_value "$name" "${BASH_REMATCH[2]}" "$file"
  done <"$file"
  return 0
}

# default_values: for what nobody said.
default_values() {
  local name
  fallback[NAME]=$(hostname -s 2>/dev/null | tr '[:upper:]' '[:lower:]' || true)
  fallback[ADDRESS]=$(hostname -f 2>/dev/null || hostname 2>/dev/null || true)
  [[ -f $root/etc/fleetbot/policy.json ]] && fallback[POLICY]=/etc/fleetbot/policy.json
  for name in "${setting_names[@]}"; do
    [[ -n ${value_from[$name]:-} ]] || value[$name]=${fallback[$name]}
  done
}

# ask_for_values: the few that need a person, each with its default in brackets.
ask_for_values() {
  local name answer problem
  for name in "${asked[@]}"; do
    [[ ${value_from[$name]:-} = --* || ${value_from[$name]:-} = "${answers_file:-none}" ]] && continue
    while :; do
      read -rp "${what[$name]^}${value[$name]:+ [${value[$name]}]}: " answer || die 'the input ended. Start again.'
      answer=${answer:-${value[$name]}}
      # It may die: first where that ends only the attempt.
      problem=$(set_value "$name" "$answer" 'your answer' 2>&1) && break
      printf '%s\n' "$problem" >&2
    done
    set_value "$name" "$answer" 'your answer'
  done
}

# Where a key for Anthropic was given and nobody said which model.
readonly anthropic_default=claude-sonnet-4-6

# Secrets that this run was told. Never settings: they are kept nowhere but with podman.
declare -gA typed=()

# ask_for_secrets: without echo; an empty line leaves what there is.
ask_for_secrets() {
  [[ -n ${value[ANTHROPIC_KEY_FILE]} ]] || ask_for_secret ANTHROPIC_KEY 'Anthropic key, where the agent may use Anthropic'
  [[ -z ${value[UPLINK_URL]} || -n ${value[UPLINK_PASSWORD_FILE]} ]] ||
    ask_for_secret UPLINK_PASSWORD "this machine's password at the central collector"
}

ask_for_secret() {
  local answer
  read -rsp "${2^} (empty: none, or the one it has): " answer || die 'the input ended. Start again.'
  printf '\n'
  typed[$1]=$answer
}

# require_values: all that is missing, at once.
require_values() {
  local name missing=()
  for name in "${required[@]}"; do
    [[ ${value[$name]} =~ ^(${pattern[$name]})$ ]] || missing+=("$(flag_of "$name")")
  done
  [[ ${#missing[@]} -eq 0 ]] || die "these are missing: ${missing[*]}. Give them as flags or in a file to --answers."
  if [[ -z ${value[ANTHROPIC_MODEL]} && -n ${value[ANTHROPIC_KEY_FILE]}${typed[ANTHROPIC_KEY]:-} ]]; then
    value[ANTHROPIC_MODEL]=$anthropic_default
  fi
  if [[ -n ${value[UPLINK_URL]} && -z ${value[COLLECTOR_IMAGE]} ]]; then
    die '--uplink-url needs a collector. Give --collector-image too, or leave --uplink-url away.'
  fi
}

# kept_values: what the next run starts from. Files are read once and not kept, and the signer's keys are where the
# broker reads them.
kept_values() {
  local name
  say '# What setup-edge.sh was told; the next run starts from it. Secrets are not here.'
  for name in "${setting_names[@]}"; do
    case $name in
      POLICY | CAPSULE_KEY | WARM_UP | *_ARCHIVE | *_KEY_FILE | *_PASSWORD_FILE | *_CA_FILE) ;;
      *) say "$name=${value[$name]}" ;;
    esac
  done
}

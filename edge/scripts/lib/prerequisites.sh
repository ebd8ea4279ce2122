# What a machine must have before anything is changed. All problems are told at once, each with its cure.

readonly least_systemd=250 least_podman=4.3 least_python=3.9 least_openssh=8.5
# Before, Quadlet takes a crash of a pod for its end.
readonly least_quadlet_podman=4.9
readonly model_wait_seconds=3
readonly least_home_mib=3072 least_var_mib=200

problems=() missing=()
problem() { problems+=("$*"); }

# at_least FOUND LEAST: versions, number by number.
at_least() { [[ -n $1 && $(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n1) = "$2" ]]; }

has() { command -v "$1" >/dev/null 2>&1; }

version_in() { grep -oE '[0-9]+(\.[0-9]+)+|[0-9]+' <<<"$1" | head -n1 || true; }

# Where this machine's Quadlet is; nothing where there is none.
quadlet_program() {
  local path
  for path in /usr/libexec/podman/quadlet /usr/lib/podman/quadlet; do
    if [[ -x $root$path ]]; then
      say "$root$path"
      return 0
    fi
  done
}

install_command() {
  if has dnf; then
    say 'dnf install -y podman openssh-server openssh python3 openssl shadow-utils util-linux'
  elif has apt-get; then
    say 'apt-get install -y --no-install-recommends podman crun uidmap dbus-user-session catatonit passt openssh-server openssh-client python3 openssl'
  fi
}

podman_version() { version_in "$(podman --version 2>/dev/null)"; }

# with_quadlet: whether podman makes the units of pods here; else they are systemd's own and run `podman run`.
with_quadlet() { [[ -n $(quadlet_program) ]] && at_least "$(podman_version)" "$least_quadlet_podman"; }

# install_prerequisites: only when asked to.
install_prerequisites() {
  local command=() text
  text=$(install_command)
  [[ -n $text ]] || die 'neither dnf nor apt-get is here. Install what is missing by hand, and leave --install-prerequisites away.'
  read -ra command <<<"$text"
  has apt-get && change 'refresh the package lists' apt-get update
  change "install packages: $text" env DEBIAN_FRONTEND=noninteractive "${command[@]}"
}

need_program() { # NAME WHAT-FOR
  has "$1" || missing+=("$1 ($2)")
}

# All at once, since one command installs them all.
tell_missing() {
  local programs command
  [[ ${#missing[@]} -gt 0 ]] || return 0
  printf -v programs ', %s' "${missing[@]}"
  command=$(install_command)
  problem "these programs are missing: ${programs#, }. ${command:+Run setup with --install-prerequisites, or }install them${command:+: $command}."
}

check_systemd() {
  local found
  if ! has systemctl || [[ ! -d $root/run/systemd/system ]]; then
    problem 'systemd does not run this machine. fleetbot needs it to start, bound and stop the agent.'
    return
  fi
  found=$(version_in "$(systemctl --version | head -n1)")
  at_least "$found" "$least_systemd" ||
    problem "systemd $found is too old ($least_systemd is needed). Use RHEL 9, CentOS Stream 9, Fedora, Debian 12 or newer."
}

check_cgroups() {
  [[ -e $root/sys/fs/cgroup/cgroup.controllers ]] ||
    problem 'this machine runs with cgroup v1. Boot it with systemd.unified_cgroup_hierarchy=1.'
}

check_podman() {
  local found output
  if ! has podman; then
    need_program podman 'it runs the agent'
    return
  fi
  if ! output=$(podman --version 2>&1); then
    problem "podman does not run ($(tail -n 1 <<<"$output")). Run podman --version and mend it."
    return
  fi
  found=$(podman_version)
  at_least "$found" "$least_podman" ||
    problem "podman $found is too old ($least_podman is needed). Upgrade podman: RHEL 9.2, CentOS Stream 9, Fedora and Debian 12 have a newer one."
}

check_python() {
  local found
  if ! has python3; then
    need_program python3 'gate and broker are written in it'
    return
  fi
  found=$(version_in "$(python3 --version)")
  at_least "$found" "$least_python" || problem "python3 $found is too old ($least_python is needed). Install a newer python3."
}

check_openssh() {
  local found
  need_program sshd 'the centre logs in over SSH'
  if has ssh-keygen && has ssh; then
    found=$(version_in "$(ssh -V 2>&1 | sed 's/^OpenSSH_//')")
    at_least "$found" "$least_openssh" || problem "OpenSSH $found is too old ($least_openssh is needed). Upgrade openssh-server."
  else
    need_program ssh-keygen 'it verifies approvals'
  fi
}

check_sshd_include() {
  # Who may not read it (a dry run without root) takes it to be right.
  [[ -r $root/etc/ssh/sshd_config ]] || return 0
  grep -qiE '^[[:space:]]*Include[[:space:]=]+"?(/etc/ssh/)?sshd_config\.d/\*\.conf' "$root/etc/ssh/sshd_config" ||
    problem '/etc/ssh/sshd_config does not include /etc/ssh/sshd_config.d/*.conf. Put "Include /etc/ssh/sshd_config.d/*.conf" at its top.'
}

check_session_bus() {
  [[ -e $root/usr/lib/systemd/user/dbus.socket ]] ||
    problem 'users have no session bus of their own here, which rootless podman needs. Install dbus-user-session.'
}

check_space() { # PATH LEAST-MIB WHAT-FOR
  local free
  free=$(df -Pm -- "$root$1" 2>/dev/null | awk 'NR == 2 { print $4 }')
  [[ -z $free || $free -ge $2 ]] ||
    problem "$1 has $free MiB free, $2 are needed ($3). Make room, or grow the file system."
}

# Only where setup is new: afterwards the port is the agent's own.
check_port() { # PORT WHAT-FOR
  [[ -f $root/etc/fleetbot/machine.json ]] && return 0
  if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then
    problem "another program listens on 127.0.0.1:$1, which $2 needs. Stop it (ss -ltnp sport = :$1 names it)."
  fi
}

# Only a warning: it may be started later.
check_model() {
  local scheme host port
  [[ ${value[MODEL_URL]} =~ ^(https?)://(\[([0-9A-Fa-f:.]+)\]|[^][/:?#@]+)(:([0-9]+))? ]] || return 0
  scheme=${BASH_REMATCH[1]} host=${BASH_REMATCH[3]:-${BASH_REMATCH[2]}} port=${BASH_REMATCH[5]}
  [[ -n $port ]] || case $scheme in https) port=443 ;; *) port=80 ;; esac
  # shellcheck disable=SC2016 # they are expanded by the other bash
  timeout "$model_wait_seconds" bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$host" "$port" 2>/dev/null ||
    warn "nothing answers at ${value[MODEL_URL]}; the agent cannot work until it does."
}

check_prerequisites() {
  local program each
  problems=() missing=()
  check_systemd
  check_cgroups
  check_podman
  check_python
  check_openssh
  check_sshd_include
  check_session_bus
  need_program newuidmap "the agent's user needs a range of user ids"
  need_program openssl 'the check of certificates uses it'
  for program in useradd usermod loginctl runuser; do need_program "$program" 'setup makes users'; done
  tell_missing
  check_space /home "$least_home_mib" "the agent's image"
  check_space /var/lib "$least_var_mib" "fleetbot's books"
  check_port 18789 "the agent's gateway"
  [[ -z ${value[COLLECTOR_IMAGE]} ]] || check_port 4318 'the collector'
  [[ ${#problems[@]} -eq 0 ]] && return 0
  for each in "${problems[@]}"; do printf 'setup-edge: %s\n' "$each" >&2; done
  die "this machine is not ready: ${#problems[@]} to mend, nothing was changed. Mend them and run setup again."
}

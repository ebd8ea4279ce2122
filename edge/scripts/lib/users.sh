# The three users: who logs in, who runs the agent, who reads for listed commands.

readonly login_user=fleetbot agent_user=openclaw read_user=fleetbot-read
readonly least_subids=65536

user_exists() { getent passwd "$1" >/dev/null; }

uid_of() { id -u "$1" 2>/dev/null || true; }

# ensure_user NAME WHAT USERADD-OPTION…: '*' is a password that nothing matches, and unlike '!' does not lock out
# public keys where sshd runs without PAM.
ensure_user() {
  local name=$1 text=$2
  shift 2
  user_exists "$name" && return 0
  change "make user $name ($text)" useradd --password '*' --user-group "$@" "$name"
}

ensure_group_member() { # USER GROUP
  getent group "$2" >/dev/null || return 0
  id -nG "$1" 2>/dev/null | tr ' ' '\n' | grep -qx "$2" && return 0
  change "put $1 into group $2" usermod --append --groups "$2" "$1"
}

# next_subid FILE: the first number behind every range that is given away.
next_subid() {
  awk -F: 'BEGIN { next_id = 524288 } $2 + $3 > next_id { next_id = $2 + $3 } END { print next_id }' "$1" 2>/dev/null ||
    say 524288
}

has_subids() { # FILE
  awk -F: -v name="$agent_user" -v uid="$(uid_of "$agent_user")" -v least="$least_subids" \
    '($1 == name || (uid != "" && $1 == uid)) && $3 >= least { found = 1 } END { exit !found }' "$1" 2>/dev/null
}

ensure_subids() {
  local kind file first
  for kind in uids gids; do
    file=$root/etc/sub${kind%s}
    has_subids "$file" && continue
    # useradd gives ranges to a new user by itself where login.defs says so.
    if [[ $dry_run = yes ]] && ! user_exists "$agent_user"; then continue; fi
    first=$(next_subid "$file")
    change "give $agent_user a range of sub$kind" \
      usermod "--add-sub$kind" "$first-$((first + least_subids - 1))" "$agent_user"
  done
}

ensure_linger() {
  [[ -e $root/var/lib/systemd/linger/$agent_user ]] ||
    change "let $agent_user's units run without a login (linger)" loginctl enable-linger "$agent_user"
  [[ $dry_run = yes ]] || wait_for_user_manager
}

wait_for_user_manager() {
  local tries
  for ((tries = 0; tries < 100; tries++)); do
    [[ -S /run/user/$(uid_of "$agent_user")/bus ]] && return 0
    sleep 0.1
  done
  die "the user manager of $agent_user does not come up. Look at: systemctl status user@$(uid_of "$agent_user").service."
}

# as_agent COMMAND…: as the agent's user, with its own bus, away from the caller's directory and environment.
as_agent() {
  local uid home
  uid=$(uid_of "$agent_user")
  home=$(getent passwd "$agent_user" | cut -d: -f6)
  (cd / && runuser -u "$agent_user" -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="$home" LC_ALL=C.UTF-8 \
    XDG_RUNTIME_DIR="/run/user/$uid" DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$uid/bus" "$@")
}

ensure_users() {
  ensure_user "$login_user" 'the centre logs in as it' \
    --system --no-create-home --home-dir /var/lib/fleetbot --shell /bin/sh
  ensure_user "$agent_user" 'runs the agent, rootless, and may do nothing else' --create-home --shell "$(nologin)"
  ensure_user "$read_user" 'listed commands run as it' \
    --system --no-create-home --home-dir / --shell "$(nologin)"
  ensure_group_member "$read_user" systemd-journal
  ensure_group_member "$read_user" adm
  ensure_subids
  ensure_linger
}

nologin() { if [[ -x /usr/sbin/nologin ]]; then say /usr/sbin/nologin; else say /sbin/nologin; fi; }

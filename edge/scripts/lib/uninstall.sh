# Taking it off again. Kept unless --purge: the agent's volumes, the fence, the lock and what became of actions (so that
# a machine which is set up again is as locked as it was, takes no old start and no used approval), and the users who
# own them.

uninstall() {
  local file uid
  uid=$(uid_of "$agent_user")
  # The users are the first that setup makes, and the last that it removes.
  if ! user_exists "$login_user" && ! user_exists "$agent_user" && [[ ! -e $root/etc/fleetbot ]]; then
    say 'fleetbot is not set up here; nothing to take off.'
    return 0
  fi
  refuse_while_acting
  heading 'Taking fleetbot off this machine:'
  if [[ -n $uid && -S /run/user/$uid/bus && -n $(agent_state) ]]; then
    # Patterns, since a unit that is not there could not be stopped.
    change 'stop agent and collector' user_units stop 'openclaw-agent.*' 'fleetbot-collector.*'
  fi
  ensure_gone "$authorized_keys"
  remove_sshd_parts
  if [[ -e $root/etc/systemd/system/fleetbot-broker.socket ]]; then
    change 'end the broker' end_broker
  fi
  for file in "$root"/etc/systemd/system/fleetbot-*; do
    ensure_gone "${file#"$root"}"
  done
  remove_services
  ensure_gone /etc/systemd/user/default.target.wants/fleetbot-warm-up.service
  ensure_gone /etc/systemd/user/fleetbot-warm-up.service
  if [[ -n $uid ]]; then
    ensure_gone "$(quadlet_dir)"
    remove_secrets
    ensure_gone "/etc/systemd/system/user@$uid.service.d/50-fleetbot.conf"
    ensure_gone "/var/lib/systemd/linger/$agent_user"
  fi
  ensure_gone /etc/systemd/journald.conf.d/50-fleetbot.conf
  ! changed_since 0 || change 'have systemd read its units' systemctl daemon-reload
  [[ -z $uid ]] || ! systemctl is-active --quiet "user@$uid.service" || change "end the user manager of $agent_user" systemctl stop "user@$uid.service"
  for file in /etc/fleetbot "$program_dir" /run/fleetbot "$warm_file"; do ensure_gone "$file"; done
  if selinux_is_on && has semodule && grep -qx fleetbot < <(semodule -l); then
    change 'unload the SELinux module fleetbot' semodule -r fleetbot
  fi
  ensure_gone /usr/share/selinux/packages/fleetbot.cil
  [[ $dry_run = yes ]] || rm -f -- "$unfinished_file"
  if [[ $purge = yes ]]; then
    purge_rest
  else
    say ''
    say "Kept: the volumes of $agent_user, and fence, lock and what became of actions in /var/lib/fleetbot. --uninstall --purge removes them too."
  fi
}

end_broker() {
  systemctl disable --now fleetbot-broker.socket
  systemctl stop fleetbot-broker.service
}

remove_sshd_parts() {
  local part before=$changes unit
  for part in $(sshd_parts); do ensure_gone "/etc/ssh/sshd_config.d/$part"; done
  changed_since "$before" || return 0
  unit=$(sshd_unit)
  [[ -z $unit ]] || change "have $unit read its configuration" systemctl reload "$unit"
}

purge_rest() {
  local name
  ensure_gone /var/lib/fleetbot
  # Files of the container belong to the user's range of ids: its own podman removes them.
  if user_exists "$agent_user"; then
    change 'remove the images and volumes' purge_storage
  fi
  for name in "$login_user" "$read_user" "$agent_user"; do
    if user_exists "$name"; then change "remove the user $name" remove_user "$name"; fi
  done
}

# Podman 4 does not find its storage without the folder that comes and goes with the user manager.
purge_storage() {
  local manager
  manager=user@$(uid_of "$agent_user").service
  systemctl start "$manager"
  as_agent podman system reset --force
  systemctl stop "$manager"
}

remove_user() {
  end_processes_of "$1"
  if [[ $1 = "$agent_user" ]]; then userdel --remove "$1"; else userdel "$1"; fi
}

# end_processes_of USER: nobody is removed who has a process, and the centre may still be connected.
end_processes_of() {
  local tries processes
  for ((tries = 0; tries < 50; tries++)); do
    mapfile -t processes < <(find /proc -maxdepth 1 -user "$1" -name '[0-9]*' -printf '%f\n' 2>/dev/null)
    [[ ${#processes[@]} -gt 0 ]] || return 0
    kill -KILL "${processes[@]}" 2>/dev/null || true
    sleep 0.1
  done
}

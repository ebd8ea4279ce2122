# The gate as its callers know it, asked on the machine itself; and the agent's first start over it.

readonly warm_file=/var/lib/fleetbot/warm
# The fence of the first start, while the agent may be running.
warming=''

# ask_gate VERB…: as the centre would ask, without SSH.
ask_gate() {
  (cd / && runuser -u "$login_user" -- env -i PATH=/usr/bin:/bin SSH_ORIGINAL_COMMAND="$*" \
    /usr/bin/python3 -I -S "$program_dir/gate")
}

# gate_field FIELD: of the gate's status; nothing where there is none.
gate_field() {
  ask_gate status 2>/dev/null | python3 -I -S -c 'import json, sys
value = json.load(sys.stdin).get(sys.argv[1])
print(json.dumps(value) if isinstance(value, dict) else "" if value is None else value)' "$1" 2>/dev/null || true
}

stop_agent_now() {
  local fence
  fence=$(gate_field fence)
  ask_gate stop "${fence:-0}"
}

# What a warm start depends on: when none of it changed, the volume is as warm as it was.
warm_digest() {
  { say "${value[IMAGE]}"; cat /etc/fleetbot/agent/* "$(unit_dir)"/openclaw-agent.*; } | sha256sum | cut -d' ' -f1
}

is_ready() {
  local line
  exec 3<>/dev/tcp/127.0.0.1/18789 || return 1
  printf 'GET /readyz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' >&3
  read -r -t 5 line <&3 || line=''
  exec 3>&-
  [[ $line = *' 200 '* ]]
}

# warm_up: once through the whole way a check takes (gate, broker, unit, gateway), so that compiled code and the
# state of the agent are on its volume, and what does not work shows now.
warm_up() {
  [[ ${value[WARM_UP]} = yes ]] || return 0
  local digest fence run traceparent started problem
  if [[ $dry_run = yes ]]; then
    [[ $changes -eq 0 ]] || note 'start the agent once, wait until it is ready, and stop it'
    return 0
  fi
  digest=$(warm_digest)
  [[ $(cat "$warm_file" 2>/dev/null) = "$digest" ]] && return 0
  if [[ -n $(gate_field lock) ]]; then
    warn "this machine is locked, so the agent was not started once. It stays locked; the first check after the lock will be slower."
    return 0
  fi
  note 'start the agent once, wait until it is ready, and stop it'
  fence=$(gate_field fence)
  [[ $fence =~ ^[0-9]+$ ]] || die "the gate does not answer: $(last_lines "$(ask_gate status 2>&1 || true)")Look at journalctl -t fleetbot-gate -t fleetbot-broker, and run setup again."
  fence=$((fence + 1))
  run=r-$(openssl rand -hex 8)
  traceparent=00-$(openssl rand -hex 16)-$(openssl rand -hex 8)-01
  started=$SECONDS
  warming=$fence
  problem=$(ask_gate start "$fence" "$run" "$traceparent" 2>&1 >/dev/null) ||
    die "the agent does not start: $(last_lines "$problem")Look at journalctl _UID=$(uid_of "$agent_user"), and run setup again."
  until is_ready 2>/dev/null; do
    if [[ $((SECONDS - started)) -ge 120 || $(agent_state) = failed ]]; then
      die "the agent started but did not become ready. Look at journalctl _UID=$(uid_of "$agent_user"), and run setup again."
    fi
    sleep 0.5
  done
  say "  the agent was ready after $((SECONDS - started)) s"
  warming=''
  problem=$(ask_gate stop "$fence" 2>&1 >/dev/null) ||
    die "the agent could not be stopped: $(last_lines "$problem")Stop it with systemctl restart user@$(uid_of "$agent_user").service, and run setup again."
  printf '%s\n' "$digest" >"$warm_file"
}

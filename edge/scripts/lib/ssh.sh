# The centre's way in: one key, one forced command, from named addresses.

readonly authorized_keys=/etc/ssh/authorized_keys.d/fleetbot

# The centre's public key, TYPE BASE64, without its comment.
centre_key() {
  local text=${value[CENTRE_KEY]} key
  if [[ $text = /* ]]; then
    [[ -r $text ]] || die "cannot read $text. Give the centre's public key, or a readable file with it, to --centre-key."
    text=$(grep -vE '^[[:space:]]*(#|$)' "$text" || true)
    [[ $(wc -l <<<"$text") -eq 1 ]] || die "${value[CENTRE_KEY]} holds more than one key. Give the file with the centre's own key alone."
  fi
  [[ $text != *'PRIVATE KEY'* ]] || die "${value[CENTRE_KEY]} is a private key, which must never leave the centre. Give the file that ends in .pub."
  key=$(awk '{ print $1, $2 }' <<<"$text")
  ssh-keygen -lf - <<<"$key" >/dev/null 2>&1 || die "\"${value[CENTRE_KEY]}\" is no public SSH key. Give the line that ssh-keygen wrote into the .pub file."
  say "$key"
}

sshd_parts() { find "$kit/sshd" -maxdepth 1 -name '*.conf' -printf '%f\n' | sort; }

sshd_unit() {
  local unit
  for unit in sshd.service ssh.service; do
    systemctl is-active --quiet "$unit" && say "$unit" && return 0
  done
  return 0
}

# An sshd that does not accept its new configuration keeps the old one: the parts are put back as they were.
ensure_sshd() {
  local part saved=$scratch/sshd before=$changes problem unit
  mkdir -p "$saved"
  ensure_dir /etc/ssh/sshd_config.d root:root 0755
  for part in $(sshd_parts); do
    [[ -f $root/etc/ssh/sshd_config.d/$part ]] && cp -p "$root/etc/ssh/sshd_config.d/$part" "$saved/$part"
    ensure_file "/etc/ssh/sshd_config.d/$part" root:root 0644 <"$kit/sshd/$part"
  done
  [[ $dry_run = yes ]] && return 0
  if changed_since "$before"; then
    if ! problem=$(sshd -t 2>&1); then
      for part in $(sshd_parts); do
        if [[ -f $saved/$part ]]; then
          cp -p "$saved/$part" "/etc/ssh/sshd_config.d/$part"
        else
          rm -f "/etc/ssh/sshd_config.d/$part"
        fi
      done
      die "sshd does not accept its configuration, so it was put back as it was: $(last_lines "$problem")Mend /etc/ssh, check it with sshd -t, and run setup again."
    fi
    unit=$(sshd_unit)
    [[ -z $unit ]] || change "have $unit read its configuration" systemctl reload "$unit"
  fi
  check_sshd_for_login_user
}

# What sshd would do with the centre's login: another file may have said otherwise first.
check_sshd_for_login_user() {
  local effective address
  address=${value[FROM]%%,*}
  [[ $address =~ ^[0-9a-fA-F.:]+$ ]] || address=192.0.2.1
  effective=$(sshd -T -C "user=$login_user,host=$address,addr=$address" 2>/dev/null) ||
    die 'sshd -T does not work here. Run it by hand, mend what it says, and run setup again.'
  grep -qx 'pubkeyauthentication yes' <<<"$effective" ||
    die "sshd refuses public keys for $login_user. Allow them (PubkeyAuthentication) in /etc/ssh, and run setup again."
  grep -qE '^authorizedkeysfile .*/etc/ssh/authorized_keys\.d/(%u|fleetbot)' <<<"$effective" ||
    die "sshd does not read $authorized_keys: another file in /etc/ssh/sshd_config.d sets AuthorizedKeysFile first. Remove that line, or put it into a Match block."
  if grep -q '^allowusers ' <<<"$effective" && ! grep -qE "^allowusers $login_user(@|\$)" <<<"$effective"; then
    die "sshd lets only listed users in, and $login_user is not listed. Add it to AllowUsers in /etc/ssh, and run setup again."
  fi
  if grep -q '^allowgroups ' <<<"$effective" && ! grep -qx "allowgroups $login_user" <<<"$effective"; then
    warn "sshd lets only listed groups in. See that AllowGroups admits the group $login_user."
  fi
}

ensure_ssh() {
  ensure_dir /etc/ssh/authorized_keys.d root:root 0755
  ensure_file "$authorized_keys" root:root 0644 < <(render "$kit/sshd/authorized_keys" FROM "${value[FROM]}" KEY "${value[CENTRE_KEY]}")
  ensure_sshd
}

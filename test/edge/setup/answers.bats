#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2034,SC2154

bats_require_minimum_version 1.5.0

setup() {
  load machine.bash
  load_setup
  answers=$BATS_TEST_TMPDIR/answers
}

@test "an answer is everything after the first =, as it stands" {
  printf '# a comment\n\nMODEL_URL=http://127.0.0.1:8888/v1?a=b\r\nNAME=rhel-01' >"$answers"
  read_answers "$answers"
  [ "${value[MODEL_URL]}" = 'http://127.0.0.1:8888/v1?a=b' ]
  [ "${value[NAME]}" = rhel-01 ]
}

@test "a command in an answer is text and never runs" {
  printf 'MODEL_URL=http://h/$(touch${IFS}%s/ran)`touch${IFS}%s/ran`\n' "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR" >"$answers"
  read_answers "$answers"
  [[ ${value[MODEL_URL]} = 'http://h/$(touch'* ]]
  kept_values >"$BATS_TEST_TMPDIR/kept"
  value_from=()
  fill_from "$BATS_TEST_TMPDIR/kept"
  [[ ${value[MODEL_URL]} = 'http://h/$(touch'* ]]
  [ ! -e "$BATS_TEST_TMPDIR/ran" ]
}

@test "a value that cannot be the setting is refused by name" {
  local line
  for line in 'NAME=$(id)' 'NAME=-x' 'NAME=a b' 'FROM=a" command="/bin/sh' 'IMAGE=fleetbot-agent:latest' \
    'COLLECTOR_IMAGE=otelcol' 'RUNTIME_MAX_SECONDS=0' 'RUNTIME_MAX_SECONDS=1;id' 'CENTRE_KEY=ssh-rsa AAAA" x'; do
    printf '%s\n' "$line" >"$answers"
    run ! read_answers "$answers"
    [[ $output = *"${line%%=*} cannot be"* ]]
  done
}

@test "with a value that is refused it is said how one is written" {
  run ! set_value NAME 'Bad Name' --name
  [[ $output = *'NAME cannot be "Bad Name" (name of this machine in the fleet file). Give lower-case letters, digits, . _ -, at most 64.' ]]
  run ! set_value NAME '"web-01"' --name
  [[ $output = *' Leave the quotes away.' ]]
  run ! set_value WARM_UP maybe --warm-up
  [[ $output = *'Give yes or no.' ]]
}

@test "the centre's addresses are what sshd takes, and no odd word" {
  local from
  for from in 192.0.2.10 192.0.2.0/24 2001:db8::/32 ::1 'centre.example.com,!lab?.example.com,*.example.com' localhost; do
    set_value FROM "$from" test
  done
  for from in 'rhel-02!' 192.0.2 '192.0.2.10,' ',192.0.2.10' '192.0.2.10 192.0.2.11' 'x/24' '[::1]' '!'; do
    run ! set_value FROM "$from" test
    [[ $output = *'Give addresses, networks or host names with commas between them'* ]]
  done
}

@test "who is asked may answer with a file beside him, and is asked again for what cannot be" {
  local asked_for=(rhel-01 '' centre.pub 192.0.2.10 policy.json "$image" '' '' '')
  cd "$BATS_TEST_TMPDIR"
  : >policy.json
  printf '%s\n' "$centre_key" >centre.pub
  set_value ADDRESS rhel-01.example.com 'the last run'
  default_values
  ask_for_values 2>told < <(printf '%s\n' 'Bad Name' "${asked_for[@]:0:2}" '' none.pub "${asked_for[@]:2}")
  [ "${value[NAME]}" = rhel-01 ]
  [ "${value[ADDRESS]}" = rhel-01.example.com ]
  [ "${value[CENTRE_KEY]}" = "$PWD/centre.pub" ]
  [ "${value[POLICY]}" = "$PWD/policy.json" ]
  [ "$(wc -l <told)" -eq 3 ]
  grep -q 'NAME cannot be "Bad Name"' told
  grep -qF "there is no file $PWD/none.pub. Give the centre's public SSH key (\"ssh-ed25519 AAAA…\"), or a file with it." told
}

@test "an unknown key, a key that is there twice and a line that is no answer are refused with their line" {
  printf 'NAME=a\nSHELL=/bin/sh\n' >"$answers"
  run ! read_answers "$answers"
  [[ $output = *'line 2: there is no setting SHELL.'* ]]
  printf 'NAME=a\nNAME=b\n' >"$answers"
  run ! read_answers "$answers"
  [[ $output = *'line 2: NAME is there twice.'* ]]
  printf 'export NAME=a\n' >"$answers"
  run ! read_answers "$answers"
  [[ $output = *'line 1: is not KEY=VALUE, such as NAME=rhel-01: capitals, no blanks, no export.'* ]]
  run ! read_answers "$BATS_TEST_TMPDIR/none"
  [[ $output = *'cannot read the answer file'* ]]
}

@test "the signer's keys may be given several times, by flags and in answers, and are not kept as settings" {
  local other='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP//AgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f'
  printf '%s\n' '# the next signer' "$other of next year" >"$BATS_TEST_TMPDIR/signers"
  printf 'CAPSULE_KEY=%s\nCAPSULE_KEY=%s\n' "$centre_key" "$BATS_TEST_TMPDIR/signers" >"$answers"
  read_answers "$answers"
  run -0 capsule_signer_lines
  [ "$output" = "signer@fleetbot namespaces=\"fleetbot-capsule@1\" $centre_key
signer@fleetbot namespaces=\"fleetbot-capsule@1\" $other" ]
  run kept_values
  [[ $output != *CAPSULE_KEY* ]]
  capsule_keys=()
  value_from=()
  set_value CAPSULE_KEY "$other" --capsule-key
  read_answers "$answers"
  run -0 capsule_signer_lines
  [ "$output" = "signer@fleetbot namespaces=\"fleetbot-capsule@1\" $other" ]
}

@test "a private key, one of another type and what is no key are no signer's" {
  local file=$BATS_TEST_TMPDIR/key
  ssh-keygen -q -t ed25519 -N '' -f "$file"
  set_value CAPSULE_KEY "$file" --capsule-key
  run -1 capsule_signer_lines
  [[ $output = *'is a private key, which must never leave the signer.'* ]]
  capsule_keys=()
  ssh-keygen -q -t ecdsa -N '' -f "$file.ecdsa"
  set_value CAPSULE_KEY "$file.ecdsa.pub" --capsule-key
  run -1 capsule_signer_lines
  [[ $output = *'is no public key of a signer.'* ]]
  capsule_keys=()
  set_value CAPSULE_KEY 'ssh-ed25519 AAAA' --capsule-key
  run -1 capsule_signer_lines
  [[ $output = *'is no public key of a signer.'* ]]
  run ! set_value CAPSULE_KEY 'ssh-rsa AAAA' --capsule-key
  [[ $output = *'CAPSULE_KEY cannot be'* ]]
}

@test "a flag stands above an answer, and an answer above what the last run was told" {
  set_value NAME by-flag --name
  printf 'NAME=by-answer\nADDRESS=by-answer\n' >"$answers"
  read_answers "$answers"
  printf 'NAME=kept\nADDRESS=kept\nFROM=192.0.2.1\n' >"$BATS_TEST_TMPDIR/kept"
  fill_from "$BATS_TEST_TMPDIR/kept"
  [ "${value[NAME]}" = by-flag ]
  [ "${value[ADDRESS]}" = by-answer ]
  [ "${value[FROM]}" = 192.0.2.1 ]
}

@test "everything that is missing is told at once" {
  set_value NAME rhel-01 --name
  set_value ADDRESS rhel-01 --address
  default_values
  run ! require_values
  [[ $output = *'these are missing: --centre-key --from --policy --image.'* ]]
}

@test "what is kept for the next run holds no secret and no file" {
  set_value ANTHROPIC_KEY_FILE /root/key --anthropic-key-file
  set_value NAME rhel-01 --name
  default_values
  run kept_values
  [[ $output = *NAME=rhel-01* ]]
  [[ $output != */root/key* ]]
}

@test "a file is meant from where setup was called" {
  cd "$BATS_TEST_TMPDIR"
  : >policy.json
  : >centre.pub
  set_value POLICY policy.json --policy
  set_value CENTRE_KEY centre.pub --centre-key
  [ "${value[POLICY]}" = "$BATS_TEST_TMPDIR/policy.json" ]
  [ "${value[CENTRE_KEY]}" = "$BATS_TEST_TMPDIR/centre.pub" ]
}

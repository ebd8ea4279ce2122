#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154,SC2317

bats_require_minimum_version 1.5.0

setup() {
  load machine.bash
  load_setup
  set_value NAME rhel-01 test
  set_value IMAGE "$image" test
  set_value COLLECTOR_IMAGE "$collector_image" test
  with_quadlet() { true; }
  quadlet_program() { say true; }
}

@test "the units that setup writes have nothing left to fill in" {
  set_value UPLINK_URL https://collector.example.com test
  default_values
  make_units "$BATS_TEST_TMPDIR/units"
  run ! grep -r '@[A-Z]' "$BATS_TEST_TMPDIR/units"
  grep -q "image: \"$image\"" "$BATS_TEST_TMPDIR/units/openclaw-agent.yaml"
  grep -q '^RuntimeMaxSec=1200$' "$BATS_TEST_TMPDIR/units/openclaw-agent.kube"
  grep -q 'uplink.yaml' "$BATS_TEST_TMPDIR/units/fleetbot-collector.yaml"
}

@test "without an uplink the collector knows of none" {
  default_values
  make_units "$BATS_TEST_TMPDIR/units"
  run ! grep -i 'uplink' <(tail -n +2 "$BATS_TEST_TMPDIR/units/fleetbot-collector.yaml")
  grep -q FLEETBOT_OTLP_TOKEN "$BATS_TEST_TMPDIR/units/fleetbot-collector.yaml"
}

@test "without a collector there is none" {
  set_value COLLECTOR_IMAGE '' test
  default_values
  make_units "$BATS_TEST_TMPDIR/units"
  [ ! -e "$BATS_TEST_TMPDIR/units/fleetbot-collector.kube" ]
}

@test "without Quadlet, the services have nothing left to fill in, and only the keys that are there" {
  with_quadlet() { false; }
  has_secret() { [[ $2 = ANTHROPIC_API_KEY ]]; }
  # shellcheck disable=SC2016
  set_value UPLINK_URL 'https://collector.example.com/a%20b$c\d' test
  default_values
  make_units "$BATS_TEST_TMPDIR/units"
  run ! grep -r '@[A-Z]' "$BATS_TEST_TMPDIR/units"
  [ ! -e "$BATS_TEST_TMPDIR/units/openclaw-agent.yaml" ]
  grep -q "^  $image\$" "$BATS_TEST_TMPDIR/units/openclaw-agent.service"
  grep -q '^RuntimeMaxSec=1200$' "$BATS_TEST_TMPDIR/units/openclaw-agent.service"
  run ! grep MODEL_API_KEY "$BATS_TEST_TMPDIR/units/openclaw-agent.service"
  grep -q target=ANTHROPIC_API_KEY "$BATS_TEST_TMPDIR/units/openclaw-agent.service"
  # shellcheck disable=SC2016
  grep -qF '"--env=FLEETBOT_UPLINK_URL=https://collector.example.com/a%%20b$$c\\d"' "$BATS_TEST_TMPDIR/units/fleetbot-collector.service"
  value[UPLINK_URL]=''
  make_units "$BATS_TEST_TMPDIR/units"
  run ! grep -iE '^[^#].*(uplink|ca.pem)' "$BATS_TEST_TMPDIR/units/fleetbot-collector.service"
}

@test "without Quadlet, every key of a secret is one of podman's" {
  with_quadlet() { false; }
  ensure_kept() { printf '%s=%s\n' "$1" "$2"; }
  run ensure_secret openclaw-model-keys MODEL_API_KEY a ANTHROPIC_API_KEY 'b c'
  [ "$output" = $'openclaw-model-keys.MODEL_API_KEY=a\nopenclaw-model-keys.ANTHROPIC_API_KEY=b c' ]
}

@test "a secret is what secretKeyRef reads, whatever is in it" {
  # shellcheck disable=SC2016
  run secret_yaml openclaw-model-keys MODEL_API_KEY 'a: "$(id)"' ANTHROPIC_API_KEY b
  [[ $output = 'apiVersion: v1'*'name: openclaw-model-keys'* ]]
  # shellcheck disable=SC2016
  [ "$(sed -n 's/^  MODEL_API_KEY: //p' <<<"$output" | base64 -d)" = 'a: "$(id)"' ]
}

@test "a file that is to hold a secret holds it alone" {
  printf 'key\n' >"$BATS_TEST_TMPDIR/key"
  [ "$(read_secret_file "$BATS_TEST_TMPDIR/key")" = key ]
  printf 'key\nmore\n' >"$BATS_TEST_TMPDIR/key"
  run ! read_secret_file "$BATS_TEST_TMPDIR/key"
  [[ $output = *'does not hold exactly one line'* ]]
}

@test "an image in no registry is archived from where it was built, and its digest kept" {
  [ "$(archive_command "$image")" = "skopeo copy --preserve-digests docker://$image oci-archive:FILE" ]
  run archive_command "localhost/${image#*/}"
  [[ $output = "skopeo copy --preserve-digests containers-storage:localhost/"*' oci-archive:FILE, where it was built' ]]
  run login_or_archive "localhost/${image#*/}"
  [[ $output != *'podman login'* && $output = *containers-storage* ]]
  run login_or_archive "$image"
  [[ $output = *"runuser -u openclaw -- env "*' podman login registry.example.com.'*docker://* ]]
}

@test "programs that are missing are told together, with one command for all" {
  has() { [[ $1 = apt-get ]]; }
  need_program podman 'it runs the agent'
  need_program openssl 'the check of certificates uses it'
  tell_missing
  [ "${#problems[@]}" -eq 1 ]
  [[ ${problems[0]} = 'these programs are missing: podman (it runs the agent), openssl (the check of certificates uses it). Run setup with --install-prerequisites, or install them: apt-get install '* ]]
  [ "$(grep -o 'apt-get install' <<<"${problems[0]}" | wc -l)" -eq 1 ]
}

@test "the centre's key is bound to the gate and to where the centre is" {
  run render "$kit/sshd/authorized_keys" FROM 192.0.2.10 KEY "$centre_key"
  [[ $output = restrict,*'command="/usr/bin/python3 -I -S /usr/libexec/fleetbot/gate"'*'from="192.0.2.10"'*" $centre_key" ]]
  [[ $output != *$'\n'* ]]
}

@test "a range of ids begins behind those that are given away" {
  printf 'a:100000:65536\nb:700000:65536\n' >"$BATS_TEST_TMPDIR/subuid"
  [ "$(next_subid "$BATS_TEST_TMPDIR/subuid")" -eq 765536 ]
  [ "$(next_subid "$BATS_TEST_TMPDIR/none")" -eq 524288 ]
}

@test "versions are compared number by number" {
  at_least 4.10 4.9
  at_least 10.0 8.5
  run ! at_least 4.3.1 4.9
  run ! at_least '' 4.9
}

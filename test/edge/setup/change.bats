#!/usr/bin/env bats
# shellcheck disable=SC2154

bats_require_minimum_version 1.5.0

setup() {
  load machine.bash
  load_setup
  root=$BATS_TEST_TMPDIR/root
  mkdir -p "$root/etc" "$root/run"
  me=$(id -un):$(id -gn)
}

@test "a file is written once; a second time nothing is changed" {
  ensure_file /etc/a "$me" 0600 <<<'text'
  [ "$changes" -eq 1 ]
  [ "$(cat "$root/etc/a")" = text ]
  [ "$(stat -c %a "$root/etc/a")" = 600 ]
  ensure_file /etc/a "$me" 0600 <<<'text'
  [ "$changes" -eq 1 ]
}

@test "a file with another text, another mode or a link in its place is put right" {
  ensure_file /etc/a "$me" 0600 <<<'text' >/dev/null
  echo other >"$root/etc/a"
  ensure_file /etc/a "$me" 0600 <<<'text' >/dev/null
  [ "$(cat "$root/etc/a")" = text ]
  chmod 666 "$root/etc/a"
  ensure_file /etc/a "$me" 0600 <<<'text' >/dev/null
  [ "$(stat -c %a "$root/etc/a")" = 600 ]
  mv "$root/etc/a" "$root/etc/b"
  ln -s b "$root/etc/a"
  ensure_file /etc/a "$me" 0600 <<<'text' >/dev/null
  [ ! -L "$root/etc/a" ]
  [ "$changes" -eq 4 ]
}

@test "a change that fails ends setup with what the command said" {
  run ! change 'do this' sh -c 'echo "no room" >&2; exit 3'
  [[ $output = *'could not do this: no room'* ]]
}

@test "after a run that died, what depends on its files is done again" {
  run ! changed_since "$changes"
  # shellcheck disable=SC2034
  unfinished=yes
  changed_since "$changes"
}

@test "placeholders are replaced by the text as it stands" {
  echo 'a "@NAME@" @OTHER@ @NAME@' >"$root/file"
  # shellcheck disable=SC2016
  run render "$root/file" NAME 'x&\1/$(id)'
  # shellcheck disable=SC2016
  [ "$output" = 'a "x&\1/$(id)" @OTHER@ x&\1/$(id)' ]
}

@test "a program is replaced as a whole, with its bytecode, and a file that it no longer has goes" {
  [ "$EUID" -eq 0 ] || skip 'gives files to root'
  mkdir "$root/source"
  echo 'print(1)' >"$root/source/__main__.py"
  ensure_python "$root/source" /etc/program
  : >"$root/etc/program/left-over.py"
  ensure_python "$root/source" /etc/program
  [ "$changes" -eq 2 ]
  [ ! -e "$root/etc/program/left-over.py" ]
  [ "$(find "$root/etc/program/__pycache__" -name '*.pyc' | wc -l)" -eq 1 ]
  ensure_python "$root/source" /etc/program
  [ "$changes" -eq 2 ]
}

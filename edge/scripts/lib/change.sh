# The only ways in which setup changes a machine. Each looks first, changes only what differs, tells it in one line,
# and with --dry-run only tells it. $root is put before every path ('' but in tests and dry runs).

dry_run=no
root=''
changes=0

# There while a run is under way, and after one that died: then files may be in place that nobody has read yet. A
# reboot has everything read, so it may forget this.
readonly unfinished_file=/run/setup-edge.unfinished
unfinished=no

# note TEXT: one change, told before it is made.
note() {
  changes=$((changes + 1))
  if [[ $dry_run = yes ]]; then
    say "  would $*"
    return 0
  fi
  : >"$root$unfinished_file"
  say "  $*"
}

# changed_since COUNT: whether what depends on the changes since then must be done.
changed_since() { [[ $changes -ne $1 || $unfinished = yes ]]; }

# change TEXT COMMAND…: runs the command, unless this is a dry run. Its output is only shown when it fails.
change() {
  local text=$1 output
  shift
  note "$text"
  [[ $dry_run = yes ]] && return 0
  output=$("$@" 2>&1) || die "could not $text: $(last_lines "$output")"
}

last_lines() { tail -n 3 <<<"$1" | tr '\n' ' '; }

# What a path is: "user:group mode", or nothing where there is none.
owner_and_mode() { stat -c '%U:%G %a' -- "$root$1" 2>/dev/null || true; }

# ensure_dir PATH USER:GROUP MODE
ensure_dir() {
  local path=$1 owner=$2 mode=$3
  [[ $(owner_and_mode "$path") = "$owner ${mode#0}" && -d $root$path ]] && return 0
  note "make directory $path ($owner $mode)"
  [[ $dry_run = yes ]] && return 0
  mkdir -p -- "$root$path"
  chown -- "$owner" "$root$path"
  chmod -- "$mode" "$root$path"
}

# ensure_file PATH USER:GROUP MODE <CONTENT: whole or not at all, also when the machine dies in between.
ensure_file() {
  local path=$1 owner=$2 mode=$3 new
  new=$(mktemp -p "$scratch")
  cat >"$new"
  if [[ ! -L $root$path ]] && cmp -s -- "$new" "$root$path" 2>/dev/null; then
    [[ $(owner_and_mode "$path") = "$owner ${mode#0}" ]] && return 0
    note "set $path to $owner $mode"
  elif [[ -e $root$path ]]; then
    note "replace $path ($owner $mode)"
  else
    note "write $path ($owner $mode)"
  fi
  [[ $dry_run = yes ]] && return 0
  chown -- "$owner" "$new"
  chmod -- "$mode" "$new"
  # Into the same directory first: a rename within a file system is atomic.
  cp -p -- "$new" "$root$path.new"
  mv -fT -- "$root$path.new" "$root$path"
}

# tree_is_as SOURCE PATH: the same files, nobody's but root's to write.
tree_is_as() {
  diff -rq -x __pycache__ -- "$1" "$root$2" >/dev/null 2>&1 &&
    [[ -z $(find "$root$2" \( ! -user root -o -perm /022 \) -print -quit) ]]
}

# ensure_python SOURCE PATH: a program's directory as a whole, with its bytecode, which those who run it with -I as
# another user could not write.
ensure_python() {
  local source=$1 path=$2
  tree_is_as "$source" "$path" && return 0
  note "write $path ($(find "$source" -name '*.py' | wc -l) files, root:root)"
  [[ $dry_run = yes ]] && return 0
  rm -rf -- "$root$path.new" "$root$path.old"
  cp -r -- "$source" "$root$path.new"
  find "$root$path.new" -name __pycache__ -prune -exec rm -rf {} +
  chown -R root:root -- "$root$path.new"
  chmod -R u=rwX,go=rX -- "$root$path.new"
  python3 -m compileall -q -s "$root$path.new" -p "$path" "$root$path.new"
  [[ ! -e $root$path ]] || mv -T -- "$root$path" "$root$path.old"
  mv -T -- "$root$path.new" "$root$path"
  rm -rf -- "$root$path.old"
}

# ensure_link PATH TARGET
ensure_link() {
  [[ $(readlink -- "$root$1" 2>/dev/null) = "$2" ]] && return 0
  note "link $1 to $2"
  [[ $dry_run = yes ]] || ln -sfnT -- "$2" "$root$1"
}

# ensure_gone PATH: a file, a link or a whole directory.
ensure_gone() {
  [[ -e $root$1 || -L $root$1 ]] || return 0
  note "remove $1"
  [[ $dry_run = yes ]] || rm -rf -- "$root${1:?}"
}

# render FILE NAME VALUE…: the file with each @NAME@ replaced.
render() {
  local text
  text=$(<"$1")
  shift
  while [[ $# -gt 0 ]]; do
    text=${text//"@$1@"/"$2"}
    shift 2
  done
  printf '%s\n' "$text"
}

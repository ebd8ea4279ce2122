# What people read. Facts go to stdout, problems to stderr.

say() { printf '%s\n' "$*"; }

heading() { printf '\n%s\n' "$*"; }

warn() { printf 'setup-edge: warning: %s\n' "$*" >&2; }

# One sentence for what is wrong and one for what to do; then the end. A re-run completes what was begun.
die() {
  printf 'setup-edge: %s\n' "$*" >&2
  exit 1
}

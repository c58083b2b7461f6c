# Every recipe that is used in daily work. `just` alone lists them.

[private]
default:
    @just --list --unsorted

# Backend, gateway and a phone in the browser, all in one process
[positional-arguments]
demo *args:
    cargo run --release -- demo "$@"

# All tests, or those whose name contains the filter
test filter="":
    cargo test --workspace -- {{ filter }}

# What the compiler and clippy have to say; no warning passes
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Brings all Rust files into shape
fmt:
    cargo fmt --all

# The documentation of all crates; a broken link is an error
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Licences, banned crates and sources (needs cargo-deny)
deny:
    cargo deny --log-level error check bans licenses sources

# Everything that must pass before a change goes in
ci:
    bash .ci/run

# The benchmarks; give a name to run only what contains it
bench filter="":
    cargo bench --workspace -- {{ filter }}

# Fifty accounts under faults and kills; a seed repeats the chances of an earlier run
soak messages="200000" seed="":
    cargo build --release --package hongyan
    HONGYAN_SOAK_MESSAGES={{ messages }} HONGYAN_SOAK_SEED={{ seed }} HONGYAN_SOAK_BINARY="$PWD/target/release/hongyan" \
        cargo test --workspace --test it -- soak:: --nocapture

# Every fuzz target for so many seconds (needs cargo-fuzz and a nightly toolchain)
fuzz seconds="60":
    for target in $(cargo fuzz list); do \
        cargo +nightly fuzz run "$target" -- -max_total_time={{ seconds }} || exit 1; \
    done

# Checks, tests and builds the phone page; commit what changes in dist/
web:
    cd crates/backend/web && npm ci && npm run check && npm test && npm run build

# The phone page in a real browser; with --shots, renews the screenshots of the docs
browser *args:
    tests/browser/run.sh {{ args }}

# The plugin for OpenClaw, with the release build in it: prints the tarball's path
openclaw-pack:
    tests/openclaw/install.sh
    cargo build --release --locked --package hongyan
    PATH="$PWD/target/openclaw/node/node_modules/node/bin:$PATH" openclaw/pack.sh

# The channel inside the real OpenClaw; with --oldest, inside the oldest one that is supported
[positional-arguments]
openclaw-test *args:
    tests/openclaw/run.sh "$@"

# The one file that is handed out: target/dist/hongyan
dist:
    cargo build --profile dist --package hongyan

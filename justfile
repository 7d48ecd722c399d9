# What is run by hand, with `just` (https://just.systems). `just ci` is what must pass before a change
# lands; everything it needs is said in README.

# List the recipes.
default:
    @just --list

# Everything that must hold before a change lands.
ci:
    .ci/run

# All tests.
test *ARGUMENTS:
    cargo test --workspace --locked {{ARGUMENTS}}

# Format and lints, as .ci/run judges them.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings

# The docs, in a browser.
docs:
    cargo doc --workspace --no-deps --open

# Every combination of features that means something.
features:
    .ci/features

# The oldest Rust that Cargo.toml names; needs `rustup toolchain install` of it.
msrv:
    .ci/msrv

# Licences, sources and doubled dependencies: needs `cargo install cargo-deny`.
deny:
    cargo deny check licenses bans sources

# Whether the public face still is what the last release promised: needs `cargo install cargo-semver-checks`.
semver:
    cargo semver-checks --workspace

# What a call costs, against committed budgets; `just gates renew` writes new ones.
gates COMMAND="check":
    cargo run --release --locked --manifest-path bench/Cargo.toml -p gates -- {{COMMAND}}

# Fuzz targets, so many seconds each: all of them, or those that are named.
fuzz SECONDS *TARGETS:
    fuzz/run {{SECONDS}} {{TARGETS}}

# What would be published.
package:
    cargo package --workspace --locked --allow-dirty

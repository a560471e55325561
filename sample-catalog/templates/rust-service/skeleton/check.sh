#!/bin/sh
# what the build runs, in one step
set -e
cargo fmt --check
cargo clippy -- -D warnings
cargo test

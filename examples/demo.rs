//! Serves the clusters of the demo world until it is stopped, for other tools: prints the path of a kubeconfig.
//!
//! `cargo run --example demo`, then `kubectl --kubeconfig PATH get pods -A`.

#![allow(clippy::print_stdout)]

use devportal::demo::kubernetes::{Scenario, World};

fn main() -> std::io::Result<()> {
    let world = World::start(&Scenario::company())?;
    println!("{}", world.kubeconfig().display());
    // ends with the input, so that a pipe can stop it
    let mut line = String::new();
    while std::io::stdin().read_line(&mut line)? > 0 {}
    Ok(())
}

//! The program: arguments in, exit code out. Everything else is in the library.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The one TLS provider; an error would mean that there is one already
    let _ = rustls::crypto::ring::default_provider().install_default();
    ExitCode::from(devportal::cli::run(std::env::args_os()))
}

//! What the program notes while it works: the log file, and stderr with `-v`.

use super::args::GlobalArgs;
use crate::config::{Config, setting};
use std::path::Path;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

/// A larger log is started anew; the one before is kept as `.old`.
const MAX_BYTES: u64 = 5 * 1024 * 1024;

/// Starts logging into the state folder at the configured level; `-v` also says it on stderr, where
/// `has_stderr` allows it (never under the full screen). Does nothing the second time.
pub fn start(config: &Config, global: &GlobalArgs, has_stderr: bool) {
    let level = match config.text(&setting::LOG_LEVEL) {
        "off" => LevelFilter::OFF,
        "error" => LevelFilter::ERROR,
        "warn" => LevelFilter::WARN,
        "debug" => LevelFilter::DEBUG,
        "trace" => LevelFilter::TRACE,
        _ => LevelFilter::INFO,
    };
    let file = (level != LevelFilter::OFF).then(|| open(&config.paths.log_file())).flatten();
    let file = file.map(|file| {
        fmt::layer()
            .with_ansi(false)
            .with_target(true)
            .with_writer(std::sync::Mutex::new(file))
            .with_filter(level)
    });
    let spoken = match global.verbose {
        0 => LevelFilter::OFF,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let stderr = (has_stderr && global.verbose > 0).then(|| {
        fmt::layer().with_ansi(false).without_time().with_writer(std::io::stderr).with_filter(spoken)
    });
    let _ = tracing_subscriber::registry().with(file).with(stderr).try_init();
}

/// Opens the log for appending; without a state folder to write to there is no log.
fn open(path: &Path) -> Option<std::fs::File> {
    std::fs::create_dir_all(path.parent()?).ok()?;
    if std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > MAX_BYTES) {
        let _ = std::fs::rename(path, path.with_extension("log.old"));
    }
    std::fs::File::options().create(true).append(true).open(path).ok()
}

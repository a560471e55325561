//! A clean machine for the program to run on.

use assert_cmd::Command;
use std::path::{Path, PathBuf};

/// A home and a working folder of their own; nothing of the machine's settings is visible.
pub struct Machine {
    folder: tempfile::TempDir,
}

/// What a run printed and how it ended.
pub struct Outcome {
    /// Data.
    pub stdout: String,
    /// Talk.
    pub stderr: String,
    /// Exit code.
    pub code: i32,
}

impl Machine {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "work"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    /// Returns a machine whose working folder holds these files.
    pub fn with(files: &[(&str, &str)]) -> Self {
        let machine = Self::new();
        for (name, text) in files {
            machine.write(name, text);
        }
        machine
    }

    /// Returns a path below the working folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    /// Returns a path below the home folder.
    pub fn home(&self, name: &str) -> PathBuf {
        self.folder.path().join("home").join(name)
    }

    /// Writes a file below the working folder.
    pub fn write(&self, name: &str, text: &str) {
        write(&self.path(name), text);
    }

    /// Writes the user's settings.
    pub fn settings(&self, name: &str, text: &str) {
        write(&self.home(".config/devportal").join(name), text);
    }

    /// Returns the program, ready to run in the working folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_devportal"));
        command.env_clear().current_dir(self.path("")).args(arguments);
        command.env("HOME", self.home("")).env("LANG", "C.UTF-8").env("GIT_CONFIG_NOSYSTEM", "1");
        command.env("DEVPORTAL_STATE_DIR", self.home("state"));
        command
    }

    /// Runs the program.
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        self.outcome(&mut self.command(arguments))
    }

    /// Runs a prepared command.
    pub fn outcome(&self, command: &mut Command) -> Outcome {
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| self.normal(&String::from_utf8(bytes).expect("output is UTF-8"));
        Outcome {
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            code: output.status.code().expect("ended by itself"),
        }
    }

    /// Replaces the paths of this machine.
    fn normal(&self, text: &str) -> String {
        let real = std::fs::canonicalize(self.folder.path()).unwrap();
        let mut text = text.to_owned();
        for folder in [real.as_path(), self.folder.path()] {
            text = text.replace(&folder.join("work").display().to_string(), "[WORK]");
            text = text.replace(&folder.join("home").display().to_string(), "[HOME]");
        }
        text.replace(env!("CARGO_PKG_VERSION"), "[VERSION]")
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "exit code: {}", self.code)?;
        writeln!(f, "----- stdout -----\n{}----- stderr -----\n{}", self.stdout, self.stderr)
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A small catalog with every relation that the commands show.
pub const SHOP: &str = include_str!("../fixtures/cli/shop.yaml");

/// Returns a machine whose working folder holds that catalog.
pub fn shop() -> Machine {
    Machine::with(&[("catalog-info.yaml", SHOP)])
}

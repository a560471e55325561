//! This process's terminal as a source of keys that can be let go of at any moment.
//!
//! A read of standard input that is on its way cannot be called back: it would eat the next key of the program
//! behind. So the terminal is opened a second time and read without waiting.

use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;
use tokio::io::unix::AsyncFd;

/// How often a terminal is looked at that the system cannot wait for.
const LOOK: Duration = Duration::from_millis(10);

/// The terminal, opened for reading.
#[derive(Debug)]
pub enum Keys {
    /// The system says when something is typed.
    Waiting(AsyncFd<File>),
    /// It does not (macOS and `/dev/tty`): the terminal is looked at often, while a shell is open.
    Looking(File),
}

impl Keys {
    /// Opens the terminal behind standard input. Must run inside a runtime.
    pub fn open() -> io::Result<Self> {
        // the first name opens what standard input is, where there is such a name
        let file = File::open("/proc/self/fd/0").or_else(|_| File::open("/dev/tty"))?;
        rustix::io::ioctl_fionbio(&file, true)?;
        let copy = file.try_clone()?;
        #[expect(deprecated, reason = "its successor is unsafe; a `File` owns what it waits for")]
        let waiting = AsyncFd::new(file);
        Ok(waiting.map_or_else(|_| Self::Looking(copy), Self::Waiting))
    }

    /// Reads what was typed; 0 when the terminal is gone. Can be dropped at any time without losing a key.
    pub async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Waiting(file) => loop {
                let mut guard = file.readable().await?;
                if let Ok(result) = guard.try_io(|file| file.get_ref().read(buffer)) {
                    return result;
                }
            },
            Self::Looking(file) => loop {
                let mut file = file;
                match file.read(buffer) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => tokio::time::sleep(LOOK).await,
                    result => return result,
                }
            },
        }
    }
}

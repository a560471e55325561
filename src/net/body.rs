//! The body of an answer: unpacked while it comes, with limits on its size and on how slowly it comes.

use super::error::{ENDED_EARLY, NetError, host_of};
use flate2::write::GzDecoder;
use futures_util::StreamExt as _;
use reqwest::header::CONTENT_ENCODING;
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// Bytes between two notes of how much came.
const NOTE_EVERY: u64 = 64 * 1024;

/// What a body may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes, unpacked.
    pub max_bytes: u64,
    /// Slower than [`Self::min_bytes`] in this time is too slow.
    pub window: Duration,
    /// Least number of bytes in a window.
    pub min_bytes: u64,
}

/// Reads a whole body; tells `came` how many bytes came over the wire.
pub(super) async fn read(
    response: reqwest::Response,
    limits: Limits,
    started: Instant,
    came: &(dyn Fn(u64) + Sync),
) -> Result<Vec<u8>, NetError> {
    let host = host_of(response.url());
    let too_large = || NetError::TooLarge { host: host.clone(), limit: limits.max_bytes };
    let broken = |cause: &str| NetError::Broken { host: host.clone(), cause: cause.to_owned() };
    let packing = response.headers().get(CONTENT_ENCODING).map(|value| value.as_bytes().to_ascii_lowercase());
    let mut sink = match packing.as_deref() {
        None | Some(b"" | b"identity") => Sink::Plain(Bounded::new(limits.max_bytes)),
        Some(b"gzip" | b"x-gzip") => Sink::Gzip(Box::new(GzDecoder::new(Bounded::new(limits.max_bytes)))),
        Some(_) => return Err(broken("it is packed in a way that was not asked for")),
    };
    if response.content_length().is_some_and(|length| length > limits.max_bytes) {
        return Err(too_large());
    }
    let mut stream = response.bytes_stream();
    let (mut window_start, mut in_window, mut not_told) = (Instant::now(), 0_u64, 0_u64);
    let mut is_empty = true;
    loop {
        let left = limits.window.saturating_sub(window_start.elapsed());
        let chunk = match tokio::time::timeout(left, stream.next()).await {
            Ok(Some(chunk)) => {
                chunk.map_err(|error| NetError::from_reqwest(host.clone(), started.elapsed(), &error))?
            }
            Ok(None) => break,
            Err(_) if in_window < limits.min_bytes => {
                return Err(NetError::TooSlow { host, bytes: in_window, elapsed: window_start.elapsed() });
            }
            Err(_) => {
                (window_start, in_window) = (Instant::now(), 0);
                continue;
            }
        };
        is_empty &= chunk.is_empty();
        in_window += chunk.len() as u64;
        not_told += chunk.len() as u64;
        if not_told >= NOTE_EVERY {
            came(std::mem::take(&mut not_told));
        }
        if let Err(error) = sink.write_all(&chunk) {
            return Err(if is_full(&error) { too_large() } else { broken("it is packed wrongly") });
        }
    }
    if not_told > 0 {
        came(not_told);
    }
    // an answer without a body may still say that it is packed
    if is_empty {
        return Ok(Vec::new());
    }
    match sink.finish() {
        Ok(bytes) => Ok(bytes),
        Err(error) if is_full(&error) => Err(too_large()),
        Err(_) => Err(broken(ENDED_EARLY)),
    }
}

/// Where the bytes go.
enum Sink {
    Plain(Bounded),
    Gzip(Box<GzDecoder<Bounded>>),
}

impl Sink {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(sink) => sink.write_all(bytes),
            Self::Gzip(sink) => sink.write_all(bytes),
        }
    }

    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Plain(sink) => Ok(sink.bytes),
            Self::Gzip(sink) => Ok(sink.finish()?.bytes),
        }
    }
}

/// Bytes up to a limit.
struct Bounded {
    bytes: Vec<u8>,
    limit: u64,
}

impl Bounded {
    fn new(limit: u64) -> Self {
        Self { bytes: Vec::new(), limit }
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if (self.bytes.len() + bytes.len()) as u64 > self.limit {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn is_full(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::FileTooLarge
}

/// Unpacks bytes that were packed here, up to a limit; `None` when they are damaged or more.
pub(super) fn unpack(packed: &[u8], limit: u64) -> Option<Vec<u8>> {
    let mut decoder = GzDecoder::new(Bounded::new(limit));
    decoder.write_all(packed).ok()?;
    Some(decoder.finish().ok()?.bytes)
}

/// Packs bytes to keep them.
pub(super) fn pack(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let bomb = pack(&vec![0; 10_000_000]).unwrap();
        assert!(bomb.len() < 100_000);
        let mut sink = Sink::Gzip(Box::new(GzDecoder::new(Bounded::new(1_000_000))));
        let error = sink.write_all(&bomb).unwrap_err();
        assert!(is_full(&error), "{error}");
        assert_eq!(unpack(&bomb, 10_000_000).unwrap().len(), 10_000_000);
        assert!(unpack(&bomb, 9_999_999).is_none());
        assert!(unpack(bomb.get(..bomb.len() / 2).unwrap(), 10_000_000).is_none());
    }
}

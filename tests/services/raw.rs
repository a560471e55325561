//! A server that answers byte by byte as it is told: cut off, drop by drop, or no HTTP at all.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a server does with a connection, one after the other; then it closes it.
#[derive(Debug, Clone)]
pub enum Step {
    Send(Vec<u8>),
    Pause(Duration),
}

/// A server and what was asked of it.
pub struct Raw {
    address: SocketAddr,
    scheme: &'static str,
    log: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
}

type Answer = dyn Fn(usize, &str) -> Vec<Step> + Send + Sync;

impl Raw {
    /// Starts a server; the function gets the number of the request and its text.
    pub fn new(answer: impl Fn(usize, &str) -> Vec<Step> + Send + Sync + 'static) -> Self {
        Self::start("http", None, Arc::new(answer))
    }

    /// Starts one that speaks TLS with a certificate of `tests/fixtures/tls`.
    pub fn tls(certificate: &str, answer: impl Fn(usize, &str) -> Vec<Step> + Send + Sync + 'static) -> Self {
        use rustls::pki_types::pem::PemObject as _;
        let _ = rustls::crypto::ring::default_provider().install_default();
        let chain = rustls::pki_types::CertificateDer::from_pem_file(fixture(certificate)).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::from_pem_file(fixture("server.key")).unwrap();
        let config = rustls::ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![chain], key).unwrap();
        Self::start("https", Some(Arc::new(config)), Arc::new(answer))
    }

    fn start(scheme: &'static str, tls: Option<Arc<rustls::ServerConfig>>, answer: Arc<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let raw = Self {
            address: listener.local_addr().unwrap(),
            scheme,
            log: Arc::default(),
            stop: Arc::default(),
        };
        let (log, stop) = (raw.log.clone(), raw.stop.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (log, answer, tls) = (log.clone(), answer.clone(), tls.clone());
                std::thread::spawn(move || match tls {
                    None => talk(stream, &log, &*answer),
                    Some(config) => {
                        let connection = rustls::ServerConnection::new(config).unwrap();
                        let mut stream = rustls::StreamOwned::new(connection, stream);
                        talk(&mut stream, &log, &*answer);
                        stream.conn.send_close_notify();
                        let _ = stream.flush();
                    }
                });
            }
        });
        raw
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}://localhost:{}{path}", self.scheme, self.address.port())
    }

    /// Returns the texts of all requests so far.
    pub fn asked(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

fn talk(mut stream: impl Read + Write, log: &Mutex<Vec<String>>, answer: &Answer) {
    let Some(request) = request(&mut stream) else { return };
    let number = {
        let mut log = log.lock().unwrap();
        log.push(request.clone());
        log.len() - 1
    };
    for step in answer(number, &request) {
        match step {
            Step::Pause(time) => std::thread::sleep(time),
            // who asked may be gone
            Step::Send(bytes) => {
                if stream.write_all(&bytes).and_then(|()| stream.flush()).is_err() {
                    return;
                }
            }
        }
    }
}

/// Reads one request with its body.
fn request(stream: &mut impl Read) -> Option<String> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        if bytes.first() == Some(&0x16) {
            return Some("the beginning of TLS".to_owned());
        }
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.and_then(|length| length.parse().ok()).unwrap_or(0) {
                return Some(text.clone());
            }
        }
        match stream.read(&mut chunk) {
            Ok(count @ 1..) => bytes.extend_from_slice(chunk.get(..count)?),
            _ => return None,
        }
    }
}

/// The path of a file in `tests/fixtures/tls`.
pub fn fixture(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

/// A whole answer.
pub fn answer(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<Step> {
    let body = body.as_ref();
    let mut bytes = head(status, headers);
    bytes.truncate(bytes.len() - 2);
    bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body);
    vec![Step::Send(bytes)]
}

/// The beginning of an answer, without its length.
pub fn head(status: u16, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status} X\r\nconnection: close\r\n");
    for (name, value) in headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    (text + "\r\n").into_bytes()
}

/// Packs a body.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

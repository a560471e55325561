//! Connections that can be cut from outside, and a listener that can go down and come back on its port.

use super::fault::Faults;
use rustls::ServerConfig;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Listens on a port of this machine.
pub struct Listener {
    socket: Option<TcpListener>,
    address: SocketAddr,
    faults: Arc<Faults>,
    tls: TlsAcceptor,
    /// Connections that have shaken hands.
    ready: (mpsc::Sender<Greeted>, mpsc::Receiver<Greeted>),
}

type Greeted = (TlsStream<Connection>, SocketAddr);

/// Longest time for a handshake.
const HANDSHAKE: Duration = Duration::from_secs(5);

impl Listener {
    /// Listens on any free port.
    ///
    /// # Errors
    /// When this machine has none.
    pub fn bind(faults: Arc<Faults>, tls: Arc<ServerConfig>) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        let ready = mpsc::channel(64);
        Ok(Self { socket: Some(listener), address, faults, tls: tls.into(), ready })
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Shakes hands in a task of its own: a caller that is slow holds up nobody else.
    fn greet(&self, stream: TcpStream, from: SocketAddr) {
        let _ = stream.set_nodelay(true);
        let greeting = self.tls.accept(Connection::new(stream, &self.faults));
        let ready = self.ready.0.clone();
        tokio::spawn(async move {
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, greeting).await {
                let _ = ready.send((stream, from)).await;
            }
        });
    }
}

impl axum::serve::Listener for Listener {
    type Io = TlsStream<Connection>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Greeted {
        let mut down = self.faults.is_down.subscribe();
        loop {
            if *down.borrow_and_update() {
                self.socket = None;
                let _ = down.changed().await;
                continue;
            }
            let Some(listener) = &self.socket else {
                self.socket = TcpListener::bind(self.address).await.ok();
                if self.socket.is_none() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                continue;
            };
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, from)) => self.greet(stream, from),
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                },
                Some(greeted) = self.ready.1.recv() => return greeted,
                _ = down.changed() => {}
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// A connection that is dead once the faults say so.
pub struct Connection {
    stream: TcpStream,
    cut: Pin<Box<dyn Future<Output = ()> + Send>>,
    is_cut: bool,
}

impl Connection {
    fn new(stream: TcpStream, faults: &Faults) -> Self {
        let mut age = faults.age.subscribe();
        age.borrow_and_update();
        let cut = Box::pin(async move {
            let _ = age.changed().await;
        });
        Self { stream, cut, is_cut: false }
    }

    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if !self.is_cut && self.cut.as_mut().poll(cx).is_ready() {
            self.is_cut = true;
        }
        if self.is_cut { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Err(error) = self.check(cx) {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if let Err(error) = self.check(cx) {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

//! Ports of pods, forwarded over a WebSocket (`v4.channel.k8s.io`) to a built-in page.
//!
//! Two channels for each port asked for: data and errors. Both begin with the port's number.

use super::cluster::{text, uid};
use super::request::{Query, Target};
use super::resource::R;
use super::server::Server;
use super::status::Failure;
use axum::extract::WebSocketUpgrade;
use axum::extract::ws::{Message, WebSocket};
use axum::response::Response;
use std::sync::Arc;
use std::time::Duration;

/// What answers behind the ports of a pod.
#[derive(Debug, Clone)]
pub struct Page {
    pod: String,
    namespace: String,
    /// Ports that containers listen on; all when they name none.
    ports: Vec<u16>,
}

impl Page {
    /// Finds the pod a request is about.
    ///
    /// # Errors
    /// 404, or what the real one says of a pod that does not run.
    pub fn find(server: &Server, target: &Target) -> Result<Self, Failure> {
        let named = target.name.as_deref().unwrap_or_default();
        let namespace = target.namespace.as_deref().unwrap_or_default();
        let cluster = server.cluster();
        let pod = cluster
            .store
            .value(R::Pod, namespace, named)
            .ok_or_else(|| Failure::not_found(R::Pod.row(), named))?;
        let phase = cluster.pods.get(uid(&pod)).map_or("Pending", super::pod::PodRun::phase);
        if phase != "Running" {
            return Err(Failure::bad_request(format!(
                "unable to forward port because pod is not running. Current status={}",
                text(&pod["status"]["phase"])
            )));
        }
        let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
        let ports = containers
            .flat_map(|container| container["ports"].as_array().into_iter().flatten())
            .filter_map(|port| u16::try_from(port["containerPort"].as_u64()?).ok())
            .collect();
        Ok(Self { pod: named.to_owned(), namespace: namespace.to_owned(), ports })
    }

    /// Returns why nobody listens on a port; `None` when somebody does.
    pub fn refusal(&self, port: u16) -> Option<String> {
        if self.ports.is_empty() || self.ports.contains(&port) {
            return None;
        }
        Some(format!(
            "an error occurred forwarding {port} -> {port}: error forwarding port {port} to pod {}, uid : failed to \
             execute portforward in network namespace: failed to connect to localhost:{port} inside namespace: \
             connection refused",
            self.pod
        ))
    }

    /// Answers the requests that have arrived whole; takes them out of the buffer.
    pub fn answer(&self, port: u16, received: &mut Vec<u8>) -> Vec<u8> {
        let mut answers = Vec::new();
        while let Some(end) = find_end(received) {
            let head = String::from_utf8_lossy(received.get(..end).unwrap_or_default()).into_owned();
            received.drain(..end);
            let path = head.split_whitespace().nth(1).unwrap_or("/").to_owned();
            let body = format!(
                "<!doctype html><title>{pod}</title><h1>{pod}</h1><p>namespace {namespace}, port {port}, path {path}</p>\n",
                pod = self.pod,
                namespace = self.namespace,
            );
            answers.extend_from_slice(
                format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                )
                .as_bytes(),
            );
        }
        answers
    }
}

fn find_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

/// Forwards ports of a pod.
pub fn start(
    server: &Arc<Server>,
    target: &Target,
    query: &Query,
    socket: WebSocketUpgrade,
) -> Result<Response, Failure> {
    let page = Page::find(server, target)?;
    let ports: Vec<u16> = query
        .all("ports")
        .flat_map(|list| list.split(','))
        .filter_map(|port| port.trim().parse().ok())
        .collect();
    let socket = socket.protocols(["v4.channel.k8s.io", "portforward.k8s.io"]);
    Ok(socket.on_upgrade(move |socket| run(socket, page, ports)))
}

async fn run(mut socket: WebSocket, page: Page, ports: Vec<u16>) {
    for (at, port) in ports.iter().enumerate() {
        for channel in [at * 2, at * 2 + 1] {
            let mut first = vec![channel as u8];
            first.extend_from_slice(&port.to_le_bytes());
            if socket.send(Message::Binary(first.into())).await.is_err() {
                return;
            }
        }
        if let Some(why) = page.refusal(*port) {
            let mut error = vec![(at * 2 + 1) as u8];
            error.extend_from_slice(why.as_bytes());
            let _ = socket.send(Message::Binary(error.into())).await;
        }
    }
    let mut received: Vec<Vec<u8>> = vec![Vec::new(); ports.len()];
    while let Some(Ok(message)) = socket.recv().await {
        let Message::Binary(bytes) = message else { continue };
        let Some((channel, bytes)) = bytes.split_first() else { continue };
        let at = usize::from(*channel) / 2;
        let (Some(buffer), Some(port)) = (received.get_mut(at), ports.get(at)) else { continue };
        buffer.extend_from_slice(bytes);
        let answer = page.answer(*port, buffer);
        if !answer.is_empty() {
            let mut message = vec![*channel];
            message.extend_from_slice(&answer);
            if socket.send(Message::Binary(message.into())).await.is_err() {
                return;
            }
        }
    }
    let _ = tokio::time::timeout(Duration::from_millis(200), socket.send(Message::Close(None))).await;
}

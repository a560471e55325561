//! Commands in containers, over a WebSocket: `v4.channel.k8s.io` and `v5.channel.k8s.io`.
//!
//! The first byte of each message is the channel: 0 in, 1 out, 2 errors, 3 how it ended, 4 size of the terminal; 255
//! closes another one (v5).

use super::cluster::{name, text, uid};
use super::request::{Query, Target};
use super::resource::R;
use super::server::Server;
use super::shell::{Output, Shell, is_shell};
use super::status::Failure;
use axum::body::Bytes;
use axum::extract::WebSocketUpgrade;
use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use axum::response::Response;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const PROTOCOLS: [&str; 3] = ["v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io"];
const OUT: u8 = 1;
const ERRORS: u8 = 2;
const STATUS: u8 = 3;

/// Starts a command in a container.
pub fn start(
    server: &Arc<Server>,
    target: &Target,
    query: &Query,
    socket: WebSocketUpgrade,
) -> Result<Response, Failure> {
    let shell = shell(server, target, query)?;
    let command: Vec<String> = query.all("command").map(str::to_owned).collect();
    let is_tty = query.is("tty");
    let has_input = query.is("stdin");
    Ok(socket.protocols(PROTOCOLS).on_upgrade(move |socket| async move {
        let mut session = Session { socket, shell, is_tty, input: Vec::new(), is_closed: false };
        session.run(&command, has_input).await;
    }))
}

/// Makes the shell of the container a request is about.
fn shell(server: &Server, target: &Target, query: &Query) -> Result<Shell, Failure> {
    let named = target.name.as_deref().unwrap_or_default();
    let namespace = target.namespace.as_deref().unwrap_or_default();
    let cluster = server.cluster();
    let pod = cluster
        .store
        .value(R::Pod, namespace, named)
        .ok_or_else(|| Failure::not_found(R::Pod.row(), named))?;
    let containers = pod["spec"]["containers"].as_array().cloned().unwrap_or_default();
    let container = match query.get("container") {
        Some(wanted) => containers.iter().find(|container| container["name"] == wanted).ok_or_else(|| {
            Failure::bad_request(format!("container {wanted} is not valid for pod {named}"))
        })?,
        None => containers.first().ok_or_else(|| Failure::bad_request("the pod has no container"))?,
    };
    let run = cluster.pods.get(uid(&pod)).and_then(|run| run.container(text(&container["name"])));
    if !run.is_some_and(|run| matches!(run.state, super::pod::State::Running(_))) {
        let message = format!("container not found (\"{}\")", text(&container["name"]));
        return Err(Failure::internal(message));
    }
    let mut env = BTreeMap::from([
        ("HOME".to_owned(), "/app".to_owned()),
        ("HOSTNAME".to_owned(), named.to_owned()),
        ("KUBERNETES_SERVICE_HOST".to_owned(), "10.96.0.1".to_owned()),
        ("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned()),
    ]);
    for variable in container["env"].as_array().into_iter().flatten() {
        let value = variable["value"].as_str().unwrap_or("*****");
        env.insert(text(&variable["name"]).to_owned(), value.to_owned());
    }
    let (cpu, memory) = cluster.usage(&pod, container);
    let image = text(&container["image"]);
    Ok(Shell {
        pod: name(&pod).to_owned(),
        app: image.rsplit('/').next().unwrap_or(image).to_owned(),
        env,
        folder: "/app".to_owned(),
        size: (80, 24),
        usage: (cpu / 1_000_000, memory >> 20),
        date: format!("{:.0}", cluster.now),
        is_bare: image.contains("edge-proxy"),
    })
}

struct Session {
    socket: WebSocket,
    shell: Shell,
    is_tty: bool,
    /// What was typed and not read yet.
    input: Vec<u8>,
    /// Nothing more is typed.
    is_closed: bool,
}

impl Session {
    async fn run(&mut self, command: &[String], has_input: bool) {
        let first = command.first().map(String::as_str).unwrap_or_default();
        let code = if !self.shell.knows(first) {
            let message = format!(
                "Internal error occurred: error executing command in container: failed to exec in container: failed to \
                 start exec: OCI runtime exec failed: exec failed: unable to start container process: exec: \
                 \"{first}\": executable file not found in $PATH"
            );
            self.end(
                &json!({"metadata": {}, "status": "Failure", "message": message, "reason": "InternalError",
                             "details": {"causes": [{"message": message}]}, "code": 500}),
            )
            .await;
            return;
        } else if is_shell(first) && command.len() == 1 && has_input {
            self.interact().await
        } else if first.ends_with("top") && self.is_tty {
            self.top().await
        } else if first.ends_with("cat") && command.len() == 1 && has_input {
            self.copy().await
        } else {
            let output = self.shell.run(command);
            self.show(&output).await;
            Some(output.code)
        };
        if let Some(code) = code {
            self.end(&status(code)).await;
        }
    }

    async fn end(&mut self, status: &Value) {
        let mut message = vec![STATUS];
        message.extend_from_slice(status.to_string().as_bytes());
        let _ = self.socket.send(Message::Binary(message.into())).await;
        let normal = CloseFrame { code: close_code::NORMAL, reason: "".into() };
        let _ = self.socket.send(Message::Close(Some(normal))).await;
        // the other side answers, or it does not
        let _ = tokio::time::timeout(Duration::from_secs(1), self.socket.recv()).await;
    }

    async fn send(&mut self, channel: u8, text: &str) {
        if text.is_empty() {
            return;
        }
        let mut message = vec![channel];
        // a terminal wants both to go to the next line
        if self.is_tty {
            message.extend_from_slice(text.replace('\n', "\r\n").as_bytes());
        } else {
            message.extend_from_slice(text.as_bytes());
        }
        if self.socket.send(Message::Binary(Bytes::from(message))).await.is_err() {
            self.is_closed = true;
        }
    }

    async fn show(&mut self, output: &Output) {
        self.send(OUT, &output.out).await;
        // a terminal has no second channel
        self.send(if self.is_tty { OUT } else { ERRORS }, &output.err).await;
        if output.sleep > 0.0 {
            self.sleep(Duration::from_secs_f64(output.sleep)).await;
        }
    }

    /// Waits; `ctrl-c` ends it.
    async fn sleep(&mut self, time: Duration) {
        let deadline = tokio::time::Instant::now() + time;
        while !self.is_closed && !self.input.contains(&3) {
            tokio::select! {
                () = tokio::time::sleep_until(deadline) => return,
                message = self.socket.recv() => self.take(message),
            }
        }
        self.input.clear();
    }

    fn take(&mut self, message: Option<Result<Message, axum::Error>>) {
        let bytes = match message {
            Some(Ok(Message::Binary(bytes))) => bytes,
            Some(Ok(Message::Text(text))) => Bytes::copy_from_slice(text.as_bytes()),
            Some(Ok(Message::Close(_)) | Err(_)) | None => {
                self.is_closed = true;
                return;
            }
            Some(Ok(_)) => return,
        };
        match bytes.split_first() {
            Some((0, typed)) => self.input.extend_from_slice(typed),
            Some((4, size)) => {
                if let Ok(size) = serde_json::from_slice::<Value>(size) {
                    let of = |key: &str| u16::try_from(size[key].as_u64().unwrap_or(0)).unwrap_or(0);
                    self.shell.size = (of("Width"), of("Height"));
                }
            }
            Some((255, channel)) if channel.first() == Some(&0) => self.is_closed = true,
            _ => {}
        }
    }

    /// An interactive shell: reads lines, echoes what is typed on a terminal. `None` when the caller has gone.
    async fn interact(&mut self) -> Option<i32> {
        let mut line = String::new();
        let mut last = 0;
        if self.is_tty {
            let prompt = self.shell.prompt();
            self.send(OUT, &prompt).await;
        }
        loop {
            let typed = std::mem::take(&mut self.input);
            for char in String::from_utf8_lossy(&typed).chars() {
                match char {
                    '\r' | '\n' => {
                        if self.is_tty {
                            self.send(OUT, "\n").await;
                        }
                        let output = if line.trim() == "top" && self.is_tty {
                            self.top().await;
                            Output::default()
                        } else {
                            self.shell.line(&line)
                        };
                        line.clear();
                        self.show(&output).await;
                        last = output.code;
                        if output.is_exit {
                            return Some(last);
                        }
                        if self.is_tty {
                            let prompt = self.shell.prompt();
                            self.send(OUT, &prompt).await;
                        }
                    }
                    '\u{3}' if self.is_tty => {
                        line.clear();
                        last = 130;
                        let prompt = format!("^C\n{}", self.shell.prompt());
                        self.send(OUT, &prompt).await;
                    }
                    '\u{4}' if self.is_tty => {
                        if line.is_empty() {
                            self.send(OUT, "\n").await;
                            return Some(last);
                        }
                    }
                    '\u{7f}' | '\u{8}' if self.is_tty => {
                        if line.pop().is_some() {
                            self.send(OUT, "\u{8} \u{8}").await;
                        }
                    }
                    char => {
                        line.push(char);
                        if self.is_tty {
                            self.send(OUT, char.encode_utf8(&mut [0; 4])).await;
                        }
                    }
                }
            }
            if self.is_closed {
                // the end of what is typed ends the shell, as end of file does
                if !line.trim().is_empty() {
                    let output = self.shell.line(&line);
                    self.show(&output).await;
                    last = output.code;
                }
                return Some(last);
            }
            let message = self.socket.recv().await;
            self.take(message);
        }
    }

    /// `top` draws every second until `q` or `ctrl-c`.
    async fn top(&mut self) -> Option<i32> {
        loop {
            let screen = format!("\u{1b}[H\u{1b}[2J{}", self.shell.top());
            self.send(OUT, &screen).await;
            let deadline = tokio::time::Instant::now() + Duration::from_secs(1);
            loop {
                if self.is_closed {
                    return None;
                }
                if self.input.iter().any(|byte| matches!(byte, b'q' | 3)) {
                    self.input.clear();
                    return Some(0);
                }
                tokio::select! {
                    () = tokio::time::sleep_until(deadline) => break,
                    message = self.socket.recv() => self.take(message),
                }
            }
        }
    }

    /// `cat` gives back what it is given.
    async fn copy(&mut self) -> Option<i32> {
        loop {
            let typed = std::mem::take(&mut self.input);
            if self.is_tty && typed.iter().any(|byte| matches!(byte, 3 | 4)) {
                return Some(if typed.contains(&3) { 130 } else { 0 });
            }
            let text = String::from_utf8_lossy(&typed).into_owned();
            self.send(OUT, &text).await;
            if self.is_closed {
                return Some(0);
            }
            let message = self.socket.recv().await;
            self.take(message);
        }
    }
}

/// Returns how a command ended, as channel 3 tells it.
fn status(code: i32) -> Value {
    if code == 0 {
        return json!({"metadata": {}, "status": "Success"});
    }
    json!({
        "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
        "message": format!("command terminated with non-zero exit code: exit status {code}"),
        "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
    })
}

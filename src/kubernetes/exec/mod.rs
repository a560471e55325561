//! Commands in containers: one-off with their output, or with this process's terminal.
//!
//! Start at [`start`]: a command over one WebSocket, with what it writes and how it ends. [`run`] collects the
//! output of a command, [`shell::shell`] hands over the terminal.

pub mod shell;
#[cfg(unix)]
mod tty;

use super::ask::{Fault, Session, list, short, text};
use super::kind::Kind;
use super::object::ObjectRef;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::Api;
use kube::api::{AttachParams, AttachedProcess};
use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};

/// How long the connection to a container may take.
const CONNECT: Duration = Duration::from_secs(20);
/// How long a one-off command may take.
const RUN: Duration = Duration::from_secs(120);
/// Bytes kept of its output.
const MAX_OUTPUT: usize = 1 << 20;
/// Bytes on the way between the connection and the reader; the client's own kilobyte is slow.
const PIPE: usize = 64 << 10;

/// Which output a command wrote to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// What a command is run with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct With {
    /// It reads from us.
    pub stdin: bool,
    /// It has a terminal.
    pub tty: bool,
}

/// Finds the pod and container that are meant: a ready pod of a workload or service, the default container.
///
/// # Errors
/// A sentence for people.
pub async fn place(
    session: &Session,
    at: &ObjectRef,
    container: Option<&str>,
) -> Result<(ObjectRef, String), String> {
    let (at, pod) = if at.kind == Kind::Pod {
        (at.clone(), session.read(at).await?)
    } else {
        let pod = super::forward::ready_pod(session, at).await?;
        let name = text(&pod, "/metadata/name").into();
        (ObjectRef { kind: Kind::Pod, name, ..at.clone() }, pod)
    };
    let container = choose(&pod, container).map_err(|why| format!("{} {why}", session.called(&at)))?;
    Ok((at, container))
}

/// Chooses a container of a pod: the one asked for, the annotated one, the first.
fn choose(pod: &Value, asked: Option<&str>) -> Result<String, String> {
    let names: Vec<&str> = ["/spec/containers", "/spec/initContainers", "/spec/ephemeralContainers"]
        .iter()
        .flat_map(|at| list(pod, at))
        .map(|container| text(container, "/name"))
        .collect();
    let default = pod
        .pointer("/metadata/annotations")
        .and_then(|all| all.get("kubectl.kubernetes.io/default-container"))
        .and_then(Value::as_str)
        .filter(|name| names.contains(name));
    match asked {
        Some(asked) if names.contains(&asked) => Ok(asked.to_owned()),
        Some(asked) => Err(format!("has no container `{asked}`; it has {}", names.join(", "))),
        None => default
            .or(names.first().copied())
            .map(str::to_owned)
            .ok_or_else(|| "has no containers".to_owned()),
    }
}

/// Starts a command in a container of a pod.
///
/// # Errors
/// A sentence for people.
pub async fn start(
    session: &Session,
    pod: &ObjectRef,
    container: &str,
    command: &[String],
    with: With,
) -> Result<AttachedProcess, String> {
    if let Some(why) = session.locked() {
        return Err(why);
    }
    let api: Api<Pod> = Api::namespaced(session.client.clone(), &pod.namespace);
    let params = AttachParams {
        container: Some(container.to_owned()),
        stdin: with.stdin,
        stdout: true,
        // a terminal has one output
        stderr: !with.tty,
        tty: with.tty,
        max_stdin_buf_size: Some(PIPE),
        max_stdout_buf_size: Some(PIPE),
        max_stderr_buf_size: Some(PIPE),
    };
    let doing = || {
        let place = session.place(&pod.namespace);
        format!("could not run a command in container `{container}` of {} in {place}", session.called(pod))
    };
    match tokio::time::timeout(CONNECT, api.exec(&pod.name, command, &params)).await {
        Ok(Ok(process)) => Ok(process),
        Ok(Err(error)) => {
            let fault = Fault::from_kube(&error);
            let verb = if is_about_get(&fault) { "get" } else { "create" };
            Err(session.explain(&fault, &doing(), verb, "pods/exec", &pod.namespace))
        }
        Err(_) => Err(format!("{}: no answer within {} s", doing(), CONNECT.as_secs())),
    }
}

/// A WebSocket begins with GET: servers ask for the right to `get` where kubectl's older way needs `create`.
fn is_about_get(fault: &Fault) -> bool {
    matches!(fault, Fault::Refused { message, .. } if message.contains("cannot get resource"))
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code.
    Code(i32),
    /// It could not be started: why.
    NotStarted(String),
    /// Nobody knows: the connection was lost.
    Lost,
}

/// Returns how a command ended, by the status that the server sends at its end.
pub fn ended(status: Option<&Status>) -> Ended {
    let Some(status) = status else { return Ended::Lost };
    if status.status.as_deref() == Some("Success") {
        return Ended::Code(0);
    }
    let causes = status.details.as_ref().and_then(|details| details.causes.as_deref()).unwrap_or_default();
    let code = causes.iter().find(|cause| cause.reason.as_deref() == Some("ExitCode"));
    match code.and_then(|cause| cause.message.as_deref()?.trim().parse().ok()) {
        Some(code) => Ended::Code(code),
        None => Ended::NotStarted(short(status.message.as_deref().unwrap_or("no reason is given"))),
    }
}

/// Runs a command to its end; what it writes goes to `write` as it comes.
///
/// # Errors
/// A sentence when it could not be started or the connection was lost.
pub async fn stream(
    mut process: AttachedProcess,
    mut write: impl FnMut(Output, &[u8]),
) -> Result<Ended, String> {
    let status = process.take_status();
    let mut out = process.stdout();
    let mut err = process.stderr();
    let mut buffers = (vec![0_u8; PIPE], vec![0_u8; PIPE]);
    while out.is_some() || err.is_some() {
        tokio::select! {
            read = read(&mut out, &mut buffers.0), if out.is_some() => match read {
                0 => out = None,
                length => write(Output::Out, buffers.0.get(..length).unwrap_or_default()),
            },
            read = read(&mut err, &mut buffers.1), if err.is_some() => match read {
                0 => err = None,
                length => write(Output::Err, buffers.1.get(..length).unwrap_or_default()),
            },
        }
    }
    let status = match status {
        Some(status) => status.await,
        None => None,
    };
    Ok(ended(status.as_ref()))
}

/// Reads some bytes; 0 at the end.
async fn read(from: &mut Option<impl AsyncRead + Unpin>, buffer: &mut [u8]) -> usize {
    match from {
        Some(from) => from.read(buffer).await.unwrap_or(0),
        None => 0,
    }
}

/// Runs a command and returns its output, bounded, with the exit code at the end where it is not 0.
///
/// # Errors
/// A sentence for people.
pub async fn run(
    session: &Session,
    at: &ObjectRef,
    container: Option<&str>,
    command: &[String],
) -> Result<String, String> {
    if command.is_empty() {
        return Err("no command is given".to_owned());
    }
    let (pod, container) = place(session, at, container).await?;
    let process = start(session, &pod, &container, command, With { stdin: false, tty: false }).await?;
    let mut kept: Vec<u8> = Vec::new();
    let mut skipped = 0;
    let running = stream(process, |_, bytes| {
        let free = MAX_OUTPUT.saturating_sub(kept.len()).min(bytes.len());
        kept.extend_from_slice(bytes.get(..free).unwrap_or_default());
        skipped += bytes.len() - free;
    });
    let ended = tokio::time::timeout(RUN, running).await;
    let mut said = crate::model::text::clean_lines(&String::from_utf8_lossy(&kept)).into_owned();
    if !said.is_empty() && !said.ends_with('\n') {
        said.push('\n');
    }
    if skipped > 0 {
        said.push_str(&format!("… {skipped} more bytes are not shown\n"));
    }
    match ended {
        Ok(Ok(Ended::Code(0))) => {}
        Ok(Ok(Ended::Code(code))) => said.push_str(&format!("exit code {code}\n")),
        Ok(Ok(Ended::NotStarted(why))) => return Err(not_started(command, &why)),
        Ok(Ok(Ended::Lost)) => said.push_str("the connection was lost: how it ended is not known\n"),
        Ok(Err(why)) => return Err(why),
        Err(_) => said.push_str(&format!("it did not end within {} s and was left\n", RUN.as_secs())),
    }
    Ok(said)
}

/// Returns why a command could not be started, in a sentence.
pub fn not_started(command: &[String], why: &str) -> String {
    let program = command.first().map_or("", String::as_str);
    if is_missing(why) {
        return format!("there is no `{program}` in the container");
    }
    format!("`{program}` could not be started: {why}")
}

/// Whether a runtime says that a program is not there.
fn is_missing(why: &str) -> bool {
    why.contains("executable file not found") || why.contains("no such file or directory")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_container_is_chosen() {
        let pod = json!({"spec": {"containers": [{"name": "a"}, {"name": "b"}], "initContainers": [{"name": "i"}]}});
        let annotated = json!({"metadata": {"annotations": {"kubectl.kubernetes.io/default-container": "b"}},
            "spec": pod["spec"]});
        let cases = [
            (&pod, None, Ok("a")),
            (&pod, Some("i"), Ok("i")),
            (&annotated, None, Ok("b")),
            (&annotated, Some("a"), Ok("a")),
            (&pod, Some("x"), Err("has no container `x`; it has a, b, i")),
        ];
        for (pod, asked, expected) in cases {
            assert_eq!(choose(pod, asked), expected.map(str::to_owned).map_err(str::to_owned));
        }
        assert!(choose(&json!({}), None).is_err());
    }

    #[test]
    fn the_last_status_tells_how_it_ended() {
        let status = |value: Value| serde_json::from_value::<Status>(value).unwrap();
        let failed = |code: &str| {
            status(json!({"status": "Failure", "reason": "NonZeroExitCode", "message": "command terminated",
                "details": {"causes": [{"reason": "ExitCode", "message": code}]}}))
        };
        assert_eq!(ended(Some(&status(json!({"status": "Success"})))), Ended::Code(0));
        assert_eq!(ended(Some(&failed("137"))), Ended::Code(137));
        assert!(matches!(ended(Some(&failed("many"))), Ended::NotStarted(_)));
        let missing = "OCI runtime exec failed: exec: \"bash\": executable file not found in $PATH: unknown";
        let status = status(json!({"status": "Failure", "message": missing}));
        assert!(matches!(ended(Some(&status)), Ended::NotStarted(why) if is_missing(&why)));
        assert_eq!(ended(None), Ended::Lost);
    }
}

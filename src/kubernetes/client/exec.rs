//! Asks credential plugins (`exec:` of a kubeconfig) for a token or a client certificate.
//!
//! The screen owns the terminal, so a plugin gets no input and its words go into the error, never on the screen.
//! One that insists on a terminal is refused with a sentence. Source: Kubernetes, *client-go credential plugins*.

use super::fault::{Fault, FaultKind, clean};
use jiff::Timestamp;
use kube::config::{ExecConfig, ExecInteractiveMode};
use secrecy::SecretString;
use serde::Deserialize;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt;

/// How long a plugin may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Most bytes of a plugin that are read.
const MAX_OUTPUT: u64 = 1024 * 1024;

/// What a plugin gave.
#[derive(Debug, Default)]
pub struct Credential {
    /// Bearer token.
    pub token: Option<SecretString>,
    /// Client certificate and its key, PEM.
    pub certificate: Option<(String, SecretString)>,
    /// When it ends.
    pub expires: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Reply {
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<String>,
    token: Option<SecretText>,
    client_certificate_data: Option<String>,
    client_key_data: Option<SecretText>,
}

/// A text that no error repeats.
struct SecretText(SecretString);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(String::deserialize(deserializer)?.into()))
    }
}

/// Runs a plugin.
///
/// # Errors
/// Why there is no credential, and what to do.
pub async fn ask(config: &ExecConfig) -> Result<Credential, Fault> {
    let refuse = |text: String| Err(Fault::new(FaultKind::Unauthorized, text));
    let Some(name) = config.command.as_deref().filter(|name| !name.is_empty()) else {
        return Err(Fault::new(FaultKind::Configuration, "its `exec` names no command"));
    };
    let shown = clean(name);
    if config.interactive_mode == Some(ExecInteractiveMode::Always) {
        return refuse(format!(
            "the credential command `{shown}` wants a terminal (`interactiveMode: Always`): log in with it in a \
             shell, and set `interactiveMode: IfAvailable` in the kubeconfig"
        ));
    }
    let mut command = tokio::process::Command::new(name);
    command.args(config.args.iter().flatten());
    for variable in config.env.iter().flatten() {
        if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
            command.env(name, value);
        }
    }
    let version = config.api_version.as_deref().unwrap_or("client.authentication.k8s.io/v1");
    let mut spec = serde_json::json!({ "interactive": false });
    let cluster = config.cluster.as_ref().filter(|_| config.provide_cluster_info);
    if let (Some(spec), Some(Ok(cluster))) = (spec.as_object_mut(), cluster.map(serde_json::to_value)) {
        spec.insert("cluster".to_owned(), cluster);
    }
    let info = serde_json::json!({ "kind": "ExecCredential", "apiVersion": version, "spec": spec });
    command.env("KUBERNETES_EXEC_INFO", info.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let hint = config.install_hint.as_deref().map(clean).filter(|hint| !hint.is_empty());
            let hint = hint.unwrap_or_else(|| "install it, or put it on the PATH".to_owned());
            return refuse(format!("the credential command `{shown}` is not installed: {hint}"));
        }
        Err(error) => return refuse(format!("the credential command `{shown}` cannot be started: {error}")),
    };
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let work = async {
        let (out, err) = tokio::join!(read(stdout), read(stderr));
        (child.wait().await, out, err)
    };
    let Ok((status, stdout, stderr)) = tokio::time::timeout(TIMEOUT, work).await else {
        return refuse(format!(
            "the credential command `{shown}` gave nothing within {} seconds: does it wait for a login? run it \
             in a shell",
            TIMEOUT.as_secs()
        ));
    };
    match status {
        Ok(status) if status.success() => parse(&stdout, &shown),
        Ok(status) => {
            // what it prints on its standard output may be a credential
            let said = clean(&String::from_utf8_lossy(&stderr));
            let said = if said.is_empty() { "it does not say why".to_owned() } else { said };
            let code = status.code().map_or_else(|| "by a signal".to_owned(), |code| format!("with {code}"));
            refuse(format!(
                "the credential command `{shown}` ended {code}: {said}; run it in a shell, log in"
            ))
        }
        Err(error) => refuse(format!("the credential command `{shown}` was lost: {error}")),
    }
}

async fn read(pipe: Option<impl tokio::io::AsyncRead + Unpin>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        // a pipe that breaks ends the text
        let _ = pipe.take(MAX_OUTPUT).read_to_end(&mut bytes).await;
    }
    bytes
}

fn parse(stdout: &[u8], shown: &str) -> Result<Credential, Fault> {
    let refuse = |what: &str| {
        let text =
            format!("the credential command `{shown}` {what}: run it in a shell to see what it prints");
        Fault::new(FaultKind::Unauthorized, text)
    };
    // YAML is wider than JSON, and some plugins print it
    let reply: Reply = serde_json::from_slice(stdout)
        .ok()
        .or_else(|| serde_yaml::from_slice(stdout).ok())
        .ok_or_else(|| refuse("printed no ExecCredential"))?;
    let status = reply.status.ok_or_else(|| refuse("gave no credential"))?;
    let expires = match status.expiration_timestamp {
        Some(text) => Some(text.parse().map_err(|_| refuse("gave a date that is none"))?),
        None => None,
    };
    let certificate = status.client_certificate_data.zip(status.client_key_data.map(|key| key.0));
    let token = status.token.map(|token| token.0);
    if token.is_none() && certificate.is_none() {
        return Err(refuse("gave neither a token nor a certificate"));
    }
    Ok(Credential { token, certificate, expires })
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn plugin(script: &str) -> ExecConfig {
        ExecConfig {
            command: Some("sh".to_owned()),
            args: Some(vec!["-c".to_owned(), script.to_owned()]),
            ..ExecConfig::default()
        }
    }

    #[tokio::test]
    async fn plugin_gives_a_token_or_a_sentence() {
        let always = ExecConfig { interactive_mode: Some(ExecInteractiveMode::Always), ..plugin("true") };
        let missing = ExecConfig {
            command: Some("no-such-command-of-anybody".to_owned()),
            install_hint: Some("get it\nat example.com".to_owned()),
            ..ExecConfig::default()
        };
        let cases = [
            (plugin("echo 'please log in' >&2; echo s3cret; exit 3"), "ended with 3: please log in"),
            (plugin("echo hello"), "printed no ExecCredential"),
            (plugin("echo '{}'"), "gave no credential"),
            (plugin("echo '{\"status\":{}}'"), "neither a token nor a certificate"),
            (
                plugin("echo '{\"status\":{\"token\":\"s3cret\",\"expirationTimestamp\":\"soon\"}}'"),
                "a date that is none",
            ),
            (plugin("read line && exit 0; echo 'no input' >&2; exit 1"), "no input"),
            (always, "wants a terminal"),
            (missing, "is not installed: get it at example.com"),
            (ExecConfig::default(), "names no command"),
        ];
        for (config, part) in cases {
            let fault = ask(&config).await.map(|_| ()).unwrap_err();
            assert!(fault.text.contains(part), "{fault:?}");
            assert!(!fault.text.contains("s3cret"), "{fault:?}");
        }
        let good = plugin(
            "echo '{\"status\":{\"token\":\"abc\",\"expirationTimestamp\":\"2030-01-01T00:00:00Z\"}}'",
        );
        let credential = ask(&good).await.unwrap();
        assert_eq!(credential.token.unwrap().expose_secret(), "abc");
        assert!(credential.expires.is_some());
    }
}

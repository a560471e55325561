//! From how a cluster is described to a client that can ask it.
//!
//! Start at [`connect`]. What the client library leaves open is done here: credential plugins without a terminal,
//! a credential that is asked for again when it is refused, servers that ask to come back later, how far the
//! server's clock is ahead, and proxies as kubectl takes them.

pub mod exec;
pub mod fault;
mod guard;
pub mod kubeconfig;
mod proxy;

use super::cluster::Connection;
use crate::config::secret::SecretSource;
use base64::Engine;
use fault::{Fault, FaultKind, clean};
use guard::Guard;
use http::{HeaderName, HeaderValue, Request};
use kube::client::Body;
use kube::config::{AuthInfo, KubeConfigOptions};
use kube::{Client, Config};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::time::Duration;

/// How long connecting may take: name, connection and TLS together.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A way to a cluster.
#[derive(Clone)]
pub struct Link {
    /// Asks it.
    pub client: Client,
    /// Its address, for people.
    pub address: Arc<str>,
    /// Namespace of the context.
    pub namespace: Option<Arc<str>>,
    /// Whom the credential names, as far as can be seen from here; empty when it cannot.
    pub user: Arc<str>,
    guard: Arc<Guard>,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Link {
    /// Returns how far the server's clock was ahead of ours at its last answer, in seconds.
    pub fn clock_skew(&self) -> i64 {
        self.guard.clock_skew()
    }

    /// Tells what an error of the client means.
    pub fn tell(&self, error: &kube::Error) -> Fault {
        fault::tell(error, &self.address)
    }
}

/// Makes a client; reads files and asks credential plugins, but sends nothing to the cluster.
///
/// Must run inside a tokio runtime: the client lives there.
///
/// # Errors
/// What is wrong and what to do.
pub async fn connect(connection: &Connection) -> Result<Link, Fault> {
    let (mut config, user) = match connection {
        Connection::Kubeconfig { files, context } => from_kubeconfig(files.clone(), context.clone()).await?,
        Connection::InCluster => (in_cluster()?, String::new()),
        Connection::Direct { url, token, authority, skip_tls_verify } => {
            let token = read_token(token.as_ref()).await?;
            (direct(url, token, authority.as_deref(), *skip_tls_verify)?, String::new())
        }
        Connection::Backstage { proxy, cluster, token } => {
            let token = read_token(token.as_ref()).await?;
            (backstage(proxy, cluster, token)?, String::new())
        }
    };
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    // the guard knows how long a server asks to wait, and for what it is worth waiting
    config.default_retry = false;
    let address: Arc<str> = address_of(&config.cluster_url).into();
    let exec = config.auth_info.exec.take();
    let mut user = match &config.auth_info {
        AuthInfo { impersonate: Some(name), .. } | AuthInfo { username: Some(name), .. } => name.clone(),
        info => info.token.as_ref().and_then(subject_of).unwrap_or(user),
    };
    let guard = match exec {
        Some(exec) => {
            let credential = exec::ask(&exec).await?;
            if let Some((certificate, key)) = &credential.certificate {
                let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
                config.auth_info.client_certificate_data = Some(encode(certificate));
                config.auth_info.client_key_data = Some(encode(key.expose_secret()).into());
            }
            if let Some(name) = credential.token.as_ref().and_then(subject_of) {
                user = name;
            }
            Guard::with_plugin(exec, credential)
        }
        None => Guard::default(),
    };
    let namespace = Some(config.default_namespace.as_str()).filter(|name| !name.is_empty()).map(Arc::from);
    let inner = Client::try_from(config).map_err(|error| fault::tell(&error, &address))?;
    let guard = Arc::new(guard);
    let service = {
        let guard = guard.clone();
        tower::service_fn(move |request: Request<Body>| {
            let (guard, inner) = (guard.clone(), inner.clone());
            async move { guard.send(&inner, request).await }
        })
    };
    let client = Client::new(service, namespace.as_deref().unwrap_or("default"));
    Ok(Link { client, address, namespace, user: clean(&user).into(), guard })
}

async fn from_kubeconfig(files: Vec<std::path::PathBuf>, context: String) -> Result<(Config, String), Fault> {
    let wrong = |text: String| Fault::new(FaultKind::Configuration, text);
    let name = context.clone();
    let read = tokio::task::spawn_blocking(move || kubeconfig::read(&files).of_context(&name));
    let kubeconfig = read.await.map_err(|error| wrong(error.to_string()))?.map_err(wrong)?;
    let user = kubeconfig.auth_infos.first().map(|user| user.name.clone()).unwrap_or_default();
    if let Some(provider) = kubeconfig
        .auth_infos
        .first()
        .and_then(|user| user.auth_info.as_ref()?.auth_provider.as_ref())
        .filter(|provider| provider.name != "oidc" && !provider.config.contains_key("cmd-path"))
    {
        return Err(wrong(format!(
            "its user has the old `auth-provider` `{}`: {}",
            clean(&provider.name),
            command_of_provider(&provider.name)
        )));
    }
    let explicit_proxy = kubeconfig
        .clusters
        .first()
        .and_then(|cluster| cluster.cluster.as_ref()?.proxy_url.clone())
        .filter(|proxy| !proxy.is_empty());
    let options = KubeConfigOptions { context: Some(context), ..KubeConfigOptions::default() };
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|error| wrong(clean(&error.to_string())))?;
    // the library matches NO_PROXY against the proxy; kubectl matches it against the cluster
    if explicit_proxy.is_none() {
        config.proxy_url = proxy::from_environment(&config.cluster_url);
    }
    Ok((config, user))
}

/// Tells which credential command takes the place of a provider that needs its cloud's own program.
pub fn command_of_provider(provider: &str) -> &'static str {
    match provider {
        "gcp" | "google" | "googleServiceAccount" => {
            "install `gke-gcloud-auth-plugin` and run `gcloud container clusters get-credentials NAME`"
        }
        "aws" => "run `aws eks update-kubeconfig --name NAME`: its context uses `aws eks get-token`",
        "azure" | "aks" => {
            "run `az aks get-credentials --name NAME --resource-group GROUP` and `kubelogin convert-kubeconfig`"
        }
        "oidc" => "use a context whose user has `exec:` with `kubectl oidc-login get-token` (kubelogin)",
        _ => "use a context of a kubeconfig whose user has a token, a certificate or an `exec:` command",
    }
}

/// Reads a token from where it is kept; it may be another one than last time.
async fn read_token(source: Option<&SecretSource>) -> Result<Option<SecretString>, Fault> {
    let Some(source) = source.cloned() else { return Ok(None) };
    let read = tokio::task::spawn_blocking(move || source.read()).await;
    let wrong =
        |text: String| Fault::new(FaultKind::Configuration, format!("its token cannot be read: {text}"));
    let secret = read.map_err(|error| wrong(error.to_string()))?.map_err(|error| wrong(error.to_string()))?;
    Ok(Some(secret.expose().to_owned().into()))
}

fn in_cluster() -> Result<Config, Fault> {
    Config::incluster().map_err(|error| {
        let text = format!("the service account of this pod cannot be used: {}", clean(&error.to_string()));
        Fault::new(FaultKind::Configuration, text)
    })
}

fn direct(
    url: &str,
    token: Option<SecretString>,
    authority: Option<&[u8]>,
    skip_tls_verify: bool,
) -> Result<Config, Fault> {
    let wrong = |text: String| Fault::new(FaultKind::Configuration, text);
    let mut config = Config::new(parse_url(url)?);
    config.auth_info.token = token;
    config.accept_invalid_certs = skip_tls_verify;
    if let Some(pem) = authority {
        let certificates = certificates(pem);
        if certificates.is_empty() {
            return Err(wrong("its certificate authority holds no certificate in PEM form".to_owned()));
        }
        config.root_cert = Some(certificates);
    }
    config.proxy_url = proxy::from_environment(&config.cluster_url);
    config.default_namespace = String::new();
    Ok(config)
}

fn backstage(proxy: &str, cluster: &str, token: Option<SecretString>) -> Result<Config, Fault> {
    let mut config = Config::new(parse_url(proxy)?);
    config.auth_info.token = token;
    let name = HeaderValue::from_str(cluster).map_err(|_| {
        Fault::new(FaultKind::Configuration, "the name of the cluster cannot stand in a header".to_owned())
    })?;
    config.headers.push((HeaderName::from_static("backstage-kubernetes-cluster"), name));
    config.proxy_url = proxy::from_environment(&config.cluster_url);
    config.default_namespace = String::new();
    Ok(config)
}

fn parse_url(url: &str) -> Result<http::Uri, Fault> {
    let wrong = |text: &str| Fault::new(FaultKind::Configuration, text);
    let uri: http::Uri = url.parse().map_err(|_| wrong("its address is no URL"))?;
    match (uri.scheme_str(), uri.host()) {
        (Some("https" | "http"), Some(_)) => Ok(uri),
        _ => Err(wrong("its address has to begin with `https://` or `http://` and a host")),
    }
}

/// Returns the certificates of a PEM text, as DER.
fn certificates(pem: &[u8]) -> Vec<Vec<u8>> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).map(|der| der.as_ref().to_vec()).collect()
}

/// Returns an address for people: without credentials and query.
fn address_of(url: &http::Uri) -> String {
    let authority = url.authority().map_or("", http::uri::Authority::as_str);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let path = url.path().trim_end_matches('/');
    format!("{}://{host}{path}", url.scheme_str().unwrap_or("https"))
}

/// Returns whom a token names, where it is one that says so (JWT); nothing is checked.
fn subject_of(token: &SecretString) -> Option<String> {
    let payload = token.expose_secret().split('.').nth(1)?;
    let bytes =
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    ["email", "preferred_username", "sub"]
        .iter()
        .find_map(|name| Some(claims.get(name)?.as_str()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_names_its_subject() {
        let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
        let token = format!("x.{}.y", encode(r#"{"sub":"system:serviceaccount:shop:reader"}"#));
        assert_eq!(subject_of(&token.into()).as_deref(), Some("system:serviceaccount:shop:reader"));
        assert_eq!(subject_of(&"opaque".into()), None);
    }

    #[test]
    fn address_for_people_holds_no_credential() {
        let url = "https://user:secret@host:6443/api/?token=x".parse().unwrap();
        assert_eq!(address_of(&url), "https://host:6443/api");
    }

    #[tokio::test]
    async fn wrong_address_is_said() {
        let direct = |url: &str| Connection::Direct {
            url: url.to_owned(),
            token: None,
            authority: None,
            skip_tls_verify: false,
        };
        for url in ["", "host:1", "ftp://host", "https://"] {
            let fault = connect(&direct(url)).await.unwrap_err();
            assert_eq!(fault.kind, FaultKind::Configuration, "{url}: {fault:?}");
        }
    }
}

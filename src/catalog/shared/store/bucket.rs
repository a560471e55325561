//! A bucket of an object store.

use super::{Listed, Over, Put, StoreOptions, absent};
use crate::catalog::shared::place::{Object, time_for};
use crate::catalog::shared::{MANIFEST, SharedError};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::client::{ClientConfigKey, HttpClient, HttpConnector};
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, GetOptions, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions,
    RetryConfig, UpdateVersion,
};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Further tries of a request that failed in passing.
const RETRIES: usize = 2;
/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Most objects of a listing that are looked at.
const MAX_LISTED: usize = 10_000;

/// The bucket with a folder in it.
#[derive(Debug)]
pub(super) struct Bucket {
    store: Arc<dyn ObjectStore>,
    folder: Path,
    runtime: tokio::runtime::Runtime,
    options: StoreOptions,
    shown: String,
}

impl Bucket {
    pub(super) fn open(address: &str, shown: &str, options: StoreOptions) -> Result<Self, SharedError> {
        let bad = |cause: String| SharedError::BadUrl { url: shown.to_owned(), cause };
        let url = Url::parse(address).map_err(|error| bad(error.to_string()))?;
        let bucket = url.host_str().filter(|host| !host.is_empty());
        let bucket = bucket.ok_or_else(|| bad("it names no bucket".to_owned()))?;
        let path = url.path().strip_suffix(MANIFEST).unwrap_or(url.path());
        let folder = Path::from_url_path(path).map_err(|error| bad(error.to_string()))?;
        let store = connect(url.scheme(), bucket, &options).map_err(|error| bad(words(&error)))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| bad(error.to_string()))?;
        Ok(Self { store, folder, runtime, options, shown: shown.to_owned() })
    }

    pub(super) fn get(
        &self,
        name: &str,
        limit: u64,
        etag: Option<&str>,
        cancel: &CancellationToken,
    ) -> Result<Option<Object>, SharedError> {
        let path = self.path(name);
        let options = GetOptions { if_none_match: etag.map(str::to_owned), ..GetOptions::default() };
        let work = async {
            let answer = self.store.get_opts(&path, options).await?;
            let etag = answer.meta.e_tag.clone();
            let mut bytes = Vec::new();
            let mut stream = answer.into_stream();
            while let Some(chunk) = stream.next().await {
                bytes.extend_from_slice(&chunk?);
                if bytes.len() as u64 > limit {
                    return Ok(None);
                }
            }
            Ok(Some(Object { bytes: bytes.into(), etag }))
        };
        match self.run(limit, cancel, work)? {
            Err(object_store::Error::NotModified { .. }) => Ok(None),
            Err(error) => Err(self.error(name, &error)),
            Ok(None) => Err(SharedError::broken(format!("`{name}` is larger than it can be"))),
            Ok(object) => Ok(object),
        }
    }

    pub(super) fn put(&self, name: &str, bytes: &[u8], over: &Over) -> Result<Put, SharedError> {
        let mode = match over {
            Over::Anything => PutMode::Overwrite,
            Over::Nothing => PutMode::Create,
            Over::Tag(tag) => PutMode::Update(UpdateVersion { e_tag: Some(tag.clone()), version: None }),
        };
        let conditional = mode != PutMode::Overwrite;
        match self.put_as(name, bytes, mode)? {
            Ok(()) => Ok(Put::Done),
            Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. })
                if conditional =>
            {
                Ok(Put::Lost)
            }
            // not every store that speaks S3 knows conditions: then the last one wins by being last
            Err(object_store::Error::NotImplemented { .. } | object_store::Error::NotSupported { .. })
                if conditional =>
            {
                self.overwrite(name, bytes)
            }
            Err(error) if conditional && status(&error) == Some(501) => self.overwrite(name, bytes),
            Err(error) => Err(self.error(name, &error)),
        }
    }

    fn overwrite(&self, name: &str, bytes: &[u8]) -> Result<Put, SharedError> {
        self.put_as(name, bytes, PutMode::Overwrite)?.map_err(|error| self.error(name, &error))?;
        Ok(Put::Done)
    }

    fn put_as(
        &self,
        name: &str,
        bytes: &[u8],
        mode: PutMode,
    ) -> Result<Result<(), object_store::Error>, SharedError> {
        let path = self.path(name);
        let payload = bytes.to_vec().into();
        let work = async {
            self.store.put_opts(&path, payload, PutOptions { mode, ..PutOptions::default() }).await.map(drop)
        };
        self.run(bytes.len() as u64, &CancellationToken::new(), work)
    }

    pub(super) fn has(&self, name: &str, size: u64) -> Result<bool, SharedError> {
        let path = self.path(name);
        match self.run(0, &CancellationToken::new(), self.store.head(&path))? {
            Ok(found) => Ok(found.size == size),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(self.error(name, &error)),
        }
    }

    pub(super) fn list(&self, folder: &str) -> Result<Vec<Listed>, SharedError> {
        let path = self.path(folder);
        let work = async {
            let mut out = Vec::new();
            let mut listing = self.store.list(Some(&path)).take(MAX_LISTED);
            while let Some(found) = listing.next().await {
                let found = found?;
                let modified = Timestamp::from_second(found.last_modified.timestamp()).unwrap_or_default();
                let name = found.location.filename().unwrap_or_default();
                out.push(Listed { name: format!("{folder}/{name}"), modified });
            }
            Ok(out)
        };
        self.run(0, &CancellationToken::new(), work)?.map_err(|error| self.error(folder, &error))
    }

    pub(super) fn remove(&self, name: &str) -> Result<(), SharedError> {
        let path = self.path(name);
        match self.run(0, &CancellationToken::new(), self.store.delete(&path))? {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.error(name, &error)),
        }
    }

    fn path(&self, name: &str) -> Path {
        name.split('/').fold(self.folder.clone(), Path::join)
    }

    /// Runs a request, bounded in time.
    fn run<T>(
        &self,
        bytes: u64,
        cancel: &CancellationToken,
        work: impl Future<Output = Result<T, object_store::Error>>,
    ) -> Result<Result<T, object_store::Error>, SharedError> {
        let unreachable = |cause: String| SharedError::Unreachable { place: self.shown.clone(), cause };
        if self.options.offline {
            return Err(unreachable("the program is offline".to_owned()));
        }
        let limit = time_for(self.options.timeout, bytes);
        self.runtime.block_on(async {
            tokio::select! {
                done = tokio::time::timeout(limit, work) => {
                    done.map_err(|_| unreachable(format!("it did not answer within {} s", limit.as_secs())))
                }
                () = cancel.cancelled() => Err(SharedError::Cancelled),
            }
        })
    }

    fn error(&self, name: &str, error: &object_store::Error) -> SharedError {
        use object_store::Error;
        let place = self.shown.clone();
        match error {
            Error::NotFound { .. } if status_code(error).as_deref() == Some("NoSuchBucket") => {
                SharedError::Denied { place, cause: "there is no such bucket".to_owned() }
            }
            Error::NotFound { .. } => absent(&self.shown, name),
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
                SharedError::Denied { place, cause: words(error) }
            }
            _ => SharedError::Unreachable { place, cause: words(error) },
        }
    }
}

fn connect(
    scheme: &str,
    bucket: &str,
    options: &StoreOptions,
) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
    let retry = RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(2),
            base: 2.0,
        },
        max_retries: RETRIES,
        retry_timeout: options.timeout,
    };
    Ok(match scheme {
        "s3" => Arc::new(
            super::aws_profile::apply(AmazonS3Builder::from_env())
                .with_bucket_name(bucket)
                .with_retry(retry)
                .with_http_connector(Connector)
                .build()?,
        ),
        "gs" => Arc::new(
            GoogleCloudStorageBuilder::from_env()
                .with_bucket_name(bucket)
                .with_retry(retry)
                .with_http_connector(Connector)
                .build()?,
        ),
        _ => Arc::new(
            MicrosoftAzureBuilder::from_env()
                .with_container_name(bucket)
                .with_retry(retry)
                .with_http_connector(Connector)
                .build()?,
        ),
    })
}

/// Makes the client of a store: like the one of everything else, but without redirects, which would
/// take signed headers elsewhere.
#[derive(Debug)]
struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let may_be_plain = options.get_config_value(&ClientConfigKey::AllowHttp).as_deref() == Some("true");
        let client = reqwest::Client::builder()
            .user_agent(concat!("devportal/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .https_only(!may_be_plain)
            .build()
            .map_err(|error| object_store::Error::Generic { store: "HTTP", source: Box::new(error) })?;
        Ok(HttpClient::new(client))
    }
}

/// Returns the texts of an error and its causes.
fn chain(error: &object_store::Error) -> Vec<String> {
    let first: &(dyn std::error::Error + 'static) = error;
    std::iter::successors(Some(first), |error| error.source()).map(ToString::to_string).collect()
}

/// Returns the HTTP status in an error, if it has one.
fn status(error: &object_store::Error) -> Option<u16> {
    let texts = chain(error).join(" ");
    let after = texts.split_once("status code: ")?.1;
    after.get(..3)?.parse().ok()
}

/// Returns the code of the store in the body of an error: `AccessDenied`, `NoSuchBucket`.
fn status_code(error: &object_store::Error) -> Option<String> {
    let texts = chain(error).join(" ");
    let code = texts.split_once("<Code>")?.1.split_once("</Code>")?.0;
    let is_code = !code.is_empty() && code.len() <= 60 && code.bytes().all(|b| b.is_ascii_alphanumeric());
    is_code.then(|| code.to_owned())
}

/// Puts an error in words, without what the store sent and without addresses, which may be signed.
fn words(error: &object_store::Error) -> String {
    let texts = chain(error);
    let all = texts.join(" ").to_lowercase();
    if let Some(code) = status_code(error) {
        let status = status(error).map(|status| format!("{status} ")).unwrap_or_default();
        return format!("it answered {status}{code}");
    }
    if let Some(status) = status(error) {
        return format!("it answered {status}");
    }
    let known = [
        (
            "scheme is not allowed",
            "plain http is not spoken unless the environment allows it (AWS_ALLOW_HTTP=true)",
        ),
        ("169.254.169.254", "there are no credentials in the environment"),
        ("metadata", "there are no credentials in the environment"),
        ("account name", "the environment names no storage account (AZURE_STORAGE_ACCOUNT_NAME)"),
        (
            "account must be specified",
            "the environment names no storage account (AZURE_STORAGE_ACCOUNT_NAME)",
        ),
        ("without location", "it sends elsewhere: the region is probably wrong (AWS_REGION)"),
        ("dns", "its name is not known"),
        ("lookup", "its name is not known"),
        ("connection refused", "the connection was refused"),
        ("connection reset", "the connection was broken off"),
        ("network is unreachable", "there is no network"),
        ("certificate", "its certificate is not trusted"),
        ("timed out", "it did not answer in time"),
    ];
    let known = known.iter().find(|(mark, _)| all.contains(mark)).map(|(_, words)| (*words).to_owned());
    known.unwrap_or_else(|| {
        let last = texts.last().map_or("", String::as_str);
        super::super::clean::without_secrets(last).chars().filter(|c| !c.is_control()).take(200).collect()
    })
}

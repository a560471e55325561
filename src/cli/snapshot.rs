//! `snapshot`: writes the catalog where a whole team reads it, and checks what is there.

use super::args::GlobalArgs;
use super::error::{CliError, Exit};
use super::output::{Output, Role};
use super::session::{self, Session};
use super::version::Form;
use crate::catalog::Progress;
use crate::catalog::shared::keys::{PublicKeys, SigningKey};
use crate::catalog::shared::publish::{self, Change, Options, Published};
use crate::catalog::shared::{
    Forbidden, HttpPlace, Manifest, Place, SharedError, Store, StoreOptions, fetch,
};
use crate::catalog::{loader, snapshot::Catalog};
use crate::config::secret::{Secret, SecretSource};
use crate::config::setting;
use crate::config::source::SourceConfig;
use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::model::text::clean;
use crate::net::{Api, Auth, Net, NetError, NetNote, NetOptions};
use crate::store::kept::Kept;
use clap::Subcommand;
use jiff::Timestamp;
use serde_json::json;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Arguments of `snapshot`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Read the catalog and write it to a store; usually done by a CI job
    Publish(PublishArgs),
    /// Fetch a snapshot and check its checksum, its signature and every record
    Verify(VerifyArgs),
    /// Show what a snapshot is: its age, size, sources and signature
    Show(ShowArgs),
    /// Make a pair of keys: the private one into a file, the public one printed
    Keygen(KeygenArgs),
}

#[derive(Debug, clap::Args)]
struct PublishArgs {
    /// `s3://bucket/path`, `gs://bucket/path`, `az://container/path`, `file:///path` or a folder
    #[arg(value_name = "URL")]
    url: String,
    /// Sign with the private key in this file
    #[arg(long, value_name = "FILE", conflicts_with = "key_env")]
    key: Option<PathBuf>,
    /// Sign with the private key in this environment variable
    #[arg(long, value_name = "NAME")]
    key_env: Option<String>,
    /// Say what would be written, write nothing
    #[arg(long)]
    dry_run: bool,
    /// Publish although a source could not be read, or although there is no entity
    #[arg(long)]
    allow_incomplete: bool,
    /// How many data objects of before stay
    #[arg(long, value_name = "N", default_value_t = publish::KEEP)]
    keep: usize,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "text")]
    output: Form,
}

#[derive(Debug, clap::Args)]
struct VerifyArgs {
    /// Where the snapshot is; also `https://…`
    #[arg(value_name = "URL")]
    url: String,
    /// Public key that must have signed it; otherwise that of the configured source with this address
    #[arg(long, value_name = "KEY")]
    public_key: Option<String>,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "text")]
    output: Form,
}

#[derive(Debug, clap::Args)]
struct ShowArgs {
    /// Where the snapshot is; also `https://…`
    #[arg(value_name = "URL")]
    url: String,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "text")]
    output: Form,
}

#[derive(Debug, clap::Args)]
struct KeygenArgs {
    /// File for the private key; an existing one is never overwritten
    #[arg(value_name = "FILE", default_value = "devportal-snapshot.key")]
    file: PathBuf,
}

/// Runs `snapshot`.
///
/// # Errors
/// [`CliError`] by what the store says.
pub fn run(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    match &args.action {
        Action::Publish(args) => publish(global, args, out),
        Action::Verify(args) => verify(global, args, out),
        Action::Show(args) => show(global, args, out),
        Action::Keygen(args) => keygen(args, out),
    }
}

fn publish(global: &GlobalArgs, args: &PublishArgs, out: &mut Output) -> Result<Exit, CliError> {
    // before anything is read: a mistake should not cost a crawl
    let key = key(args)?;
    let session = session::open(global);
    let mut store = Store::open(&args.url, store_options(&session)).map_err(|error| told(&error))?;
    let forbidden = secrets(&session);
    let loaded = session.load(out)?;
    let options = Options {
        key: key.as_ref(),
        allow_incomplete: args.allow_incomplete,
        dry_run: args.dry_run,
        keep: args.keep,
        forbidden: &forbidden,
        now: Timestamp::now(),
    };
    let published = match publish::publish(&loaded.catalog, &mut store, &options) {
        Err(error @ SharedError::Incomplete { .. }) => {
            out.diagnostic(&diagnostic(&error));
            return Ok(Exit::Incomplete);
        }
        other => other.map_err(|error| told(&error))?,
    };
    for note in &published.notes {
        out.note(note);
    }
    match args.output {
        Form::Json => out.json(&json!({
            "url": store.shown(),
            "changed": word(published.change),
            "dryRun": args.dry_run,
            "removed": published.removed,
            "incomplete": loader::source_errors(&loaded.catalog).next().is_some(),
            "manifest": published.manifest,
        }))?,
        Form::Text => out.line(&sentence(&published, &loaded.catalog, store.shown(), args.dry_run))?,
    }
    Ok(Exit::Fine)
}

fn word(change: Change) -> &'static str {
    match change {
        Change::Nothing => "nothing",
        Change::Manifest => "manifest",
        Change::Everything => "everything",
    }
}

fn sentence(published: &Published, catalog: &Catalog, place: &str, dry_run: bool) -> String {
    let Manifest { entities, data, created, signature, .. } = &published.manifest;
    let size = size(data.size);
    let what = format!("{entities} entities of {} sources, {size}", catalog.sources().len());
    let signed = match signature {
        Some(signature) => format!(", signed by the key {}", clean(&signature.key)),
        None => ", not signed".to_owned(),
    };
    let place = clean(place);
    match (published.change, dry_run) {
        (Change::Nothing, _) => format!("unchanged since {created}: {what}{signed}; {place}"),
        (Change::Manifest, true) => format!("would write the manifest anew: {what}{signed}; {place}"),
        (Change::Everything, true) => format!("would publish {what}{signed}; {place}"),
        (Change::Manifest, false) => format!("wrote the manifest anew: {what}{signed}; {place}"),
        (Change::Everything, false) => {
            let removed = match published.removed {
                0 => String::new(),
                removed => format!("; removed {removed} old data objects"),
            };
            format!("published {what}{signed}; {place}{removed}")
        }
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

fn key(args: &PublishArgs) -> Result<Option<SigningKey>, CliError> {
    let failed = |what: String| {
        CliError::failure(
            Diagnostic::error("snapshot::key", what)
                .hint("`devportal snapshot keygen FILE` makes a pair of keys"),
        )
    };
    let text = match (&args.key, &args.key_env) {
        (Some(file), _) => {
            let shown = file.display();
            let text = std::fs::read_to_string(file)
                .map_err(|error| failed(format!("could not read the key `{shown}`: {error}")))?;
            Secret::new(text)
        }
        (None, Some(name)) => {
            let text = std::env::var(name)
                .map_err(|_| failed(format!("the environment variable `{name}` is not set")))?;
            Secret::new(text)
        }
        (None, None) => return Ok(None),
    };
    SigningKey::parse(text.expose()).map(Some).map_err(|error| failed(error.to_string()))
}

/// Variables of stores and forges whose content must never be published.
const SECRET_VARIABLES: &[&str] = &[
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_STORAGE_SAS_KEY",
    "AZURE_CLIENT_SECRET",
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "GITLAB_TOKEN",
    "CI_JOB_TOKEN",
];

/// Returns the secrets that this run knows; those of commands and keyrings stay where they are.
fn secrets(session: &Session) -> Vec<Forbidden> {
    let variables = SECRET_VARIABLES
        .iter()
        .filter_map(|name| Some((format!("`{name}`"), Secret::new(std::env::var(name).ok()?))));
    let tokens = session.loader.sources().iter().filter_map(|source| {
        let token = source
            .token
            .as_ref()
            .filter(|token| matches!(token, SecretSource::Env(_) | SecretSource::File(_)));
        Some((format!("the source `{}`", source.name), token?.read().ok()?))
    });
    let all = variables.chain(tokens).map(|(label, secret)| Forbidden { label, secret });
    all.filter(|forbidden| !forbidden.secret.expose().trim().is_empty()).collect()
}

fn verify(global: &GlobalArgs, args: &VerifyArgs, out: &mut Output) -> Result<Exit, CliError> {
    super::exit_when_interrupted();
    let session = session::open(global);
    let configured = source_of(&session, &args.url);
    let text = args.public_key.clone().or_else(|| configured.and_then(|source| source.public_key.clone()));
    let keys = match &text {
        Some(text) => Some(PublicKeys::parse(text).map_err(|error| told(&error))?),
        None => None,
    };
    let reader = Reader::new(&session, configured);
    let mut place = reader.place(&session, &args.url)?;
    let cancel = CancellationToken::new();
    let checked = fetch::manifest(place.as_mut(), keys.as_ref(), None, &cancel).and_then(|found| {
        let (manifest, _) = found.ok_or(SharedError::Cancelled)?;
        let data = fetch::data(place.as_mut(), &manifest, &cancel)?;
        let contents = fetch::contents(&manifest, &data, 0, &"snapshot".into(), &Progress::none())?;
        Ok((manifest, contents))
    });
    let (manifest, contents) = match checked {
        Ok(checked) => checked,
        Err(
            error
            @ (SharedError::Broken { .. } | SharedError::Missing { .. } | SharedError::Untrusted { .. }),
        ) => {
            if args.output == Form::Json {
                out.json(&json!({"url": place.shown(), "valid": false, "cause": error.to_string()}))?;
            }
            out.diagnostic(&diagnostic(&error));
            return Ok(Exit::CheckFailed);
        }
        Err(error) => return Err(told(&error)),
    };
    let trust = match (&manifest.signature, keys.is_some()) {
        (Some(signature), true) => format!("signed by the key {}, which is trusted", clean(&signature.key)),
        (Some(signature), false) => {
            format!("signed by the key {}, not checked: no public key was given", clean(&signature.key))
        }
        (None, _) => "not signed".to_owned(),
    };
    match args.output {
        Form::Json => out.json(&json!({
            "url": place.shown(),
            "valid": true,
            "signatureChecked": keys.is_some(),
            "manifest": manifest,
        }))?,
        Form::Text => {
            let files = contents.files.len();
            let sign = out.paint(Role::Ok, "✓");
            out.line(&format!(
                "{sign} whole: {} entities in {files} files of {}",
                manifest.entities, manifest.created
            ))?;
            out.line(&format!("  {trust}"))?;
        }
    }
    Ok(Exit::Fine)
}

fn show(global: &GlobalArgs, args: &ShowArgs, out: &mut Output) -> Result<Exit, CliError> {
    super::exit_when_interrupted();
    let session = session::open(global);
    let reader = Reader::new(&session, source_of(&session, &args.url));
    let mut place = reader.place(&session, &args.url)?;
    let found = fetch::manifest(place.as_mut(), None, None, &CancellationToken::new());
    let (manifest, _) =
        found.and_then(|found| found.ok_or(SharedError::Cancelled)).map_err(|error| told(&error))?;
    if args.output == Form::Json {
        out.json(&manifest)?;
        return Ok(Exit::Fine);
    }
    let signed =
        manifest.signature.as_ref().map_or_else(|| "no".to_owned(), |s| format!("by the key {}", s.key));
    let rows = [
        ("place", place.shown().to_owned()),
        ("format", manifest.format.clone()),
        ("created", manifest.created.to_string()),
        ("entities", format!("{} in {} files", manifest.entities, manifest.files)),
        (
            "data",
            format!(
                "{} ({}, {} unpacked)",
                manifest.data.name,
                size(manifest.data.size),
                size(manifest.data.unpacked)
            ),
        ),
        ("signed", signed),
    ];
    for (name, text) in rows {
        let name = out.paint(Role::Dim, &format!("{name:<9}"));
        out.line(&format!("{name} {}", clean(&text)))?;
    }
    for source in &manifest.sources {
        let error = source.error.as_ref().map(|error| format!(", not read: {error}")).unwrap_or_default();
        let text = format!("{} ({}, {} entities{error})", source.name, source.kind, source.entities);
        let name = out.paint(Role::Dim, "source   ");
        out.line(&format!("{name} {}", clean(&text)))?;
    }
    Ok(Exit::Fine)
}

fn keygen(args: &KeygenArgs, out: &mut Output) -> Result<Exit, CliError> {
    let (key, text) = SigningKey::generate().map_err(|error| told(&error))?;
    let shown = args.file.display().to_string();
    write_private(&args.file, &text).map_err(|error| {
        let message = match error.kind() {
            std::io::ErrorKind::AlreadyExists => format!("`{shown}` exists and is not overwritten"),
            _ => format!("could not write `{shown}`: {error}"),
        };
        CliError::failure(
            Diagnostic::error("snapshot::key", message)
                .at(SourceLocation::file(shown.clone()))
                .hint("name another file: `devportal snapshot keygen FILE`"),
        )
    })?;
    out.line(&key.public().to_base64())?;
    out.note(&format!(
        "wrote the private key to `{shown}`: keep it where the job that publishes finds it, and nowhere else; the \
         line above is `public_key` of the source that reads"
    ));
    Ok(Exit::Fine)
}

/// Writes a file that only its owner can read, where there is none.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// What reading an https place needs.
struct Reader {
    net: Net,
    kept: Kept,
    cancel: CancellationToken,
    auth: Auth,
    ca_file: Option<PathBuf>,
}

/// Nobody watches how many bytes come.
fn ignore(_: NetNote) {}

impl Reader {
    fn new(session: &Session, source: Option<&SourceConfig>) -> Self {
        let token = source.and_then(|source| source.token.as_ref()).and_then(|token| token.read().ok());
        let auth = match (token, source.and_then(|source| source.username.clone())) {
            (Some(token), Some(name)) => Auth::Basic(name, token),
            (Some(token), None) => Auth::Bearer(token),
            (None, _) => Auth::None,
        };
        let offline = session.config.flag(&setting::OFFLINE);
        Self {
            net: Net::new(NetOptions { offline, ..NetOptions::default() }),
            kept: Kept::in_memory(),
            cancel: CancellationToken::new(),
            auth,
            ca_file: source.and_then(|source| source.ca_file.clone()),
        }
    }

    fn place<'a>(&'a self, session: &Session, url: &str) -> Result<Box<dyn Place + 'a>, CliError> {
        let options = store_options(session);
        if Store::is_store(url) {
            return Ok(Box::new(Store::open(url, options).map_err(|error| told(&error))?));
        }
        let base = Url::parse(url).map_err(|error| {
            let url = crate::config::source::without_credentials(url);
            told(&SharedError::BadUrl { url, cause: error.to_string() })
        })?;
        Ok(Box::new(HttpPlace::new(Api {
            net: &self.net,
            base,
            auth: self.auth.clone(),
            kept: &self.kept,
            cancel: &self.cancel,
            timeout: Some(options.timeout),
            max_bytes: None,
            ca_file: self.ca_file.clone(),
            notify: &ignore,
        })))
    }
}

fn store_options(session: &Session) -> StoreOptions {
    let timeout = session.timeout.unwrap_or_else(|| session.config.duration(&setting::HTTP_TIMEOUT));
    StoreOptions {
        offline: session.config.flag(&setting::OFFLINE),
        timeout: timeout.max(Duration::from_secs(1)),
    }
}

/// Returns the configured source that reads this address.
fn source_of<'s>(session: &'s Session, url: &str) -> Option<&'s SourceConfig> {
    let same = |other: &str| other.trim_end_matches('/') == url.trim_end_matches('/');
    session.config.sources.iter().find(|source| {
        source.kind == "snapshot"
            && (source.url.as_deref().is_some_and(same)
                || source.path.as_ref().is_some_and(|path| same(&path.display().to_string())))
    })
}

fn diagnostic(error: &SharedError) -> Diagnostic {
    let code = match error {
        SharedError::BadUrl { .. } => "snapshot::bad-url",
        SharedError::NotFound { .. } => "snapshot::not-found",
        SharedError::Missing { .. } | SharedError::Broken { .. } => "snapshot::broken",
        SharedError::Denied { .. } => "snapshot::denied",
        SharedError::Unreachable { .. } | SharedError::Net { .. } => "snapshot::unreachable",
        SharedError::Newer { .. } => "snapshot::newer",
        SharedError::Untrusted { .. } => "snapshot::untrusted",
        SharedError::Key { .. } => "snapshot::key",
        SharedError::Incomplete { .. } => "snapshot::incomplete",
        SharedError::Secret { .. } => "snapshot::secret",
        SharedError::Cancelled => "snapshot::cancelled",
    };
    Diagnostic::error(code, error.to_string()).hint(error.hint())
}

fn told(error: &SharedError) -> CliError {
    let diagnostic = diagnostic(error);
    match error {
        SharedError::BadUrl { .. } => CliError::misuse(diagnostic),
        SharedError::NotFound { .. } => CliError::not_found(diagnostic),
        SharedError::Net { error: NetError::Status { status: 401 | 403, .. }, .. } => {
            CliError::failure(diagnostic)
        }
        SharedError::Unreachable { .. } | SharedError::Net { .. } => CliError::unreachable(diagnostic),
        _ => CliError::failure(diagnostic),
    }
}

//! A catalog that somebody else read and published: a thousand machines need not ask five thousand
//! repositories.
//!
//! Only the manifest is asked for at each refresh; the data comes when that changed. A copy stays on this
//! machine and is shown, marked and with its age, while the place cannot be reached or gives something that
//! is not trusted.

use super::{CatalogProvider, Delta, RefreshContext, SourceError, SourceSpec, Stale};
use crate::catalog::shared::copy::{Copy, Shelf};
use crate::catalog::shared::keys::PublicKeys;
use crate::catalog::shared::{HttpPlace, Manifest, Place, SharedError, Store, StoreOptions, fetch};
use crate::catalog::snapshot::{FileContent, ParsedFile, RelationsFrom};
use crate::config::source::{AllowRule, SourceConfig, without_credentials};
use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::model::value::ValueRef;
use crate::net::{Auth, NetError};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// The type `snapshot`.
pub const SPEC: SourceSpec = SourceSpec {
    kind: "snapshot",
    help: "a catalog that `devportal snapshot publish` wrote",
    settings: &["url", "path", "token", "username", "public_key", "ca_file"],
    open,
};

/// Time between two looks at the manifest.
const EVERY: Duration = Duration::from_secs(5 * 60);

fn open(config: &SourceConfig) -> Result<Box<dyn CatalogProvider>, SourceError> {
    let missing = || SourceError::MissingSetting { kind: "snapshot", setting: "url" };
    let url = config
        .url
        .clone()
        .or_else(|| config.path.as_ref().map(|path| path.display().to_string()))
        .ok_or_else(missing)?;
    let bad = |setting: &'static str, cause: String| SourceError::BadSetting { setting, cause };
    let keys = match &config.public_key {
        Some(text) => Some(PublicKeys::parse(text).map_err(|error| bad("public_key", error.to_string()))?),
        None => None,
    };
    let web = if Store::is_store(&url) {
        Store::open(&url, StoreOptions::default()).map_err(|error| bad("url", error.to_string()))?;
        None
    } else {
        Some(Url::parse(&url).map_err(|error| bad("url", error.to_string()))?)
    };
    Ok(Box::new(SnapshotSource { url, web, keys, every: config.every.unwrap_or(EVERY) }))
}

struct SnapshotSource {
    url: String,
    /// The address, when it is one of a web server.
    web: Option<Url>,
    keys: Option<PublicKeys>,
    every: Duration,
}

impl CatalogProvider for SnapshotSource {
    fn place(&self) -> String {
        let mut shown = without_credentials(&self.url);
        // what stands there may be what lets one read
        if let Some(at) = shown.find('?').filter(|_| self.web.is_some()) {
            shown.truncate(at);
        }
        shown
    }

    fn every(&self) -> Option<Duration> {
        Some(self.every)
    }

    fn refresh(&self, cx: &RefreshContext<'_>) -> Result<Delta, SourceError> {
        let shelf = Shelf::new(cx.folder, cx.kept);
        let before = Before::find(self, cx, shelf);
        let failed = |error: SharedError| self.error(error);
        let mut place = self.reach(cx)?;
        match self.look(cx, shelf, &before, place.as_mut()) {
            Ok(delta) => Ok(delta),
            Err(SharedError::Cancelled) => Err(SourceError::Cancelled),
            Err(error) => match before.give(self, cx) {
                Some((delta, read_at)) => {
                    let stale = Some(Stale { error: failed(error), read_at });
                    Ok(Delta { stale, ..delta })
                }
                None => Err(failed(error)),
            },
        }
    }
}

/// What there is from earlier refreshes.
struct Before {
    copy: Option<Copy>,
    /// Whether the files of the copy are still held.
    is_held: bool,
    data: Option<Arc<[u8]>>,
}

impl Before {
    fn find(source: &SnapshotSource, cx: &RefreshContext<'_>, shelf: Shelf<'_>) -> Self {
        let Some(copy) = shelf.copy(source.keys.as_ref()) else {
            return Self { copy: None, is_held: false, data: None };
        };
        let is_held = cx.version == Some(copy.manifest.data.blake3.as_str());
        let data = if is_held { None } else { shelf.data(&copy.manifest.data) };
        Self { copy: Some(copy), is_held, data }
    }

    /// Returns the copy if its content can be had without asking anybody.
    fn usable(&self) -> Option<&Copy> {
        self.copy.as_ref().filter(|_| self.is_held || self.data.is_some())
    }

    /// Gives the copy, with when it was last known to be good.
    fn give(&self, source: &SnapshotSource, cx: &RefreshContext<'_>) -> Option<(Delta, Timestamp)> {
        let copy = self.usable()?;
        let delta = source.delta(cx, copy, self.data.as_deref()).ok()?;
        Some((delta, copy.checked))
    }
}

impl SnapshotSource {
    fn reach<'a>(&self, cx: &'a RefreshContext<'_>) -> Result<Box<dyn Place + 'a>, SourceError> {
        let timeout = cx.config.timeout_seconds.map(Duration::from_secs);
        if let Some(url) = &self.web {
            let auth = match (cx.token()?, &cx.config.username) {
                (Some(token), Some(name)) => Auth::Basic(name.clone(), token),
                (Some(token), None) => Auth::Bearer(token),
                (None, _) => Auth::None,
            };
            return Ok(Box::new(HttpPlace::new(cx.api(url.clone(), auth))));
        }
        let mut options = StoreOptions { offline: cx.net.is_offline(), ..StoreOptions::default() };
        options.timeout = timeout.unwrap_or(options.timeout);
        let store = Store::open(&self.url, options).map_err(|error| self.error(error))?;
        Ok(Box::new(store))
    }

    /// Asks for the manifest, and for the data when that changed.
    fn look(
        &self,
        cx: &RefreshContext<'_>,
        shelf: Shelf<'_>,
        before: &Before,
        place: &mut dyn Place,
    ) -> Result<Delta, SharedError> {
        let cancel = cx.progress.cancel_token();
        let usable = before.usable();
        let etag = usable.and_then(|copy| copy.etag.as_deref());
        let found = fetch::manifest(place, self.keys.as_ref(), etag, cancel)?;
        let checked = Timestamp::now();
        let (manifest, object) = match (found, usable) {
            (Some(found), _) => found,
            (None, Some(copy)) => {
                let copy = Copy { checked, ..copy.clone() };
                let delta = self.delta(cx, &copy, before.data.as_deref())?;
                shelf.put(None, &copy);
                return Ok(delta);
            }
            (None, None) => return Err(SharedError::Broken { cause: "nothing came".to_owned() }),
        };
        let newest = before.copy.as_ref().map_or(manifest.created, |copy| copy.newest.max(manifest.created));
        let copy = Copy { manifest, etag: object.etag, checked, newest };
        let object_of = |copy: &Copy| copy.manifest.data.clone();
        let is_same = usable.is_some_and(|before| object_of(before) == object_of(&copy));
        let delta = if is_same {
            self.delta(cx, &copy, before.data.as_deref())?
        } else {
            cx.report(0, usize::try_from(copy.manifest.entities).ok(), "entities");
            let data = fetch::data(place, &copy.manifest, cancel)?;
            let delta = self.delta(cx, &copy, Some(&data))?;
            shelf.put_data(&copy.manifest.data, &data);
            delta
        };
        shelf.put(Some(&object.bytes), &copy);
        Ok(delta)
    }

    /// Makes what the source holds of a manifest and its data; without data: of what is held.
    fn delta(&self, cx: &RefreshContext<'_>, copy: &Copy, data: Option<&[u8]>) -> Result<Delta, SharedError> {
        let manifest = &copy.manifest;
        let version = Some(manifest.data.blake3.clone());
        let files = match data {
            None => cx.before.to_vec(),
            Some(data) => {
                let contents = fetch::contents(manifest, data, cx.index, &cx.name, cx.progress)?;
                let mut files = contents.files;
                restrict(&mut files, &cx.config.allow);
                if !contents.diagnostics.is_empty() {
                    files.push(Arc::new(self.loose(cx, contents.diagnostics)));
                }
                files.sort_by(|a, b| a.path.cmp(&b.path));
                files
            }
        };
        cx.report(files.len(), Some(files.len()), "files");
        Ok(Delta { files, diagnostics: self.warnings(cx, copy), version, stale: None })
    }

    /// Puts problems of no file into one without entities, so that they stay as long as the files.
    fn loose(&self, cx: &RefreshContext<'_>, diagnostics: Vec<Diagnostic>) -> ParsedFile {
        let place: Arc<str> = self.place().into();
        let content = FileContent {
            path: place.clone(),
            location_ref: format!("snapshot:{place}").into(),
            origin_ref: format!("snapshot:{place}").into(),
            relations: RelationsFrom::Spec,
            documents: Vec::new(),
            diagnostics,
        };
        ParsedFile::new(cx.index, content)
    }

    fn warnings(&self, cx: &RefreshContext<'_>, copy: &Copy) -> Vec<Diagnostic> {
        let mut out = Vec::new();
        let Manifest { created, .. } = copy.manifest;
        let mut warn = |code: &'static str, message: String, hint: &str| {
            let mut warning =
                Diagnostic::warning(code, message).at(SourceLocation::file(self.place())).hint(hint);
            warning.source = Some(cx.name.clone());
            out.push(warning);
        };
        if created < copy.newest {
            warn(
                "snapshot::older",
                format!("the snapshot is of {created}, one of {} was there before", copy.newest),
                "somebody put an old one back, or replays it; publish it again",
            );
        }
        for source in copy.manifest.incomplete() {
            warn(
                "snapshot::incomplete",
                format!("the snapshot was published although `{}` could not be read", source.name),
                "what that source describes may be missing until it is published again",
            );
        }
        out
    }

    fn error(&self, error: SharedError) -> SourceError {
        let place = self.place();
        let hint = error.hint();
        match error {
            SharedError::Cancelled => SourceError::Cancelled,
            SharedError::Net { error, .. } => SourceError::Net { place, error },
            SharedError::Unreachable { cause, .. } if cause.contains("offline") => {
                SourceError::Net { error: NetError::Offline { host: place.clone() }, place }
            }
            SharedError::Unreachable { cause, .. } => {
                let error = NetError::Unreachable { host: place.clone(), cause, elapsed: Duration::ZERO };
                SourceError::Net { place, error }
            }
            SharedError::Denied { cause, .. } => SourceError::Refused { place, cause, hint },
            SharedError::BadUrl { cause, .. } => SourceError::BadSetting { setting: "url", cause },
            error => SourceError::Unreadable { place, cause: error.to_string(), hint: Some(hint) },
        }
    }
}

/// Leaves out entities whose kind the source may not bring.
fn restrict(files: &mut [Arc<ParsedFile>], rules: &[AllowRule]) {
    if rules.is_empty() {
        return;
    }
    let is_allowed = |value: ValueRef<'_>| {
        let kind = value.get("kind").as_str().unwrap_or("");
        let entity_type = value.get("spec").get("type").as_str().unwrap_or("");
        rules.iter().any(|rule| match rule {
            AllowRule::Kind(allowed) => allowed.eq_ignore_ascii_case(kind),
            AllowRule::Typed { kind: allowed, entity_type: allowed_type } => {
                allowed.eq_ignore_ascii_case(kind) && allowed_type.eq_ignore_ascii_case(entity_type)
            }
        })
    };
    for file in files.iter_mut().filter_map(Arc::get_mut).filter_map(ParsedFile::content_mut) {
        file.documents.retain(|document| is_allowed(ValueRef::new(&document.packed)));
    }
}

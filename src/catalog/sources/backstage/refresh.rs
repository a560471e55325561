//! One refresh: what is held, what changed, what is held then.

use super::backend::Backend;
use super::chain::{Chain, RefHash};
use super::known::Known;
use super::store;
use super::walk::{Walk, Walked};
use crate::catalog::ingest::json::{Context, Converted, Forward, JsonFiles, items, without_implied};
use crate::catalog::snapshot::{ParsedFile, RelationsFrom};
use crate::catalog::sources::{Delta, RefreshContext, SourceError, Stale};
use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::net::NetError;
use jiff::Timestamp;
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use url::Url;

/// Entities that are fetched by their refs with one request.
const BY_REFS: usize = 250;
/// Most entities that are asked for once more because no page held them.
const MAX_MISSED: usize = 2000;

/// Reads the server.
pub(super) fn run(url: &Url, place: &str, cx: &RefreshContext<'_>) -> Result<Delta, SourceError> {
    let place_ref: Arc<str> = format!("url:{place}").into();
    let json = Context {
        source: cx.index,
        name: &cx.name,
        place: &place_ref,
        relations: if cx.config.filter.is_empty() {
            RelationsFrom::Given
        } else {
            RelationsFrom::GivenInPart
        },
        max_bytes: usize::try_from(cx.config.max_file_bytes).unwrap_or(usize::MAX),
    };
    let known = if cx.before.is_empty() { store::load(cx.folder, &json) } else { cx.before.to_vec() };
    let known = Known::new(known);
    let mut old = Chain::load(cx.kept);
    known.verify(&mut old);
    let refresh = Refresh { cx, json: &json, place, known: &known };
    let backend = match Backend::connect(url, place, cx) {
        Ok(backend) => backend,
        Err(error) => return refresh.given_up(error, &old),
    };
    let mut walked = Walk { backend: &backend, cx, json: &json, old: &old, known: &known }.run();
    if walked.chain.pages.is_empty() {
        let error = walked.failure.unwrap_or(SourceError::Cancelled);
        return refresh.given_up(error, &old);
    }
    refresh.fetch_changed(&backend, &mut walked);
    Ok(refresh.finish(&backend, walked, &old))
}

/// Says how far the reading came where it was never done.
fn so_far(error: SourceError, done: usize, chain: &Chain) -> SourceError {
    if chain.is_complete {
        return error;
    }
    SourceError::Incomplete { done, total: chain.total, error: Box::new(error) }
}

struct Refresh<'r> {
    cx: &'r RefreshContext<'r>,
    json: &'r Context<'r>,
    place: &'r str,
    known: &'r Known,
}

impl Refresh<'_> {
    /// Gives what is held, when nothing can be read now.
    fn given_up(&self, error: SourceError, old: &Chain) -> Result<Delta, SourceError> {
        if self.known.is_empty() {
            return Err(error);
        }
        Ok(Delta {
            files: self.known.files.clone(),
            diagnostics: self.odd(old),
            version: Some(old.word()),
            stale: Some(Stale {
                error: so_far(error, self.known.iter().count(), old),
                read_at: read_at(old),
            }),
        })
    }

    /// Fetches entities of which only ref and etag are known to have changed.
    fn fetch_changed(&self, backend: &Backend<'_>, walked: &mut Walked) {
        let mut changed = std::mem::take(&mut walked.changed);
        if walked.failure.is_none() {
            changed.extend(self.missed(&walked.seen));
        }
        changed.sort_unstable();
        changed.dedup();
        for refs in changed.chunks(BY_REFS) {
            match self.by_refs(backend, refs) {
                Ok(found) => {
                    let there: FxHashSet<&str> = found.iter().map(|e| e.entity_ref.as_str()).collect();
                    for gone in refs.iter().filter(|text| !there.contains(text.as_str())) {
                        walked.seen.remove(&RefHash::of(gone));
                    }
                    for entity in found {
                        let hash = RefHash::of(&entity.entity_ref);
                        walked.seen.insert(hash);
                        walked.fresh.push((hash, entity));
                    }
                }
                Err(error) => {
                    walked.failure.get_or_insert(error);
                    return;
                }
            }
        }
    }

    /// Returns refs of entities that are held and that no page had: gone, or moved while the pages were read.
    fn missed(&self, seen: &FxHashSet<RefHash>) -> Vec<String> {
        let missed: Vec<_> = self.known.iter().filter(|(hash, ..)| !seen.contains(hash)).collect();
        if missed.len() > MAX_MISSED {
            return Vec::new();
        }
        missed
            .into_iter()
            .filter_map(|(_, file, document)| self.known.converted(file, document))
            .map(|entity| entity.entity_ref)
            .collect()
    }

    fn by_refs(&self, backend: &Backend<'_>, refs: &[String]) -> Result<Vec<Converted>, SourceError> {
        let body = match backend.ask("api/catalog/entities/by-refs", &json!({ "entityRefs": refs })) {
            Ok(answer) => answer,
            Err(NetError::Status { status: 404 | 405, .. }) => return self.by_names(backend, refs),
            Err(error) => return Err(backend.explain(error)),
        };
        let Some(found) = items(&body.body, "items", refs.len()) else {
            let error = NetError::Broken {
                host: backend.host(),
                cause: "it is not the JSON that was expected".to_owned(),
            };
            return Err(backend.not_json(&body, error));
        };
        Ok(found.items.into_iter().filter_map(|bytes| self.json.read(bytes).ok()).collect())
    }

    /// Fetches entities one by one, from servers that do not know better.
    fn by_names(&self, backend: &Backend<'_>, refs: &[String]) -> Result<Vec<Converted>, SourceError> {
        let mut found = Vec::new();
        for text in refs {
            let path = text.replacen(':', "/", 1);
            let answer =
                match backend.get(backend.address(&format!("api/catalog/entities/by-name/{path}")), None) {
                    Ok(answer) => answer,
                    Err(error) if error.is_not_found() => continue,
                    Err(error) => return Err(backend.explain(error)),
                };
            found.extend(self.json.read(&answer.body).ok());
        }
        Ok(found)
    }

    /// Puts together what is held now and keeps it.
    fn finish(&self, backend: &Backend<'_>, walked: Walked, old: &Chain) -> Delta {
        let Walked { fresh, seen, mut chain, failure, .. } = walked;
        chain.is_complete = failure.is_none() || (old.is_complete && !self.known.is_empty());
        if failure.is_none() {
            chain.read_at = Some(Timestamp::now().as_second());
        } else {
            // pages that were not reached are still as they were
            let next = chain.pages.last().and_then(|page| page.next.clone());
            let rest = old.pages.iter().skip_while(|page| page.cursor != next);
            chain.pages.extend(rest.filter(|_| old.listing == chain.listing).cloned());
            chain.total = chain.total.or(old.total);
        }
        let fresh: FxHashMap<RefHash, Converted> = fresh.into_iter().collect();
        let gone: FxHashSet<RefHash> = match failure {
            None => self.known.iter().map(|(hash, ..)| hash).filter(|hash| !seen.contains(hash)).collect(),
            Some(_) => FxHashSet::default(),
        };
        let buckets: BTreeSet<u64> = fresh.keys().chain(&gone).map(|hash| store::bucket(*hash)).collect();
        let files = self.files(fresh, &gone);
        store::save(self.cx.folder, &files, &buckets);
        if chain != *old {
            chain.save(self.cx.kept);
        }
        let mut diagnostics = self.odd(&chain);
        diagnostics.extend(self.no_validators(backend, &chain));
        let done = files.iter().map(|file| file.documents.len()).sum();
        let stale = failure.map(|error| Stale { error: so_far(error, done, &chain), read_at: read_at(old) });
        Delta { files, diagnostics, version: Some(chain.word()), stale }
    }

    /// Returns all files; those in which nothing changed are the same as before.
    fn files(
        &self,
        mut fresh: FxHashMap<RefHash, Converted>,
        gone: &FxHashSet<RefHash>,
    ) -> Vec<Arc<ParsedFile>> {
        if fresh.is_empty() && gone.is_empty() {
            return self.known.files.clone();
        }
        self.drop_implied(&mut fresh, gone);
        let keys: FxHashMap<(&str, &str), usize> = self
            .known
            .files
            .iter()
            .enumerate()
            .map(|(at, file)| ((&*file.location_ref, &*file.origin_ref), at))
            .collect();
        let mut dirty: FxHashSet<usize> = FxHashSet::default();
        dirty.extend(fresh.keys().chain(gone).filter_map(|hash| self.known.file_of(*hash)));
        dirty.extend(
            fresh.values().filter_map(|entity| keys.get(&(&*entity.location_ref, &*entity.origin_ref))),
        );
        let mut changed = JsonFiles::new(self.json);
        for (hash, file, document) in self.known.iter().filter(|(_, file, _)| dirty.contains(file)) {
            if !fresh.contains_key(&hash) && !gone.contains(&hash) {
                self.known.converted(file, document).into_iter().for_each(|entity| drop(changed.add(entity)));
            }
        }
        for entity in fresh.into_values() {
            changed.add(entity);
        }
        let same = self.known.files.iter().enumerate().filter(|(at, _)| !dirty.contains(at));
        let mut files: Vec<_> = same.map(|(_, file)| file.clone()).chain(changed.finish().0).collect();
        files.sort_unstable_by(|a, b| (&a.path, &a.origin_ref).cmp(&(&b.path, &b.origin_ref)));
        files
    }

    /// Leaves out of each entity the relations that others state: joining puts them there again.
    fn drop_implied(&self, fresh: &mut FxHashMap<RefHash, Converted>, gone: &FxHashSet<RefHash>) {
        let mut forward = Forward::default();
        for (hash, _, document) in self.known.iter() {
            if !gone.contains(&hash) && !fresh.contains_key(&hash) {
                forward.add(document);
            }
        }
        for entity in fresh.values() {
            forward.add(&entity.document);
        }
        for entity in fresh.values_mut() {
            without_implied(&mut entity.document, &forward);
        }
    }

    fn odd(&self, chain: &Chain) -> Vec<Diagnostic> {
        let told = chain.pages.iter().flat_map(|page| &page.odd).map(|message| {
            let diagnostic = Diagnostic::warning("catalog::json", message.clone());
            self.about_the_place(diagnostic)
        });
        told.collect()
    }

    /// Says why a refresh cannot do better, where it cannot.
    fn no_validators(&self, backend: &Backend<'_>, chain: &Chain) -> Option<Diagnostic> {
        if !chain.is_complete || chain.has_validators {
            return None;
        }
        let message = format!(
            "`{}` sends no validators (ETag) with its pages: each refresh reads the refs and etags of all entities",
            backend.host()
        );
        let mut diagnostic =
            Diagnostic::new(crate::diagnostic::Severity::Info, "source::no-validators", message);
        diagnostic.hint = Some(
            "a proxy before the portal may take them away; let it pass `ETag` and `If-None-Match`".to_owned(),
        );
        Some(self.about_the_place(diagnostic))
    }

    fn about_the_place(&self, diagnostic: Diagnostic) -> Diagnostic {
        let mut diagnostic = diagnostic.at(SourceLocation::file(self.place));
        diagnostic.source = Some(self.cx.name.clone());
        diagnostic
    }
}

fn read_at(chain: &Chain) -> Timestamp {
    chain.read_at.and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or_else(Timestamp::now)
}
